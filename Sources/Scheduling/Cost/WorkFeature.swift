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
    let lineBuffer = plan.stages[0].lineBuffer
    if lineBuffer.holdsWords { counts[.pairedWord] = rows * Double(lineBuffer.rowStride) }
    if !lineBuffer.holdsWords || plan.scratch.levels != nil { counts[.convertedValue] = Double(shape.count) }
    return counts
  }

  /// The work of one stage.
  package static func stage(_ index: Int, of plan: FirmwarePlan) -> Counts {
    if let variant = plan.operations[index].variant {
      let context = Context(plan, index)
      var counts: Counts = [:]
      context.countRowWork(&counts)
      variant.countWork(context, &counts)
      return counts
    }
    var counter = StageWorkCounter(plan, index)
    counter.count()
    return counter.counts
  }
}

/// Counts the work of a stage.
private struct StageWorkCounter {
  let plan: FirmwarePlan
  let index: Int
  let stage: Stage
  private(set) var counts: WorkFeature.Counts = [:]

  init(_ plan: FirmwarePlan, _ index: Int) {
    self.plan = plan
    self.index = index
    stage = plan.stages[index]
  }

  private mutating func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
  private mutating func add(_ feature: WorkFeature, _ amount: Double) { counts[feature, default: 0] += amount }

  /// Output rows of the stage, and rows of its layer: more where a pool is fused.
  private var rows: Int { stage.outputShape.height }
  private var layerRows: Int { rows * (stage.pool?.kernelHeight ?? 1) }
  /// Rows whose sums are requantized.
  private var storedRows: Int { stage.hasRunningMaximum ? layerRows : rows }
  private var constants: [ConstantChannel] { stage.constants }
  private var channels: Int { stage.outputShape.channels - constants.count }
  /// Words, or columns, of a row of the layer and of the stage.
  private var layerWords: Int { stage.lineBuffer.lanes?.outputs ?? stage.accumulatorShape.width }
  private var words: Int { stage.outputWords ?? stage.outputShape.width }

  mutating func count() {
    if case .output = stage.destination {
    } else {
      add(.row, rows)
      add(.check, rows + stage.inputShape.height * (stage.columnTilesPerRow ?? 1))
    }
    if plan.packsRows(of: index), case .lineBuffer(let next) = stage.destination {
      add(.pairedWord, rows * plan.stages[next].lineBuffer.rowStride)
    }
    if let planes = stage.planes, case .convolution(let work) = stage.work {
      countMaps(planes, work)
      return
    }
    let areWords = stage.lineBuffer.holdsWords || stage.lineBuffer.hwc != nil
    if stage.lineBuffer.needsFilling { add(.filledValue, stage.lineBuffer.bytes / (areWords ? 4 : 1)) }
    if let map = stage.lineBuffer.hwc {
      countPixels(map)
      return
    }
    countHalo()
    countSlides()
    switch stage.work {
    case .convolution(let work): count(work)
    case .dense(let work):
      add(.denseOutput, stage.outputShape.channels * (stage.hasRunningSum ? stage.inputShape.height : 1))
      add(.denseWeight, work.taps * stage.outputShape.channels)
      add(.denseTap, work.nonZeros)
      count(work.epilogue, values: stage.outputShape.channels)
    case .maxPool:
      let windows = stage.outputShape.count
      add(.locatedRow, rows * stage.window.kernelHeight)
      add(.channel, rows * channels)
      add(.maxWindow, windows)
      add(.maxValue, windows * stage.window.kernelHeight * stage.window.kernelWidth)
    case .averagePool(let epilogue):
      let windows = stage.outputShape.count
      if stage.hasRunningSum {
        let height = stage.window.kernelHeight
        add(.channel, rows * height * channels)
        add(.addedWindow, windows * height)
        add(.addedValue, windows * height * stage.window.kernelWidth)
      } else {
        add(.locatedRow, rows * stage.window.kernelHeight)
        add(.channel, rows * channels)
        add(.sumWindow, windows)
        add(.sumValue, windows * stage.window.kernelHeight * stage.window.kernelWidth)
      }
      if let epilogue { count(epilogue, values: windows) }
    }
  }

  // MARK: Convolutions

  private mutating func count(_ work: ConvolutionWork) {
    add(.constantChannel, rows * constants.count)
    add(.constantWord, rows * constants.count * words)
    switch work.unrolled {
    case .channelTiles(let channelTiles, let columnTile)?: count(channelTiles, columnTile)
    case .taps(let lists, let areStatements)?: count(lists, areStatements)
    // Vectors, which no emulated core has: nothing is known of them.
    case .columns?: break
    case nil: countPacked(work)
    }
    countPool()
    let sums = storedRows * channels * words
    countKept(sums)
    add(stage.hasWordSums ? .epilogueWord : .epilogueColumn, sums)
    count(work.epilogue, values: stage.hasWordSums ? 2 * sums : sums)
    for limit in work.epilogue.limits where !constants.contains(where: { $0.channel == limit.channel }) {
      add(.limited, storedRows * words)
    }
  }

