import BigInt
import GraphIR
import ReferenceInterpreter
import TernaryIR
import Testing

@testable import Lowering

/// Quantized sums of two activations, held against every pair of their integers.
@Suite struct AdditionSearchTests {
  private struct Case {
    var scales: (Float, Float)
    var zeroPoints = (0, 0)
    var ranges: (ClosedRange<Int>, ClosedRange<Int>)
    var quantizer: Quantizer
    var isReLU = false
    var signs = [1, 1]
  }

  /// `clip(round_half_even(Σ ± S · (q − Z) / S_y)) + zero point`, by Double where that decides, else exactly.
  private func expected(_ a: Int, _ b: Int, _ c: Case) -> Int {
    let (da, db) = (c.signs[0] * (a - c.zeroPoints.0), c.signs[1] * (b - c.zeroPoints.1))
    let zero = c.quantizer.zeroPoint
    let isBefore = c.quantizer.zeroPointOrder == .beforeRounding
    var x = (Double(c.scales.0) * Double(da) + Double(c.scales.1) * Double(db)) / Double(c.quantizer.scale)
    if c.isReLU { x = max(x, 0) }
    var rounded = Int((isBefore ? x + Double(zero) : x).rounded(.toNearestOrEven))
    if abs(abs(x - x.rounded(.down)) - 0.5) < 1e-6, !c.isReLU || x > 0 {
      rounded = exact(da, db, isBefore ? zero : 0, c)
    }
    if !isBefore { rounded += zero }
    return min(max(rounded, c.quantizer.minimum), c.quantizer.maximum)
  }

  /// All scales as integers times one power of two.
  private func exact(_ da: Int, _ db: Int, _ zero: Int, _ c: Case) -> Int {
    func integer(_ x: Float) -> BigInt { BigInt(x.significandBitPattern | 1 << 23) << (Int(x.exponent) + 80) }
    let unit = integer(c.quantizer.scale)
    let value = integer(c.scales.0) * BigInt(da) + integer(c.scales.1) * BigInt(db) + unit * BigInt(zero)
    // floor(value / unit + 1/2), one less for a tie on an odd number.
    let (quotient, remainder) = (2 * value + unit).quotientAndRemainder(dividingBy: 2 * unit)
    let floor = remainder < 0 ? quotient - 1 : quotient
    return Int(remainder.isZero && floor % 2 != 0 ? floor - 1 : floor)
  }

  private func network(_ c: Case) throws -> TernaryNetwork {
    func quantizer(_ scale: Float, _ zero: Int, _ range: ClosedRange<Int>) -> GraphIR.Operation {
      .quantize(
        Quantizer(
          scale: scale, zeroPoint: zero, minimum: range.lowerBound, maximum: range.upperBound,
          isSigned: range.lowerBound < 0))
    }
    // One input of two channels; each operand is one of them, on its own grid by a layer of one weight.
    var chain = Chain([2]).then("in", quantizer(1, 0, -128...127))
    func operand(_ name: String, _ channel: Int, _ operation: GraphIR.Operation) {
      let weights = TernaryWeights(
        name: "w", values: channel == 0 ? [1, 0] : [0, 1], shape: [1, 2], scales: [1024])
      chain = chain.then("\(name) layer", .dense(GraphIR.Dense(weights: weights)), of: "in").then(name, operation)
    }
    operand("a", 0, quantizer(c.scales.0, c.zeroPoints.0, c.ranges.0))
    operand("b", 1, quantizer(c.scales.1, c.zeroPoints.1, c.ranges.1))
    chain = chain.then("sum", .addition(GraphIR.Addition(signs: c.signs)), of: "a", "b")
    if c.isReLU { chain = chain.then("relu", .relu) }
    return try Lowering.lower(chain.then("out", .quantize(c.quantizer)).graph)
  }

  /// The layer alone, run on all pairs at once.
  private func check(_ c: Case, sourceLocation: SourceLocation = #_sourceLocation) throws -> TernaryIR.Addition {
    let whole = try network(c)
    guard case .add(let addition) = whole.layers.last?.kind else {
      Issue.record("no addition", sourceLocation: sourceLocation)
      throw CancellationError()
    }
    let output = whole[whole.outputTensor]
    var wrong = 0
    for a in c.ranges.0 {
      for b in c.ranges.1 {
        let sum = addition.multipliers[0] * a + addition.multipliers[1] * b
        let found = addition.requantizer.apply(sum, channel: 0)
        // The operands' ranges may be narrower than their grids; here they are not.
        if found != expected(a, b, c) || !output.range.contains(found) || !addition.accumulators.contains(sum) {
          wrong += 1
        }
      }
    }
    #expect(wrong == 0, "\(c)", sourceLocation: sourceLocation)
    #expect(whole[whole.layers[0].output].range == c.ranges.0, sourceLocation: sourceLocation)
    return addition
  }

  private func output(_ scale: Float, _ range: ClosedRange<Int>, zeroPoint: Int = 0) -> Quantizer {
    Quantizer(
      scale: scale, zeroPoint: zeroPoint, minimum: range.lowerBound, maximum: range.upperBound,
      zeroPointOrder: zeroPoint % 2 == 0 ? .beforeRounding : .afterRounding, isSigned: range.lowerBound < 0)
  }

