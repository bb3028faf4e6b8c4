import BigInt
import GraphIR
import ReferenceInterpreter
import TernaryIR
import Testing

@testable import Lowering

/// `RequantizerSearch` and `RequantizerProof`, together and against each other.
@Suite struct RequantizationTests {
  private let byte = Quantizer(scale: 1, minimum: 0, maximum: 255, isSigned: false)

  private func requantize(
    _ maps: [AffineMap], _ domains: [ClosedRange<Int>], _ quantizer: Quantizer
  ) throws -> Requantizer {
    try Requantization(maps: maps, domains: domains, quantizer: quantizer, location: .init()).requantizer
  }

  /// Pairs on which the interpreter's requantizer differs from the map.
  private func mismatches(
    _ requantizer: Requantizer, _ map: AffineMap, _ quantizer: Quantizer, _ domain: ClosedRange<Int>, channel: Int
  ) -> Int {
    let real = QuantizedMap(map, quantizer)
    return domain.count { requantizer.apply($0, channel: channel) != real.evaluate($0) }
  }

  /// Slopes and offsets of trained layers: an affine form exists, and it equals the map everywhere.
  @Test func affineWhereItExists() throws {
    var generator = Generator(state: 1)
    for _ in 0..<20 {
      let maps = (0..<4).map { _ in
        AffineMap(
          slope: Rational(Float(generator.pick(1...1_000_000)) * 1.37e-7),
          offset: Rational(Float(generator.pick(-1_000_000...1_000_000)) * 1.1e-5))
      }
      let domains = (0..<4).map { _ in -generator.pick(0...3000)...generator.pick(0...3000) }
      let quantizer = Quantizer(scale: 0.037, zeroPoint: 3, minimum: 0, maximum: 15, isSigned: false)
      let requantizer = try requantize(maps, domains, quantizer)
      guard case .affine(let multipliers, _, let shift) = requantizer.form else {
        Issue.record("expected an affine form, found \(requantizer.form)")
        continue
      }
      #expect((0...31).contains(shift))
      #expect(multipliers.allSatisfy { (0...Int(Int32.max)).contains($0) })
      #expect(requantizer.proof == .init(pairs: domains.reduce(0) { $0 + $1.count }, exceptions: 0))
      for channel in maps.indices {
        #expect(mismatches(requantizer, maps[channel], quantizer, domains[channel], channel: channel) == 0)
      }
    }
  }

