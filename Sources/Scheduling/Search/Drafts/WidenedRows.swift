import TernaryIR

/// The least RAM for unrolled weights: rows of bytes, and column tiles in scratch memory of what would be rows of
/// words.
extension Scheduler {
  /// Whether a stage can take its rows in column tiles, as the depthwise convolution before it makes them.
  static func canTakeColumnTiles(_ stages: [Draft], _ index: Int, _ stage: Draft) -> Bool {
    guard index > 0, index + 1 < stages.count, stages[index - 1].pool == nil,
      case .taps(_, areStatements: true)? = stages[index - 1].unrolled
    else { return false }
    return stage.windowRows == 1 && stage.rowStep == 1 && stage.window.kernelWidth == 1 && stage.window.strideWidth == 1
      && !stage.window.hasPadding
  }
}

/// Rows that lie where the stage before has read them.
extension Scheduler {
  /// Puts a stage's rows, of bytes, in place of the oldest rows of the stage before, where that writes a value only
  /// when nobody reads what stood there any more.
  ///
  /// - Returns: Whether it does.
  static func putInPlace(_ stages: [Draft], _ index: Int, _ stage: inout Draft) -> Bool {
    guard index > 0, stage.windowRows == 1, stage.rowStep == 1, !stage.window.hasPadding, stage.input.elementBytes == 1
    else { return false }
    let maker = stages[index - 1]
    guard maker.pool == nil, stage.inputShape.width <= maker.inputShape.width,
      stage.inputShape.channels <= maker.inputShape.channels, let lanes = maker.lineBuffer.lanes
    else { return false }
    // What an odd width's last high lane reads has to be codes of its own: its sums overflow otherwise.
    let areCodes =
      maker.lineBuffer.gathersWindow
      ? maker.input.maximumCode <= stage.input.maximumCode : stage.input.maximumCode <= maker.input.maximumCode
    guard areCodes || 2 * lanes.outputs == stage.inputShape.width else { return false }
    if maker.lineBuffer.gathersWindow {
      // A channel's window has become words before its row is written; the rows behind the oldest are what pairs at the
      // end of that may read of.
      guard maker.windowRows > 1, canTakeColumnTiles(stages, index, stage), case .convolution(let work) = maker.work,
        work.outputsPerGroup == 1
      else { return false }
    } else {
      // All channels of a column tile's columns have become words before the same columns are written.
      guard stage.hasRunningSum, maker.windowRows == 1, maker.widened != nil, maker.window.kernelWidth == 1,
        maker.window.strideWidth == 1, !maker.window.hasPadding
      else { return false }
    }
    stage.lineBuffer.isInPlace = true
    stage.lineBuffer.isLinear = false
    stage.lineBuffer.widensOnLoad = stage.lineBuffer.lanes != nil
    stage.lineBuffer.elementBytes = 1
    stage.lineBuffer.channelStride = maker.lineBuffer.channelStride
    stage.lineBuffer.rowStride = maker.lineBuffer.channelStride * stage.inputShape.channels
    stage.lineBuffer.tailBytes = 0
    return true
  }
}

extension Draft {
  /// Words from a row, and from a channel, to the next.
  package struct Strides: Hashable, Sendable {
    package var row: Int
    package var channel: Int
  }

  /// What unrolled channel tiles read where rows are bytes.
  package var widened: WidenedWindow? {
    switch unrolled {
    case .channelTiles(_, let columnTile)?: widened(columnTile: columnTile)
    case .taps?: gatheredWindow
    case .columns?, nil: nil
    }
  }

  /// Whether depthwise code pairs bytes wherever it reads them.
  package var widensBytes: Bool { lineBuffer.widensOnLoad && !lineBuffer.gathersWindow }

  /// What depthwise code reads where its rows have no halo: the window of a channel, for all words of a row.
  package var gatheredWindow: WidenedWindow? {
    guard lineBuffer.gathersWindow, let lanes = lineBuffer.lanes else { return nil }
    return WidenedWindow(
      rows: windowRows, channels: 1, width: (lanes.outputs - 1) * window.strideWidth + window.kernelWidth)
  }

  private func widened(columnTile: Int) -> WidenedWindow? {
    guard lineBuffer.widensOnLoad else { return nil }
    return columnTileWindow(columnTile)
  }

