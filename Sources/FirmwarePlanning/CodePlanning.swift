import TernaryIR

/// Weights as code, for the stages whose rows are words of two lanes.
extension Planner {
  /// What saves RAM in stages whose weights are code, and costs instructions.
  struct CodeThrift {
    /// Pools take the rows of a pointwise convolution one at a time.
    var poolsRowByRow: Bool
    /// Rows before a depthwise convolution are words of four columns.
    var usesQuads: Bool
    /// Words in scratch memory that a strip may take.
    var stripWords: Int
    /// Rows are bytes, paired as they are read.
    var pairsAsRead = false
    /// A depthwise convolution makes its rows in strips, which the pointwise one behind it takes at once.
    var makesStrips = false
    /// A depthwise convolution unpacks a channel's window, so that its rows need no halo, and rows lie where the stage
    /// before has read its own.
    var worksInPlace = false

    /// From the fastest to the leanest.
    static let steps = [
      CodeThrift(poolsRowByRow: false, usesQuads: false, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: true, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: true, stripWords: 64),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 256, pairsAsRead: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 256, pairsAsRead: true, makesStrips: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 192, pairsAsRead: true, makesStrips: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 128, pairsAsRead: true, makesStrips: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 96, pairsAsRead: true, makesStrips: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 256, pairsAsRead: true, worksInPlace: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 128, pairsAsRead: true, worksInPlace: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 96, pairsAsRead: true, worksInPlace: true),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 64, pairsAsRead: true, worksInPlace: true),
    ]
  }

  /// What the blocks of a stage depend on beside its weights.
  struct BlockKey: Hashable {
    var stage: Int
    var strides: Stage.Strides
  }

  /// What has been found for other steps of thrift. Searching for a partition takes longest, and little of it depends on
  /// where the words lie.
  struct KnownBlocks {
    var partitions: [Int: [[Int]]] = [:]
    var blocks: [BlockKey: [CodeBlock]] = [:]
    var scales: [ScaleKey: [ChannelScale]] = [:]
  }

  /// What the scales of a stage depend on beside its requantizer.
  struct ScaleKey: Hashable {
    var stage: Int
    /// Of the accumulators, lifted as the epilogue has them.
    var least: Int
    var remainingLift: Int
  }

  /// The chain with its weights as code, where rows are words. `known` holds the blocks that have been found for a stage.
  static func asCode(
    _ stages: [Stage], _ core: Core, _ thrift: CodeThrift, _ known: inout KnownBlocks
  ) -> [Stage] {
    var coded = stages
    for index in stages.indices { asCode(&coded, index, core, thrift, &known) }
    return thrift.usesQuads ? quartered(coded) : coded
  }

  private static func asCode(
    _ stages: inout [Stage], _ index: Int, _ core: Core, _ thrift: CodeThrift, _ known: inout KnownBlocks
  ) {
    var stage = stages[index]
    if thrift.worksInPlace, stage.addsRowByRow, case .averagePool = stage.work {
      if putInPlace(stages, index, &stage) { stages[index] = stage }
      return
    }
    guard case .convolution(var work) = stage.work, let words = stage.outputWords else { return }
    stage.poolsRowByRow = thrift.poolsRowByRow && canPoolRowByRow(stage)
    stage.ring.isLinear = canBeLinear(stage)
    guard stage.ring.isLinear || (stage.reach == 1 && !stage.window.hasPadding) else { return }
    if work.groupChannels == 1, stage.inputShape.channels > 1 {
      guard stage.ring.isLinear, stage.window.kernelHeight * stage.ring.rowStride < Int(UInt16.max) else { return }
      stage.poolsRowByRow = false
      if thrift.pairsAsRead, !(thrift.worksInPlace && stage.unpackChannels()) { _ = stage.pairAsRead(strip: nil) }
      work.code = .taps(tapLists(stage, work), areStatements: true)
    } else {
      let constants = Set(stage.constants.map(\.channel))
      let width = groups(work, without: constants).map { widths($0.count, core)[0] }.max() ?? 1
      let strips = (1...words).filter { words % $0 == 0 }
      let takesStrips = thrift.makesStrips && canTakeStrips(stages, index, stage)
      func scratch(_ strip: Int, asBytes: Bool) -> Int {
        stage.scratchWords(strip, channels: width, takesStrips: takesStrips, asBytes: asBytes)
      }
      var strip = strips.last { scratch($0, asBytes: false) <= thrift.stripWords } ?? 1
      if takesStrips {
        stage.takeStrips(strip)
      } else if thrift.pairsAsRead {
        let unpacked = strips.last { scratch($0, asBytes: true) <= thrift.stripWords } ?? 1
        let isInPlace = thrift.worksInPlace && putInPlace(stages, index, &stage)
        if isInPlace || stage.pairAsRead(strip: thrift.worksInPlace ? nil : unpacked) { strip = unpacked }
      }
      let key = BlockKey(stage: index, strides: stage.strides(strip: strip))
      let offsets = tapOffsets(stage.window, key.strides, channels: work.groupChannels)
      let partition = known.partitions[index] ?? partition(work, offsets, core, without: constants)
      known.partitions[index] = partition
      let blocks =
        known.blocks[key] ?? blocks(work, offsets, core, partition, channelStride: key.strides.channel)
      known.blocks[key] = blocks
      work.code = .blocks(blocks, strip: strip)
    }
    stage.work = .convolution(work)
    stages[index] = stage
  }

  /// Rows between code blocks and depthwise code as four columns a word: half the memory for two more instructions per
  /// word of four columns, and half of the loads.
  private static func quartered(_ stages: [Stage]) -> [Stage] {
    var stages = stages
    for index in stages.indices.dropFirst() {
      let window = stages[index].window
      guard case .taps? = stages[index].code, case .convolution(var own) = stages[index].work,
        case .convolution(var work) = stages[index - 1].work, case .blocks(let blocks, let strip)? = work.code,
        let lanes = stages[index].ring.lanes, lanes.distance % 2 == 0, lanes.outputs == lanes.distance,
        window.strideWidth == 1
      else { continue }
      let quads = lanes.distance / 2
      // The halo is copied from columns of the row itself.
      guard window.kernelWidth <= quads else { continue }
      stages[index].ring.quads = quads
      stages[index].ring.channelStride = quads + window.kernelWidth - 1
      stages[index].ring.rowStride = stages[index].ring.channelStride * stages[index].inputShape.channels
      // Statements would be long: each tap is unpacked twice.
      own.code = .taps(tapLists(stages[index], own), areStatements: false)
      stages[index].work = .convolution(own)
      // No strip lies across the two halves of a row of words.
      work.code = .blocks(blocks, strip: (1...strip).last { quads % $0 == 0 } ?? 1)
      stages[index - 1].work = .convolution(work)
    }
    return stages
  }

  private static func canPoolRowByRow(_ stage: Stage) -> Bool {
    stage.pool != nil && stage.window.kernelHeight == 1 && stage.window.strideHeight == 1
      && stage.window.top + stage.window.bottom == 0 && stage.output.elementBytes == 1
  }

  private static func tapLists(_ stage: Stage, _ work: ConvolutionWork) -> [TapList] {
    work.weights.map { packed in
      let weights = PackedWeights.unpack(packed, count: work.taps)
      let width = stage.window.kernelWidth
      let rowStride = stage.channelWindow?.width ?? stage.ring.rowStride
      func offsets(_ weight: Int8) -> [Int] {
        weights.indices.filter { weights[$0] == weight }.map { $0 / width * rowStride + $0 % width }
      }
      let plus = offsets(1)
      return TapList(offsets: plus + offsets(-1), plus: plus.count)
    }
  }

  /// Offsets of a window's values, in the order of the weights.
  static func tapOffsets(_ window: Window, _ strides: Stage.Strides, channels: Int) -> [Int] {
    (0..<channels).flatMap { ic in
      (0..<window.kernelHeight).flatMap { ky in
        (0..<window.kernelWidth).map { kx in ky * strides.row + ic * strides.channel + kx }
      }
    }
  }

  /// The output channels of each block: blocks of equal width, as few as the registers allow; none reaches over two groups.
  ///
  /// - Parameter offsets: Of a window's values, in the order of the weights.
  static func partition(
    _ work: ConvolutionWork, _ offsets: [Int], _ core: Core, without constants: Set<Int>
  ) -> [[Int]] {
    groups(work, without: constants).flatMap { part in
      let weights = part.map { PackedWeights.unpack(work.weights[$0], count: work.taps) }
      let sharing = WeightSharing(weights: weights, offsets: offsets, reach: core.reachableWords)
      return BlockPartition(sharing: sharing).blocks(widths: widths(part.count, core)).map { $0.map { part[$0] } }
    }
  }

  /// The blocks of a partition.
  static func blocks(
    _ work: ConvolutionWork, _ offsets: [Int], _ core: Core, _ partition: [[Int]], channelStride: Int
  ) -> [CodeBlock] {
    partition.map { channels in
      let weights = channels.map { PackedWeights.unpack(work.weights[$0], count: work.taps) }
      return CodeBlock(
        channels: channels, input: channels[0] / work.outputsPerGroup * work.groupChannels * channelStride,
        nonZeros: weights.reduce(0) { $0 + $1.count { $0 != 0 } },
        groups: WeightSharing(weights: weights, offsets: offsets, reach: core.reachableWords).groups())
    }
  }

  /// Output channels that are looked at together: those of a group, as many as a mask has bits.
  private static func groups(_ work: ConvolutionWork, without constants: Set<Int>) -> [[Int]] {
    stride(from: 0, to: work.weights.count, by: work.outputsPerGroup).flatMap { first in
      let live = (first..<(first + work.outputsPerGroup)).filter { !constants.contains($0) }
      return stride(from: 0, to: live.count, by: 64).map { Array(live[$0..<min($0 + 64, live.count)]) }
    }
  }

  /// Channels of each block, the largest first.
  private static func widths(_ channels: Int, _ core: Core) -> [Int] {
    let count = (channels + core.accumulators - 1) / core.accumulators
    return (0..<count).map { (channels + count - $0 - 1) / count }
  }
}
