import TernaryIR

/// Everything that the emitted C says, decided: names, constants, offsets and the order in which rows flow. The emitter
/// prints it and changes nothing.
///
/// Activations are stored as *codes* `u = q − base`, which are never negative: a byte each, or 16 bits for the exact
/// sums of an average pool. Accumulators here are sums of codes; what that shifts is folded into the requantizer's
/// bias.
package struct FirmwarePlan: Sendable {
  /// Prefix of every external symbol, and of the macros in upper case.
  package var name: String
  package var macroPrefix: String { name.uppercased() }
  package var input: InputPlan
  package var output: OutputPlan
  package var stages: [Stage]
  /// Tensors that flow; the first is the input.
  package var edges: [Edge] = []
  /// In the order of execution.
  package var operations: [Operation] = []
  /// Runs of stages that work row by row together; between two runs lies a whole tensor.
  package var fusionGroups: [ClosedRange<Int>]
  package var buffers: [Buffer]
  package var scratch: Scratch
  /// Bytes of the caller's state, the canary at its end included.
  package var stateBytes: Int
  /// No arrangement of these buffers can need less.
  package var lowerBoundBytes: Int
  /// Bits of an offset into a line buffer: 16 wherever every line buffer is below 64 KiB.
  package var tapOffsetBits: Int
  package var schedule: PlanningOptions.Schedule
  package var core: Core
  package var flash: FlashEstimate

  /// Offset of the row counters: one `uint16_t` for the input and one for each stage's output.
  package static let countersOffset = 0
  package var counterCount: Int { stages.count + 1 }
  package var canaryOffset: Int { stateBytes - 4 }

  /// Whether a stage's rows are made column by column and its successor reads words of two: they are paired in between.
  package func packsRows(of index: Int) -> Bool {
    guard case .lineBuffer(let next) = stages[index].destination else { return false }
    return stages[next].lineBuffer.holdsWords && !stages[index].hasWordSums
  }

  /// Offset of a stage's input in the state.
  package func lineBufferOffset(of stage: Stage) -> Int {
    stage.lineBuffer.columnTile == nil ? buffers[stage.lineBuffer.buffer].offset : scratch.columnTile
  }

  /// Bytes from one row to the next where rows lie in place of rows of a whole tensor; 0: all lie in the same place.
  package func stepInPlace(of index: Int) -> Int {
    guard stages[index].lineBuffer.isInPlace,
      let owner = stages[..<index].lastIndex(where: { !$0.lineBuffer.isInPlace })
    else {
      return 0
    }
    let stage = stages[owner]
    return stage.isSliding || stage.lineBuffer.slots == 1 ? 0 : stage.rowStep * stage.lineBuffer.rowBytes
  }

  /// The fusion group that a stage belongs to.
  package func fusionGroup(of stage: Int) -> Int {
    fusionGroups.firstIndex { $0.contains(stage) } ?? 0
  }
}

package struct InputPlan: Sendable, Equatable {
  package var shape: Shape
  package var quantization: InputQuantization
  /// The integer that is stored as code 0.
  package var base: Int
  /// Codes below or above these are not the quantizer's: a caller's stray byte is clamped.
  package var minimumCode: Int
  package var maximumCode: Int
  /// Whether the caller's bytes are the codes.
  package var isStoredAsIs: Bool { hasAllCodes && base == 0 }
  /// No byte is stray.
  package var hasAllCodes: Bool { minimumCode == 0 && maximumCode == 255 }
  package var bytes: Int { shape.count }
  package var rowBytes: Int { shape.channels * shape.width }
}

package struct OutputPlan: Sendable, Equatable {
  package var tensor: Tensor
  package var base: Int
  /// Bound on |logit · scale − real value| in units of the scale; 0 where the integers are exact.
  package var resolution: Double
  package var count: Int { tensor.shape.count }
}

