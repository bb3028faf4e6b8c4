// Reachable accumulators. One rule for all who make layers: each range bounds every partial sum, in any order.

extension Tensor {
  /// The values that a window over this tensor can meet: padding holds the zero point.
  package func range(paddedBy window: Window) -> ClosedRange<Int> {
    guard window.hasPadding else { return range }
    return min(range.lowerBound, zeroPoint)...max(range.upperBound, zeroPoint)
  }
}

/// Accumulators that `weights` can reach on `values`. Zero counts among the values, so that every subset of the terms,
/// hence every partial sum, is bounded too.
package func reachableAccumulators(_ weights: some Sequence<Int8>, _ values: ClosedRange<Int>) -> ClosedRange<Int> {
  var plus = 0
  var minus = 0
  for weight in weights {
    if weight > 0 { plus += 1 } else if weight < 0 { minus += 1 }
  }
  let (low, high) = (min(values.lowerBound, 0), max(values.upperBound, 0))
  return (plus * low - minus * high)...(plus * high - minus * low)
}

extension Convolution {
  /// Per output channel.
  package static func accumulators(
    _ weights: [Int8], outputChannels: Int, window: Window, input: Tensor
  ) -> [ClosedRange<Int>] {
    let taps = weights.count / outputChannels
    let values = input.range(paddedBy: window)
    return (0..<outputChannels).map { reachableAccumulators(weights[($0 * taps)..<(($0 + 1) * taps)], values) }
  }
}

extension Dense {
  /// Per output.
  package static func accumulators(_ weights: [Int8], outputs: Int, input: Tensor) -> [ClosedRange<Int>] {
    let taps = weights.count / outputs
    return (0..<outputs).map { reachableAccumulators(weights[($0 * taps)..<(($0 + 1) * taps)], input.range) }
  }
}

extension AveragePool {
  /// Sums of the whole window.
  package static func accumulators(_ window: Window, input: Tensor) -> ClosedRange<Int> {
    let values = input.range(paddedBy: window)
    let taps = window.kernelHeight * window.kernelWidth
    return (taps * values.lowerBound)...(taps * values.upperBound)
  }
}

extension Addition {
  /// Sums and partial sums; nil where one leaves 64 bits. Zero counts among the values, as elsewhere.
  package static func accumulators(_ multipliers: [Int], inputs: [Tensor]) -> ClosedRange<Int>? {
    var (low, high) = (0, 0)
    for (multiplier, input) in zip(multipliers, inputs) {
      let ends = [input.range.lowerBound, input.range.upperBound].map { $0.multipliedReportingOverflow(by: multiplier) }
      guard !ends.contains(where: \.overflow) else { return nil }
      let least = low.addingReportingOverflow(min(0, ends[0].partialValue, ends[1].partialValue))
      let greatest = high.addingReportingOverflow(max(0, ends[0].partialValue, ends[1].partialValue))
      guard !least.overflow, !greatest.overflow else { return nil }
      (low, high) = (least.partialValue, greatest.partialValue)
    }
    return low...high
  }
}
