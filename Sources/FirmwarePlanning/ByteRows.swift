import TernaryIR

/// The least RAM for weights as code: rows of bytes, and strips in scratch memory of what would be rows of words.
extension Planner {
  /// Whether a stage can take its rows in strips, as the depthwise convolution before it makes them.
  static func canTakeStrips(_ stages: [Stage], _ index: Int, _ stage: Stage) -> Bool {
    guard index > 0, index + 1 < stages.count, stages[index - 1].pool == nil,
      case .taps(_, areStatements: true)? = stages[index - 1].code
    else { return false }
    return stage.reach == 1 && stage.advance == 1 && stage.window.kernelWidth == 1 && stage.window.strideWidth == 1
      && !stage.window.hasPadding
  }
}

/// Rows that lie where the stage before has read them.
extension Planner {
  /// Puts a stage's rows, of bytes, in place of the oldest rows of the stage before, where that writes a value only when
  /// nobody reads what stood there any more.
  ///
  /// - Returns: Whether it does.
  static func putInPlace(_ stages: [Stage], _ index: Int, _ stage: inout Stage) -> Bool {
    guard index > 0, stage.reach == 1, stage.advance == 1, !stage.window.hasPadding, stage.input.elementBytes == 1
    else { return false }
    let maker = stages[index - 1]
    guard maker.pool == nil, stage.inputShape.width <= maker.inputShape.width,
      stage.inputShape.channels <= maker.inputShape.channels, let lanes = maker.ring.lanes
    else { return false }
    // What an odd width's last high lane reads has to be levels of its own: its sums overflow otherwise.
    let areLevels =
      maker.ring.unpacksChannels
      ? maker.input.maximumLevel <= stage.input.maximumLevel : stage.input.maximumLevel <= maker.input.maximumLevel
    guard areLevels || 2 * lanes.outputs == stage.inputShape.width else { return false }
    if maker.ring.unpacksChannels {
      // A channel's window has become words before its row is written; the rows behind the oldest are what pairs at the
      // end of that may read of.
      guard maker.reach > 1, canTakeStrips(stages, index, stage), case .convolution(let work) = maker.work,
        work.outputsPerGroup == 1
      else { return false }
    } else {
      // All channels of a strip's columns have become words before the same columns are written.
      guard stage.addsRowByRow, maker.reach == 1, maker.unpacked != nil, maker.window.kernelWidth == 1,
        maker.window.strideWidth == 1, !maker.window.hasPadding
      else { return false }
    }
    stage.ring.isInPlace = true
    stage.ring.isLinear = false
    stage.ring.pairsAsRead = stage.ring.lanes != nil
    stage.ring.elementBytes = 1
    stage.ring.channelStride = maker.ring.channelStride
    stage.ring.rowStride = maker.ring.channelStride * stage.inputShape.channels
    stage.ring.tailBytes = 0
    return true
  }
}

extension Stage {
  /// Words from a row, and from a channel, to the next.
  package struct Strides: Hashable, Sendable {
    package var row: Int
    package var channel: Int
  }

  /// The window of a strip, as words of two lanes in scratch memory: `[row][channel][column]`.
  package struct UnpackedWindow: Equatable, Sendable {
    package var rows: Int
    package var channels: Int
    package var width: Int
    /// Words of a row that the strip before has made and that only move.
    package var kept = 0
    package var words: Int { rows * channels * width }
    /// A row of a few words is unpacked by as many statements, a longer one by a loop.
    package var statements: Int { width <= 16 ? width : 1 }
  }

  /// What blocks of code read where rows are bytes.
  package var unpacked: UnpackedWindow? {
    switch code {
    case .blocks(_, let strip)?: unpacked(strip: strip)
    case .taps?: channelWindow
    case .columns?, nil: nil
    }
  }

  /// Whether depthwise code pairs bytes wherever it reads them.
  package var readsBytePairs: Bool { ring.pairsAsRead && !ring.unpacksChannels }

  /// What depthwise code reads where its rows have no halo: the window of a channel, for all words of a row.
  package var channelWindow: UnpackedWindow? {
    guard ring.unpacksChannels, let lanes = ring.lanes else { return nil }
    return UnpackedWindow(
      rows: reach, channels: 1, width: (lanes.outputs - 1) * window.strideWidth + window.kernelWidth)
  }

