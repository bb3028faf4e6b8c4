/// Which stages keep their rows as words of two lanes, and how.
extension Scheduler {
  /// The chain with the inputs of at most the first `count` stages in lanes. A stage can follow rows of bytes, which
  /// are paired as they come, or a stage that makes words of the same two columns.
  static func inLanes(_ stages: [Draft], first count: Int) -> [Draft] {
    var stages = stages
    for index in stages.indices.prefix(count) {
      guard let lanes = lanes(of: stages[index]) else { continue }
      // Columns that no window sees would have no place in a row; they occur where strides exceed windows.
      guard
        index == 0
          || stages[index].inputShape.width + stages[index].window.left <= words(stages[index], lanes) + lanes.distance
      else { continue }
      // A vector has no columns to pair.
      if index > 0, case .dense = stages[index - 1].work { continue }
      if index > 0, let words = stages[index - 1].outputWords {
        let window = stages[index].window
        // The halo is copied from columns of the row itself: it must not be wider than a lane.
        guard words == lanes.distance, window.left <= lanes.distance,
          self.words(stages[index], lanes) - window.left <= 2 * lanes.distance
        else { continue }
      }
      stages[index].pair(lanes, words: words(stages[index], lanes))
    }
    return stages
  }

  /// A stage by itself with its input in lanes and its weights packed.
  static func packedInLanes(_ stage: Draft) -> Draft? {
    guard let lanes = lanes(of: stage) else { return nil }
    var stage = stage
    stage.pair(lanes, words: words(stage, lanes))
    var known = KnownTiles()
    return asPacked([stage], &known)[0]
  }

  /// How the columns of a stage pair up, where its accumulators fit a lane.
  static func lanes(of stage: Draft) -> LineBuffer.SWARLanes? {
    guard case .convolution(let work) = stage.work, stage.input.elementBytes == 1, stage.outputShape.width > 1,
      canBeLinear(stage) || (stage.windowRows == 1 && !stage.window.hasPadding)
    else { return nil }
    // A pool's window must not lie across the two halves.
    let pooledBy = stage.pool?.kernelWidth ?? 1
    let outputs = pooledBy * ((stage.outputShape.width + 1) / 2)
    let (least, most) = (work.epilogue.accumulators.lowerBound, work.epilogue.accumulators.upperBound)
    // The max pool of lanes and signed words need the sixteenth bit.
    let largest = stage.pool == nil ? Int(UInt16.max) : Int(Int16.max)
    // A multiple of 256 is an immediate operand on Armv7-M.
    let rounded = (-least + 255) / 256 * 256
    let guardBias = most + rounded <= Int(Int16.max) ? rounded : -least
    var lanes = LineBuffer.SWARLanes(
      distance: outputs * stage.window.strideWidth, outputs: outputs, guardBias: guardBias)
    if most + guardBias > largest {
      guard let parts = parts(work, stage.input.maximumCode) else { return nil }
      (lanes.partTaps, lanes.guardBias) = parts
    }
    return lanes
  }

  /// The fewest parts of all channels' taps whose sums fit a lane, and what biases them.
  private static func parts(_ work: ConvolutionWork, _ maximumCode: Int) -> (taps: Int, guardBias: Int)? {
    guard maximumCode > 0 else { return nil }
    // Parts begin at whole bytes of packed weights; 128 taps of any sign fit, whatever the code.
    for count in 1...max(1, (work.taps + 127) / 128) {
      let taps = ((work.taps + count - 1) / count + 3) / 4 * 4
      var (plus, minus) = (0, 0)
      for weights in work.weights {
        for start in stride(from: 0, to: weights.count, by: taps) {
          let part = weights[start..<min(start + taps, weights.count)]
          plus = max(plus, part.count { $0 > 0 })
          minus = max(minus, part.count { $0 < 0 })
        }
      }
      if (plus + minus) * maximumCode <= Int(UInt16.max) { return (taps, minus * maximumCode) }
    }
    return nil
  }

  /// Rows that no window sees would have no place in a line buffer that moves; they occur where strides exceed windows.
  /// Neither would the first row behind more rows of padding than a window has.
  static func canBeLinear(_ stage: Draft) -> Bool {
    stage.rowStep <= stage.windowRows && stage.window.top < stage.windowRows
  }

  /// The chain with its weights packed, where they are not code.
  static func asPacked(_ stages: [Draft], _ known: inout KnownTiles) -> [Draft] {
    stages.indices.map { asPacked(stages[$0], $0, &known) }
  }

  /// The stage with its weights packed: its window is one block of memory, so that the taps of a channel have the same
  /// offsets in every row. Constant channels lose their weights.
  private static func asPacked(_ stage: Draft, _ index: Int, _ known: inout KnownTiles) -> Draft {
    guard stage.lineBuffer.lanes != nil, case .convolution(var work) = stage.work, work.unrolled == nil else {
      return stage
    }
    var stage = stage
    stage.lineBuffer.isLinear = canBeLinear(stage)
    if let lanes = stage.lineBuffer.lanes, stage.hasWordSums, stage.output.elementBytes == 1 {
      let key = ScaleKey(
        stage: index, least: work.epilogue.accumulators.lowerBound, remainingGuardBias: lanes.remainingGuardBias)
      let scales =
        known.scales[key]
        ?? work.weights.indices.compactMap { work.epilogue.scale($0, guardBias: lanes.remainingGuardBias) }
      known.scales[key] = scales
      if scales.count == work.weights.count { work.scales = scales }
    }
    if work.scales != nil {
      for constant in stage.constants {
        work.weights[constant.channel] = [Int8](repeating: 0, count: work.taps)
      }
    }
    stage.work = .convolution(work)
    return stage
  }

  /// Words of a channel: those that windows reach, and room for the row behind the halo on its left.
  static func words(_ stage: Draft, _ lanes: LineBuffer.SWARLanes) -> Int {
    max((lanes.outputs - 1) * stage.window.strideWidth + stage.window.kernelWidth, stage.window.left + lanes.distance)
  }
}

extension Draft {
  mutating func pair(_ lanes: LineBuffer.SWARLanes, words: Int) {
    lineBuffer.lanes = lanes
    lineBuffer.elementBytes = 4
    lineBuffer.channelStride = words
    lineBuffer.rowStride = words * inputShape.channels
    guard hasWordSums, case .convolution(var work) = work else { return }
    let guarded = work.epilogue.guarded(by: lanes.guardBias)
    // The guard bias disappears in the requantizer's offsets, where its products leave room for it.
    if guarded.fits32 || !work.epilogue.fits32 {
      work.epilogue = guarded
      lineBuffer.lanes?.isGuardedInEpilogue = true
    }
    self.work = .convolution(work)
  }
}
