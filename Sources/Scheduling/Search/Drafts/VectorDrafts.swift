import TernaryIR

/// Convolutions over rows of single columns, for processors with vector instructions.
///
/// A block of output channels is a loop over the columns of a row, whose body adds and subtracts without any choice:
/// each tap is a constant offset. Compilers make a vector operation of every addition, eight columns or more at a time,
/// and the vectors of a block's sums stay in registers.
extension Scheduler {
  /// The chain with its convolutions in that form, where their windows are one block of memory, and its dense layers'
  /// weights as bytes.
  static func asColumns(_ stages: [Draft], _ core: Core) -> [Draft] {
    var wide: [Draft] = []
    for stage in stages {
      // Codes in 16 bits need not be widened; pools make bytes.
      wide.append(asColumns(stage, core, isWidened: wide.last.map { $0.columns != nil } ?? true))
    }
    return wide
  }

  private static func asColumns(_ given: Draft, _ core: Core, isWidened: Bool) -> Draft {
    var stage = given
    switch stage.work {
    case .dense(var work):
      work.areBytes = true
      stage.work = .dense(work)
    case .convolution(var work):
      stage.lineBuffer.isLinear = canBeLinear(stage)
      guard stage.lineBuffer.isLinear || (stage.windowRows == 1 && !stage.window.hasPadding) else { return given }
      // Nothing is summed up where every channel is constant.
      guard stage.constants.count < stage.outputShape.channels else { return given }
      if isWidened { stage.lineBuffer.elementBytes = 2 }
      work.unrolled = .columns(columnChannelTiles(stage, work, core))
      stage.work = .convolution(work)
      if let columns = stage.columns {
        // Sums of what lies behind a row are sums of codes too: all of them are within the proven range.
        let last = (columns.sums - 1) * stage.window.strideWidth + stage.window.kernelWidth - 1
        stage.lineBuffer.slack = max(0, last + 1 - stage.lineBuffer.channelStride)
      }
    case .maxPool, .averagePool: break
    }
    return stage
  }

  /// Most weights of a channel in one loop. Compilers give up on loops with many more: gcc from 1000 loads on.
  private static let mostTaps = 256

  private static func columnChannelTiles(_ stage: Draft, _ work: ConvolutionWork, _ core: Core) -> [ChannelTile] {
    let area = stage.window.kernelHeight * stage.window.kernelWidth
    // Input channels of one loop.
    let part = max(1, min(mostTaps / area, work.groupChannels))
    let strides = Draft.Strides(row: stage.lineBuffer.rowStride, channel: stage.lineBuffer.channelStride)
    let offsets = tapOffsets(stage.window, strides, channels: work.groupChannels)
    let partition = partition(work, offsets, core, without: Set(stage.constants.map(\.channel)))
    let whole = channelTiles(work, offsets, core, partition, channelStride: strides.channel)
    guard part < work.groupChannels else { return whole }
    return whole.flatMap { block in
      stride(from: 0, to: work.groupChannels, by: part).map { first in
        let taps = (first * area)..<(min(first + part, work.groupChannels) * area)
        let weights = block.channels.map { Array(work.weights[$0][taps]) }
        let groups = CommonSubexpressions(
          weights: weights, offsets: tapOffsets(stage.window, strides, channels: taps.count / area),
          reach: core.reachableWords
        ).groups()
        return ChannelTile(
          channels: block.channels, input: block.input + first * stage.lineBuffer.channelStride,
          nonZeros: weights.reduce(0) { $0 + $1.count { $0 != 0 } }, groups: groups, isContinued: first > 0)
      }
    }
  }
}

extension Draft {
  /// How its rows are computed where they are computed in vectors; nil: otherwise.
  package var columns: Columns? {
    guard case .convolution(let work) = work, case .columns(let channelTiles)? = work.unrolled else { return nil }
    func rounded(_ width: Int) -> Int { width <= 8 ? 8 : (width + 15) / 16 * 16 }
    let outputs = rounded(outputShape.width)
    let range = work.epilogue.accumulators
    return Columns(
      sums: max(rounded(accumulatorShape.width), rounded(outputs * (pool?.kernelWidth ?? 1))), outputs: outputs,
      areShort: range.lowerBound >= Int(Int16.min) && range.upperBound <= Int(Int16.max),
      channels: channelTiles.map(\.channels.count).max() ?? 1, rows: pool?.kernelHeight ?? 1)
  }
}
