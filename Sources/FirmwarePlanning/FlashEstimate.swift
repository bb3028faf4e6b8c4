import TernaryIR

/// Flash that a plan will take on a Cortex-M4 at -O2: tables to the byte, code by constants fitted to measurements.
package struct FlashEstimate: Sendable, Equatable, Codable {
  package var weights = 0
  package var requantizers = 0
  /// Code, and the descriptors of the stages.
  package var code = 0
  package var bytes: Int { weights + requantizers + code }

  init() {}

  init(_ plan: FirmwarePlan) {
    for stage in plan.stages {
      switch stage.work {
      case .convolution(let work): weights += work.weights.reduce(0) { $0 + $1.count }
      case .dense(let work): weights += work.weights.reduce(0) { $0 + $1.count }
      case .maxPool, .averagePool: break
      }
      if let epilogue = stage.epilogue { requantizers += epilogue.tableBytes }
    }
    code = CodeFeature.counts(plan).reduce(0) { $0 + $1.key.bytes * $1.value }
  }
}

/// A property of a plan that costs code, and its price in bytes: Cortex-M4, arm-none-eabi-gcc 12.2 -O2, `har_run` and
/// what it needs. `Tests/bench/fit_flash.py` measures a set of networks and prints this table anew.
package enum CodeFeature: String, CaseIterable, Sendable {
  case network
  case inputChannels, inputClamp
  case descriptor
  case convolution, groupedConvolution, dense, lastDense, maxPool, averagePool, sums
  case wideConvolution, wideDense
  case fusedPool, lanes, limits
  case affine, affine64, halfEven, halfEven64, thresholds, logits
  case singleEntry
  case ringWithHalo
  case result
  case segment
  case anyConvolution, anyWideConvolution, anyDense, anyMaxPool, anyAveragePool

  /// How often a plan has each of them.
  package static func counts(_ plan: FirmwarePlan) -> [CodeFeature: Int] {
    var counts: [CodeFeature: Int] = [.network: 1, .segment: plan.segments.count]
    func add(_ feature: CodeFeature) { counts[feature, default: 0] += 1 }
    if plan.input.shape.channels > 1 { add(.inputChannels) }
    if plan.input.maximumLevel < 255 { add(.inputClamp) }
    for stage in plan.stages {
      add(.descriptor)
      let isWide = stage.input.elementBytes == 2
      switch stage.work {
      case .convolution(let work):
        add(isWide ? .wideConvolution : .convolution)
        if stage.ring.lanes == nil { counts[isWide ? .anyWideConvolution : .anyConvolution] = 1 }
        if work.outputsPerGroup < stage.outputShape.channels { add(.groupedConvolution) }
      case .dense:
        if case .output = stage.destination { add(.lastDense) } else { add(.dense) }
        if isWide { add(.wideDense) }
        counts[.anyDense] = 1
      case .maxPool:
        add(.maxPool)
        counts[.anyMaxPool] = 1
      case .averagePool(let epilogue):
        add(epilogue == nil ? .sums : .averagePool)
        counts[.anyAveragePool] = 1
      }
      if stage.ring.needsFilling { add(.ringWithHalo) }
      if stage.pool != nil, stage.ring.lanes == nil { add(.fusedPool) }
      if stage.ring.lanes != nil { add(.lanes) }
      if case .result = stage.destination { add(.result) }
      if let epilogue = stage.epilogue { epilogue.count(add) }
    }
    return counts
  }

  /// Bytes of one. Fitted by least squares of the relative error; single constants may well be negative.
  package var bytes: Int {
    switch self {
    case .affine: 4
    case .affine64: 54
    case .anyAveragePool: -144
    case .anyConvolution: 162
    case .anyDense: -60
    case .anyMaxPool: 42
    case .anyWideConvolution: 36
    case .averagePool: 138
    case .convolution: 128
    case .dense: -93
    case .descriptor: 191
    case .groupedConvolution: 25
    case .halfEven: 34
    case .halfEven64: 61
    case .inputChannels: 116
    case .inputClamp: -7
    case .lastDense: 0
    case .logits: 57
    case .maxPool: -79
    case .network: 114
    case .result: 114
    case .ringWithHalo: 29
    case .segment: 6
    case .singleEntry: -23
    case .sums: 62
    case .thresholds: -2
    case .fusedPool: 346
    case .limits: -37
    case .lanes: 114
    case .wideConvolution: 36
    case .wideDense: 26
    }
  }
}

extension Epilogue {
  fileprivate func count(_ add: (CodeFeature) -> Void) {
    switch form {
    case .affine(let multipliers, _, _, _, _):
      add(fits32 ? .affine : .affine64)
      for _ in limits { add(.limits) }
      if multipliers.count == 1 { add(.singleEntry) }
    case .halfEven(let multipliers, _, _, _, _):
      add(fits32 ? .halfEven : .halfEven64)
      if multipliers.count == 1 { add(.singleEntry) }
    case .thresholds: add(.thresholds)
    case .logits: add(.logits)
    }
  }

  /// Bytes of the tables in flash.
  package var tableBytes: Int {
    switch form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      guard multipliers.count > 1 else { return 0 }
      return 4 * multipliers.count
        + (offsets.allSatisfy { Int32(exactly: $0) != nil } ? 4 : 8) * offsets.count
    case .thresholds(let lists, _): return lists.reduce(0) { $0 + 4 * $1.count }
    }
  }
}
