import GraphIR
import Testing

@testable import Lowering

/// The staircase against plain floating point. All constants are short dyadic numbers, so that the Double arithmetic
/// of these tests is exact, ties included.
@Suite struct StepFunctionTests {
  private struct Line {
    var slope: Double
    var offset: Double
    var lower: Double?
    var upper: Double?

    var map: AffineMap {
      var map = AffineMap(slope: Rational(Float(slope)), offset: Rational(Float(offset)))
      map.clamp(lower: lower.map { Rational(Float($0)) }, upper: upper.map { Rational(Float($0)) })
      return map
    }

    func callAsFunction(_ a: Int) -> Double {
      let value = slope * Double(a) + offset
      return min(max(value, lower ?? -.infinity), upper ?? .infinity)
    }
  }

  private func check(
    _ line: Line, _ quantizer: Quantizer, _ domain: ClosedRange<Int>, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let map = QuantizedMap(line.map, quantizer)
    let steps = map.steps(over: domain)
    for a in domain {
      let expected = Reference.integer(line(a), quantizer)
      #expect(map.evaluate(a) == expected, "a = \(a), \(line), \(quantizer)", sourceLocation: sourceLocation)
      #expect(steps(a) == expected, "steps, a = \(a), \(line), \(quantizer)", sourceLocation: sourceLocation)
    }
  }

  /// Halves all the way: every second accumulator is a tie.
  @Test(arguments: [0, 1, 3, -5], [Quantizer.ZeroPointOrder.beforeRounding, .afterRounding])
  func ties(zeroPoint: Int, order: Quantizer.ZeroPointOrder) {
    let quantizer = Quantizer(
      scale: 1, zeroPoint: zeroPoint, minimum: -20, maximum: 20, zeroPointOrder: order, isSigned: true)
    check(Line(slope: 0.5, offset: 0), quantizer, -60...60)
    check(Line(slope: 0.25, offset: 0.25), quantizer, -60...60)
  }

  /// Where the two orders part: 0.5 with zero point 1.
  @Test func ordersDifferOnTies() {
    func at(_ order: Quantizer.ZeroPointOrder) -> Int {
      let quantizer = Quantizer(scale: 1, zeroPoint: 1, minimum: 0, maximum: 9, zeroPointOrder: order, isSigned: false)
      return QuantizedMap(AffineMap(slope: Rational(Float(0.5))), quantizer).evaluate(1)
    }
    #expect(at(.beforeRounding) == 2)
    #expect(at(.afterRounding) == 1)
  }

  @Test(arguments: [Quantizer.Rounding.halfEven, .floor, .ceiling])
  func roundings(rounding: Quantizer.Rounding) {
    let quantizer = Quantizer(scale: 0.5, zeroPoint: 2, minimum: -8, maximum: 7, rounding: rounding, isSigned: true)
    check(Line(slope: 0.125, offset: -0.0625), quantizer, -70...70)
    check(Line(slope: 0.125, offset: 0, lower: 0), quantizer, -70...70)
  }

  @Test(arguments: [Quantizer.Rounding.halfEven, .floor, .ceiling], [0, 1, 2, 4])
  func truncation(rounding: Quantizer.Rounding, shift: Int) {
    var quantizer = Quantizer(scale: 0.25, minimum: -16, maximum: 15, rounding: rounding, isSigned: true)
    quantizer.truncation = .init(shift: shift, outputScale: 0.25 * Float(1 << shift))
    check(Line(slope: 0.25, offset: 0), quantizer, -150...150)
    check(Line(slope: 0.125, offset: 0.125), quantizer, -150...150)
    quantizer.zeroPoint = 32
    check(Line(slope: 0.125, offset: 0, upper: 1.5), quantizer, -150...150)
  }

  @Test func constants() {
    let quantizer = Quantizer(scale: 1, minimum: 0, maximum: 7, isSigned: false)
    check(Line(slope: 0, offset: 2.5), quantizer, -5...5)
    check(Line(slope: 0, offset: -9), quantizer, -5...5)
    check(Line(slope: 1, offset: 0, lower: 3, upper: 3), quantizer, -9...9)
  }

  /// A few hundred random lines and quantizers.
  @Test func randomLines() {
    var generator = Generator(state: 7)
    for _ in 0..<300 {
      let low = -generator.pick(0...16)
      let high = low + generator.pick(0...30)
      var line = Line(
        slope: Double(generator.pick(0...64)) / Double(1 << generator.pick(0...6)),
        offset: Double(generator.pick(-200...200)) / Double(1 << generator.pick(0...6)))
      if generator.pick(0...2) == 0 { line.lower = Double(generator.pick(-8...8)) / 4 }
      if generator.pick(0...2) == 0 { line.upper = (line.lower ?? 0) + Double(generator.pick(0...30)) / 4 }
      let quantizer = Quantizer(
        scale: Float(1) / Float(1 << generator.pick(0...4)), zeroPoint: generator.pick(-7...7), minimum: low,
        maximum: high, rounding: [.halfEven, .floor, .ceiling][generator.pick(0...2)],
        zeroPointOrder: generator.pick(0...1) == 0 ? .beforeRounding : .afterRounding, isSigned: true)
      check(line, quantizer, -generator.pick(0...40)...generator.pick(0...40))
    }
  }
}
