import Diagnostics
import TernaryIR

/// Network to plan: storage, stages, segments, arena.
package enum Planner {
  /// - Throws: `ModelError` where the network's shape is beyond the firmware's, or a budget can not be kept.
  package static func plan(_ network: TernaryNetwork, _ options: PlanningOptions) throws(ModelError) -> FirmwarePlan {
    try checkShape(network)
    var names = Names(reserved: [options.name])
    var stages: [Stage] = []
    for index in network.layers.indices {
      let input = stages.last?.output ?? Storage(network[network.inputTensor])
      if let pooled = stages.last.flatMap({ fused($0, network, poolAt: index) }) {
        stages[stages.count - 1] = pooled
      } else {
        stages.append(stage(index, network, input, &names))
      }
    }
    // A dense layer at the end writes straight into the caller's array, when `finish` hands that over.
    var isVector = false
    if case .dense? = stages.last?.work { isVector = true }
    let wide = paired(stages[0]).map { [$0] + stages.dropFirst() }
    var plan = leanest(network, wide ?? stages, options, isVector: isVector)
    if let ram = options.ram, plan.stateBytes > ram {
      // Rows in two lanes are faster and take more RAM: the budget comes first.
      plan = leanest(network, stages, options, isVector: isVector)
      guard plan.stateBytes <= ram else {
        var auto = options
        auto.schedule = .auto
        let best = leanest(network, stages, auto, isVector: isVector).stateBytes
        throw ModelError(.ramBudget(ram, plan.stateBytes, options.schedule, best: best))
      }
    }
    plan.flash = FlashEstimate(plan)
    let problems = plan.problems()
    guard problems.isEmpty else { throw ModelError(problems) }
    if let flash = options.flash, plan.flash.bytes > flash {
      throw ModelError(.flashBudget(flash, plan.flash.bytes))
    }
    return plan
  }

  /// The plan of least RAM among those that the schedule allows.
  private static func leanest(
    _ network: TernaryNetwork, _ stages: [Stage], _ options: PlanningOptions, isVector: Bool
  ) -> FirmwarePlan {
    // The search counts what flows between stages; scratch and alignment can tip the scales, so its answer has to beat
    // the other schedules as laid out.
    let schedules: [PlanningOptions.Schedule] =
      options.schedule == .auto ? [.auto, .frame, .stream] : [options.schedule]
    let candidates = schedules.map { schedule in
      let segments = segments(stages, schedule, isLastAlone: isVector)
      return layOut(network, stages, segments, options, isVector: isVector)
    }
    var plan = candidates[0]
    for candidate in candidates where candidate.stateBytes < plan.stateBytes { plan = candidate }
    return plan
  }

  private static func checkShape(_ network: TernaryNetwork) throws(ModelError) {
    var problems: [Diagnostic] = []
    for (layer, next) in zip(network.layers, network.layers.dropFirst()) where next.inputs != [layer.output] {
      problems.append(.notAChain(next.name))
    }
    for tensor in network.tensors {
      let shape = tensor.shape
      if max(shape.channels, shape.height, shape.width) > Int(UInt16.max) {
        problems.append(.extentTooLarge(tensor.name, shape))
      }
    }
    guard problems.isEmpty else { throw ModelError(problems) }
  }

  // MARK: Stages

  private static func stage(
    _ index: Int, _ network: TernaryNetwork, _ input: Storage, _ names: inout Names
  ) -> Stage {
    let layer = network.layers[index]
    let source = network[layer.input]
    let target = network[layer.output]
    var output = Storage(target)
    let window: Window
    let work: Stage.Work
    switch layer.kind {
    case .convolution(let convolution):
      window = convolution.window
      work = .convolution(self.work(convolution, source, input, output, target.range))
    case .dense(let dense):
      window = Window(kernelHeight: source.shape.height, kernelWidth: source.shape.width)
      work = .dense(self.work(dense, source, input, output, target.range))
    case .maxPool(let maxPool):
      window = maxPool
      work = .maxPool
    case .averagePool(let pool):
      window = pool.window
      let taps = window.kernelHeight * window.kernelWidth
      // A sum of levels is stored as it comes: its base is the sum of the bases.
      if pool.requantizer == nil {
        output = Storage(base: taps * input.base, maximumLevel: taps * input.maximumLevel, elementBytes: 2)
      }
      work = .averagePool(
        pool.requantizer.map {
          Epilogue(
            $0, weightSums: [taps], accumulators: [0...(taps * input.maximumLevel)], from: input, to: output,
            range: target.range)
        })
    }
    var paddingLevel = 0
    if case .maxPool = layer.kind {} else if window.hasPadding { paddingLevel = source.zeroPoint - input.base }
    let channelStride = source.shape.width + window.left + window.right
    return Stage(
      name: names.identifier(for: layer.name, index: index + 1), layer: layer, layers: index...index,
      inputShape: source.shape, accumulatorShape: target.shape, outputShape: target.shape, input: input,
      output: output,
      ring: Ring(
        buffer: 0, slots: 0, left: window.left, right: window.right, paddingLevel: paddingLevel,
        channelStride: channelStride, rowStride: channelStride * source.shape.channels, elementBytes: input.elementBytes
      ),
      window: window, work: work, destination: .output)
  }

  /// The stage with the max pool behind it fused in, where the pool's windows neither overlap nor leave the map and RAM
  /// is saved: a few more input rows against the rows of the pool's own ring.
  private static func fused(_ stage: Stage, _ network: TernaryNetwork, poolAt index: Int) -> Stage? {
    guard case .convolution = stage.work, stage.pool == nil, case .maxPool(let window) = network.layers[index].kind,
      window.kernelHeight == window.strideHeight, window.kernelWidth == window.strideWidth, !window.hasPadding
    else { return nil }
    var pooled = stage
    pooled.pool = window
    pooled.layers = stage.layers.lowerBound...index
    pooled.outputShape = network[network.layers[index].output].shape
    let poolRing =
      window.kernelHeight * stage.outputShape.width * stage.outputShape.channels * stage.output.elementBytes
    guard ringRows(pooled) * stage.ring.rowBytes <= ringRows(stage) * stage.ring.rowBytes + poolRing else { return nil }
    return pooled
  }

  /// The first stage with its rows in two lanes, where every accumulator fits one and the output columns pair up.
  private static func paired(_ stage: Stage) -> Stage? {
    guard case .convolution(let work) = stage.work, stage.input.elementBytes == 1 else { return nil }
    let width = stage.accumulatorShape.width
    let pooledBy = stage.pool?.kernelWidth ?? 1
    let start = -work.epilogue.accumulators.lowerBound
    // 15 bits: the max pool of lanes needs the sixteenth.
    guard width % 2 == 0, width / 2 % pooledBy == 0, stage.outputShape.width * pooledBy == width,
      work.epilogue.accumulators.upperBound + start < 1 << 15
    else { return nil }
    var paired = stage
    let words = (width / 2 - 1) * stage.window.strideWidth + stage.window.kernelWidth
    paired.ring.lanes = Ring.Lanes(distance: width / 2 * stage.window.strideWidth, outputs: width / 2, start: start)
    paired.ring.elementBytes = 4
    paired.ring.channelStride = words
    paired.ring.rowStride = words * stage.inputShape.channels
    return paired
  }

  private static func work(
    _ convolution: Convolution, _ source: Tensor, _ input: Storage, _ output: Storage, _ range: ClosedRange<Int>
  ) -> ConvolutionWork {
    let taps = convolution.taps
    let channels = (0..<convolution.outputChannels).map { convolution.weights[($0 * taps)..<(($0 + 1) * taps)] }
    let counts = channels.map(Counts.init)
    return ConvolutionWork(
      weights: channels.map { PackedWeights.pack($0) }, taps: taps, groupChannels: convolution.groupChannels,
      outputsPerGroup: convolution.outputChannels / convolution.groups, nonZeros: counts.reduce(0) { $0 + $1.nonZeros },
      epilogue: Epilogue(
        convolution.requantizer, weightSums: counts.map(\.sum),
        accumulators: counts.map { $0.accumulators(input.maximumLevel) }, from: input, to: output, range: range))
  }

  private static func work(
    _ dense: Dense, _ source: Tensor, _ input: Storage, _ output: Storage, _ range: ClosedRange<Int>
  ) -> DenseWork {
    let taps = dense.taps
    let shape = source.shape
    let counts = (0..<dense.outputs).map { Counts(dense.weights[($0 * taps)..<(($0 + 1) * taps)]) }
    let weights = (0..<dense.outputs).map { o in
      // From [channel][row][column] to the ring's order.
      var ordered: [Int8] = []
      ordered.reserveCapacity(taps)
      for y in 0..<shape.height {
        for c in 0..<shape.channels {
          let start = o * taps + (c * shape.height + y) * shape.width
          ordered += dense.weights[start..<(start + shape.width)]
        }
      }
      return PackedWeights.pack(ordered)
    }
    return DenseWork(
      weights: weights, taps: taps, nonZeros: counts.reduce(0) { $0 + $1.nonZeros },
      epilogue: Epilogue(
        dense.requantizer, weightSums: counts.map(\.sum),
        accumulators: counts.map { $0.accumulators(input.maximumLevel) }, from: input, to: output, range: range))
  }

  /// Plus and minus ones of an output channel.
  private struct Counts {
    var plus = 0
    var minus = 0

    init(_ weights: ArraySlice<Int8>) {
      for weight in weights {
        if weight > 0 { plus += 1 } else if weight < 0 { minus += 1 }
      }
    }

    var sum: Int { plus - minus }
    var nonZeros: Int { plus + minus }
    func accumulators(_ maximumLevel: Int) -> ClosedRange<Int> { (-minus * maximumLevel)...(plus * maximumLevel) }
  }

  // MARK: Segments

  private static func ringRows(_ stage: Stage) -> Int {
    min(stage.reach, stage.inputShape.height)
  }

  private static func segments(
    _ stages: [Stage], _ schedule: PlanningOptions.Schedule, isLastAlone: Bool
  ) -> [ClosedRange<Int>] {
    let last = stages[stages.count - 1]
    var search = SegmentSearch(
      costs: stages.map {
        .init(ring: ringRows($0) * $0.ring.rowBytes, tensor: $0.inputShape.height * $0.ring.rowBytes)
      },
      result: isLastAlone ? 0 : last.outputShape.count * last.output.elementBytes, isLastAlone: isLastAlone,
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
  private static func isFusedLayer(_ stages: ArraySlice<Stage>) -> Bool {
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

  // MARK: Memory

  private static func layOut(
    _ network: TernaryNetwork, _ chain: [Stage], _ segments: [ClosedRange<Int>], _ options: PlanningOptions,
    isVector: Bool
  ) -> FirmwarePlan {
    var stages = chain
    let lastSegment = segments.count - 1
    let input = inputPlan(network)
    var buffers = [
      Buffer(
        name: "row counters", kind: .counters, bytes: 2 * (stages.count + 1), firstSegment: 0, lastSegment: lastSegment,
        offset: 0)
    ]
    for (number, segment) in segments.enumerated() {
      for index in segment {
        let isTensor = index == segment.lowerBound && (number > 0 || (isVector && stages.count == 1))
        stages[index].ring.slots = isTensor ? stages[index].inputShape.height : ringRows(stages[index])
        stages[index].ring.buffer = buffers.count
        buffers.append(
          Buffer(
            name: "\(stages[index].name) input", kind: isTensor ? .tensor : .ring, bytes: stages[index].ring.bytes,
            firstSegment: isTensor ? max(number - 1, 0) : number, lastSegment: number, offset: 0))
        if index + 1 < stages.count { stages[index].destination = .ring(stage: index + 1) }
      }
    }
    if !isVector {
      let last = stages.count - 1
      stages[last].destination = .result(buffer: buffers.count)
      buffers.append(
        Buffer(
          name: "result", kind: .result, bytes: stages[last].outputShape.count * stages[last].output.elementBytes,
          firstSegment: lastSegment, lastSegment: lastSegment, offset: 0))
    }

    let largestRing = stages.map(\.ring.bytes).max() ?? 0
    let tapBytes = largestRing < Int(UInt16.max) ? 2 : 4
    let accumulatorBytes = 4 * (stages.compactMap { accumulators(of: $0) }.max() ?? 0)
    let rows =
      tapBytes * (stages.compactMap { needsRows($0) ? $0.window.kernelHeight * $0.rowsPerOutput : nil }.max() ?? 0)
    let taps = tapBytes * (stages.compactMap { mostTaps($0) }.max() ?? 0)
    let rowsOffset = accumulatorBytes
    let tapsOffset = ArenaAllocator.rounded(rowsOffset + rows)
    // Input bytes that are not levels yet are made so before they are paired, beside the self-test's row.
    let needsLevels = stages[0].ring.lanes != nil && !input.isStoredAsIs
    let levelsOffset = max(tapsOffset + taps, input.rowBytes)
    let scratchBytes = levelsOffset + (needsLevels ? input.shape.width : 0)
    buffers.append(
      Buffer(
        name: "scratch", kind: .scratch, bytes: max(scratchBytes, input.rowBytes), firstSegment: 0,
        lastSegment: lastSegment, offset: 0))
    let end = ArenaAllocator.place(&buffers, pinned: 1)
    let scratch = buffers.count - 1
    let start = buffers[scratch].offset
    return FirmwarePlan(
      name: options.name, input: input, output: outputPlan(network, stages), stages: stages, segments: segments,
      buffers: buffers,
      scratch: Scratch(
        buffer: scratch, accumulators: start, rows: start + rowsOffset, taps: start + tapsOffset,
        levels: needsLevels ? start + levelsOffset : nil),
      stateBytes: end + 4, lowerBoundBytes: ArenaAllocator.lowerBound(buffers) + 4, tapOffsetBits: 8 * tapBytes,
      schedule: options.schedule, flash: FlashEstimate())
  }

  /// int32 accumulators that a stage keeps while it makes one channel of a row.
  private static func accumulators(of stage: Stage) -> Int? {
    switch stage.work {
    case .convolution, .averagePool:
      (stage.accumulatorShape.width + (stage.pool == nil ? 0 : stage.outputShape.width))
        / (stage.ring.lanes == nil ? 1 : 2)
    case .dense, .maxPool: nil
    }
  }

  private static func needsRows(_ stage: Stage) -> Bool {
    if case .dense = stage.work { false } else { true }
  }

  private static func mostTaps(_ stage: Stage) -> Int? {
    if case .convolution(let work) = stage.work { work.taps } else { nil }
  }

  private static func inputPlan(_ network: TernaryNetwork) -> InputPlan {
    let tensor = network[network.inputTensor]
    let storage = Storage(tensor)
    return InputPlan(
      shape: tensor.shape, quantization: network.input, base: storage.base,
      minimumLevel: tensor.grid.lowerBound - storage.base, maximumLevel: tensor.grid.upperBound - storage.base)
  }

  private static func outputPlan(_ network: TernaryNetwork, _ stages: [Stage]) -> OutputPlan {
    OutputPlan(
      tensor: network[network.outputTensor], base: stages[stages.count - 1].output.base,
      resolution: network.layers[network.layers.count - 1].requantizer?.proof.resolution ?? 0)
  }
}

extension Diagnostic {
  fileprivate static func notAChain(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "branching-network", location: .init(node: name),
      message: "the layer does not read its predecessor: branches are not supported yet",
      fix: "use a sequential network")
  }

  fileprivate static func extentTooLarge(_ name: String, _ shape: Shape) -> Diagnostic {
    Diagnostic(
      code: "extent-too-large", location: .init(tensor: name),
      message: "shape \(shape): expected channels, rows and columns of at most 65535 each",
      fix: "use a smaller layer")
  }

  fileprivate static func ramBudget(_ ram: Int, _ found: Int, _ schedule: PlanningOptions.Schedule, best: Int)
    -> Diagnostic
  {
    Diagnostic(
      code: "ram-budget",
      message:
        "the state needs \(found) bytes with --schedule \(schedule.rawValue), more than --ram \(ram): "
        + "the least that is possible is \(best)",
      fix: best <= ram ? "use --schedule auto" : "give at least --ram \(best), or use fewer channels or a smaller input"
    )
  }

  fileprivate static func flashBudget(_ flash: Int, _ found: Int) -> Diagnostic {
    Diagnostic(
      code: "flash-budget",
      message: "code and tables are estimated at \(found) bytes, more than --flash \(flash)",
      fix: "give at least --flash \(found), or use fewer weights")
  }
}