  /// Weights are decoded once.
  private mutating func countMaps(_ planes: PlaneForm, _ work: ConvolutionWork) {
    let channels = stage.outputShape.channels
    add(.channel, channels)
    add(.decodedWeight, work.taps * channels)
    add(.decodedTap, work.liveNonZeros)
    let fourLanes: Int
    switch planes.kind {
    case .rows:
      let words = planes.lanes.outputs
      add(.row, rows * channels)
      add(.laneStep, rows * words * work.liveNonZeros)
      add(.epilogueWord, rows * channels * words)
      count(work.epilogue, values: 2 * rows * channels * words)
      add(.filledValue, stage.lineBuffer.bytes / 4)
      return
    case .points: fourLanes = stage.lineBuffer.channelStride / 4
    case .channels:
      guard let spread = stage.spreadPlane else { return }
      fourLanes = spread.sums
      let height = spread.quarter + stage.window.kernelHeight - 1
      add(.locatedRow, height * channels)
      add(.spreadQuad, height * stage.inputShape.width * channels)
      add(.splitQuad, (stage.outputShape.height * stage.outputShape.width + 3) / 4 * channels)
    }
    add(.quadPass, fourLanes / 4 * channels)
    add(.quadTap, fourLanes / 4 * work.liveNonZeros)
    add(.quadLevels, fourLanes * channels)
  }

  private mutating func countPixels(_ map: HWCMap) {
    guard let form = stage.hwc else {
      let shape = stage.inputShape
      add(.channel, shape.channels)
      add(.pooledPixel, shape.channels * (shape.height + 1) / 2 * shape.width)
      if let epilogue = stage.epilogue { count(epilogue, values: shape.channels) }
      return
    }
    let positions = form.half * stage.outputShape.width
    if form.scales.drop == 0 { add(.pixelShift, positions * form.scales.padded) }
    switch stage.unrolled {
    case .channelTiles(let channelTiles, _)?:
      for block in channelTiles {
        add(.pixelCall, positions)
        add(.pixelLoad, positions * block.loads)
        add(.pixelAddition, positions * block.additions)
      }
      add(.pixelRow, form.half)
      add(.pixelLevels, positions * form.scales.padded)
    case .taps(let lists, _)?:
      add(.pixelChannel, lists.count)
      add(.pixelTap, positions * lists.reduce(0) { $0 + $1.offsets.count })
      add(.pixelSum, positions * lists.count)
      add(.pixelStep, lists.reduce(0) { $0 + (form.function($1).namesColumns ? form.half : positions) })
    case .columns?, nil: break
    }
    if !map.isFilled { add(.closedPixel, (stage.window.top + stage.window.bottom) * map.rowWords) }
  }

  private mutating func count(_ lists: [TapList], _ areStatements: Bool) {
    let dead = Set(constants.map(\.channel))
    let taps = lists.indices.reduce(0) { $0 + (dead.contains($1) ? 0 : lists[$1].offsets.count) }
    if areStatements {
      let columnTiles = plan.columnTiles(madeBy: index) ?? 1
      add(columnTiles > 1 ? .storedChannel : .channel, rows * channels * columnTiles)
      add(.depthwiseRow, layerRows * channels * columnTiles)
      if let window = stage.gatheredWindow { add(.windowWord, rows * channels * window.words) }
      add(.depthwisePosition, layerRows * channels * layerWords)
      add(stage.widensBytes ? .byteTap : .depthwiseTap, layerRows * layerWords * taps)
      return
    }
    add(.channel, rows * channels)
    let loaded = stage.lineBuffer.fourLanes ?? layerWords
    add(.tapRow, layerRows * channels)
    add(.tapTaken, layerRows * taps * (stage.window.strideWidth == 1 ? (loaded + 3) / 4 + loaded % 4 : loaded))
    add(stage.lineBuffer.fourLanes == nil ? .tapWord : .quadWord, layerRows * taps * loaded)
  }

  /// Words of a row of four columns take two steps, and rows of a pool are compared one by one.
  private mutating func countKept(_ sums: Int) {
    guard case .lineBuffer(let next) = stage.destination else { return }
    if stage.hasRunningMaximum { add(.keptWord, sums) }
    if plan.stages[next].lineBuffer.fourLanes != nil { add(.keptWord, sums) }
  }

