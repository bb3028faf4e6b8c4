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
///
/// The unrounded output at accumulator `a` is `(slopeNumerator · a + offsetNumerator) / denominator` in units of the
/// quantizer's scale; rounding boundaries are halves of integers. So every question is one comparison of integers, and
/// most are answered by machine integers alone (`FixedPointLine`).
struct QuantizedMap: Sendable {
  private let map: AffineMap
  private let quantizer: Quantizer
  /// The map in units of the quantizer's scale, zero point added if it counts before rounding.
  let slope: Rational
  let offset: Rational
  private let slopeNumerator: BigInt
  private let offsetNumerator: BigInt
  private let denominator: BigInt
  private let line: FixedPointLine?
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
    slopeNumerator = slope.numerator * offset.denominator
    offsetNumerator = offset.numerator * slope.denominator
    denominator = slope.denominator * offset.denominator
    line = FixedPointLine(slope: slope, offset: offset)
    outputRange = quantizer.minimum...quantizer.maximum
    let low = map.lower.map { greatestOutput(at: $0 / scale + zero) } ?? quantizer.minimum
    let high = map.upper.map { greatestOutput(at: $0 / scale + zero) } ?? quantizer.maximum
    outputRange = low...max(low, high)
  }

  // MARK: Boundaries

  /// The condition on the unrounded value `v` under which the output is at least `k`: `2v ≥ twice`, or `2v > twice`.
  private struct Boundary {
    var twice: Int
    var isInclusive: Bool

    /// Of rounding `v` to an integer.
    init(_ k: Int, _ rounding: Quantizer.Rounding) {
      switch rounding {
      case .floor: (twice, isInclusive) = (2 * k, true)
      case .ceiling: (twice, isInclusive) = (2 * (k - 1), false)
      // The tie at k − 1/2 goes to the even neighbour.
      case .halfEven: (twice, isInclusive) = (2 * k - 1, k & 1 == 0)
      }
    }
  }

  private func boundary(_ k: Int) -> Boundary {
    let target = quantizer.zeroPointOrder == .afterRounding ? k - quantizer.zeroPoint : k
    guard let truncation = quantizer.truncation else { return Boundary(target, quantizer.rounding) }
    // The smallest integer that the truncation takes to `target` or above; the value is first rounded to an integer.
    let unit = 1 << truncation.shift
    let smallest =
      switch truncation.shift == 0 ? .floor : quantizer.rounding {
      case .floor: target * unit
      case .ceiling: (target - 1) * unit + 1
      case .halfEven: target * unit - unit / 2 + (target & 1)
      }
    return Boundary(smallest, .halfEven)
  }

  /// `2 · (v − boundary)` at accumulator `a`, times the denominator.
  private func distance(_ a: Int, _ boundary: Boundary) -> BigInt {
    2 * (slopeNumerator * BigInt(a) + offsetNumerator) - BigInt(boundary.twice) * denominator
  }

  /// Whether the output at `a` is at least `k`, the output range left aside.
  private func reaches(_ a: Int, _ k: Int) -> Bool {
    let boundary = boundary(k)
    if let isAbove = line?.isAbove(twice: boundary.twice, at: a) { return isAbove }
    return isReached(boundary, at: distance(a, boundary))
  }

  private func isReached(_ boundary: Boundary, at distance: BigInt) -> Bool {
    boundary.isInclusive ? distance.sign == .plus : distance > 0
  }

  /// The largest output that the unrounded value `v` reaches; the lower end where it reaches none.
  private func greatestOutput(at v: Rational) -> Int {
    let twice = v * Rational(2)
    return greatest { k in
      let boundary = boundary(k)
      return boundary.isInclusive ? Rational(boundary.twice) <= twice : Rational(boundary.twice) < twice
    }
  }

  /// The largest `k` of the output range that satisfies a condition which holds up to some `k`.
  private func greatest(_ isReached: (Int) -> Bool) -> Int {
    var low = outputRange.lowerBound
    var high = outputRange.upperBound
    while low < high {
      let k = low + (high - low + 1) / 2
      if isReached(k) { low = k } else { high = k - 1 }
    }
    return low
  }

  // MARK: The staircase

  /// The staircase over `domain`.
  func steps(over domain: ClosedRange<Int>) -> StepFunction {
    let low = evaluate(domain.lowerBound)
    if slope.isZero { return StepFunction(domain: domain, first: low, edges: []) }
    let high = evaluate(domain.upperBound)
    let edges = low < high ? ((low + 1)...high).map { edge($0, in: domain) } : []
    return StepFunction(domain: domain, first: low, edges: edges)
  }

  /// The smallest `a` of the domain with output at least `k`, where it is known that one exists.
  private func edge(_ k: Int, in domain: ClosedRange<Int>) -> Int {
    let boundary = boundary(k)
    func inside(_ a: Int) -> Int { min(max(a, domain.lowerBound), domain.upperBound) }
    // The crossing, rounded either way, is nearly always the one beside which the output steps: then no division of long
    // numbers is needed.
    if let guess = line?.crossing(twice: boundary.twice) {
      for a in [guess, guess + 1] where reaches(a, k) && !reaches(a - 1, k) { return inside(a) }
    }
    // 2 · (s·a + o) ≥ twice · d, or >.
    let needed = BigInt(boundary.twice) * denominator - 2 * offsetNumerator
    let step = 2 * slopeNumerator
    var (a, remainder) = needed.quotientAndRemainder(dividingBy: step)
    if remainder.sign == .minus, !remainder.isZero {
      // Towards minus infinity instead of zero.
      a -= 1
      remainder += step
    }
    if !remainder.isZero || !boundary.isInclusive { a += 1 }
    return inside(Int(clamping: a))
  }

  // MARK: The proof's questions

  /// Output at `a`, by comparison with the rounding boundaries.
  func evaluate(_ a: Int) -> Int {
    greatest { reaches(a, $0) }
  }

  /// Whether the output at `a` is at least `k`; nil where the value lies so near to the boundary that the approximated root
  /// can not decide.
  func isOutput(at a: Int, atLeast k: Int) -> Bool? {
    if k <= outputRange.lowerBound { return true }
    if k > outputRange.upperBound { return false }
    let boundary = boundary(k)
    // It answers only where values below 2^14 are 2^-48 apart: a root's relative error of 2^-192 can not change that.
    if let isAbove = line?.isAbove(twice: boundary.twice, at: a) { return isAbove }
    let distance = distance(a, boundary)
    return isUndecidable(a, boundary, distance.magnitude) ? nil : isReached(boundary, at: distance)
  }

  private func isUndecidable(_ a: Int, _ boundary: Boundary, _ distance: BigUInt) -> Bool {
    guard map.isApproximate, !distance.isZero else { return false }
    // Every term carries the root's relative error at most once, and the terms are no larger than this sum.
    let size =
      2 * ((slopeNumerator * BigInt(a)).magnitude + offsetNumerator.magnitude)
      + BigUInt(boundary.twice.magnitude) * denominator.magnitude
    return distance << (Rational.rootBits - 32) < size
  }
}
