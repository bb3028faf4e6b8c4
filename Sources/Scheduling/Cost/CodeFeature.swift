import TernaryIR

/// A property of a plan that costs code. Prices in bytes for each core stand in `CodeTable.swift`.
package enum CodeFeature: String, CaseIterable, Sendable {
  // Of the network.
  case network, inputChannels, inputClamp, inputLanes, fusionGroup
  // Of a stage.
  case descriptor, result, lineBufferWithHalo, closedRows, slidRows, constantChannel, wordRows, pairedRows
  case maxPool, averagePool, sums, dense, lastDense, wideDense, denseRows
  case packed, packedAlone, packedColumns, packedWide, groupedConvolution, packedConstants, fusedPool, packedPool,
    packedParts
  case affine, saturated, affine64, halfEven, halfEven64, thresholds, logits, singleEntry, limits, laneLimits
  // Of unrolled weights.
  case unrolledPlan, codedStrips, codedPool, block, blockLoad, blockFarLoad, blockAddition, blockSubtraction,
    blockHighSubtraction, blockSum, storeCall
  case codedDepthwise, depthwiseChannel, depthwiseTap, byteTap, gatheredWindow, unpackedRows, unpackedWord, stripRows,
    tapTables, keptRows, quadRows, orderedChannels
  case addedRows
  // Of whole maps.
  case planes
  // Of those whose positions hold all channels.
  case pixels, pixelBlock, pixelLoad, pixelFarLoad, pixelAddition, pixelSum, pixelClosed, hwcPool, pixelShift
  // Functions of depthwise convolutions: those that loop, those that name columns, columns and taps at columns.
  case pixelLoop, pixelLoopTap, pixelRows, pixelColumn, pixelColumnTap
  // Of all stages together: functions that they share, paid once.
  case anyPacked, anyPackedLanes, anyConvolve, anyPackedColumns, anyPackedWide, anyLookup, anyLineBuffer, anyLanePool,
    anyColumnPool
  case anyDense, anyWideDense, anyMaxPool, anyAveragePool, anyFilling, anyHalo, anySliding, anyThresholds,
    anyTaps, anyQuadTaps, anyAddedRows, anyPairing, anyMapRows, anyMapChannels, anyMapPoints, anyPixels, anyPixelTaps

  package typealias Counts = [CodeFeature: Int]

  /// How often a plan has each of them.
  package static func counts(_ plan: FirmwarePlan) -> Counts {
    var counts = network(plan)
    var shared: Set<CodeFeature> = []
    for index in plan.stages.indices {
      counts.merge(stage(index, of: plan), uniquingKeysWith: +)
      shared.formUnion(self.shared(index, of: plan))
    }
    for feature in shared { counts[feature] = 1 }
    return counts
  }

  /// Those that do not depend on the stages.
  static func network(_ plan: FirmwarePlan) -> Counts {
    var counts: Counts = [.network: 1, .fusionGroup: plan.fusionGroups.count]
    if plan.input.shape.channels > 1 { counts[.inputChannels] = 1 }
    if plan.input.maximumCode < 255 { counts[.inputClamp] = 1 }
    if plan.stages[0].lineBuffer.holdsWords { counts[.inputLanes] = 1 }
    for function in plan.depthwiseFunctions {
      if function.namesColumns {
        let width = plan.stages[0].outputShape.width
        counts[.pixelRows, default: 0] += 1
        counts[.pixelColumn, default: 0] += width
        counts[.pixelColumnTap, default: 0] += width * function.taps
      } else {
        counts[.pixelLoop, default: 0] += 1
        counts[.pixelLoopTap, default: 0] += function.taps
      }
    }
    return counts
  }

  /// What the functions of one stage consist of.
  static func stage(_ index: Int, of plan: FirmwarePlan) -> Counts {
    if let variant = plan.operations[index].variant {
      var counts: Counts = [:]
      variant.countCode(Context(plan, index), &counts)
      return counts
    }
    var counter = StageCodeCounter(plan, index)
    counter.count()
    return counter.counts
  }

  /// The functions that a stage needs and that others may need, too.
  static func shared(_ index: Int, of plan: FirmwarePlan) -> Set<CodeFeature> {
    if let variant = plan.operations[index].variant { return variant.sharedCode(Context(plan, index)) }
    let stage = plan.stages[index]
    var shared: Set<CodeFeature> = []
    let hasLanes = stage.lineBuffer.lanes != nil
    let isWide = stage.input.elementBytes == 2
    if !stage.lineBuffer.isLinear, stage.lineBuffer.slots > 1 { shared.insert(.anyLineBuffer) }
    if stage.lineBuffer.needsFilling { shared.insert(.anyFilling) }
    if stage.isSliding { shared.insert(.anySliding) }
    if plan.fillsHalos(of: index) { shared.insert(.anyHalo) }
    if plan.packsRows(of: index), plan.stages[0].lineBuffer.lanes == nil { shared.insert(.anyPairing) }
    if stage.hwc != nil {
      if case .taps? = stage.unrolled { return [.anyPixels, .anyPixelTaps] }
      return [.anyPixels]
    }
    if let planes = stage.planes {
      switch planes.kind {
      case .rows: shared.insert(.anyMapRows)
      case .channels: shared.insert(.anyMapChannels)
      case .points: shared.insert(.anyMapPoints)
      }
      return shared
    }
    switch stage.work {
    case .convolution(let work):
      switch work.unrolled {
      case .channelTiles?, .columns?: break
      case .taps(_, let areStatements)?:
        if !areStatements { shared.insert(stage.lineBuffer.fourLanes == nil ? .anyTaps : .anyQuadTaps) }
      case nil:
        shared.formUnion([
          .anyLookup, .anyPacked, hasLanes ? .anyPackedLanes : isWide ? .anyPackedWide : .anyPackedColumns,
        ])
        if stage.usesSharedConvolution { shared.insert(.anyConvolve) }
        if stage.pool != nil { shared.insert(stage.hasWordSums ? .anyLanePool : .anyColumnPool) }
      }
    case .dense: shared.insert(isWide ? .anyWideDense : .anyDense)
    case .maxPool: shared.formUnion([.anyLookup, .anyMaxPool])
    case .averagePool: shared.formUnion(stage.hasRunningSum ? [.anyAddedRows] : [.anyLookup, .anyAveragePool])
    }
    if case .thresholds? = stage.epilogue?.form { shared.insert(.anyThresholds) }
    return shared
  }
}

