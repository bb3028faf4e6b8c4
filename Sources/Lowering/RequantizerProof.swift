import TernaryIR

/// Proves that an integer form equals the real graph for every accumulator that can occur.
///
/// Both are non-decreasing, so it is enough to look where the *form* steps, on both sides of each step, and at the ends
/// of the domain: between two steps the form is constant, and the real graph, being squeezed between equal values, is
/// too. The steps are found by asking the form, not by the search that made it, and the real value is evaluated afresh.
struct RequantizerProof {
  let form: Requantizer.Form
  let minimum: Int
  let maximum: Int

  /// Checks one channel over `domain`.
  ///
  /// - Returns: The number of pairs that differ among those looked at, and the steps of the real graph that an
  ///   approximated root cannot decide.
  func check(channel: Int, _ map: QuantizedMap, over domain: ClosedRange<Int>) -> (exceptions: Int, undecidable: Int) {
    var exceptions = 0
    var undecidable = 0
    func look(_ a: Int) {
      let output = evaluate(a, channel: channel)
      if !map.isOutput(output, at: a) { exceptions += 1 }
      for k in [output, output + 1] where k > map.outputRange.lowerBound && k <= map.outputRange.upperBound {
        if map.isUndecidable(a, k) { undecidable += 1 }
      }
    }
    var a = domain.lowerBound
    look(a)
    while let next = nextStep(after: a, in: domain, channel: channel) {
      look(next - 1)
      look(next)
      a = next
    }
    look(domain.upperBound)
    return (exceptions, undecidable)
  }

  /// The smallest accumulator above `a` whose output differs from that of `a`.
  private func nextStep(after a: Int, in domain: ClosedRange<Int>, channel: Int) -> Int? {
    let start = evaluate(a, channel: channel)
    guard evaluate(domain.upperBound, channel: channel) != start else { return nil }
    var low = a
    var high = domain.upperBound
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if evaluate(middle, channel: channel) == start { low = middle } else { high = middle }
    }
    return high
  }

  private func evaluate(_ a: Int, channel: Int) -> Int {
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      let v = a * multipliers[channel] + offsets[channel]
      return min(max(v >> shift, minimum), maximum)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      let v = a * multipliers[channel] + offsets[channel]
      let half = shift == 0 ? 0 : (1 << (shift - 1)) - 1 + ((v >> shift) & 1)
      return min(max((v + half) >> shift, minimum), maximum)
    case .thresholds(let lists):
      var low = 0
      var high = lists[channel].count
      while low < high {
        let middle = (low + high) / 2
        if lists[channel][middle] <= a { low = middle + 1 } else { high = middle }
      }
      return minimum + low
    case .logits(let multipliers, let offsets):
      return a * multipliers[channel] + offsets[channel]
    }
  }
}