  private mutating func count(_ channelTiles: [ChannelTile], _ columnTile: Int) {
    let positions = layerRows * layerWords
    let calls = storedRows * (words / max(columnTile, 1))
    if let widened = stage.widened {
      // A word that moves takes about half of one that is made.
      let share = 1 - Double(widened.kept) / Double(2 * widened.width)
      add(stage.lineBuffer.isInPlace ? .windowWord : .unpackedWord, Double(calls * widened.words) * share)
    }
    for block in channelTiles {
      add(.blockCall, calls)
      add(.blockRow, calls * stage.rowsPerOutput)
      add(.blockPosition, positions)
      add(.blockLoad, positions * block.loads)
      add(.blockAddition, positions * block.additions)
      add(.blockSum, positions * block.channels.count)
      add(.storedChannel, calls * block.channels.count)
    }
  }

  private mutating func countPacked(_ work: ConvolutionWork) {
    let dead = Set(constants.map(\.channel))
    let nonZeros = work.weights.indices.reduce(0) { sum, channel in
      dead.contains(channel) ? sum : sum + work.weights[channel].count { $0 != 0 }
    }
    let taps = Double(layerRows * nonZeros) * insideShare
    let hasLanes = stage.lineBuffer.lanes != nil
    add(.locatedRow, layerRows * stage.window.kernelHeight)
    add(.channel, layerRows * channels)
    add(.decodedWeight, layerRows * work.taps * channels)
    add(.decodedTap, layerRows * nonZeros)
    if let part = stage.lineBuffer.lanes?.partTaps {
      add(.widenedWord, layerRows * channels * layerWords * ((work.taps + part - 1) / part))
    }
    if stage.window.strideWidth == 1 {
      add(hasLanes ? .laneTap : .columnTap, taps * Double((layerWords + 3) / 4))
      add(hasLanes ? .laneAddition : .columnAddition, taps * Double(layerWords))
      add(hasLanes ? .laneRest : .columnRest, taps * Double(layerWords % 4))
    } else {
      add(hasLanes ? .laneStep : .columnStep, taps * Double(layerWords))
    }
  }

  /// Of the rows of all windows, those that lie on the map; taps above and below it are constants.
  private var insideShare: Double {
    let window = stage.window
    guard window.hasPadding, layerRows > 0 else { return 1 }
    let inside = (0..<layerRows).reduce(0) { sum, row in
      let first = row * window.strideHeight - window.top
      return sum + max(0, min(first + window.kernelHeight, stage.inputShape.height) - max(first, 0))
    }
    return Double(inside) / Double(layerRows * window.kernelHeight)
  }

  private mutating func countPool() {
    guard let pool = stage.pool else { return }
    let compared = (stage.hasRunningMaximum ? 1 : pool.kernelHeight) * pool.kernelWidth - 1
    add(stage.hasWordSums ? .pooledWord : .pooledColumn, storedRows * channels * words * compared)
  }

  // MARK: Rows

  /// Columns written beyond those computed, of rows of words.
  private mutating func countHalo() {
    guard plan.fillsHalos(of: index), case .lineBuffer(let next) = stage.destination else { return }
    let lineBuffer = plan.stages[next].lineBuffer
    let words =
      lineBuffer.channelStride + (lineBuffer.fourLanes.map { 3 * $0 } ?? lineBuffer.lanes?.distance ?? 0)
      - stage.outputShape.width
    add(.closedChannel, rows * stage.outputShape.channels)
    add(.closedWord, rows * stage.outputShape.channels * words)
  }

  private mutating func countSlides() {
    guard stage.isSliding else { return }
    add(.slidWord, rows * max(0, stage.windowRows - stage.rowStep) * stage.lineBuffer.rowBytes / 4)
  }

  private mutating func count(_ epilogue: Epilogue, values: Int) {
    switch epilogue.form {
    case .affine:
      add(!epilogue.fits32 ? .affine64 : epilogue.saturatedBits != nil ? .saturated : .affine, values)
    case .halfEven: add(epilogue.fits32 ? .halfEven : .halfEven64, values)
    case .thresholds(let lists, _):
      let count = lists.first?.count ?? 0
      // Of a binary search.
      add(.thresholdStep, values * (Int.bitWidth - count.leadingZeroBitCount + 1))
    case .logits: add(.scaled, values)
    }
  }
}

extension ConvolutionWork {
  /// Weights that are not zero, without those of channels that lost theirs.
  fileprivate var liveNonZeros: Int {
    weights.reduce(0) { $0 + $1.count { $0 != 0 } }
  }
}
