import TernaryIR

/// Work of which one unit takes about the same number of instructions wherever it occurs.
///
/// The units are counted from what a plan says, not from the names of kernels: when a kernel is rewritten, the
/// constants of `WorkTable.swift` change and the counts stay.
package enum WorkFeature: String, CaseIterable, Sendable {
  /// What every inference begins and ends with.
  case network
  /// Input rows, words of two lanes made of them, and values that are not codes as they come.
  case inputRow, pairedWord, convertedValue
  /// Words or bytes of padding written before rows arrive.
  case filledValue
  /// A stage asked whether a row is due; a row made; a row of a window looked up.
  case check, row, locatedRow
  /// Channels of a row: those computed, those stored of a column tile, those that are constant and their words, those
  /// whose halo is written and its words.
  case channel, storedChannel, constantChannel, constantWord, closedChannel, closedWord
  /// Words that move up in a line buffer.
  case slidWord
  /// Blocks of code: calls, rows of positions in them, positions, words loaded, additions, sums begun and stored.
  case blockCall, blockRow, blockPosition, blockLoad, blockAddition, blockSum
  /// Words that unrolled channel tiles read, made of bytes.
  case unpackedWord
  /// The same of a channel's window that depthwise code reads, and of rows in place of others: none of them moves.
  case windowWord
  /// Depthwise code: rows or column tiles of a channel, positions, taps at positions, those of them in bytes.
  case depthwiseRow, depthwisePosition, depthwiseTap, byteTap
  /// Tables of taps: rows of a channel, taps taken up for up to four words, words of two columns, and of four.
  case tapRow, tapTaken, tapWord, quadWord
  /// Words that are put beside or compared with what is there.
  case keptWord
  /// Packed weights: those of decoded rows, those of them that are not zero.
  case decodedWeight, decodedTap
  /// Non-zero taps at words: taken up for up to four of them, added to one, to one of fewer than four that are left,
  /// and to one where windows step.
  case laneTap, laneAddition, laneRest, laneStep
  /// Whole maps: passes of four words of four values, non-zero taps at them, and the words made; words spread and
  /// split.
  case quadPass, quadTap, quadLevels, spreadQuad, splitQuad
  /// Whole maps whose positions hold all channels: calls of straight-line code, words that it loads, additions, words
  /// requantized and rows of them; depthwise convolutions' channels, taps, words made, and steps to the next; words of
  /// rows above and below; words pooled.
  case pixelCall, pixelLoad, pixelAddition, pixelLevels, pixelRow, pixelChannel, pixelTap, pixelSum, pixelStep,
    closedPixel,
    pooledPixel
  /// Codes of such words that do without the DSP extension, because the C is made for no core in particular.
  case pixelShift
  /// The same at columns of bytes or of 16 bits.
  case columnTap, columnAddition, columnRest, columnStep
  /// Sums compared in a fused pool: words of two, or single ones.
  case pooledWord, pooledColumn
  /// Words of two sums of parts, added up column by column.
  case widenedWord
  /// Words of two sums taken apart, and single sums.
  case epilogueWord, epilogueColumn
  /// Sums requantized, by form; steps of a search among thresholds.
  case affine, saturated, affine64, halfEven, halfEven64, thresholdStep, scaled
  /// Sums clamped before they are requantized.
  case limited
  /// Pools by themselves: windows, and values seen by them.
  case maxWindow, maxValue, sumWindow, sumValue
  /// Rows added to the sums of windows: windows, and values.
  case addedWindow, addedValue
  /// Dense layers: outputs, weights, those that are not zero.
  case denseOutput, denseWeight, denseTap
}

extension WorkFeature {
  /// Units of work of one inference.
  package typealias Counts = [WorkFeature: Double]

  /// What belongs to no stage: the rows that come in, and everything that happens once.
  package static func network(_ plan: FirmwarePlan) -> Counts {
    let shape = plan.input.shape
    let rows = Double(shape.height)
    var counts: Counts = [.network: 1, .inputRow: rows * Double(shape.channels)]
    let layout = plan.edges[0].layout
    if layout.holdsWords { counts[.pairedWord] = rows * Double(layout.rowStride) }
    if !layout.holdsWords || plan.scratch.levels != nil { counts[.convertedValue] = Double(shape.count) }
    return counts
  }

  /// The work of one operation.
  package static func operation(_ context: Context) -> Counts {
    var counts: Counts = [:]
    context.countRowWork(&counts)
    context.variant.countWork(context, &counts)
    return counts
  }
}