/// One layer at work: it makes an output row as soon as the input rows of its window are in its line buffer.
package struct Stage: Sendable, Equatable {
  package enum Destination: Sendable, Equatable {
    /// Row by row into the line buffer of the next stage.
    case lineBuffer(stage: Int)
    /// Into the state, to be handed out by `finish`.
    case result(buffer: Int)
    /// A vector, straight into the caller's array, when `finish` is called.
    case output
  }

  package enum Work: Sendable, Equatable {
    case convolution(ConvolutionWork)
    case dense(DenseWork)
    case maxPool
    /// Sums of the window; requantized, or stored as they are where there is no epilogue.
    case averagePool(Epilogue?)
  }

  /// C identifier, unique in the plan.
  package var name: String
  package var layer: Layer
  /// The network's layers that it stands for: one, or a convolution and the max pool that is fused into it.
  package var layers: ClosedRange<Int>
  package var inputShape: Shape
  /// Extents of the layer's own result, before a fused pool.
  package var accumulatorShape: Shape
  package var outputShape: Shape
  /// Output channels of the trained layer that are not computed: they are the same for every input, or unused.
  package var deadChannels = 0
  package var input: Storage
  package var output: Storage
  package var lineBuffer: LineBuffer
  /// Of a dense layer: all rows at once.
  package var window: Window
  /// A max pool of the accumulators, before they are requantized: the requantizer does not decrease, so the bits are
  /// the same, and there are fewer values to requantize and to keep.
  package var pool: Window?
  package var work: Work
  package var destination: Destination

  /// Words of an output row, two columns each; nil: the stage makes column by column.
  package var outputWords: Int? { hasWordSums ? lineBuffer.lanes.map { $0.outputs / (pool?.kernelWidth ?? 1) } : nil }

  /// Whether sums are words of two lanes to the end. Else there are no lanes, or they hold the sums of parts, which are
  /// added up column by column.
  package var hasWordSums: Bool { lineBuffer.lanes.map { $0.partTaps == nil } ?? false }

  /// Output channels of a convolution that need not be computed: without weights, or saturated over all they can reach.
  package var constants: [ConstantChannel] {
    guard case .convolution(let work) = work, output.elementBytes == 1 else { return [] }
    return work.weights.indices.compactMap { channel in
      work.epilogue.constant(channel).map { ConstantChannel(channel: channel, level: $0) }
    }
  }

  /// Whether its weights are unrolled and all of its channels constant: there is none whose accumulators are looked at.
  package var requantizesNothing: Bool { unrolled != nil && constants.count == outputShape.channels }

  /// The unrolled weights; nil: packed, or none.
  package var unrolled: UnrolledWeights? {
    if case .convolution(let work) = work { work.unrolled } else { nil }
  }

  /// Whether the shared function serves it: with a scale for each channel, and one group or as many as channels.
  package var usesSharedConvolution: Bool {
    guard isPackedLanes, case .convolution(let work) = work, work.scales != nil, case .lineBuffer = destination else {
      return false
    }
    return work.outputsPerGroup == 1 || work.outputsPerGroup == outputShape.channels
  }

  /// Whether and how it makes whole maps; nil: rows.
  package var planes: PlaneForm?
  /// Whether and how it makes whole maps, the channels of a position together.
  package var hwc: HWCForm?

  /// Whether a fused pool takes the layer's rows one at a time, as they come, into the output row: the line buffer
  /// holds no more than a row then. The requantizer does not decrease, so the largest code belongs to the largest
  /// accumulator.
  package var hasRunningMaximum = false
  /// A convolution over words of two lanes with packed weights, row by row.
  package var isPackedLanes: Bool {
    if case .convolution(let work) = work {
      lineBuffer.lanes != nil && work.unrolled == nil && planes == nil
    } else {
      false
    }
  }

  /// Rows of the layer that make one row of the stage.
  package var rowsPerOutput: Int { hasRunningMaximum ? 1 : pool?.kernelHeight ?? 1 }

  /// Whether an average pool, or a last dense layer, adds every row to its sums as it comes: the line buffer holds no
  /// more than a row then.
  package var hasRunningSum = false
  /// Where those sums are.
  package var sumsBuffer = 0
  /// 16 bits for each value of a pool's output row, 32 for each output of a dense layer.
  package var sumsBytes: Int {
    guard hasRunningSum else { return 0 }
    if case .dense = work { return 4 * outputShape.count }
    return 2 * outputShape.channels * outputShape.width
  }

  /// Input rows that an output row depends on, and those from one to the next, whether they are kept or not.
  package var dependence: (windowRows: Int, rowStep: Int) {
    let rows = pool?.kernelHeight ?? 1
    return (window.kernelHeight + (rows - 1) * window.strideHeight, rows * window.strideHeight)
  }

  /// Input rows under one output row.
  package var windowRows: Int { hasRunningSum ? 1 : window.kernelHeight + (rowsPerOutput - 1) * window.strideHeight }
  /// Input rows from an output row to the next.
  package var rowStep: Int { hasRunningSum ? 1 : rowsPerOutput * window.strideHeight }

  /// Reachable accumulators of codes, over all channels; those of lanes before they are biased.
  package var accumulators: ClosedRange<Int>? {
    guard let range = epilogue?.accumulators else { return nil }
    let guardBias = (lineBuffer.lanes ?? planes?.lanes).map { $0.guardBias - $0.remainingGuardBias } ?? 0
    return (range.lowerBound - guardBias)...(range.upperBound - guardBias)
  }

  /// Whether the rows of a linear line buffer move up when an output row has been made: not all of the map's are there.
  package var isSliding: Bool {
    lineBuffer.isLinear && lineBuffer.slots < inputShape.height + window.top + window.bottom
  }

  /// Whether the limits of accumulators stand in a table with a line for every channel. As cases of a switch a few take
  /// less flash, and the other channels no time: more of them where weights are unrolled, which is what is fast.
  package var hasLimitTable: Bool {
    let count = epilogue?.limits.count ?? 0
    return columns == nil && count > 3 && count * (unrolled == nil ? 12 : 4) > outputShape.channels
  }

  package var epilogue: Epilogue? {
    switch work {
    case .convolution(let work): work.epilogue
    case .dense(let work): work.epilogue
    case .averagePool(let epilogue): epilogue
    case .maxPool: nil
    }
  }
}

