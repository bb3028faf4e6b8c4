import BigInt
import GraphIR

/// The real graph between two quantizers as what it is on integers: a non-decreasing staircase from accumulator to
/// output integer.
struct StepFunction: Sendable {
  /// Smallest and largest accumulator that can occur.
  var domain: ClosedRange<Int>
  /// Output at the lower end of the domain.
  var first: Int
  /// `edges[i]` is the smallest accumulator of the domain whose output is at least `first + 1 + i`. Ascends.
  var edges: [Int]

  var last: Int { first + edges.count }

  /// Output at `a` in the domain.
  func callAsFunction(_ a: Int) -> Int {
    var low = 0
    var high = edges.count
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] <= a { low = middle + 1 } else { high = middle }
    }
    return first + low
  }
}

/// A map and the quantizer behind it, for one channel, prepared for exact questions.
struct QuantizedMap: Sendable {
  private let map: AffineMap
  private let quantizer: Quantizer
  /// The map in units of the quantizer's scale, zero point added if it counts before rounding.
  let slope: Rational
  let offset: Rational
  /// Output range after Relu and Clip have been folded into it.
  private(set) var outputRange: ClosedRange<Int>

  /// - Precondition: the slope is not negative.
  init(_ map: AffineMap, _ quantizer: Quantizer) {
    assert(!map.slope.isNegative)
    self.map = map
    self.quantizer = quantizer
    let scale = Rational(quantizer.scale)
    let zero = quantizer.zeroPointOrder == .beforeRounding ? Rational(quantizer.zeroPoint) : .zero
    slope = map.slope / scale
    offset = map.offset / scale + zero
    outputRange = quantizer.minimum...quantizer.maximum
    let low = map.lower.map { greatestOutput(at: $0 / scale + zero, in: outputRange) } ?? quantizer.minimum
    let high = map.upper.map { greatestOutput(at: $0 / scale + zero, in: outputRange) } ?? quantizer.maximum
    outputRange = low...max(low, high)
  }

  /// The condition on the unrounded value `v` under which the output is at least `k`: `v ≥ bound`, or `v > bound`.
  private func boundary(_ k: Int) -> (bound: Rational, isInclusive: Bool) {
    var target = quantizer.zeroPointOrder == .afterRounding ? k - quantizer.zeroPoint : k
    if let truncation = quantizer.truncation {
      // The smallest integer n that the truncation takes to `target` or above.
      let unit = 1 << truncation.shift
      switch truncation.shift == 0 ? .floor : quantizer.rounding {
      case .floor: target = target * unit
      case .ceiling: target = (target - 1) * unit + 1
      case .halfEven: target = target * unit - unit / 2 + (target & 1)
      }
      return Self.roundingBoundary(target, .halfEven)
    }
    return Self.roundingBoundary(target, quantizer.rounding)
  }

  private static func roundingBoundary(_ k: Int, _ rounding: Quantizer.Rounding) -> (Rational, Bool) {
    switch rounding {
    case .floor: (Rational(k), true)
    case .ceiling: (Rational(k - 1), false)
    // The tie at k − 1/2 goes to the even neighbour.
    case .halfEven: (Rational(BigInt(2 * k - 1), 2), k & 1 == 0)
    }
  }

  /// The largest output in `range` that the unrounded value `v` reaches; the lower end where it reaches none.
  private func greatestOutput(at v: Rational, in range: ClosedRange<Int>) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let k = low + (high - low + 1) / 2
      if reaches(v, k) { low = k } else { high = k - 1 }
    }
    return low
  }

  private func reaches(_ v: Rational, _ k: Int) -> Bool {
    let (bound, isInclusive) = boundary(k)
    return isInclusive ? bound <= v : bound < v
  }

  /// The staircase over `domain`.
  func steps(over domain: ClosedRange<Int>) -> StepFunction {
    if slope.isZero {
      return StepFunction(domain: domain, first: evaluate(domain.lowerBound), edges: [])
    }
    var edges: [Int] = []
    // Only outputs near those at the domain's ends can have an edge inside it.
    let low = evaluate(domain.lowerBound)
    let high = evaluate(domain.upperBound)
    if low < high {
      for k in (low + 1)...high { edges.append(edge(k, in: domain)) }
    }
    return StepFunction(domain: domain, first: low, edges: edges)
  }

  /// The smallest `a` of the domain with output at least `k`, where it is known that one exists.
  private func edge(_ k: Int, in domain: ClosedRange<Int>) -> Int {
    let (bound, isInclusive) = boundary(k)
    let quotient = (bound - offset) / slope
    let a = isInclusive ? quotient.ceiling : quotient.floor + 1
    return min(max(Int(clamping: a), domain.lowerBound), domain.upperBound)
  }

  /// Output at `a`, by comparison against the rounding boundaries: shares nothing with `steps` but the boundaries.
  func evaluate(_ a: Int) -> Int {
    greatestOutput(at: slope * Rational(a) + offset, in: outputRange)
  }

  /// Whether the value at `a` lies so near to the boundary of output `k` that the approximated root cannot decide.
  func isUndecidable(_ a: Int, _ k: Int) -> Bool {
    guard map.isApproximate else { return false }
    let v = slope * Rational(a) + offset
    let distance = (v - boundary(k).bound).magnitude
    // Every term carries the root's relative error at most once, and the terms are no larger than this sum.
    let size = (slope * Rational(a)).magnitude + offset.magnitude + Rational(Swift.max(abs(k), 1))
    return !distance.isZero && distance * Rational(BigInt(1) << (Rational.rootBits - 32), 1) < size
  }
}
