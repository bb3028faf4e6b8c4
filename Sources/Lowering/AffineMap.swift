import GraphIR

/// What one channel's accumulator `a` means: `clamp(slope · a + offset, lower, upper)`, in exact arithmetic.
///
/// Everything real that stands between two quantizers (weight scale, bias, BatchNorm, Relu, constants) gathers here.
struct AffineMap: Sendable, Equatable {
  var slope: Rational
  var offset: Rational
  var lower: Rational?
  var upper: Rational?
  /// Whether a BatchNorm's root had to be approximated, to a relative error below `2^-Rational.rootBits`.
  var isApproximate = false
  /// Sign of everything applied since a max pool passed by: that pool may follow the requantizer only if it is positive.
  var signSincePool = 1

  init(slope: Rational, offset: Rational = .zero) {
    self.slope = slope
    self.offset = offset
  }

  /// Composes `factor · x + term` behind the map.
  mutating func apply(factor: Rational, term: Rational) {
    slope = slope * factor
    offset = offset * factor + term
    let bounds = (lower.map { $0 * factor + term }, upper.map { $0 * factor + term })
    (lower, upper) = factor.isNegative ? (bounds.1, bounds.0) : bounds
    if factor.isNegative { signSincePool = -signSincePool }
    if factor.isZero {
      // A constant: the bounds collapsed onto it as well.
      (lower, upper) = (nil, nil)
    }
  }

  mutating func clamp(lower newLower: Rational?, upper newUpper: Rational?) {
    func bounded(_ value: Rational) -> Rational {
      var value = value
      if let newLower, value < newLower { value = newLower }
      if let newUpper, newUpper < value { value = newUpper }
      return value
    }
    // clamp∘clamp is one clamp whose ends are the old ends, clamped.
    lower = lower.map(bounded) ?? newLower
    upper = upper.map(bounded) ?? newUpper
  }

  /// Whether it is `slope · a + offset`, without a bound.
  var isLinear: Bool { lower == nil && upper == nil }

  /// The map of the channel whose weights are negated: `a` changes its sign.
  mutating func negateAccumulator() {
    slope = -slope
  }
}

extension ExactConstant {
  var rational: Rational { Rational(Int(integer)) * Rational(scale) }
}

extension BatchNormalization {
  /// Factor and term of one channel, and whether the root is exact.
  func channel(_ c: Int) -> (factor: Rational, term: Rational, isExact: Bool) {
    let root = (Rational(variance[c]) + Rational(epsilon)).reciprocalSquareRoot
    let factor = Rational(gamma[c]) * root.value
    return (factor, Rational(beta[c]) - Rational(mean[c]) * factor, root.isExact || factor.isZero)
  }
}
