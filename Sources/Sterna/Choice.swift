import Scheduling

/// Options that a user has, and what they would give.
package struct Choice: Sendable {
  package var goal: PlanningOptions.Goal
  package var plan: FirmwarePlan
  /// Whether it is the one that was compiled.
  package var isChosen: Bool
  /// Predicted for one inference.
  package var instructions: Int

  init(goal: PlanningOptions.Goal, plan: FirmwarePlan, isChosen: Bool) {
    self.goal = goal
    self.plan = plan
    self.isChosen = isChosen
    instructions = CostEstimate(plan).instructions
  }

  /// Whether it costs the same.
  func isLike(_ other: Choice) -> Bool {
    instructions == other.instructions && plan.stateBytes == other.plan.stateBytes
      && plan.flash.bytes == other.plan.flash.bytes
  }
}

extension [Choice] {
  /// Without those that cost the same as an earlier one, or as the chosen one.
  var differing: [Choice] {
    indices.filter { index in
      self[index].isChosen
        || !indices.contains { other in
          other != index && (other < index || self[other].isChosen) && self[other].isLike(self[index])
        }
    }.map { self[$0] }
  }
}

extension Core {
  /// Where bytes are bounded: without a core on any.
  package var wherever: String { self == .generic ? "any core" : title }

  /// The core that instructions are predicted for, and what the C was made for where that is another.
  package var figured: String { self == .generic ? "\(title), C for any core" : title }

  /// As its maker writes it. Without a core, instructions are a Cortex-M4's.
  package var title: String {
    switch self {
    case .generic: "Cortex-M4"
    case .riscv32: "RV32IMC"
    case .host: "64-bit host"
    default: "Cortex-M" + rawValue.dropFirst("cortex-m".count)
    }
  }
}