  private func unpacked(strip: Int) -> UnpackedWindow? {
    guard ring.pairsAsRead else { return nil }
    return stripWindow(strip)
  }

  private func stripWindow(_ strip: Int) -> UnpackedWindow {
    let columns = strip * (pool?.kernelWidth ?? 1)
    var unpacked = UnpackedWindow(
      rows: reach, channels: inputShape.channels, width: (columns - 1) * window.strideWidth + window.kernelWidth)
    if strip < outputWords ?? strip, unpacked.statements == unpacked.width {
      unpacked.kept = max(0, unpacked.width - columns * window.strideWidth)
    }
    return unpacked
  }

  /// Words that `strip` output words need in scratch memory: the sums of a block of channels, and what they are made of
  /// where that is not the ring.
  func scratchWords(_ strip: Int, channels: Int, takesStrips: Bool, asBytes: Bool) -> Int {
    let columns = strip * (pool?.kernelWidth ?? 1)
    let sums = columns * channels * (poolsRowByRow ? 1 : pool?.kernelHeight ?? 1)
    let read = takesStrips ? columns * inputShape.channels : asBytes ? stripWindow(strip).words : 0
    return sums + read
  }

  /// Strides of the words that blocks of code read.
  func strides(strip: Int) -> Strides {
    guard let unpacked = unpacked(strip: strip) else {
      return Strides(row: ring.rowStride, channel: ring.channelStride)
    }
    return Strides(row: unpacked.channels * unpacked.width, channel: unpacked.width)
  }

  /// Stores rows as bytes, where that and the words of a strip that blocks read take less than rows of words.
  ///
  /// - Returns: Whether it does.
  mutating func pairAsRead(strip: Int?) -> Bool {
    guard ring.isLinear, let lanes = ring.lanes else { return false }
    var stage = self
    stage.ring.pairsAsRead = true
    stage.ring.elementBytes = 1
    // The halo on the right of a channel is that on the left of the next.
    stage.ring.channelStride = inputShape.width + max(window.left, window.right)
    stage.ring.rowStride = ArenaAllocator.rounded(stage.ring.channelStride * inputShape.channels)
    let read = (lanes.outputs - 1) * window.strideWidth + window.kernelWidth + lanes.distance
    let last = (inputShape.channels - 1) * stage.ring.channelStride + max(read, window.left + inputShape.width)
    stage.ring.tailBytes = ArenaAllocator.rounded(max(0, last - stage.ring.rowStride))
    let scratch = strip.map { stripWindow($0).words } ?? 0
    let rows = Planner.ringRows(self)
    guard rows * stage.ring.rowBytes + stage.ring.tailBytes + 4 * scratch < rows * ring.rowBytes else { return false }
    self = stage
    return true
  }

  /// Stores the rows of a depthwise convolution as bytes without a halo.
  ///
  /// - Returns: Whether that can be.
  mutating func unpackChannels() -> Bool {
    guard ring.isLinear, ring.lanes != nil else { return false }
    ring.pairsAsRead = true
    ring.unpacksChannels = true
    ring.elementBytes = 1
    (ring.left, ring.right) = (0, 0)
    ring.channelStride = inputShape.width
    ring.rowStride = ArenaAllocator.rounded(inputShape.width * inputShape.channels)
    return true
  }

  /// Strips in which its rows come; nil: they come as a whole.
  var stripsPerRow: Int? {
    guard let strip = ring.strip, let lanes = ring.lanes else { return nil }
    return lanes.outputs / strip
  }

  /// Takes strips of `words` output words instead of rows.
  mutating func takeStrips(_ words: Int) {
    let strip = words * (pool?.kernelWidth ?? 1)
    ring.strip = strip
    ring.isLinear = false
    ring.pairsAsRead = false
    ring.elementBytes = 4
    ring.channelStride = strip
    ring.rowStride = strip * inputShape.channels
    ring.tailBytes = 0
  }
}

extension FirmwarePlan {
  /// Strips in which a stage makes its rows; nil: it makes them as a whole.
  func strips(madeBy index: Int) -> Int? {
    if case .ring(let next) = stages[index].destination { stages[next].stripsPerRow } else { nil }
  }
}