  private func columnTileWindow(_ columnTile: Int) -> WidenedWindow {
    let columns = columnTile * (pool?.kernelWidth ?? 1)
    var widened = WidenedWindow(
      rows: windowRows, channels: inputShape.channels, width: (columns - 1) * window.strideWidth + window.kernelWidth)
    if columnTile < outputWords ?? columnTile, widened.statements == widened.width {
      widened.kept = max(0, widened.width - columns * window.strideWidth)
    }
    return widened
  }

  /// Words that `columnTile` output words need in scratch memory: the sums of a block of channels, and what they are
  /// made of where that is not the line buffer.
  func scratchWords(_ columnTile: Int, channels: Int, takesColumnTiles: Bool, asBytes: Bool) -> Int {
    let columns = columnTile * (pool?.kernelWidth ?? 1)
    let sums = columns * channels * (hasRunningMaximum ? 1 : pool?.kernelHeight ?? 1)
    let read = takesColumnTiles ? columns * inputShape.channels : asBytes ? columnTileWindow(columnTile).words : 0
    return sums + read
  }

  /// Strides of the words that unrolled channel tiles read.
  func strides(columnTile: Int) -> Strides {
    guard let widened = widened(columnTile: columnTile) else {
      return Strides(row: lineBuffer.rowStride, channel: lineBuffer.channelStride)
    }
    return Strides(row: widened.channels * widened.width, channel: widened.width)
  }

  /// Stores rows as bytes, where that and the words of a column tile that blocks read take less than rows of words.
  ///
  /// - Returns: Whether it does.
  mutating func widenOnLoad(columnTile: Int?) -> Bool {
    guard lineBuffer.isLinear, let lanes = lineBuffer.lanes else { return false }
    var stage = self
    stage.lineBuffer.widensOnLoad = true
    stage.lineBuffer.elementBytes = 1
    // The halo on the right of a channel is that on the left of the next.
    stage.lineBuffer.channelStride = inputShape.width + max(window.left, window.right)
    stage.lineBuffer.rowStride = ArenaAllocator.rounded(stage.lineBuffer.channelStride * inputShape.channels)
    let read = (lanes.outputs - 1) * window.strideWidth + window.kernelWidth + lanes.distance
    let last = (inputShape.channels - 1) * stage.lineBuffer.channelStride + max(read, window.left + inputShape.width)
    stage.lineBuffer.tailBytes = ArenaAllocator.rounded(max(0, last - stage.lineBuffer.rowStride))
    let scratch = columnTile.map { columnTileWindow($0).words } ?? 0
    let rows = Scheduler.lineBufferRows(self)
    guard rows * stage.lineBuffer.rowBytes + stage.lineBuffer.tailBytes + 4 * scratch < rows * lineBuffer.rowBytes
    else { return false }
    self = stage
    return true
  }

  /// Stores the rows of a depthwise convolution as bytes without a halo.
  ///
  /// - Returns: Whether that can be.
  mutating func gatherWindow() -> Bool {
    guard lineBuffer.isLinear, lineBuffer.lanes != nil else { return false }
    lineBuffer.widensOnLoad = true
    lineBuffer.gathersWindow = true
    lineBuffer.elementBytes = 1
    (lineBuffer.left, lineBuffer.right) = (0, 0)
    lineBuffer.channelStride = inputShape.width
    lineBuffer.rowStride = ArenaAllocator.rounded(inputShape.width * inputShape.channels)
    return true
  }

  /// Column tiles in which its rows come; nil: they come as a whole.
  var columnTilesPerRow: Int? {
    guard let columnTile = lineBuffer.columnTile, let lanes = lineBuffer.lanes else { return nil }
    return lanes.outputs / columnTile
  }

  /// Takes column tiles of `words` output words instead of rows.
  mutating func takeColumnTiles(_ words: Int) {
    let columnTile = words * (pool?.kernelWidth ?? 1)
    lineBuffer.columnTile = columnTile
    lineBuffer.isLinear = false
    lineBuffer.widensOnLoad = false
    lineBuffer.elementBytes = 4
    lineBuffer.channelStride = columnTile
    lineBuffer.rowStride = columnTile * inputShape.channels
    lineBuffer.tailBytes = 0
  }
}
