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
    for context in plan.contexts {
      for table in context.variant.tables(context) {
        if table.role == .weights { weights += table.bytes } else { requantizers += table.bytes }
      }
    }
    let counts = CodeFeature.counts(plan)
    let cores = core == .generic ? Core.measured : [core]
    code = cores.map { CodeFeature.bytes(counts, on: $0) }.max() ?? 0
    code += plan.operations.reduce(0) { $0 + $1.variant.uncountedCode }
  }

  /// Bytes that are no code and known to the byte.
  package static func tables(_ plan: FirmwarePlan) -> Int { plan.contexts.reduce(0) { $0 + tables($1) } }

  private static func tables(_ context: Context) -> Int {
    context.variant.tables(context).reduce(0) { $0 + $1.bytes }
  }

  /// Of each operation: its tables and its own code, without the functions that operations share.
  package static func operations(_ plan: FirmwarePlan, core: Core? = nil) -> [Int] {
    let core = core ?? plan.core
    return plan.contexts.map { context in
      tables(context) + context.variant.uncountedCode
        + CodeFeature.operation(context).reduce(0) { $0 + $1.key.bytes(on: core) * $1.value }
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

extension Epilogue {
  /// Of the smallest signed type that holds all entries of a table.
  package static func elementBytes(_ values: [Int]) -> Int {
    values.allSatisfy { Int16(exactly: $0) != nil } ? 2 : values.allSatisfy { Int32(exactly: $0) != nil } ? 4 : 8
  }
}