extension FirmwarePlan {
  /// Whether more is written of a stage's rows than their columns: where they are words that windows reach beyond.
  package func fillsHalos(of index: Int) -> Bool {
    let stage = stages[index]
    guard case .lineBuffer(let next) = stage.destination, stage.hasWordSums, stages[next].lineBuffer.holdsWords,
      let lanes = stages[next].lineBuffer.lanes, stages[next].lineBuffer.columnTile == nil
    else { return false }
    return stages[next].lineBuffer.channelStride > (stages[next].lineBuffer.fourLanes ?? lanes.distance)
      || stage.outputShape.width < 2 * lanes.distance
  }
}

/// Counts what the functions of a stage consist of.
private struct StageCodeCounter {
  let plan: FirmwarePlan
  let index: Int
  let stage: Stage
  private(set) var counts: CodeFeature.Counts = [:]

  init(_ plan: FirmwarePlan, _ index: Int) {
    self.plan = plan
    self.index = index
    stage = plan.stages[index]
  }

  private mutating func add(_ feature: CodeFeature, _ amount: Int = 1) { counts[feature, default: 0] += amount }

  private var hasLanes: Bool { stage.lineBuffer.lanes != nil }
  private var hasWordSums: Bool { stage.hasWordSums }

  mutating func count() {
    if stage.planes != nil {
      add(.planes)
      return
    }
    if stage.lineBuffer.hwc != nil {
      countPixels()
      return
    }
    let isWide = stage.input.elementBytes == 2
    add(.descriptor)
    switch stage.work {
    case .convolution(let work):
      if work.outputsPerGroup < stage.outputShape.channels, work.unrolled == nil { add(.groupedConvolution) }
      switch work.unrolled {
      case .channelTiles(let channelTiles, let columnTile)?: count(channelTiles, columnTile)
      // See HostEstimate.swift.
      case .columns?: break
      case .taps(_, areStatements: false)?: add(.tapTables)
      case .taps(let channels, _)?:
        let dead = Set(stage.constants.map(\.channel))
        let live = channels.indices.filter { !dead.contains($0) }
        add(.codedDepthwise)
        add(.depthwiseChannel, live.count)
        let taps = live.reduce(0) { $0 + channels[$1].offsets.count }
        add(stage.widensBytes ? .byteTap : .depthwiseTap, taps)
        if stage.gatheredWindow != nil { add(.gatheredWindow) }
        if plan.columnTiles(madeBy: index) != nil { add(.stripRows) }
      case nil:
        add(hasLanes ? stage.usesSharedConvolution ? .packed : .packedAlone : isWide ? .packedWide : .packedColumns)
      }
      if case .channelTiles? = work.unrolled {
      } else {
        if stage.lineBuffer.lanes?.partTaps != nil { add(.packedParts) }
        if stage.pool != nil { add(hasWordSums ? .packedPool : .fusedPool) }
        if !stage.constants.isEmpty { add(.packedConstants) }
      }
    case .dense:
      if case .output = stage.destination { add(.lastDense) } else { add(.dense) }
      if isWide { add(.wideDense) }
      if stage.hasRunningSum { add(.denseRows) }
    case .maxPool: add(.maxPool)
    case .averagePool(let epilogue):
      add(epilogue == nil ? .sums : .averagePool)
      if stage.hasRunningSum { add(.addedRows) }
    }
    add(.constantChannel, stage.constants.count)
    if stage.lineBuffer.needsFilling { add(.lineBufferWithHalo) }
    if stage.isSliding { add(.slidRows) }
    countDestination()
    if let epilogue = stage.epilogue { count(epilogue) }
  }

