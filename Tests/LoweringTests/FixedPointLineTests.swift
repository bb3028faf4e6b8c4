import BigInt
import Testing

@testable import Lowering

/// The fixed-point line against exact rationals.
@Suite struct FixedPointLineTests {
  /// Thirds, so that nothing is dyadic.
  private func line(_ slope: Int, _ offset: Int, over denominator: Int) -> (slope: Rational, offset: Rational) {
    (Rational(BigInt(slope), BigInt(3 * denominator)), Rational(BigInt(offset), BigInt(3 * denominator)))
  }

  @Test func neverAnswersWrongly() throws {
    var generator = Generator(state: 11)
    var answers = 0
    for _ in 0..<2000 {
      let denominator = 1 << generator.pick(0...30)
      let (slope, offset) = line(
        generator.pick(-100...100), generator.pick(-1 << 20...1 << 20), over: denominator)
      guard let fixed = FixedPointLine(slope: slope, offset: offset) else { continue }
      let a = generator.pick(-1 << 24...1 << 24)
      // The boundaries beside the value, and some others.
      let twice = (slope * Rational(a) + offset) * Rational(2)
      for boundary in [twice.floor, twice.ceiling, BigInt(generator.pick(-600...600))] {
        guard let boundary = Int(exactly: boundary), let isAbove = fixed.isAbove(twice: boundary, at: a) else {
          continue
        }
        #expect(isAbove == (Rational(boundary) < twice), "\(slope) · \(a) + \(offset) against \(boundary) / 2")
        #expect(Rational(boundary) != twice)
        answers += 1
      }
    }
    #expect(answers > 1000)
  }

  /// On the boundary and next to it only exact arithmetic may answer.
  @Test(arguments: [-1000, 0, 1000])
  func leavesTiesOpen(a: Int) throws {
    let unit = Rational(1, BigInt(1) << FixedPointLine.fractionBits)
    for nudge in [Rational.zero, unit, -unit] {
      let fixed = try #require(
        FixedPointLine(slope: Rational(1, 2), offset: Rational(1, 4) - Rational(a) * Rational(1, 2) + nudge))
      #expect(fixed.isAbove(twice: 0, at: a) == true)
      #expect(fixed.isAbove(twice: 1, at: a) == false)
    }
    for nudge in [Rational.zero, unit * Rational(1, 2), -unit * Rational(1, 2)] {
      let fixed = try #require(
        FixedPointLine(slope: Rational(1, 3), offset: Rational(1, 2) - Rational(a) * Rational(1, 3) + nudge))
      #expect(fixed.isAbove(twice: 1, at: a) == nil)
    }
  }

  @Test func leavesLargeNumbersOpen() throws {
    #expect(FixedPointLine(slope: Rational(1 << 12), offset: .zero) == nil)
    #expect(FixedPointLine(slope: .one, offset: Rational(-1 << 13)) == nil)
    let fixed = try #require(FixedPointLine(slope: Rational(1 << 11), offset: .zero))
    #expect(fixed.isAbove(twice: 1, at: 1) == true)
    #expect(fixed.isAbove(twice: 1, at: 1 << 20) == nil)
    #expect(fixed.isAbove(twice: 1, at: .min) == nil)
    #expect(fixed.isAbove(twice: 1 << 30, at: 1) == nil)
    #expect(fixed.crossing(twice: 1 << 30) == nil)
  }

  /// Found from the guess or by exact division, the steps are where the rounded value changes.
  @Test func stepsOfLongLines() {
    var generator = Generator(state: 5)
    for _ in 0..<50 {
      let (slope, offset) = line(
        generator.pick(1...999), generator.pick(-9999...9999), over: 1 << generator.pick(4...24))
      let domain = -generator.pick(0...1 << 22)...generator.pick(0...1 << 22)
      let map = QuantizedMap(
        AffineMap(slope: slope, offset: offset), .init(scale: 1, minimum: -128, maximum: 127, isSigned: true))
      func expected(_ a: Int) -> Int {
        Int(min(max((slope * Rational(a) + offset).roundedHalfEven, -128), 127))
      }
      let steps = map.steps(over: domain)
      #expect(steps.first == expected(domain.lowerBound))
      #expect(steps.last == expected(domain.upperBound))
      for (index, edge) in steps.edges.enumerated() {
        #expect(expected(edge) >= steps.first + 1 + index)
        if edge > domain.lowerBound { #expect(expected(edge - 1) < steps.first + 1 + index) }
      }
    }
  }
}
