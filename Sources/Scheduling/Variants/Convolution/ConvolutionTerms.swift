import TernaryIR

/// The arithmetic of a convolution, however it is computed.
package struct ConvolutionTerms: Sendable {
  /// Of each output channel, in the order `[input channel][ky][kx]`.
  package var weights: [[Int8]]
  package var groupChannels: Int
  package var outputsPerGroup: Int
  package var nonZeros: Int
  package var epilogue: Epilogue
  package var geometry: Geometry
  /// Output channels that need not be computed: without weights, or saturated over all they can reach.
  package var constants: [ConstantChannel]

  package var taps: Int { weights.first?.count ?? 0 }
  package var window: Window { geometry.window }
  package var channels: Int { geometry.output.channels }
  /// Each output channel is a group by itself and sees input channels of its own.
  package var hasSingleOutputs: Bool { outputsPerGroup == 1 && channels > 1 }
  package var isDepthwise: Bool { groupChannels == 1 && hasSingleOutputs }
  package var isGrouped: Bool { outputsPerGroup < channels }
  package var isConstant: Bool { constants.count == channels }
  /// Channels whose accumulators are looked at.
  package var liveChannels: [Int] {
    let dead = Set(constants.map(\.channel))
    return weights.indices.filter { !dead.contains($0) }
  }

  /// Reachable accumulators of codes, over all channels, before they are biased.
  package func accumulators(without guardBias: Int) -> ClosedRange<Int> {
    let range = epilogue.accumulators
    return (range.lowerBound - guardBias)...(range.upperBound - guardBias)
  }

  // MARK: Cost

  /// Rows of the layer: more than the operation's where a pool is fused.
  var layerRows: Int { geometry.output.height * geometry.poolHeight }
  /// Rows whose sums are requantized.
  var storedRows: Int { geometry.hasRunningMaximum ? layerRows : geometry.output.height }

  /// What is done with sums, and for channels without any.
  ///
  /// - Parameters:
  ///   - words: Of an output row.
  ///   - areWords: Whether sums are words of two lanes to the end.
  func countResults(_ context: Context, words: Int, areWords: Bool, _ counts: inout WorkFeature.Counts) {
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    let live = channels - constants.count
    add(.constantChannel, geometry.output.height * constants.count)
    add(.constantWord, geometry.output.height * constants.count * words)
    if geometry.isPooled {
      let compared = (geometry.hasRunningMaximum ? 1 : geometry.poolHeight) * geometry.poolWidth - 1
      add(areWords ? .pooledWord : .pooledColumn, storedRows * live * words * compared)
    }
    let sums = storedRows * live * words
    // Rows of a pool are compared one by one, and words of four columns take two steps.
    if context.output.residency != .result, geometry.hasRunningMaximum { add(.keptWord, sums) }
    if context.output.layout.laneBits == 8 { add(.keptWord, sums) }
    add(areWords ? .epilogueWord : .epilogueColumn, sums)
    epilogue.countWork(areWords ? 2 * sums : sums, &counts)
    for limit in epilogue.limits where !constants.contains(where: { $0.channel == limit.channel }) {
      add(.limited, storedRows * words)
    }
  }

  /// Non-zero taps of live channels at the rows of windows that lie on the map; taps above and below it are constants.
  var tapsInside: Double {
    Double(layerRows * liveChannels.reduce(0) { $0 + weights[$1].count { $0 != 0 } }) * insideShare
  }
  private var insideShare: Double {
    guard window.hasPadding, layerRows > 0 else { return 1 }
    let inside = (0..<layerRows).reduce(0) { sum, row in
      let first = row * window.strideHeight - window.top
      return sum + max(0, min(first + window.kernelHeight, geometry.input.height) - max(first, 0))
    }
    return Double(inside) / Double(layerRows * window.kernelHeight)
  }

  /// Work of packed weights, whatever they are added to.
  func countDecoding(_ counts: inout WorkFeature.Counts) {
    let live = liveChannels
    counts[.locatedRow, default: 0] += Double(layerRows * window.kernelHeight)
    counts[.channel, default: 0] += Double(layerRows * live.count)
    counts[.decodedWeight, default: 0] += Double(layerRows * taps * live.count)
    counts[.decodedTap, default: 0] += Double(layerRows * live.reduce(0) { $0 + weights[$1].count { $0 != 0 } })
  }

  func countPackedCode(_ counts: inout CodeFeature.Counts) {
    if isGrouped { counts[.groupedConvolution, default: 0] += 1 }
    if !constants.isEmpty { counts[.packedConstants, default: 0] += 1 }
    if !constants.isEmpty { counts[.constantChannel, default: 0] += constants.count }
  }

  // MARK: Program

  /// `group`, where an output channel sees some of the input's only.
  func printGroup(_ out: inout ProgramBuilder) {
    guard isGrouped else { return }
    let first = outputsPerGroup == 1 ? "oc" : "oc / \(outputsPerGroup)"
    out.print(
      "const uint32_t group = \(groupChannels == 1 ? first : "\(first) * \(groupChannels)") * s->channel_stride;")
  }
  func groupOffset(_ values: String) -> String { "\(values)\(isGrouped ? " + group" : "")" }
}
