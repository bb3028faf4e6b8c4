/// Which stages keep their rows as words of two lanes, and how.
extension Planner {
  /// The chain with the inputs of at most the first `count` stages in lanes. A stage can follow the caller's rows, or a
  /// stage that makes words of the same two columns.
  static func paired(_ stages: [Stage], first count: Int) -> [Stage] {
    var stages = stages
    for index in stages.indices.prefix(count) {
      guard let lanes = lanes(of: stages[index]) else { return stages }
      if index > 0 {
        let window = stages[index].window
        // The halo is copied from columns of the row itself: it must not be wider than a lane.
        guard stages[index - 1].outputWords == lanes.distance, window.left <= lanes.distance,
          words(stages[index], lanes) - window.left <= 2 * lanes.distance
        else { return stages }
      }
      stages[index].pair(lanes, words: words(stages[index], lanes))
    }
    return stages
  }

  /// A stage by itself with its input in lanes and its weights packed.
  static func packedInLanes(_ stage: Stage) -> Stage? {
    guard let lanes = lanes(of: stage) else { return nil }
    var stage = stage
    stage.pair(lanes, words: words(stage, lanes))
    return asPacked(stage)
  }

  /// How the columns of a stage pair up, where its accumulators fit a lane.
  private static func lanes(of stage: Stage) -> Ring.Lanes? {
    guard case .convolution(let work) = stage.work, stage.input.elementBytes == 1, stage.outputShape.width > 1,
      canBeLinear(stage) || (stage.reach == 1 && !stage.window.hasPadding)
    else { return nil }
    // A pool's window must not lie across the two halves.
    let pooledBy = stage.pool?.kernelWidth ?? 1
    let outputs = pooledBy * ((stage.outputShape.width + 1) / 2)
    let (least, most) = (work.epilogue.accumulators.lowerBound, work.epilogue.accumulators.upperBound)
    // The max pool of lanes and signed words need the sixteenth bit.
    let largest = stage.pool == nil ? Int(UInt16.max) : Int(Int16.max)
    // A multiple of 256 is an immediate operand on Armv7-M.
    let rounded = (-least + 255) / 256 * 256
    let lift = most + rounded <= Int(Int16.max) ? rounded : -least
    guard most + lift <= largest else { return nil }
    return Ring.Lanes(distance: outputs * stage.window.strideWidth, outputs: outputs, lift: lift)
  }

  /// Rows that no window sees would have no place in a ring that moves; they occur where strides exceed windows. Neither
  /// would the first row behind more rows of padding than a window has.
  static func canBeLinear(_ stage: Stage) -> Bool {
    stage.advance <= stage.reach && stage.window.top < stage.reach
  }

  /// The stage with its weights packed: its window is one block of memory, so that the taps of a channel have the same
  /// offsets in every row. Constant channels lose their weights.
  static func asPacked(_ stage: Stage) -> Stage {
    guard stage.ring.lanes != nil, case .convolution(var work) = stage.work, work.code == nil else { return stage }
    var stage = stage
    stage.ring.isLinear = canBeLinear(stage)
    if let lanes = stage.ring.lanes, stage.output.elementBytes == 1 {
      let scales = work.weights.indices.compactMap { work.epilogue.scale($0, lift: lanes.remainingLift) }
      if scales.count == work.weights.count { work.scales = scales }
    }
    if work.scales != nil {
      for constant in stage.constants {
        work.weights[constant.channel] = [UInt8](repeating: 0, count: work.weights[constant.channel].count)
      }
    }
    stage.work = .convolution(work)
    return stage
  }

  /// Words of a channel: those that windows reach, and room for the row behind the halo on its left.
  private static func words(_ stage: Stage, _ lanes: Ring.Lanes) -> Int {
    max((lanes.outputs - 1) * stage.window.strideWidth + stage.window.kernelWidth, stage.window.left + lanes.distance)
  }
}

extension Stage {
  fileprivate mutating func pair(_ lanes: Ring.Lanes, words: Int) {
    ring.lanes = lanes
    ring.elementBytes = 4
    ring.channelStride = words
    ring.rowStride = words * inputShape.channels
    guard case .convolution(var work) = work else { return }
    let lifted = work.epilogue.lifted(by: lanes.lift)
    // The lift disappears in the requantizer's offsets, where its products leave room for it.
    if lifted.fits32 || !work.epilogue.fits32 {
      work.epilogue = lifted
      ring.lanes?.isLiftedInEpilogue = true
    }
    self.work = .convolution(work)
  }
}