  @Test func equalScales() throws {
    for (scale, out) in [(0.5, 0.5), (0.0123, 0.02), (0.25, 0.5), (0.25, 1)] as [(Float, Float)] {
      let found = try check(
        Case(scales: (scale, scale), ranges: (-128...127, -128...127), quantizer: output(out, -128...127)))
      #expect(found.multipliers == [1, 1])
    }
  }

  /// Ties on every second or fourth pair.
  @Test func powersOfTwoAndSmallRatios() throws {
    for (left, right, multipliers) in [
      (0.5, 0.125, [4, 1]), (0.25, 0.375, [2, 3]), (0.0625, 16, [1, 256]), (0.7, 0.35, [2, 1]),
    ] as [(Float, Float, [Int])] {
      for out in [0.5, 0.25, 0.0371] as [Float] {
        let found = try check(
          Case(
            scales: (left, right), zeroPoints: (3, -2), ranges: (-8...7, -16...15),
            quantizer: output(out, -128...127, zeroPoint: 3)))
        #expect(found.multipliers == multipliers)
      }
    }
  }

  /// A ratio of integers too large to be called simple, with ties: the sum stays exact.
  @Test func largeRatiosWithTies() throws {
    let found = try check(
      Case(scales: (1, 0x1p-12), ranges: (-8...7, 0...15), quantizer: output(2, -4...3)))
    // Halves of odd sums: a shifted sum with one offset can not round them all to even.
    #expect(found.multipliers[0] > 0 && found.multipliers[1] > 0)
  }

  @Test func bytesOfArbitraryScales() throws {
    var generator = Generator(state: 3)
    for index in 0..<6 {
      func scale() -> Float { Float(generator.pick(1_000_000...9_000_000)) * 1e-8 }
      let scales = (scale(), scale())
      let found = try check(
        Case(
          scales: scales, zeroPoints: (generator.pick(-5...5), 0),
          ranges: (-128...127, index % 2 == 0 ? 0...255 : -128...127),
          quantizer: output(
            max(scales.0, scales.1) * 1.37, index % 3 == 0 ? 0...255 : -128...127, zeroPoint: index % 3),
          isReLU: index % 2 == 1, signs: index == 2 ? [1, -1] : index == 3 ? [-1, 1] : [1, 1]))
      #expect(found.requantizer.proof.pairs == 65536)
      guard case .affine(let multipliers, _, _) = found.requantizer.form else {
        Issue.record("\(found.requantizer.form)")
        return
      }
      #expect(multipliers == [1])
      // Sixty random pairs needed 13 to 21.
      #expect(found.requantizer.shift <= 22)
      #expect(found.accumulators.fitsInt32)
    }
  }

  @Test func fewBitsOfArbitraryScales() throws {
    var generator = Generator(state: 17)
    var isAffine = 0
    for index in 0..<150 {
      func scale() -> Float { Float(generator.pick(1000...999_999)) * Float(generator.pick(1...40)) * 1e-6 }
      func range(_ bits: Int) -> ClosedRange<Int> {
        index % 2 == 0 ? 0...(1 << bits) - 1 : -(1 << (bits - 1))...(1 << (bits - 1)) - 1
      }
      let scales = (scale(), scale())
      let found = try check(
        Case(
          scales: scales, zeroPoints: (generator.pick(0...3), generator.pick(-3...0)),
          ranges: (range(generator.pick(2...5)), range(generator.pick(2...5))),
          quantizer: output(
            (scales.0 + scales.1) * Float(generator.pick(3...300)) / 100, range(generator.pick(2...6)),
            zeroPoint: generator.pick(0...3)),
          isReLU: generator.pick(0...2) == 0, signs: [generator.pick(0...3) == 0 ? -1 : 1, 1]))
      if case .affine = found.requantizer.form { isAffine += 1 }
      #expect(found.accumulators.fitsInt32)
    }
    #expect(isAffine > 140)
  }

  /// What fits int32 is what is found without that condition.
  @Test func narrowBeforeWide() throws {
    let inputs = [(-128...127), (0...255)].map { TernaryIR.Tensor(name: "x", shape: Shape(1), range: $0) }
    let scales = [Rational(Float(0.0371)), -Rational(Float(0.0529))]
    let search = try #require(
      AdditionSearch(
        AffineMap(slope: .one, offset: .zero), scales, inputs, output(0.06, -128...127), .init(node: "sum")))
    let (narrow, wide) = (try #require(try search.find(isWide: false)), try #require(try search.find(isWide: true)))
    #expect(narrow.addition == wide.addition)
    #expect(narrow.addition.multipliers[0] > 0 && narrow.addition.multipliers[1] < 0)
  }

  @Test func ratios() throws {
    #expect(try #require(IntegerRatio([Rational(3, 4), Rational(-1, 2)])).multipliers == [3, -2])
    #expect(try #require(IntegerRatio([Rational(6), Rational(9), Rational(15)])).multipliers == [2, 3, 5])
    #expect(IntegerRatio([Rational(1), Rational(1 << 40)]) == nil)
    let thirds = try #require(IntegerRatio([Rational(1, 3), Rational(1)]))
    #expect(thirds.multipliers == [1, 3])
    #expect(thirds.unit == Rational(1, 3))
  }
}
