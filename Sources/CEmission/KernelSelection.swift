import FirmwarePlanning
import Templates

extension FirmwarePlan {
  /// The kernels that the plan's stages call, in the order of their definition.
  var kernels: [Kernel] {
    var used: Set<Kernel> = [.plainLoop, .stage]
    if stages[0].ring.holdsWords || stages.indices.contains(where: pairsRows) { used.insert(.pairRow) }
    used.formUnion(ConvolutionPrinter.kernels(self))
    used.formUnion(stages.compactMap(\.maps).flatMap(\.kernels))
    used.formUnion(stages.flatMap(\.pixelKernels))
    for (index, stage) in stages.enumerated() where stage.channelsLast == nil {
      let printer = StagePrinter(self, index)
      if printer.closesRows { used.insert(printer.nextWords?.quads == nil ? .closeRow : .closeQuads) }
      if stage.poolsRowByRow { used.insert(printer.nextWords == nil ? .keepLarger : .maxLanes) }
      let maker = index > 0 ? stages[index - 1] : nil
      // The shared function finds the places of rows itself.
      let isFound = stage.isPackedLanes && maker?.usesSharedConvolution ?? true
      if !stage.ring.isLinear, stage.ring.slots > 1, !isFound, stage.needsRowOffset(madeBy: maker) {
        used.insert(.rowOffset)
      }
      if !printer.constants.isEmpty, !stage.usesSharedConvolution, stage.maps == nil {
        used.insert(printer.nextWords != nil ? .fillWords : printer.storesShortLevels ? .fillRing16 : .fillRing)
      }
      if stage.firesWhenDue { used.formUnion([.rowsNeeded, .rowIsDue]) }
      let isWide = stage.input.elementBytes == 2
      switch stage.work {
      case .convolution:
        switch stage.code {
        case .blocks?:
          used.insert(.keepOrder)
          if stage.ring.pairsAsRead { used.insert(.pairColumns) }
        case .columns?: used.insert(.noInline)
        case .taps(_, let areStatements)?:
          used.insert(areStatements ? .keepOrder : stage.ring.quads == nil ? .sumTaps : .sumQuadTaps)
          if stage.readsBytePairs || !stage.pairedWords.isEmpty { used.insert(.pairColumns) }
        case nil:
          if stage.isPackedLanes || stage.maps != nil { break }
          used.formUnion([.locateRows, .decodeTaps])
          used.insert(isWide ? .accumulateRow16 : .accumulateRow)
        }
      case .dense(let work):
        if !work.areBytes { used.insert(isWide ? .ternaryDot16 : addsFourWeights ? .ternaryDotFours : .ternaryDot) }
      case .maxPool: used.formUnion([.locateRows, .maxPoolRow])
      case .averagePool where stage.ring.channelsLast != nil: break
      case .averagePool:
        used.formUnion(
          stage.addsRowByRow
            ? [.addPoolRow] : stage.hasContiguousWindows ? [.sumPoolBlock] : [.locateRows, .sumPoolRow])
      }
      if stage.pool != nil, stage.columns == nil {
        if !stage.hasWordSums {
          used.insert(.poolAccumulators)
        } else if !stage.poolsRowByRow || (stage.pool?.kernelWidth ?? 1) > 1 {
          used.insert(.maxLanes)
        }
        if case .taps? = stage.code { used.insert(.poolLanesRow) }
      }
      if stage.isSliding, stage.ring.slots > 1 || stage.columns != nil, stage.reach > stage.advance {
        used.insert(stage.columns != nil ? .slideBytes : stage.usesSharedConvolution ? .moveRows : .slideRows)
      }
      if stage.isSliding, stage.ring.slots > 1, stage.window.bottom > 0, stage.ring.pairsAsRead {
        used.insert(.fillWords)
      }
      if stage.ring.needsFilling {
        used.insert(stage.ring.holdsWords ? .fillWords : stage.ring.elementBytes == 2 ? .fillRing16 : .fillRing)
      }
      guard let epilogue = stage.epilogue else { continue }
      if stage.usesSharedConvolution || stage.maps != nil { continue }
      if !epilogue.limits.isEmpty {
        let areShort = stage.columns?.areShort == true
        used.insert(areShort ? .limitSums : stage.hasWordSums ? .limitLanes : .limitAccumulators)
      }
      switch epilogue.form {
      case .affine where stage.shortLift(epilogue) != nil: break
      case .affine:
        used.insert(
          stage.saturatedBits(epilogue) != nil ? .requantizeSaturating : epilogue.fits32 ? .requantize : .requantize64)
      case .halfEven: used.insert(epilogue.fits32 ? .requantizeHalfEven : .requantizeHalfEven64)
      case .thresholds(let lists, _):
        if !(lists.first?.isEmpty ?? true) { used.insert(.countThresholds) }
      case .logits: break
      }
    }
    if used.contains(.locateRows) { used.insert(.rowOffset) }
    if !used.isDisjoint(with: [.makeQuads, .sumQuadTaps]) { used.insert(.quads) }
    return used.sorted()
  }

  /// Whether dense layers take the longer and faster form, which adds four weights at a time: beside weights as code.
  private var addsFourWeights: Bool {
    stages.contains { $0.code != nil }
      && stages.allSatisfy { stage in
        guard case .dense(let work) = stage.work, stage.input.elementBytes == 1 else { return true }
        return (stage.addsRowByRow ? stage.ring.rowStride : work.taps) % 4 == 0
      }
  }
}
