import FirmwarePlanning
import Templates

extension FirmwarePlan {
  /// The kernels that the plan's stages call, in the order of their definition.
  var kernels: [Kernel] {
    var used: Set<Kernel> = [.stage]
    for stage in stages {
      if case .output = stage.destination {} else { used.insert(.rowIsDue) }
      let isWide = stage.input.elementBytes == 2
      switch stage.work {
      case .convolution:
        used.formUnion([.locateRows, .decodeTaps])
        used.insert(stage.ring.lanes != nil ? .accumulateLanes : isWide ? .accumulateRow16 : .accumulateRow)
      case .dense: used.insert(isWide ? .ternaryDot16 : .ternaryDot)
      case .maxPool: used.formUnion([.locateRows, .maxPoolRow])
      case .averagePool: used.formUnion([.locateRows, .sumPoolRow])
      }
      if stage.pool != nil { used.insert(stage.ring.lanes != nil ? .poolLanes : .poolAccumulators) }
      if stage.ring.lanes != nil { used.insert(.pairRow) }
      if stage.ring.needsFilling { used.insert(isWide ? .fillRing16 : .fillRing) }
      guard let epilogue = stage.epilogue else { continue }
      if epilogue.limits != nil { used.insert(.limitAccumulator) }
      switch epilogue.form {
      case .affine: used.insert(epilogue.fits32 ? .requantize : .requantize64)
      case .halfEven: used.insert(epilogue.fits32 ? .requantizeHalfEven : .requantizeHalfEven64)
      case .thresholds(let lists, _):
        if !(lists.first?.isEmpty ?? true) { used.insert(.countThresholds) }
      case .logits: break
      }
    }
    return used.sorted()
  }
}
