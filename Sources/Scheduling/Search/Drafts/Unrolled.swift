import TernaryIR

/// Unrolled weights, for the stages whose rows are words of two lanes.
extension Scheduler {
  /// What saves RAM in stages whose weights are unrolled, and costs instructions.
  struct RAMTradeOff {
    /// Pools take the rows of a pointwise convolution one at a time.
    var hasRunningMaximum: Bool
    /// Rows before a depthwise convolution are words of four columns.
    var usesFourLanes: Bool
    /// Words in scratch memory that a column tile may take.
    var columnTileWords: Int
    /// Rows are bytes, paired as they are read.
    var widensOnLoad = false
    /// A depthwise convolution makes its rows in column tiles, which the pointwise one behind it takes at once.
    var makesColumnTiles = false
    /// A depthwise convolution unpacks a channel's window, so that its rows need no halo, and rows lie where the stage
    /// before has read its own.
    var worksInPlace = false

    /// From the fastest to the leanest.
    static let steps = [
      RAMTradeOff(hasRunningMaximum: false, usesFourLanes: false, columnTileWords: 160),
      RAMTradeOff(hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 160),
      RAMTradeOff(hasRunningMaximum: true, usesFourLanes: true, columnTileWords: 160),
      RAMTradeOff(hasRunningMaximum: true, usesFourLanes: true, columnTileWords: 64),
      RAMTradeOff(hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 256, widensOnLoad: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 256, widensOnLoad: true, makesColumnTiles: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 192, widensOnLoad: true, makesColumnTiles: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 128, widensOnLoad: true, makesColumnTiles: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 96, widensOnLoad: true, makesColumnTiles: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 256, widensOnLoad: true, worksInPlace: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 128, widensOnLoad: true, worksInPlace: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 96, widensOnLoad: true, worksInPlace: true),
      RAMTradeOff(
        hasRunningMaximum: true, usesFourLanes: false, columnTileWords: 64, widensOnLoad: true, worksInPlace: true),
    ]
  }

  /// What the blocks of a stage depend on beside its weights.
  struct ChannelTileKey: Hashable {
    var stage: Int
    var strides: Draft.Strides
  }

  /// What has been found for other steps of RAM trade-off. Searching for a partition takes longest, and little of it
  /// depends on where the words lie.
  struct KnownTiles {
    var partitions: [Int: [[Int]]] = [:]
    var channelTiles: [ChannelTileKey: [ChannelTile]] = [:]
    var scales: [ScaleKey: [ChannelScale]] = [:]
  }

  /// What the scales of a stage depend on beside its requantizer.
  struct ScaleKey: Hashable {
    var stage: Int
    /// Of the accumulators, biased as the epilogue has them.
    var least: Int
    var remainingGuardBias: Int
  }

  /// The chain with its unrolled weights, where rows are words. `known` holds the blocks that have been found for a
  /// stage.
  static func unrolled(
    _ stages: [Draft], _ core: Core, _ tradeOff: RAMTradeOff, _ known: inout KnownTiles
  ) -> [Draft] {
    var unrolledPlan = stages
    for index in stages.indices { unrolled(&unrolledPlan, index, core, tradeOff, &known) }
    return tradeOff.usesFourLanes ? quartered(unrolledPlan) : unrolledPlan
  }

  private static func unrolled(
    _ stages: inout [Draft], _ index: Int, _ core: Core, _ tradeOff: RAMTradeOff, _ known: inout KnownTiles
  ) {
    var stage = stages[index]
    if tradeOff.worksInPlace, stage.hasRunningSum, case .averagePool = stage.work {
      if putInPlace(stages, index, &stage) { stages[index] = stage }
      return
    }
    guard case .convolution(var work) = stage.work, let words = stage.outputWords else { return }
    stage.hasRunningMaximum = tradeOff.hasRunningMaximum && canRunMaximum(stage)
    stage.lineBuffer.isLinear = canBeLinear(stage)
    guard stage.lineBuffer.isLinear || (stage.windowRows == 1 && !stage.window.hasPadding) else { return }
    if work.groupChannels == 1, stage.inputShape.channels > 1 {
      guard stage.lineBuffer.isLinear, stage.window.kernelHeight * stage.lineBuffer.rowStride < Int(UInt16.max) else {
        return
      }
      stage.hasRunningMaximum = false
      if tradeOff.widensOnLoad, !(tradeOff.worksInPlace && stage.gatherWindow()) {
        _ = stage.widenOnLoad(columnTile: nil)
      }
      work.unrolled = .taps(tapLists(stage, work), areStatements: true)
    } else {
      let constants = Set(stage.constants.map(\.channel))
      let width = groups(work, without: constants).map { widths($0.count, core)[0] }.max() ?? 1
      let columnTiles = (1...words).filter { words % $0 == 0 }
      let takesColumnTiles = tradeOff.makesColumnTiles && canTakeColumnTiles(stages, index, stage)
      func scratch(_ columnTile: Int, asBytes: Bool) -> Int {
        stage.scratchWords(columnTile, channels: width, takesColumnTiles: takesColumnTiles, asBytes: asBytes)
      }
      var columnTile = columnTiles.last { scratch($0, asBytes: false) <= tradeOff.columnTileWords } ?? 1
      if takesColumnTiles {
        stage.takeColumnTiles(columnTile)
      } else if tradeOff.widensOnLoad {
        let widened = columnTiles.last { scratch($0, asBytes: true) <= tradeOff.columnTileWords } ?? 1
        let isInPlace = tradeOff.worksInPlace && putInPlace(stages, index, &stage)
        if isInPlace || stage.widenOnLoad(columnTile: tradeOff.worksInPlace ? nil : widened) { columnTile = widened }
      }
      let key = ChannelTileKey(stage: index, strides: stage.strides(columnTile: columnTile))
      let offsets = tapOffsets(stage.window, key.strides, channels: work.groupChannels)
      let partition = known.partitions[index] ?? partition(work, offsets, core, without: constants)
      known.partitions[index] = partition
      let channelTiles =
        known.channelTiles[key] ?? channelTiles(work, offsets, core, partition, channelStride: key.strides.channel)
      known.channelTiles[key] = channelTiles
      work.unrolled = .channelTiles(channelTiles, columnTile: columnTile)
    }
    stage.work = .convolution(work)
    stages[index] = stage
  }

