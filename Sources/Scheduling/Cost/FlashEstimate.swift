import TernaryIR

/// Flash that a plan will take on its core with gcc at -O2, at most: tables to the byte, code by constants fitted to
/// measurements, and as much more as these have been found short by (`CodeMargin.swift`).
package struct FlashEstimate: Sendable, Equatable, Codable {
  package var weights = 0
  package var requantizers = 0
  /// Code, unrolled weights among it, and the descriptors of the stages.
  package var code = 0
  package var bytes: Int { weights + requantizers + code }

  init() {}

  /// - Parameter core: Another core than the plan's. Without any, code is that of the core where it is largest.
  package init(_ plan: FirmwarePlan, core: Core? = nil) {
    let core = core ?? plan.core
    for (index, stage) in plan.stages.enumerated() {
      if let variant = plan.operations[index].variant {
        for table in variant.tables(Context(plan, index)) {
          if table.role == .weights { weights += table.bytes } else { requantizers += table.bytes }
        }
        continue
      }
      weights += stage.weightBytes
      requantizers += stage.requantizerBytes
      weights += stage.placeBytes
    }
    let counts = CodeFeature.counts(plan)
    let cores = core == .generic ? Core.measured : [core]
    code = cores.map { CodeFeature.bytes(counts, on: $0) }.max() ?? 0
    code += plan.stages.reduce(0) { $0 + $1.columnBytes }
  }

  /// Bytes that are no code and known to the byte.
  package static func tables(_ plan: FirmwarePlan) -> Int { plan.stages.indices.reduce(0) { $0 + tables(plan, $1) } }

  private static func tables(_ plan: FirmwarePlan, _ index: Int) -> Int {
    guard let variant = plan.operations[index].variant else { return plan.stages[index].tableBytes }
    return variant.tables(Context(plan, index)).reduce(0) { $0 + $1.bytes }
  }

  /// Of each stage: its tables and its own code, without the functions that stages share.
  package static func stages(_ plan: FirmwarePlan, core: Core? = nil) -> [Int] {
    let core = core ?? plan.core
    return plan.stages.indices.map { index in
      let stage = plan.stages[index]
      return tables(plan, index) + stage.columnBytes
        + CodeFeature.stage(index, of: plan).reduce(0) { $0 + $1.key.bytes(on: core) * $1.value }
    }
  }
}

extension CodeFeature {
  /// Most bytes of code that some features take on a core.
  package static func bytes(_ counts: Counts, on core: Core) -> Int {
    let sum = counts.reduce(0) { $0 + $1.key.bytes(on: core) * $1.value }
    let hasByteRows = [.packedColumns, .packedWide].contains { counts[$0] ?? 0 > 0 }
    let margin = (hasByteRows ? byteRowsMargin : margin)[core.column]
    return sum + (max(sum, 0) * margin + 99) / 100 + addedSinceFit[core.column]
  }

  /// What networks have been found short by since the prices were fitted: the checks of calls out of order, among
  /// others. The next `Tests/bench/fit.py --write` makes it 0.
  private static let addedSinceFit = [130, 120, 120, 120, 120, 120, 340]
}

extension Stage {
  /// Bytes of packed weights in flash; none where the weights are unrolled.
  package var weightBytes: Int {
    switch work {
    case .convolution(let work): work.unrolled == nil ? work.weights.count * PackedWeights.bytes(work.taps) : 0
    case .dense(let work):
      work.weights.count
        * (work.areBytes
          ? work.taps
          : hasRunningSum
            ? inputShape.height * PackedWeights.bytes(lineBuffer.rowStride) : PackedWeights.bytes(work.taps))
    case .maxPool, .averagePool: 0
    }
  }

  fileprivate var tableBytes: Int { weightBytes + requantizerBytes + placeBytes }

  /// Bytes of the tables of its requantizer: scales of six bytes where there are any.
  fileprivate var requantizerBytes: Int {
    if let hwc { return 8 * hwc.scales.padded }
    if usesSharedConvolution || planes != nil, case .convolution(let work) = work {
      return 6 * (work.scales?.count ?? 0)
    }
    return requantizesNothing ? 0 : (epilogue?.tableBytes ?? 0) + limitBytes
  }

  /// Bytes of the table of accumulators' limits: two of 16 bits a channel, or of 32 where they are not words.
  private var limitBytes: Int {
    guard hasLimitTable else { return 0 }
    return (hasWordSums ? 4 : 8) * outputShape.channels
  }

  /// Bytes of tables that say where taps and channels are; they count as weights.
  var placeBytes: Int {
    if hwc != nil {
      guard case .taps(let lists, _)? = unrolled else { return 0 }
      return lists.reduce(0) { $0 + 1 + $1.offsets.count }
    }
    switch unrolled {
    case .taps(let lists, areStatements: false)?:
      let dead = Set(constants.map(\.channel))
      let taps = lists.indices.reduce(0) { $0 + (dead.contains($1) ? 0 : lists[$1].offsets.count) }
      return 2 * max(taps, 1) + 4 * lists.count
    case .taps?, .channelTiles?, .columns?, nil: return 2 * (order?.count ?? 0)
    }
  }
}

extension Epilogue {
  /// Of the smallest signed type that holds all entries of a table.
  package static func elementBytes(_ values: [Int]) -> Int {
    values.allSatisfy { Int16(exactly: $0) != nil } ? 2 : values.allSatisfy { Int32(exactly: $0) != nil } ? 4 : 8
  }

  /// Bytes of the tables in flash.
  package var tableBytes: Int {
    switch form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      guard multipliers.count > 1 else { return 0 }
      return [Set(multipliers).count > 1 ? multipliers : [], offsets].reduce(0) {
        $0 + Epilogue.elementBytes($1) * $1.count
      }
    case .thresholds(let lists, _): return lists.reduce(0) { $0 + 4 * $1.count }
    }
  }
}