  private mutating func countPixels() {
    guard let form = stage.hwc else {
      add(.hwcPool)
      if let epilogue = stage.epilogue { count(epilogue) }
      return
    }
    add(.pixels)
    // Made for no core in particular, codes do without the DSP extension where there is one.
    if form.scales.drop == 0 { add(.pixelShift) }
    if stage.lineBuffer.hwc?.isFilled == false, stage.window.hasPadding { add(.pixelClosed) }
    switch stage.unrolled {
    case .channelTiles(let channelTiles, _)?:
      add(.pixelBlock, channelTiles.count)
      for block in channelTiles {
        let far = block.farLoads
        add(.pixelLoad, block.loads - far)
        add(.pixelFarLoad, far)
        add(.pixelAddition, block.additions)
      }
      add(.pixelSum, stage.outputShape.channels)
    case .taps?, .columns?, nil: break
    }
  }

  private mutating func countDestination() {
    switch stage.destination {
    case .result: add(.result)
    case .lineBuffer(let next):
      if plan.stages[next].lineBuffer.holdsWords { add(plan.packsRows(of: index) ? .pairedRows : .wordRows) }
      if plan.stages[next].lineBuffer.fourLanes != nil { add(.quadRows) }
      if plan.fillsHalos(of: index) { add(.closedRows) }
    case .output: break
    }
  }

  private mutating func count(_ channelTiles: [ChannelTile], _ columnTile: Int) {
    add(.unrolledPlan)
    if columnTile < stage.outputWords ?? columnTile { add(.codedStrips) }
    if let pool = stage.pool {
      add(.codedPool, (stage.hasRunningMaximum ? 1 : pool.kernelHeight) * pool.kernelWidth - 1)
    }
    if stage.hasRunningMaximum { add(.keptRows) }
    if stage.order != nil { add(.orderedChannels) }
    if let widened = stage.widened {
      add(.unpackedRows)
      add(.unpackedWord, widened.statements)
    }
    for block in channelTiles {
      add(.block)
      add(.blockAddition, block.additions)
      add(.blockSum, block.channels.count)
      // Thumb and compressed RISC-V subtract in 16 bits only between registers that the first few channels get.
      let subtracted = block.groups.flatMap { $0.uses.filter(\.isNegative).map(\.channel) }
      add(.blockSubtraction, subtracted.count)
      add(.blockHighSubtraction, subtracted.count { $0 >= 3 })
      let far = block.farLoads
      add(.blockLoad, block.loads - far)
      add(.blockFarLoad, far)
      add(.storeCall)
    }
  }

  private mutating func count(_ epilogue: Epilogue) {
    // Both lanes of a word are requantized.
    let copies = hasWordSums ? 2 : 1
    add(hasWordSums ? .laneLimits : .limits, stage.hasLimitTable ? 1 : epilogue.limits.count)
    switch epilogue.form {
    case .affine(let multipliers, _, _, _, _):
      add(!epilogue.fits32 ? .affine64 : epilogue.saturatedBits != nil ? .saturated : .affine, copies)
      if multipliers.count == 1 { add(.singleEntry) }
    case .halfEven(let multipliers, _, _, _, _):
      add(epilogue.fits32 ? .halfEven : .halfEven64, copies)
      if multipliers.count == 1 { add(.singleEntry) }
    case .thresholds: add(.thresholds, copies)
    case .logits: add(.logits, copies)
    }
  }
}

extension ChannelTile {
  /// Loads beyond the reach of one of 16 bits.
  var farLoads: Int {
    groups.reduce(0) { $0 + ($1.first >= 32 ? 1 : 0) + (($1.second ?? 0) >= 32 ? 1 : 0) }
  }
}