  /// Rows between unrolled channel tiles and depthwise code as four columns a word: half the memory for two more
  /// instructions per word of four columns, and half of the loads.
  private static func quartered(_ stages: [Draft]) -> [Draft] {
    var stages = stages
    for index in stages.indices.dropFirst() {
      let window = stages[index].window
      guard case .taps? = stages[index].unrolled, case .convolution(var own) = stages[index].work,
        case .convolution(var work) = stages[index - 1].work,
        case .channelTiles(let channelTiles, let columnTile)? = work.unrolled,
        let lanes = stages[index].lineBuffer.lanes, lanes.distance % 2 == 0, lanes.outputs == lanes.distance,
        window.strideWidth == 1
      else { continue }
      let fourLanes = lanes.distance / 2
      // The halo is copied from columns of the row itself.
      guard window.kernelWidth <= fourLanes else { continue }
      stages[index].lineBuffer.fourLanes = fourLanes
      stages[index].lineBuffer.channelStride = fourLanes + window.kernelWidth - 1
      stages[index].lineBuffer.rowStride = stages[index].lineBuffer.channelStride * stages[index].inputShape.channels
      // Statements would be long: each tap is unpacked twice.
      own.unrolled = .taps(tapLists(stages[index], own), areStatements: false)
      stages[index].work = .convolution(own)
      // No column tile lies across the two halves of a row of words.
      work.unrolled = .channelTiles(channelTiles, columnTile: (1...columnTile).last { fourLanes % $0 == 0 } ?? 1)
      stages[index - 1].work = .convolution(work)
    }
    return stages
  }

  private static func canRunMaximum(_ stage: Draft) -> Bool {
    stage.pool != nil && stage.window.kernelHeight == 1 && stage.window.strideHeight == 1
      && stage.window.top + stage.window.bottom == 0 && stage.output.elementBytes == 1
  }

  static func tapLists(_ stage: Draft, _ work: ConvolutionWork) -> [TapList] {
    work.weights.map { weights in
      let width = stage.window.kernelWidth
      let rowStride = stage.gatheredWindow?.width ?? stage.lineBuffer.rowStride
      func offsets(_ weight: Int8) -> [Int] {
        weights.indices.filter { weights[$0] == weight }.map { $0 / width * rowStride + $0 % width }
      }
      let plus = offsets(1)
      return TapList(offsets: plus + offsets(-1), plus: plus.count)
    }
  }

  /// Offsets of a window's values, in the order of the weights.
  static func tapOffsets(_ window: Window, _ strides: Draft.Strides, channels: Int) -> [Int] {
    (0..<channels).flatMap { ic in
      (0..<window.kernelHeight).flatMap { ky in
        (0..<window.kernelWidth).map { kx in ky * strides.row + ic * strides.channel + kx }
      }
    }
  }

  /// The output channels of each block: blocks of equal width, as few as the registers allow; none reaches over two
  /// groups.
  ///
  /// - Parameter offsets: Of a window's values, in the order of the weights.
  static func partition(
    _ work: ConvolutionWork, _ offsets: [Int], _ core: Core, without constants: Set<Int>
  ) -> [[Int]] {
    groups(work, without: constants).flatMap { part in
      let weights = part.map { work.weights[$0] }
      let subexpressions = CommonSubexpressions(weights: weights, offsets: offsets, reach: core.reachableWords)
      return ChannelTilePartition(subexpressions: subexpressions).channelTiles(widths: widths(part.count, core)).map {
        $0.map { part[$0] }
      }
    }
  }

  /// The blocks of a partition.
  static func channelTiles(
    _ work: ConvolutionWork, _ offsets: [Int], _ core: Core, _ partition: [[Int]], channelStride: Int
  ) -> [ChannelTile] {
    partition.map { channels in
      let weights = channels.map { work.weights[$0] }
      return ChannelTile(
        channels: channels, input: channels[0] / work.outputsPerGroup * work.groupChannels * channelStride,
        nonZeros: weights.reduce(0) { $0 + $1.count { $0 != 0 } },
        groups: CommonSubexpressions(weights: weights, offsets: offsets, reach: core.reachableWords).groups())
    }
  }

  /// Output channels that are looked at together: those of a group, as many as a mask has bits.
  static func groups(_ work: ConvolutionWork, without constants: Set<Int>) -> [[Int]] {
    stride(from: 0, to: work.weights.count, by: work.outputsPerGroup).flatMap { first in
      let live = (first..<(first + work.outputsPerGroup)).filter { !constants.contains($0) }
      return stride(from: 0, to: live.count, by: 64).map { Array(live[$0..<min($0 + 64, live.count)]) }
    }
  }

  /// Channels of each block, the largest first.
  static func widths(_ channels: Int, _ core: Core) -> [Int] {
    let count = (channels + core.accumulators - 1) / core.accumulators
    return (0..<count).map { (channels + count - $0 - 1) / count }
  }
}
