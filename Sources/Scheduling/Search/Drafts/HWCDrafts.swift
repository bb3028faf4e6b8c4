import TernaryIR

extension Scheduler {
  /// The plan in which convolutions make whole maps, HWC, where that is possible: a convolution, depthwise and
  /// pointwise ones behind it, and an average pool over all that they make. All but the first work in place.
  ///
  /// - Returns: The fastest that the budgets allow.
  static func hwc(
    _ network: TernaryNetwork, _ stages: [Draft], _ options: PlanningOptions, isVector: Bool
  ) -> FirmwarePlan? {
    guard let chain = hwc(stages, options) else { return nil }
    for namesColumns in canNameColumns(chain, options.core) ? [true, false] : [false] {
      var chain = chain
      for index in chain.indices { chain[index].hwc?.namesColumns = namesColumns }
      let plan = layOut(network, chain, chain.indices.map { $0...$0 }, options, isVector: isVector)
      if plan.stateBytes <= options.ram ?? .max, FlashEstimate(plan).bytes <= options.flash ?? .max { return plan }
    }
    return nil
  }

  /// Whether there are registers for the pointers, and few columns.
  private static func canNameColumns(_ chain: [Draft], _ core: Core) -> Bool {
    core.accumulators >= 8 && chain[0].outputShape.width <= 8
  }

  private static func hwc(_ stages: [Draft], _ options: PlanningOptions) -> [Draft]? {
    guard let count = stages.firstIndex(where: { if case .averagePool = $0.work { true } else { false } }), count > 1,
      canPoolPositions(stages[count]), isVectorNext(stages[(count + 1)...])
    else { return nil }
    let run = stages[1..<count]
    let shape = stages[0].outputShape
    let half = (shape.height + 1) / 2
    let positionWords = (stages[1...count].map(\.inputShape.channels).max() ?? 0).rounded(toMultipleOf: HWCScales.unit)
    let top = run.map(\.window.top).max() ?? 0
    let bottom = run.map(\.window.bottom).max() ?? 0
    let halo = run.map { max($0.window.left, $0.window.right) }.max() ?? 0
    // Rows of padding are, in one of the lanes, rows of the other.
    guard half > 1, max(top, bottom) < half,
      stages[..<count].allSatisfy({ $0.outputShape.height == shape.height && $0.outputShape.width == shape.width }),
      run.allSatisfy({ $0.window.strideHeight * $0.window.strideWidth == 1 })
    else { return nil }
    let shared = HWCMap(
      rows: half + top + bottom, pitch: shape.width + halo, positionWords: positionWords, halo: halo, left: halo,
      distance: half)

    var inPlanes = stages
    for index in 0...count {
      var stage = stages[index]
      if index < count {
        guard let form = form(stage, half, options.core) else { return nil }
        stage.hwc = form
      }
      var map = index == 0 ? inputMap(stage, half) : shared
      // A depthwise convolution's output takes the place of its window's first word.
      if index > 1, case .taps? = inPlanes[index - 1].unrolled, let before = inPlanes[index - 1].lineBuffer.hwc {
        map.left = before.left - stages[index - 1].window.left
      }
      guard stage.window.left + stage.window.right == 0 || index == 0 || map.left == halo else { return nil }
      stage.lineBuffer = LineBuffer(
        buffer: 0, slots: 0, left: 0, right: 0, paddingCode: stage.lineBuffer.paddingCode, channelStride: 1,
        rowStride: map.rowWords, elementBytes: 4, hwc: map)
      stage.hasRunningSum = false
      if case .convolution(var work) = stage.work {
        guard let code = code(stage, work, map, options.core) else { return nil }
        // A row goes where no row lies any more that is still to be seen: down by the padding, or up.
        let areTiles = if case .channelTiles = code { true } else { false }
        guard index == 0 ? areTiles : (areTiles && stage.window.kernelHeight == 1) || stages[index + 1].window.top == 0
        else { return nil }
        work.unrolled = code
        stage.work = .convolution(work)
      }
      inPlanes[index] = stage
    }
    // The kernels clamp to as many bits in all layers.
    guard Set(inPlanes[..<count].compactMap { $0.hwc?.scales.bits }).count == 1 else { return nil }
    shareShifts(&inPlanes)
    return inPlanes
  }

