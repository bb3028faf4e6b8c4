/// Predicted instructions of one inference, for the core that a plan is made for.
///
/// Every unit of work (`WorkFeature`) has a price on every core (`WorkTable.swift`), fitted to instructions counted in
/// QEMU. It is a model: see `Tests/bench/results.txt` for how far it is off.
package struct CostEstimate: Sendable, Equatable {
  /// Of each operation: what it does with its rows.
  package var operations: [Int]
  /// What belongs to no operation: taking the input's rows in, and everything that happens once.
  package var network: Int
  package var instructions: Int { operations.reduce(network, +) }

  /// All zero where the core has no instruction counts.
  ///
  /// - Parameter core: Another core than the plan's.
  package init(_ plan: FirmwarePlan, core: Core? = nil) {
    let core = core ?? plan.core
    guard core.hasInstructionCounts else {
      network = 0
      operations = plan.operations.map { _ in 0 }
      return
    }
    network = WorkFeature.instructions(WorkFeature.network(plan), core)
    operations = plan.contexts.map { WorkFeature.instructions(WorkFeature.operation($0), core) }
  }
}

extension WorkFeature {
  /// Instructions that some work takes on a core.
  static func instructions(_ counts: Counts, _ core: Core) -> Int {
    // In a fixed order, so that the sum is the same to the last bit.
    let sum = allCases.reduce(0.0) { $0 + $1.instructions[core.column] * (counts[$1] ?? 0) }
    return Int(sum.rounded())
  }
}

extension Core {
  /// The cores that the tables have columns for, in their order.
  package static let measured: [Core] = allCases.filter { $0 != .generic && $0 != .host }

  /// Whether instructions are predicted for it. On a host they say little about time, and none have been counted.
  package var hasInstructionCounts: Bool { self != .host }

  /// Its column; without a core, that of the Cortex-M4.
  var column: Int { Core.measured.firstIndex(of: self) ?? Core.measured.firstIndex(of: .cortexM4) ?? 0 }
}
