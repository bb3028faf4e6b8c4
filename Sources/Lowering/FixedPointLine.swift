import BigInt

/// The line `slope · a + offset` between two fixed-point numbers a few units apart: it decides almost every comparison of
/// the exact line with a rounding boundary in a few machine instructions, and never a wrong one.
///
/// The exact line has coefficients of hundreds of bits, and a network of ten million weights asks for millions of
/// comparisons. Here both coefficients are rounded down to multiples `S` and `O` of a unit, 2^-fractionBits, which puts the
/// exact value at `a` between `S·a + O + min(a, 0)` and `S·a + O + max(a, 0) + 1` units. A boundary there, or a unit from
/// there, is left to exact arithmetic.
struct FixedPointLine: Sendable {
  static let fractionBits = 48

  private let slope: Int
  private let offset: Int

  /// - Returns: Nil where a coefficient is 2^12 or more in magnitude, which no useful layer has.
  init?(slope: Rational, offset: Rational) {
    let unit = Rational(1 << Self.fractionBits)
    guard let slope = Int(exactly: (slope * unit).floor), let offset = Int(exactly: (offset * unit).floor),
      slope.magnitude < Self.limit, offset.magnitude < Self.limit
    else { return nil }
    self.slope = slope
    self.offset = offset
  }

  /// Of each product and offset, so that no sum leaves 64 bits.
  private static let limit = UInt(1) << 60

  /// Whether the exact value at `a` lies above `twice / 2`, by a unit at least; false: below, by a unit at least.
  ///
  /// - Returns: Nil where it is too near, or a number too large, to tell.
  func isAbove(twice: Int, at a: Int) -> Bool? {
    let (product, overflow) = slope.multipliedReportingOverflow(by: a)
    guard !overflow, product.magnitude < Self.limit, a.magnitude < 1 << 40, twice.magnitude < 1 << 12 else {
      return nil
    }
    let value = product + offset
    let boundary = twice << (Self.fractionBits - 1)
    if value + min(a, 0) > boundary { return true }
    if value + max(a, 0) + 2 <= boundary { return false }
    return nil
  }

  /// An accumulator next to which the line crosses `twice / 2`, as a guess; nil where there is none.
  func crossing(twice: Int) -> Int? {
    guard slope > 0, twice.magnitude < 1 << 12 else { return nil }
    return ((twice << (Self.fractionBits - 1)) - offset) / slope
  }
}