  /// Depthwise convolutions share functions where they share a shift: the smallest, where it serves all.
  private static func shareShifts(_ stages: inout [Draft]) {
    let own = stages.indices.filter {
      if case .taps? = stages[$0].unrolled { stages[$0].hwc != nil } else { false }
    }
    let forms = own.compactMap { stages[$0].hwc }
    guard forms.allSatisfy({ $0.scales.drop > 0 }), let shift = forms.map(\.scales.shift).min() else { return }
    let shared = own.compactMap { index in
      stages[index].epilogue.flatMap { epilogue in
        stages[index].hwc.flatMap {
          HWCScales(
            epilogue, channels: stages[index].outputShape.channels, guardBias: $0.guardBias, drop: 16, shifts: [shift])
        }
      }
    }
    guard shared.count == own.count else { return }
    for (index, scales) in zip(own, shared) { stages[index].hwc?.scales = scales }
  }

  /// The caller's rows as they come.
  private static func inputMap(_ stage: Draft, _ half: Int) -> HWCMap {
    let window = stage.window
    return HWCMap(
      rows: (half - 1) * window.strideHeight + window.kernelHeight,
      pitch: stage.inputShape.width + window.left + window.right, positionWords: stage.inputShape.channels,
      halo: 0, left: window.left, distance: half * window.strideHeight, isFilled: true)
  }

  private static func form(_ stage: Draft, _ half: Int, _ core: Core) -> HWCForm? {
    guard case .convolution(let work) = stage.work, stage.pool == nil, stage.input.elementBytes == 1,
      stage.output.elementBytes == 1
    else { return nil }
    // A multiple of 256 is an immediate operand on Armv7-M.
    let guardBias = (-work.epilogue.accumulators.lowerBound).rounded(toMultipleOf: 256)
    guard guardBias + work.epilogue.accumulators.upperBound <= Int(Int16.max),
      let scales = HWCScales(work.epilogue, channels: stage.outputShape.channels, guardBias: guardBias, core)
    else { return nil }
    return HWCForm(half: half, guardBias: guardBias, scales: scales)
  }

  private static func code(
    _ stage: Draft, _ work: ConvolutionWork, _ map: HWCMap, _ core: Core
  ) -> UnrolledWeights? {
    let window = stage.window
    let places = (0..<window.kernelHeight).flatMap { ky in
      (0..<window.kernelWidth).map { kx in ky * map.pitch + kx }
    }
    if work.groupChannels == 1, work.outputsPerGroup == 1, work.weights.count == stage.inputShape.channels {
      let lists = work.weights.map { weights in
        let plus = weights.indices.filter { weights[$0] > 0 }.map { places[$0] }
        return TapList(offsets: plus + weights.indices.filter { weights[$0] < 0 }.map { places[$0] }, plus: plus.count)
      }
      // They are listed as bytes, and counted in four bits each.
      guard lists.allSatisfy({ max($0.plus, $0.minus) < 16 }), places.allSatisfy({ $0 <= Int(UInt8.max) }) else {
        return nil
      }
      return .taps(lists, areStatements: false)
    }
    guard work.outputsPerGroup == stage.outputShape.channels else { return nil }
    let offsets = (0..<work.groupChannels).flatMap { ic in places.map { $0 * map.positionWords + ic } }
    let partition = partition(work, offsets, core, without: [])
    return .channelTiles(channelTiles(work, offsets, core, partition, channelStride: 1), columnTile: 1)
  }

  /// Whether nothing follows, or a dense layer.
  private static func isVectorNext(_ stages: ArraySlice<Draft>) -> Bool {
    guard let next = stages.first else { return true }
    if case .dense = next.work { return true }
    return false
  }

  /// All that its input holds, in one window, summed up in lanes of 16 bits.
  private static func canPoolPositions(_ stage: Draft) -> Bool {
    let window = stage.window
    let rows = (stage.inputShape.height + 1) / 2
    return !window.hasPadding && stage.outputShape.height * stage.outputShape.width == 1
      && window.kernelHeight == stage.inputShape.height && window.kernelWidth == stage.inputShape.width
      && stage.input.elementBytes == 1 && stage.epilogue?.limits.isEmpty ?? true
      && rows * stage.inputShape.width * stage.input.maximumCode <= Int(UInt16.max)
  }
}
