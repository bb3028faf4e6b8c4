import BigInt
import Testing

@testable import Lowering

@Suite struct RationalTests {
  private func fraction(_ n: Int, _ d: Int) -> Rational { Rational(BigInt(n), BigInt(d)) }

  @Test func arithmeticIsExact() {
    #expect(fraction(1, 3) + fraction(1, 6) == fraction(1, 2))
    #expect(fraction(1, 3) - fraction(1, 3) == .zero)
    #expect(fraction(2, -3) * fraction(-3, 4) == fraction(1, 2))
    #expect(fraction(2, 3) / fraction(-4, 3) == fraction(-1, 2))
    #expect(fraction(-1, 3) < fraction(-1, 4))
    #expect(fraction(3, -7).isNegative)
    #expect(!Rational.zero.isNegative)
    #expect(fraction(-3, 7).magnitude == fraction(3, 7))
  }

  @Test func floatsAreReadExactly() {
    #expect(Rational(Float(0.1)) == Rational(BigInt(13_421_773), BigInt(1) << 27))
    #expect(Rational(Float(-1.5)) == fraction(-3, 2))
    #expect(Rational(Float.leastNonzeroMagnitude) == Rational(1, BigInt(1) << 149))
    #expect(Rational(Float.leastNormalMagnitude) == Rational(1, BigInt(1) << 126))
    #expect(Rational(Float.greatestFiniteMagnitude) == Rational((BigInt(1) << 128) - (BigInt(1) << 104)))
    #expect(Rational(-Float(0)).isZero)
  }

  @Test(arguments: [
    (7, 2, 3, 4, 4), (-7, 2, -4, -3, -4), (5, 2, 2, 3, 2), (-5, 2, -3, -2, -2), (1, 2, 0, 1, 0), (-1, 2, -1, 0, 0),
    (6, 3, 2, 2, 2), (-6, 3, -2, -2, -2), (1, 3, 0, 1, 0), (-1, 3, -1, 0, 0), (5, 3, 1, 2, 2), (-5, 3, -2, -1, -2),
    (0, 5, 0, 0, 0),
  ])
  func roundings(n: Int, d: Int, floor: Int, ceiling: Int, halfEven: Int) {
    let value = fraction(n, d)
    #expect(value.floor == BigInt(floor))
    #expect(value.ceiling == BigInt(ceiling))
    #expect(value.roundedHalfEven == BigInt(halfEven))
  }

  @Test func approximations() {
    for value in [0.0, 1, -1, 0.1, -1e-30, 1e30, 3.25, 1.0 / 3] {
      let rational = Rational(Float(value))
      #expect(rational.approximation == Double(Float(value)))
    }
    #expect(abs(fraction(1, 3).approximation - 1.0 / 3) < 1e-16)
  }

  @Test func roots() {
    let exact = fraction(4, 9).reciprocalSquareRoot
    #expect(exact.isExact)
    #expect(exact.value == fraction(3, 2))
    let (value, isExact) = Rational(2).reciprocalSquareRoot
    #expect(!isExact)
    // value² · 2 differs from 1 by about twice the root's relative error.
    let error = (value * value * Rational(2) - .one).magnitude
    #expect(error < Rational(1, BigInt(1) << (Rational.rootBits - 2)))
    #expect(!error.isZero)
    let small = Rational(Float(1e-38)).reciprocalSquareRoot.value
    #expect(abs(small.approximation / (1 / Double(Float(1e-38)).squareRoot()) - 1) < 1e-14)
  }
}
