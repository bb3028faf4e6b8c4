import TernaryIR

/// Proves that an integer form equals the real graph for every accumulator that can occur.
///
/// The form does not decrease, so the domain falls into plateaus on which it is constant. The real graph does not decrease
/// either: if it is at least `y` at the first accumulator of a plateau and at most `y` at the last one, it is `y` on all of
/// it. So two comparisons a plateau prove every accumulator. The plateaus are found by asking the form, not by the search
/// that made it, and the real value is compared afresh.
struct RequantizerProof {
  let form: Requantizer.Form
  let minimum: Int
  let maximum: Int

  /// Checks one channel over `domain`.
  ///
  /// - Returns: The number of plateaus' ends at which form and real graph differ, and of those that an approximated root
  ///   cannot decide. Both 0: they are equal on all of the domain.
  func check(channel: Int, _ map: QuantizedMap, over domain: ClosedRange<Int>) -> (exceptions: Int, undecidable: Int) {
    let entry = RequantizerEntry(form, channel: channel, minimum: minimum, maximum: maximum)
    var exceptions = 0
    var undecidable = 0
    func require(_ expected: Bool, at a: Int, atLeast k: Int) {
      switch map.isOutput(at: a, atLeast: k) {
      case expected: break
      case nil: undecidable += 1
      default: exceptions += 1
      }
    }
    var first = domain.lowerBound
    while true {
      let output = entry(first)
      let last = entry.endOfPlateau(from: first, in: domain)
      require(true, at: first, atLeast: output)
      require(false, at: last, atLeast: output + 1)
      if last == domain.upperBound { return (exceptions, undecidable) }
      first = last + 1
    }
  }
}

/// One channel's entry of a form.
enum RequantizerEntry {
  case affine(multiplier: Int, offset: Int, shift: Int, minimum: Int, maximum: Int)
  case affineHalfEven(multiplier: Int, offset: Int, shift: Int, minimum: Int, maximum: Int)
  case thresholds([Int], minimum: Int)
  case logits(multiplier: Int, offset: Int)

  init(_ requantizer: Requantizer, channel: Int) {
    self.init(requantizer.form, channel: channel, minimum: requantizer.minimum, maximum: requantizer.maximum)
  }

  init(_ form: Requantizer.Form, channel: Int, minimum: Int, maximum: Int) {
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      self = .affine(
        multiplier: multipliers[channel], offset: offsets[channel], shift: shift, minimum: minimum, maximum: maximum)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      self = .affineHalfEven(
        multiplier: multipliers[channel], offset: offsets[channel], shift: shift, minimum: minimum, maximum: maximum)
    case .thresholds(let lists): self = .thresholds(lists[channel], minimum: minimum)
    case .logits(let multipliers, let offsets):
      self = .logits(multiplier: multipliers[channel], offset: offsets[channel])
    }
  }

  /// Output at `a`.
  func callAsFunction(_ a: Int) -> Int {
    switch self {
    case .affine(let multiplier, let offset, let shift, let minimum, let maximum):
      return min(max((a * multiplier + offset) >> shift, minimum), maximum)
    case .affineHalfEven(let multiplier, let offset, let shift, let minimum, let maximum):
      let v = a * multiplier + offset
      let half = shift == 0 ? 0 : (1 << (shift - 1)) - 1 + ((v >> shift) & 1)
      return min(max((v + half) >> shift, minimum), maximum)
    case .thresholds(let thresholds, let minimum):
      var low = 0
      var high = thresholds.count
      while low < high {
        let middle = (low + high) / 2
        if thresholds[middle] <= a { low = middle + 1 } else { high = middle }
      }
      return minimum + low
    case .logits(let multiplier, let offset):
      return a * multiplier + offset
    }
  }

  /// The largest accumulator whose output is that of `a`.
  func endOfPlateau(from a: Int, in domain: ClosedRange<Int>) -> Int {
    let output = self(a)
    var low = a
    var high = domain.upperBound
    while low < high {
      let middle = low + (high - low + 1) / 2
      if self(middle) == output { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
