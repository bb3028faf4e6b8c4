import BigInt
import Testing

@testable import Lowering

@Suite struct LogitsTests {
  private func logits(_ maps: [AffineMap], _ domains: [ClosedRange<Int>]) throws -> Logits {
    try Logits(maps: maps, domains: domains, location: .init())
  }

  /// The stated resolution bounds the error of every reachable accumulator, in exact arithmetic, and is no empty claim:
  /// it is not larger than what rounding two constants to nearest can cost.
  @Test func resolutionIsHonest() throws {
    var generator = Generator(state: 9)
    for _ in 0..<30 {
      let maps = (0..<3).map { _ in
        AffineMap(
          slope: Rational(BigInt(generator.pick(1...100_000)), BigInt(generator.pick(1...100_000))),
          offset: Rational(BigInt(generator.pick(-100_000...100_000)), BigInt(generator.pick(1...1000))))
      }
      let domains = (0..<3).map { _ in -generator.pick(0...500)...generator.pick(0...500) }
      let result = try logits(maps, domains)
      guard case .logits(let multipliers, let offsets) = result.requantizer.form else {
        Issue.record("expected logits")
        return
      }
      let unit = Rational(BigInt(result.scale * 0x1p64), BigInt(1) << 64)
      #expect(unit.approximation == result.scale, "the scale is a power of two")
      let resolution = result.requantizer.proof.resolution
      var largest = 0.0
      for channel in maps.indices {
        for a in domains[channel] {
          let q = a * multipliers[channel] + offsets[channel]
          #expect(result.range.contains(q))
          #expect(Int32(exactly: q) != nil)
          let real = maps[channel].slope * Rational(a) + maps[channel].offset
          largest = max(largest, (Rational(q) - real / unit).magnitude.approximation)
        }
      }
      #expect(largest <= resolution * (1 + 1e-12))
      let widest = domains.map { max(abs($0.lowerBound), abs($0.upperBound)) }.max() ?? 0
      #expect(resolution <= 0.5 * Double(widest) + 0.5)
      // As fine as int32 allows: one step finer would overflow.
      let reach = max(abs(result.range.lowerBound), abs(result.range.upperBound), offsets.map(abs).max() ?? 0)
      let products = zip(multipliers, domains).map { max(abs($0 * $1.lowerBound), abs($0 * $1.upperBound)) }.max() ?? 0
      #expect(max(reach, products) > 1 << 29)
    }
  }

  @Test func constantChannelsOnly() throws {
    let result = try logits([AffineMap(slope: .zero, offset: .one)], [0...0])
    #expect(result.range.count == 1)
    #expect(result.scale * Double(result.range.lowerBound) == 1)
  }

  @Test func spanTooWide() {
    let huge = Rational(BigInt(1) << 200)
    let maps = [AffineMap(slope: huge), AffineMap(slope: huge / Rational(3))]
    #expect(throws: (any Error).self) { try logits(maps, [0...100, 0...100]) }
  }
}
