import GraphIR
import Testing

@testable import Lowering

@Suite struct AffineMapTests {
  private func value(_ map: AffineMap, _ a: Int) -> Rational {
    var value = map.slope * Rational(a) + map.offset
    if let lower = map.lower { value = max(value, lower) }
    if let upper = map.upper { value = min(value, upper) }
    return value
  }

  /// Clamps between affine steps of both signs equal doing one after the other.
  @Test func compositionEqualsStepByStep() {
    var map = AffineMap(slope: Rational(Float(0.5)), offset: Rational(-3))
    map.clamp(lower: .zero, upper: nil)
    map.apply(factor: Rational(-2), term: Rational(7))
    map.clamp(lower: Rational(-5), upper: Rational(6))
    map.apply(factor: Rational(Float(0.25)), term: .one)
    for a in -40...40 {
      var real = Double(a) * 0.5 - 3
      real = max(real, 0)
      real = real * -2 + 7
      real = min(max(real, -5), 6)
      real = real * 0.25 + 1
      #expect(value(map, a) == Rational(Float(real)))
    }
    #expect(map.signSincePool == -1)
  }

  @Test func factorZeroMakesAConstant() {
    var map = AffineMap(slope: .one, offset: .one)
    map.clamp(lower: .zero, upper: Rational(6))
    map.apply(factor: .zero, term: Rational(4))
    for a in [-10, 0, 10] { #expect(value(map, a) == Rational(4)) }
  }

  /// Disjoint clamps leave the nearer end.
  @Test func clampsOutsideOfEachOther() {
    var map = AffineMap(slope: .one)
    map.clamp(lower: .zero, upper: Rational(2))
    map.clamp(lower: Rational(5), upper: Rational(6))
    for a in [-10, 1, 10] { #expect(value(map, a) == Rational(5)) }
  }

  @Test func normalizationPerChannel() {
    let normalization = BatchNormalization(
      gamma: [2, -1, 0], beta: [1, 0.5, 3], mean: [4, 0, 1], variance: [0.25, 4, 2], epsilon: 0)
    let first = normalization.channel(0)
    #expect(first.factor == Rational(4))
    #expect(first.term == Rational(-15))
    #expect(first.isExact)
    let second = normalization.channel(1)
    #expect(second.factor == Rational(Float(-0.5)))
    #expect(second.term == Rational(Float(0.5)))
    let third = normalization.channel(2)
    #expect(third.factor.isZero && third.isExact && third.term == Rational(3))
  }
}
