import TernaryIR

/// Weights as code, for the stages whose rows are words of two lanes.
extension Planner {
  /// Most window rows that a depthwise convolution's function takes as arguments.
  private static let rowArguments = 7
  /// Words of accumulators in scratch memory that a strip may take.
  private static let stripBudget = 160

  /// The stage with its weights as code.
  static func asCode(_ stage: Stage, _ core: Core) -> Stage {
    guard case .convolution(var work) = stage.work, let words = stage.outputWords else { return stage }
    var stage = stage
    if work.groupChannels == 1, stage.inputShape.channels > 1 {
      guard stage.window.kernelHeight <= rowArguments else { return stage }
      work.code = .rows(work.weights.map { taps(PackedWeights.unpack($0, count: work.taps), stage.window) })
    } else {
      // Rows that no window sees would have no place in a ring that moves; they occur where strides exceed windows.
      stage.ring.isLinear = stage.advance <= stage.reach
      guard stage.ring.isLinear || (stage.reach == 1 && !stage.window.hasPadding) else { return stage }
      let blocks = blocks(stage, work, core)
      let width = blocks.map(\.channels.count).max() ?? 1
      let positions = width * (stage.pool.map { $0.kernelHeight * $0.kernelWidth } ?? 1)
      let strip = (1...words).last { words % $0 == 0 && $0 * positions <= stripBudget } ?? 1
      work.code = .blocks(blocks, strip: strip)
    }
    stage.work = .convolution(work)
    return stage
  }

  private static func taps(_ weights: [Int8], _ window: Window) -> [WeightCode.Tap] {
    weights.indices.compactMap { index in
      weights[index] == 0
        ? nil
        : .init(
          ky: index / window.kernelWidth, kx: index % window.kernelWidth, isNegative: weights[index] < 0)
    }
  }

  /// Blocks of equal width, as few as the registers allow; none reaches over two groups.
  private static func blocks(_ stage: Stage, _ work: ConvolutionWork, _ core: Core) -> [CodeBlock] {
    let ring = stage.ring
    let window = stage.window
    var offsets: [Int] = []
    for ic in 0..<work.groupChannels {
      for ky in 0..<window.kernelHeight {
        for kx in 0..<window.kernelWidth { offsets.append(ky * ring.rowStride + ic * ring.channelStride + kx) }
      }
    }
    var blocks: [CodeBlock] = []
    for group in 0..<(work.weights.count / work.outputsPerGroup) {
      let count = (work.outputsPerGroup + core.accumulators - 1) / core.accumulators
      var start = group * work.outputsPerGroup
      for block in 0..<count {
        let width = work.outputsPerGroup / count + (block < work.outputsPerGroup % count ? 1 : 0)
        let channels = start..<(start + width)
        start += width
        let weights = channels.map { PackedWeights.unpack(work.weights[$0], count: work.taps) }
        blocks.append(
          CodeBlock(
            channels: channels, input: group * work.groupChannels * ring.channelStride,
            nonZeros: weights.reduce(0) { $0 + $1.count { $0 != 0 } },
            groups: WeightSharing(weights: weights, offsets: offsets, reach: core.reachableWords).groups()))
      }
    }
    return blocks
  }
}