/// How integers of a tensor are stored.
package struct Storage: Sendable, Equatable {
  /// The integer that is stored as code 0.
  package var base: Int
  /// The largest code that can occur.
  package var maximumCode: Int
  /// 1, 2 or 4 (logits).
  package var elementBytes: Int
}

/// The input rows of a stage: row `y` lies in slot `y % slots`, all channels after one another, each with its halo.
package struct LineBuffer: Sendable, Equatable {
  package var buffer: Int
  package var slots: Int
  /// Halo columns, filled once with `paddingCode`.
  package var left: Int
  package var right: Int
  /// Code of a padded position.
  package var paddingCode: Int
  /// Values from a channel to the next.
  package var channelStride: Int
  /// Values from a slot to the next.
  package var rowStride: Int
  package var elementBytes: Int
  package var rowBytes: Int { rowStride * elementBytes }
  /// Bytes behind the last row that windows reach, or that are written with a map's last rows.
  package var tailBytes = 0
  package var bytes: Int {
    if let hwc { return 4 * hwc.words }
    return planeChannels.map { $0 * channelStride + tailBytes } ?? slots * rowBytes + tailBytes + slack * elementBytes
  }
  /// Values behind the last row. Sums of a whole number of vectors read them; nobody looks at what comes of it.
  package var slack = 0
  package var hasHalo: Bool { left + right > 0 }
  /// Two columns a word; nil: a byte, or 16 bits, each.
  package var lanes: SWARLanes?
  /// Columns between the four bytes of a word, half of those between the lanes: rows of lanes are stored as bytes, and
  /// unpacked as they are read.
  package var fourLanes: Int?
  /// Rows are stored a byte a column all the same, and two columns become a word as they are read.
  package var widensOnLoad = false
  /// A depthwise convolution makes words of a channel's window in scratch memory, padding at the row's ends among them,
  /// and adds those up: rows are bytes without a halo.
  package var gathersWindow = false
  /// Its one row lies in the oldest row of the stage before, which no window of that one sees any more.
  package var isInPlace = false
  /// Whether rows are stored as words of several columns.
  package var holdsWords: Bool { lanes != nil && !widensOnLoad }
  /// Words of each channel that are there at a time, in scratch memory: the stage before makes a row in column tiles.
  /// Nil: all.
  package var columnTile: Int?
  /// All rows are there, the channels of a position together; nil: rows of channels.
  package var hwc: HWCMap?
  /// All rows of a channel lie together, and the channels after one another: so many; nil: row after row.
  package var planeChannels: Int?
  /// Rows lie in the order of the map, so that the window is one block of memory: padding above and below is stored
  /// too. Where they are not all of the map's, they move up whenever an output row has been made.
  package var isLinear = false
  /// Whether padding is written once and for all; words of two lanes carry their halo with every row.
  package var needsFilling: Bool {
    if let hwc { return hwc.isFilled }
    return isLinear || (hasHalo && lanes == nil) || slack > 0
  }

  /// Rows as words of two 16-bit lanes, columns `x` and `x + distance`: one 32-bit addition serves two output columns.
  package struct SWARLanes: Sendable, Equatable {
    /// Input columns between the lanes of a word: those between the output columns that share one.
    package var distance: Int
    /// Words of the layer's row before a pool. Of an odd width the last high lane is computed and never looked at.
    package var outputs: Int
    /// Added to both lanes of an accumulator, so that none is ever negative.
    package var guardBias: Int
    /// Taps whose sums a lane holds, a multiple of four; nil: all of a channel's. Sums of parts are taken apart and
    /// added up in 32 bits.
    package var partTaps: Int?
    /// Whether the epilogue takes biased accumulators; else the guard bias is subtracted first.
    package var isGuardedInEpilogue = false
    /// What the epilogue has to subtract first.
    package var remainingGuardBias: Int { isGuardedInEpilogue ? 0 : guardBias }
    /// `guardBias` in both lanes.
    package var guardWord: Int { guardBias << 16 | guardBias }
  }
}