  /// No smaller shift works: the search starts at 0, and a slope of 1 needs none.
  @Test func smallestShift() throws {
    #expect(
      try requantize([AffineMap(slope: .one)], [-9...300], byte).form
        == .affine(multipliers: [1], offsets: [0], shift: 0))
    let third = try requantize([AffineMap(slope: Rational(1, 3))], [0...9], byte)
    // 0 0 1 1 1 2 2 2 3 3: a third, rounded, needs two bits.
    #expect(third.shift <= 3)
    #expect(mismatches(third, AffineMap(slope: Rational(1, 3)), byte, 0...9, channel: 0) == 0)
  }

  @Test func halfEvenForTwoByTwoPools() throws {
    let map = AffineMap(slope: Rational(1, 4))
    let requantizer = try requantize([map], [0...1020], byte)
    #expect(requantizer.form == .affineHalfEven(multipliers: [1], offsets: [0], shift: 2))
    #expect(mismatches(requantizer, map, byte, 0...1020, channel: 0) == 0)
  }

  /// Sixths have ties at 3, 9, 15 …, and no power of two makes them whole.
  @Test func thresholdsOtherwise() throws {
    let map = AffineMap(slope: Rational(1, 6))
    let quantizer = Quantizer(scale: 1, minimum: 0, maximum: 7, isSigned: false)
    let requantizer = try requantize([map], [-4...60], quantizer)
    #expect(requantizer.form == .thresholds([[4, 9, 16, 21, 28, 33, 40]]))
    #expect(mismatches(requantizer, map, quantizer, -4...60, channel: 0) == 0)
  }

  /// Outputs outside of what the domain reaches keep their place in the list.
  @Test func thresholdsOutsideOfTheDomain() throws {
    let map = AffineMap(slope: Rational(1, 6))
    let quantizer = Quantizer(scale: 1, minimum: 0, maximum: 31, isSigned: false)
    let requantizer = try requantize([map], [20...100], quantizer)
    guard case .thresholds(let lists) = requantizer.form else {
      Issue.record("expected thresholds, found \(requantizer.form)")
      return
    }
    #expect(lists[0].count == 31)
    #expect(lists[0] == lists[0].sorted())
    #expect(mismatches(requantizer, map, quantizer, 20...100, channel: 0) == 0)
  }

  /// A tie that only the irrational root of a BatchNorm could decide is reported, not decided.
  @Test func undecidableTiesAreReported() {
    var map = AffineMap(slope: .one, offset: Rational(1, 2) + Rational(1, BigInt(1) << 190))
    map.isApproximate = true
    #expect(throws: (any Error).self) { try requantize([map], [0...9], byte) }
  }

  /// The proof sees an error exactly where trying every accumulator sees one.
  @Test func proofFindsPlantedErrors() throws {
    var generator = Generator(state: 3)
    var planted = 0
    for round in 0..<30 {
      let isEven = round % 3 == 2
      let map = AffineMap(
        slope: isEven
          ? Rational(BigInt(generator.pick(1...7)), 16) : Rational(Float(generator.pick(1...9999)) * 1.37e-5),
        offset: isEven ? Rational(BigInt(generator.pick(-40...40)), 2) : Rational(Float(generator.pick(-99...99)) * 0.1)
      )
      let domain = -generator.pick(5...400)...generator.pick(5...400)
      let quantizer = Quantizer(scale: 1, minimum: -8, maximum: 7, isSigned: true)
      let found = try requantize([map], [domain], quantizer)
      var changed: [Requantizer.Form] = []
      switch found.form {
      case .affine(let m, let b, let shift):
        for delta in [-1, 1, 2, 1 << max(shift - 1, 0)] {
          if m[0] + delta >= 0 { changed.append(.affine(multipliers: [m[0] + delta], offsets: b, shift: shift)) }
          changed.append(.affine(multipliers: m, offsets: [b[0] - delta], shift: shift))
          changed.append(.affine(multipliers: m, offsets: [b[0] + 40 * delta], shift: shift))
        }
      case .affineHalfEven(let m, let b, let shift):
        for delta in [-1, 1] {
          if m[0] + delta >= 0 {
            changed.append(.affineHalfEven(multipliers: [m[0] + delta], offsets: b, shift: shift))
          }
          changed.append(.affineHalfEven(multipliers: m, offsets: [b[0] + delta], shift: shift))
          changed.append(.affine(multipliers: m, offsets: [b[0] + (1 << shift) / 2], shift: shift))
        }
      case .thresholds(let lists):
        for index in lists[0].indices {
          var list = lists
          list[0][index] += 1
          if list[0] == list[0].sorted() { changed.append(.thresholds(list)) }
        }
      case .logits: break
      }
      let real = QuantizedMap(map, quantizer)
      for form in [found.form] + changed {
        let requantizer = Requantizer(form: form, minimum: found.minimum, maximum: found.maximum)
        let wrong = mismatches(requantizer, map, quantizer, domain, channel: 0)
        let proof = RequantizerProof(form: form, minimum: found.minimum, maximum: found.maximum)
        let exceptions = proof.check(channel: 0, real, over: domain).exceptions
        #expect((exceptions > 0) == (wrong > 0), "\(form), \(map), \(domain)")
        if wrong > 0 { planted += 1 }
      }
    }
    #expect(planted > 100)
  }
}
