import TernaryIR

/// How a convolution makes whole maps: its weights are decoded once for all rows of an output channel. Between such
/// stages lie all rows, a byte a value, channel after channel.
package struct PlaneForm: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Any convolution over rows of words of two lanes, all of which are there.
    case rows
    /// A depthwise convolution over maps: a map at a time is spread into words of four rows.
    case channels
    /// A pointwise convolution over maps: words of four values as they lie there.
    case points
  }

  package var kind: Kind
  /// What is added to both lanes of an accumulator, and what of it the epilogue has to take off.
  package var lanes: LineBuffer.SWARLanes
}

extension Draft {
  package var spreadPlane: SpreadPlane? { planes?.kind == .channels ? SpreadPlane(geometry) : nil }
}

extension Scheduler {
  /// The plan in which convolutions make whole maps, where that is possible: a chain of a convolution, of depthwise and
  /// pointwise ones behind it, and a pool.
  static func inPlanes(
    _ network: TernaryNetwork, _ stages: [Draft], _ options: PlanningOptions, isVector: Bool
  ) -> FirmwarePlan? {
    let inLanes = stages.map { packedInLanes($0) ?? $0 }
    let count = inLanes.prefix { planeForm($0) != nil }.count
    // What follows the pool reads rows.
    var stages = Array(inLanes[..<count] + stages[count...])
    guard count > 1, count < stages.count, canReadPlanes(stages[count]) else { return nil }
    for index in 0...count {
      if index == 0 {
        guard case .convolution(let work) = stages[0].work, work.outputsPerGroup == stages[0].outputShape.channels,
          stages[0].lineBuffer.isLinear
        else { return nil }
        stages[0].planes = planeForm(stages[0]).map { PlaneForm(kind: .rows, lanes: $0.lanes) }
        continue
      }
      if index < count {
        guard let form = planeForm(stages[index]), form.kind != .rows else { return nil }
        stages[index].planes = form
        if let spread = stages[index].spreadPlane, 4 * spread.words >= Int(UInt16.max) { return nil }
      }
      let shape = stages[index].inputShape
      stages[index].hasRunningSum = false
      stages[index].lineBuffer = LineBuffer(
        buffer: 0, slots: 0, left: 0, right: 0, paddingCode: stages[index].lineBuffer.paddingCode,
        channelStride: (shape.height * shape.width + 15) / 16 * 16, rowStride: shape.width, elementBytes: 1,
        planeChannels: shape.channels)
      if let spread = stages[index - 1].spreadPlane {
        stages[index].lineBuffer.tailBytes = max(0, spread.quarterBytes - stages[index].lineBuffer.channelStride)
      }
    }
    return layOut(network, stages, stages.indices.map { $0...$0 }, options, isVector: isVector)
  }

  private static func planeForm(_ stage: Draft) -> PlaneForm? {
    guard case .convolution(let work) = stage.work, let lanes = stage.lineBuffer.lanes, work.scales != nil,
      stage.pool == nil
    else { return nil }
    let window = stage.window
    let isPoint = window.kernelHeight * window.kernelWidth == 1
    let steps = window.strideHeight * window.strideWidth > 1
    if isPoint, !steps, !window.hasPadding, work.outputsPerGroup == stage.outputShape.channels {
      return PlaneForm(kind: .points, lanes: lanes)
    }
    if work.groupChannels == 1, work.outputsPerGroup == 1, !steps { return PlaneForm(kind: .channels, lanes: lanes) }
    return work.outputsPerGroup == stage.outputShape.channels ? PlaneForm(kind: .rows, lanes: lanes) : nil
  }

  /// Pools find their rows by strides.
  private static func canReadPlanes(_ stage: Draft) -> Bool {
    guard stage.window.left + stage.window.right == 0 else { return false }
    switch stage.work {
    case .maxPool, .averagePool: return stage.input.elementBytes == 1
    case .convolution, .dense: return false
    }
  }
}