package struct ConvolutionWork: Sendable, Equatable {
  /// Of each output channel, in the order `[input channel][ky][kx]`.
  package var weights: [[Int8]]
  package var taps: Int
  package var groupChannels: Int
  package var outputsPerGroup: Int
  package var nonZeros: Int
  package var epilogue: Epilogue
  /// The requantizer of each channel in six bytes, for words of biased accumulators; nil: the epilogue's own.
  package var scales: [ChannelScale]?
  /// The unrolled weights; nil: packed.
  package var unrolled: UnrolledWeights?
}

package struct DenseWork: Sendable, Equatable {
  /// Of each output, in the order in which the line buffer holds the input: `[row][channel][column]`.
  package var weights: [[Int8]]
  package var taps: Int
  package var nonZeros: Int
  package var epilogue: Epilogue
  /// Whether a weight takes a byte, which compilers can vectorize; else two bits.
  package var areBytes = false
}

/// From an accumulator of codes to what is stored. Tables have one entry, or one per output channel.
package struct Epilogue: Sendable, Equatable {
  package enum Form: Sendable, Equatable {
    /// `clamp(a · m + b, low, high) >> shift`; low and high are scaled by `2^shift`, so that nothing negative is
    /// shifted.
    case affine(multipliers: [Int], offsets: [Int], shift: Int, low: Int, high: Int)
    /// As affine, then rounded half to even.
    case halfEven(multipliers: [Int], offsets: [Int], shift: Int, low: Int, high: Int)
    /// `start` plus the number of thresholds reached; every list has the same length.
    case thresholds([[Int]], start: Int)
    /// `a · m + b`, an int32.
    case logits(multipliers: [Int], offsets: [Int])
  }

  package var form: Form
  /// Output channels whose accumulators are clamped first, to the range beyond which the result does not change: that
  /// keeps their arithmetic within 32 bits.
  package var limits: [ChannelLimits] = []
  /// Whether 32-bit arithmetic holds every intermediate value; else 64-bit.
  package var fits32: Bool
  /// Reachable accumulators of codes, over all channels. Bounds every partial sum.
  package var accumulators: ClosedRange<Int>
  /// The same of each output channel; a single one where it serves all.
  package var domains: [ClosedRange<Int>]
}

/// A channel that has one value for every input.
package struct ConstantChannel: Sendable, Equatable {
  package var channel: Int
  package var level: Int
}

package struct ChannelLimits: Sendable, Equatable {
  package var channel: Int
  package var accumulators: ClosedRange<Int>
}

/// Memory that every stage may use while it makes one row.
package struct Scratch: Sendable, Equatable {
  package var buffer: Int
  /// Offsets in the state.
  package var accumulators: Int
  package var rows: Int
  package var taps: Int
  /// An output row of a channel, before it is paired for the next stage.
  package var row: Int?
  /// Column tiles of rows that the next stage takes at once.
  package var columnTile: Int
  /// A channel of an input row as codes, where the caller's bytes are not codes already.
  package var levels: Int?
}

package struct Buffer: Sendable, Equatable, Codable {
  package enum Kind: String, Sendable, Codable {
    case counters, tensor, sums, scratch, result
    /// Reports keep the names that they have had.
    case lineBuffer = "ring"
  }

  private enum CodingKeys: String, CodingKey {
    case name, kind, bytes, offset, reader
    case firstGroup = "firstSegment"
    case lastGroup = "lastSegment"
  }

  package var name: String
  package var kind: Kind
  package var bytes: Int
  /// First and last fusion group in which its contents matter.
  package var firstGroup: Int
  package var lastGroup: Int
  package var offset: Int
  /// The stage that reads it as soon as it is written: a single row, which matters from its predecessor's work to its
  /// own.
  package var reader: Int?

  /// Whether both matter at the same time. Rows that are read at once do so only where one stage reads the one and
  /// writes the other.
  package func lives(with other: Buffer) -> Bool {
    if let reader, let next = other.reader, abs(reader - next) > 1 { return false }
    return firstGroup <= other.lastGroup && other.firstGroup <= lastGroup
  }

  package func overlaps(_ other: Buffer) -> Bool {
    lives(with: other) && offset < other.offset + other.bytes && other.offset < offset + bytes
  }
}
