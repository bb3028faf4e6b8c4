import TernaryIR

/// One layer at work: it makes an output row as soon as the input rows of its window are in its line buffer.
package struct Draft: Sendable, Equatable {
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
  /// The network's tensor that it makes.
  var tensor: TernaryNetwork.TensorID
  package var inputShape: Shape
  /// Extents of the layer's own result, before a fused pool.
  package var accumulatorShape: Shape
  package var outputShape: Shape
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

  /// Input rows under one output row.
  package var windowRows: Int { hasRunningSum ? 1 : window.kernelHeight + (rowsPerOutput - 1) * window.strideHeight }
  /// Input rows from an output row to the next.
  package var rowStep: Int { hasRunningSum ? 1 : rowsPerOutput * window.strideHeight }

  /// Whether the rows of a linear line buffer move up when an output row has been made: not all of the map's are there.
  package var isSliding: Bool {
    lineBuffer.isLinear && lineBuffer.slots < inputShape.height + window.top + window.bottom
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
