import TernaryIR

/// Weights as code, for the stages whose rows are words of two lanes.
extension Planner {
  /// What saves RAM in stages whose weights are code, and costs instructions.
  struct CodeThrift {
    /// Pools take the rows of a pointwise convolution one at a time.
    var poolsRowByRow: Bool
    /// Rows before a depthwise convolution are words of four columns.
    var usesQuads: Bool
    /// Words of accumulators in scratch memory that a strip may take.
    var stripWords: Int

    /// From the fastest to the leanest.
    static let steps = [
      CodeThrift(poolsRowByRow: false, usesQuads: false, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: false, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: true, stripWords: 160),
      CodeThrift(poolsRowByRow: true, usesQuads: true, stripWords: 64),
    ]
  }

  /// The chain with its weights as code, where rows are words. `blocks` holds what has been found for a stage: it does
  /// not depend on the thrift.
  static func asCode(
    _ stages: [Stage], _ core: Core, _ thrift: CodeThrift, _ blocks: inout [Int: [CodeBlock]]
  ) -> [Stage] {
    var coded = stages
    for index in stages.indices { coded[index] = asCode(stages[index], core, thrift, &blocks[index]) }
    return thrift.usesQuads ? quartered(coded) : coded
  }

  private static func asCode(
    _ stage: Stage, _ core: Core, _ thrift: CodeThrift, _ known: inout [CodeBlock]?
  ) -> Stage {
    guard case .convolution(var work) = stage.work, let words = stage.outputWords else { return stage }
    let packed = stage
    var stage = stage
    stage.poolsRowByRow = thrift.poolsRowByRow && canPoolRowByRow(stage)
    stage.ring.isLinear = canBeLinear(stage)
    guard stage.ring.isLinear || (stage.reach == 1 && !stage.window.hasPadding) else { return packed }
    if work.groupChannels == 1, stage.inputShape.channels > 1 {
      guard stage.ring.isLinear, stage.window.kernelHeight * stage.ring.rowStride < Int(UInt16.max) else {
        return packed
      }
      stage.poolsRowByRow = false
      work.code = .taps(tapLists(stage, work), areStatements: true)
    } else {
      let blocks = known ?? blocks(stage, work, core, without: Set(stage.constants.map(\.channel)))
      known = blocks
      let width = blocks.map(\.channels.count).max() ?? 1
      let rows = stage.poolsRowByRow ? 1 : stage.pool?.kernelHeight ?? 1
      let positions = width * rows * (stage.pool?.kernelWidth ?? 1)
      let strip = (1...words).last { words % $0 == 0 && $0 * positions <= thrift.stripWords } ?? 1
      work.code = .blocks(blocks, strip: strip)
    }
    stage.work = .convolution(work)
    return stage
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
      func offsets(_ weight: Int8) -> [Int] {
        weights.indices.filter { weights[$0] == weight }.map { $0 / width * stage.ring.rowStride + $0 % width }
      }
      let plus = offsets(1)
      return TapList(offsets: plus + offsets(-1), plus: plus.count)
    }
  }

  /// Offsets of a window's values, in the order of the weights.
  static func tapOffsets(_ stage: Stage, channels: Int) -> [Int] {
    let (ring, window) = (stage.ring, stage.window)
    return (0..<channels).flatMap { ic in
      (0..<window.kernelHeight).flatMap { ky in
        (0..<window.kernelWidth).map { kx in ky * ring.rowStride + ic * ring.channelStride + kx }
      }
    }
  }

  /// Blocks of equal width, as few as the registers allow; none reaches over two groups.
  static func blocks(
    _ stage: Stage, _ work: ConvolutionWork, _ core: Core, without constants: Set<Int>
  ) -> [CodeBlock] {
    let ring = stage.ring
    let offsets = tapOffsets(stage, channels: work.groupChannels)
    var blocks: [CodeBlock] = []
    for group in 0..<(work.weights.count / work.outputsPerGroup) {
      let first = group * work.outputsPerGroup
      let live = (first..<(first + work.outputsPerGroup)).filter { !constants.contains($0) }
      // Channels that are looked at together: as many as a mask has bits.
      for start in stride(from: 0, to: live.count, by: 64) {
        let part = Array(live[start..<min(start + 64, live.count)])
        let weights = part.map { PackedWeights.unpack(work.weights[$0], count: work.taps) }
        let sharing = WeightSharing(weights: weights, offsets: offsets, reach: core.reachableWords)
        let count = (part.count + core.accumulators - 1) / core.accumulators
        let widths = (0..<count).map { (part.count + count - $0 - 1) / count }
        for channels in BlockPartition(sharing: sharing).blocks(widths: widths) {
          let chosen = channels.map { weights[$0] }
          blocks.append(
            CodeBlock(
              channels: channels.map { part[$0] }, input: group * work.groupChannels * ring.channelStride,
              nonZeros: chosen.reduce(0) { $0 + $1.count { $0 != 0 } },
              groups: WeightSharing(weights: chosen, offsets: offsets, reach: core.reachableWords).groups()))
        }
      }
    }
    return blocks
  }
}
