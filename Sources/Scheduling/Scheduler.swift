import Diagnostics
import Glibc
import TernaryIR

/// Network to plan: storage, stages, fusion groups, arena.
package enum Scheduler {
  /// - Throws: `ModelError` where the network's shape is beyond the firmware's, or a budget can not be kept.
  package static func plan(_ network: TernaryNetwork, _ options: PlanningOptions) throws(ModelError) -> FirmwarePlan {
    let attempt = try attempt(network, options)
    if let refusal = try refusal(of: attempt, network, options) { throw ModelError(refusal) }
    return attempt.plan
  }

  /// A plan that keeps the budgets if one does, and the least RAM of those that were looked at.
  static func attempt(
    _ network: TernaryNetwork, _ options: PlanningOptions
  ) throws(ModelError) -> (plan: FirmwarePlan, least: Int) {
    try checkShape(network)
    if let graph = try graphAttempt(network, options) { return graph }
    var names = Names(reserved: [options.name])
    var stages: [Draft] = []
    for index in network.layers.indices {
      let input = stages.last?.output ?? Storage(network[network.inputTensor])
      if options.fusesPools, let pooled = stages.last.flatMap({ fused($0, network, poolAt: index) }) {
        stages[stages.count - 1] = pooled
      } else {
        stages.append(stage(index, network, input, &names))
      }
    }
    // A dense layer at the end writes straight into the caller's array, when `finish` hands that over.
    var isVector = false
    if case .dense? = stages.last?.work { isVector = true }
    // The least RAM; what is faster takes more, and is preferred as far as the budget allows.
    var plan = leanest(network, stages, options, isVector: isVector)
    if plan.stateBytes > options.ram ?? .max, let adding = withRunningDense(stages) {
      plan = leanest(network, adding, options, isVector: isVector)
    }
    var least = plan.stateBytes
    if options.core == .host, options.usesLanes {
      let wide = leanest(network, asColumns(stages, options.core), options, isVector: isVector)
      let isWithin = wide.stateBytes <= options.ram ?? .max && FlashEstimate(wide).bytes <= options.flash ?? .max
      if isWithin { plan = wide }
    }
    var known = KnownTiles()
    for inLanes in laneChoices(stages, options) {
      var found: [FirmwarePlan] = []
      let steps: [RAMTradeOff?] = options.goal == .speed ? RAMTradeOff.steps : [nil]
      for tradeOff in steps {
        // Adding rows one by one takes a little longer: only where they would not fit otherwise.
        for chain in [inLanes, withRunningDense(inLanes)].compactMap({ $0 }) {
          let unrolledPlan = tradeOff.map { asPacked(unrolled(chain, options.core, $0, &known), &known) }
          let wide = weighed(asPacked(chain, &known), unrolledPlan: unrolledPlan, options) {
            leanest(network, $0, options, isVector: isVector)
          }
          least = min(least, wide.stateBytes)
          guard wide.stateBytes <= options.ram ?? .max else { continue }
          if options.goal == .size, let last = found.last, !isWorth(wide, last) { break }
          found.append(wide)
          if options.goal != .size { break }
        }
        // Without a budget nothing is to be saved.
        if options.ram == nil { break }
      }
      if options.goal == .size, let leanest = found.last { found = [leanest] }
      if let best = fastest(found, options) {
        plan = best
        break
      }
    }
    if options.goal == .size, options.schedule != .stream, options.usesLanes, options.core != .host,
      let inPlanes = inPlanes(network, stages, options, isVector: isVector),
      inPlanes.stateBytes <= options.ram ?? plan.stateBytes,
      CostEstimate(inPlanes).instructions < CostEstimate(plan).instructions
    {
      plan = inPlanes
    }
    if options.goal == .speed, options.schedule != .stream, options.usesLanes, options.core != .host,
      let inPlanes = hwc(network, stages, options, isVector: isVector),
      inPlanes.stateBytes <= options.ram ?? .max, FlashEstimate(inPlanes).bytes <= options.flash ?? .max,
      plan.stateBytes > options.ram ?? .max || CostEstimate(inPlanes).instructions < CostEstimate(plan).instructions
    {
      plan = inPlanes
    }
    plan.flash = FlashEstimate(plan)
    let problems = plan.problems()
    guard problems.isEmpty else { throw ModelError(problems) }
    return (plan, min(least, plan.stateBytes))
  }

  private static func graphAttempt(
    _ network: TernaryNetwork, _ options: PlanningOptions
  ) throws(ModelError) -> (plan: FirmwarePlan, least: Int)? {
    if getenv("STERNA_GRAPH") == nil, network.isChain { return nil }
    var scheduler = GraphScheduler(network, options)
    guard case (var plan, let least)? = scheduler.attempt() else { throw ModelError(.noAgreement(network)) }
    plan.flash = FlashEstimate(plan)
    let problems = plan.problems()
    guard problems.isEmpty else { throw ModelError(problems) }
    return (plan, min(least, plan.stateBytes))
  }

  /// The plan of the fewest predicted instructions, within the flash budget if one is.
  private static func fastest(_ plans: [FirmwarePlan], _ options: PlanningOptions) -> FirmwarePlan? {
    if plans.count < 2 { return plans.first }
    let rated = plans.map { plan in
      (FlashEstimate(plan).bytes > options.flash ?? .max ? 1 : 0, CostEstimate(plan).instructions)
    }
    return plans.indices.min { rated[$0] < rated[$1] }.map { plans[$0] }
  }

  /// Whether RAM is saved and hardly any time lost: for size that is worth it without a budget.
  private static func isWorth(_ lean: FirmwarePlan, _ plan: FirmwarePlan) -> Bool {
    guard lean.stateBytes < plan.stateBytes else { return false }
    let (least, more) = (CostEstimate(plan).instructions, CostEstimate(lean).instructions)
    return more <= least + least / 100
  }

  /// The chain with rows of words in as many stages as possible, then in ever fewer.
  private static func laneChoices(_ stages: [Draft], _ options: PlanningOptions) -> [[Draft]] {
    var count = options.usesLanes && options.core != .host ? stages.count : 0
    var found: [[Draft]] = []
    while count > 0 {
      let inLanes = inLanes(stages, first: count)
      guard let last = inLanes.lastIndex(where: { $0.lineBuffer.lanes != nil }) else { break }
      found.append(inLanes)
      count = last
    }
    return found
  }

  /// The plan of least RAM among those that the schedule allows.
  private static func leanest(
    _ network: TernaryNetwork, _ stages: [Draft], _ options: PlanningOptions, isVector: Bool
  ) -> FirmwarePlan {
    // The search counts what flows between stages; scratch and alignment can tip the scales, so its answer has to beat
    // the other schedules as laid out.
    let schedules: [PlanningOptions.Schedule] =
      options.schedule == .auto ? [.auto, .frame, .stream] : [options.schedule]
    let candidates = schedules.map { schedule in
      let fusionGroups = fusionGroups(stages, schedule, isVector: isVector)
      return layOut(network, stages, fusionGroups, options, isVector: isVector)
    }
    var plan = candidates[0]
    for candidate in candidates where candidate.stateBytes < plan.stateBytes { plan = candidate }
    return plan
  }

  private static func checkShape(_ network: TernaryNetwork) throws(ModelError) {
    var problems: [Diagnostic] = []
    for tensor in network.tensors {
      let shape = tensor.shape
      if max(shape.channels, shape.height, shape.width) > Int(UInt16.max) {
        problems.append(.extentTooLarge(tensor.name, shape))
      }
    }
    guard problems.isEmpty else { throw ModelError(problems) }
  }

  // MARK: Fusion groups

  private static func fusionGroups(
    _ stages: [Draft], _ schedule: PlanningOptions.Schedule, isVector: Bool
  ) -> [ClosedRange<Int>] {
    let last = stages[stages.count - 1]
    // It runs when the caller asks for the output.
    let isLastAlone = isVector && !last.hasRunningSum
    var search = FusionSearch(
      costs: stages.map {
        // What is made in column tiles, or lies in place of other rows, is never there as a whole.
        $0.lineBuffer.columnTile != nil || $0.lineBuffer.isInPlace
          ? .init(lineBuffer: $0.sumsBytes, tensor: Int(Int32.max))
          : .init(
            lineBuffer: lineBufferRows($0) * $0.lineBuffer.rowBytes + $0.sumsBytes,
            tensor: tensorRows($0) * $0.lineBuffer.rowBytes)
      },
      result: isVector ? 0 : last.outputShape.count * last.output.elementBytes, isLastAlone: isLastAlone,
      isAllowed: { _ in true })
    switch schedule {
    case .auto: return search.run()
    case .frame:
      search.isAllowed = { isFusedLayer(stages[$0]) }
      return search.run()
    case .stream:
      let end = stages.count - 1
      return isLastAlone && end > 0 ? [0...(end - 1), end...end] : [0...end]
    }
  }

  /// A convolution with the pool behind it, or a depthwise convolution with its pointwise one and the pool behind that.
  private static func isFusedLayer(_ stages: ArraySlice<Draft>) -> Bool {
    var rest = stages
    if case .convolution(let first)? = rest.first?.work {
      rest = rest.dropFirst()
      if first.groupChannels == 1, case .convolution? = rest.first?.work, let window = rest.first?.window,
        window.kernelHeight * window.kernelWidth == 1
      {
        rest = rest.dropFirst()
      }
    } else {
      return rest.count == 1
    }
    switch rest.first?.work {
    case .maxPool, .averagePool: rest = rest.dropFirst()
    default: break
    }
    return rest.isEmpty
  }

}

extension Diagnostic {
  /// Nothing of the planner's agrees on how some tensor is stored.
  fileprivate static func noAgreement(_ network: TernaryNetwork) -> Diagnostic {
    Diagnostic(
      code: "branching-network",
      message: "the layers that read one tensor need it stored in ways that exclude each other: expected the same padding "
        + "value wherever a tensor is padded, and no dense layer beside padded ones",
      fix: "give layers that read the same tensor the same padding, or quantize before each of them (QuantIdentity)")
  }

  fileprivate static func extentTooLarge(_ name: String, _ shape: Shape) -> Diagnostic {
    Diagnostic(
      code: "extent-too-large", location: .init(tensor: name),
      message: "shape \(shape): expected channels, rows and columns of at most 65535 each",
      fix: "use a smaller layer")
  }
}

extension TernaryNetwork {
  /// Whether each layer reads what the one before it makes, and looks at windows of it.
  fileprivate var isChain: Bool {
    var last = inputTensor
    for layer in layers {
      switch layer.kind {
      case .convolution, .dense, .maxPool, .averagePool: if layer.inputs != [last] { return false }
      case .add, .concatenate, .slice, .resize: return false
      }
      last = layer.output
    }
    return outputTensors == [last]
  }
}
