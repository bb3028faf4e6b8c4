import BigInt

/// An exact rational number: numerator over a positive denominator.
///
/// Common powers of two are cancelled and nothing else: the values here come from float32, so their denominators are
/// powers of two until a division or a root, and a full gcd would cost more than it saves.
struct Rational: Sendable {
  let numerator: BigInt
  let denominator: BigInt

  init(_ numerator: BigInt, _ denominator: BigInt = 1) {
    assert(!denominator.isZero)
    let negative = denominator.sign == .minus
    let n = negative ? -numerator : numerator
    let d = negative ? -denominator : denominator
    if n.isZero {
      self.numerator = 0
      self.denominator = 1
      return
    }
    let common = Swift.min(n.magnitude.trailingZeroBitCount, d.magnitude.trailingZeroBitCount)
    self.numerator = common > 0 ? BigInt(sign: n.sign, magnitude: n.magnitude >> common) : n
    self.denominator = common > 0 ? BigInt(d.magnitude >> common) : d
  }

  init(_ value: Int) {
    self.init(BigInt(value), 1)
  }

  /// The rational that a finite float32 is.
  init(_ value: Float) {
    assert(value.isFinite)
    if value == 0 {
      self.init(0)
      return
    }
    let mantissa = BigInt(value.significandBitPattern) + (value.isNormal ? BigInt(1) << Float.significandBitCount : 0)
    let exponent = (value.isNormal ? Int(value.exponent) : -126) - Float.significandBitCount
    let signed = value < 0 ? -mantissa : mantissa
    if exponent >= 0 {
      self.init(signed << exponent, 1)
    } else {
      self.init(signed, BigInt(1) << -exponent)
    }
  }

  static let zero = Rational(0)
  static let one = Rational(1)

  static func + (a: Rational, b: Rational) -> Rational {
    if a.denominator == b.denominator { return Rational(a.numerator + b.numerator, a.denominator) }
    return Rational(
      a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
  }
  static func - (a: Rational, b: Rational) -> Rational { a + (-b) }
  static prefix func - (a: Rational) -> Rational { Rational(-a.numerator, a.denominator) }
  static func * (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.numerator, a.denominator * b.denominator)
  }
  /// - Precondition: `b` is not zero.
  static func / (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.denominator, a.denominator * b.numerator)
  }

  var isZero: Bool { numerator.isZero }
  var isNegative: Bool { numerator.sign == .minus && !numerator.isZero }
  var magnitude: Rational { isNegative ? -self : self }

  var floor: BigInt {
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
    return !remainder.isZero && isNegative ? quotient - 1 : quotient
  }
  var ceiling: BigInt { -(-self).floor }

  /// The nearest integer, ties to even.
  var roundedHalfEven: BigInt {
    let down = floor
    let twice = (self - Rational(down, 1)) * Rational(2)
    if twice < .one { return down }
    if .one < twice { return down + 1 }
    return down.magnitude[bitAt: 0] ? down + 1 : down
  }

  /// For people: reports, comments, `--real`.
  var approximation: Double {
    let shift = denominator.magnitude.bitWidth - numerator.magnitude.bitWidth + 64
    let scaled = shift >= 0 ? (numerator << shift) / denominator : numerator / (denominator << -shift)
    return Double(sign: .plus, exponent: -shift, significand: Double(scaled))
  }
}

extension Rational: Comparable {
  static func == (a: Rational, b: Rational) -> Bool {
    a.numerator * b.denominator == b.numerator * a.denominator
  }
  static func < (a: Rational, b: Rational) -> Bool {
    a.numerator * b.denominator < b.numerator * a.denominator
  }
}

extension Rational {
  /// Bits to which a root is evaluated where it is irrational: its relative error is below `2^-rootBits`.
  static let rootBits = 192

  /// `1 / √self` of a positive number, and whether the root is exact.
  var reciprocalSquareRoot: (value: Rational, isExact: Bool) {
    // 1/√(n/d) = √(n·d)/n. The product is scaled by 4^p so that the integer root carries `rootBits` significant bits.
    let product = numerator * denominator
    let p = Swift.max(0, Self.rootBits + 2 - product.magnitude.bitWidth / 2)
    let scaled = product << (2 * p)
    let root = scaled.squareRoot()
    return (Rational(root, numerator << p), root * root == scaled)
  }
}
