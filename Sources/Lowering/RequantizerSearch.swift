import TernaryIR

/// Finds the smallest shift for which integer arithmetic equals the staircases of all channels of a layer.
///
/// For shift `s`, multiplier `m` and offset `b` are exact for a channel if and only if every edge `T` of output `k`
/// satisfies `T·m + b ≥ k·2^s` and `(T − 1)·m + b < k·2^s`: for each `m` near `slope · 2^s` that leaves one interval for
/// `b` (numerics, section 2). Both `m` and `b` stay within int32 where that is possible; `b` may need more.
enum RequantizerSearch {
  struct Channel {
    var steps: StepFunction
    /// Slope of the map in output units per accumulator unit.
    var slope: Rational
    /// Offset in output units, zero point included.
    var offset: Rational
  }

  static let shifts = 0...31

  /// The forms in the order in which they are to be tried and proven. The last one always fits.
  static let forms: [@Sendable (_ channels: [Channel], _ minimum: Int, _ maximum: Int) -> Requantizer.Form?] = [
    affine, { channels, _, _ in affineHalfEven(channels) },
    { channels, minimum, maximum in .thresholds(channels.map { thresholds($0.steps, minimum, maximum) }) },
  ]

  @Sendable private static func affine(_ channels: [Channel], _ minimum: Int, _ maximum: Int) -> Requantizer.Form? {
    // The channel that failed last is asked first at the next shift: usually it alone decides.
    var order = Array(channels.indices)
    var found = [(m: Int, b: Int)](repeating: (0, 0), count: channels.count)
    search: for shift in shifts {
      for (position, index) in order.enumerated() {
        guard let pair = pair(channels[index], shift, minimum, maximum) else {
          order.remove(at: position)
          order.insert(index, at: 0)
          continue search
        }
        found[index] = pair
      }
      return .affine(multipliers: found.map(\.m), offsets: found.map(\.b), shift: shift)
    }
    return nil
  }

  private static func pair(_ channel: Channel, _ shift: Int, _ minimum: Int, _ maximum: Int) -> (m: Int, b: Int)? {
    let steps = channel.steps
    if steps.edges.isEmpty { return (0, steps.first << shift) }
    guard let nearest = Int(exactly: (channel.slope * Rational(1 << shift)).floor), nearest < Int(Int32.max) else {
      return nil
    }
    for m in [nearest, nearest + 1, max(nearest - 1, 0)] {
      var low = Int.min
      var high = Int.max
      if steps.first > minimum { low = (steps.first << shift) - steps.domain.lowerBound * m }
      if steps.last < maximum { high = ((steps.last + 1) << shift) - 1 - steps.domain.upperBound * m }
      for (i, edge) in steps.edges.enumerated() {
        let target = (steps.first + 1 + i) << shift
        low = max(low, target - edge * m)
        high = min(high, target - 1 - (edge - 1) * m)
        if low > high { break }
      }
      if low <= high { return (m, low + (high - low) / 2) }
    }
    return nil
  }

  /// Where the real values are dyadic, `v` is the value itself times `2^s`, and ties are rounded to even explicitly.
  private static func affineHalfEven(_ channels: [Channel]) -> Requantizer.Form? {
    for shift in shifts {
      let unit = Rational(1 << shift)
      let scaled = channels.map { ($0.slope * unit, $0.offset * unit) }
      guard scaled.allSatisfy({ $0.denominator == 1 && $1.denominator == 1 }) else { continue }
      let multipliers = scaled.compactMap { Int(exactly: $0.0.numerator) }
      let offsets = scaled.compactMap { Int(exactly: $0.1.numerator) }
      let largest = Int(Int32.max)
      guard multipliers.count == channels.count, offsets.count == channels.count,
        multipliers.allSatisfy({ $0 <= largest }), offsets.allSatisfy({ abs($0) < 1 << 40 })
      else { return nil }
      return .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
    }
    return nil
  }

  /// One threshold per output above `minimum`. An output that every accumulator exceeds has the domain's lower end, one
  /// that none reaches lies just beyond the upper end.
  private static func thresholds(_ steps: StepFunction, _ minimum: Int, _ maximum: Int) -> [Int] {
    guard minimum < maximum else { return [] }
    return ((minimum + 1)...maximum).map { k in
      if k <= steps.first { return steps.domain.lowerBound }
      if k > steps.last { return steps.domain.upperBound + 1 }
      return steps.edges[k - steps.first - 1]
    }
  }
}
