import Scheduling

/// Something that every layer has an amount of, and what other plans would make of it. The page draws whatever columns
/// there are; a new measure is a new entry of `columns`.
package struct LayerCost: Sendable {
  package struct Series: Sendable {
    package var label: String
    /// One for each stage.
    package var values: [Int]

    package init(label: String, values: [Int]) {
      self.label = label
      self.values = values
    }
  }

  package var title: String
  /// What is counted, in a sentence.
  package var explanation: String
  package var chosen: Series
  package var alternatives: [Series]
  /// Whether the layers' amounts add up: bytes that do not live together do not.
  package var isAdditive: Bool

  package init(
    title: String, explanation: String, chosen: Series, alternatives: [Series] = [], isAdditive: Bool = true
  ) {
    self.title = title
    self.explanation = explanation
    self.chosen = chosen
    self.alternatives = alternatives
    self.isAdditive = isAdditive
  }

  /// Of the whole network; nil where that means nothing.
  package var total: Int? { isAdditive ? chosen.values.reduce(0, +) : nil }
  /// Longest bar of the column.
  package var largest: Int { ([chosen] + alternatives).flatMap(\.values).max() ?? 0 }
}

extension LayerCost {
  /// - Parameter choices: Plans of the same network, the chosen one among them.
  package static func columns(_ plan: FirmwarePlan, choices: [Choice]) -> [LayerCost] {
    let layers = plan.contexts.map(Report.Layer.init)
    let goal = choices.first(where: \.isChosen)?.goal ?? .size
    // Instructions and flash follow from the goal, RAM from the schedule.
    let otherGoals = choices.filter { $0.goal != goal && $0.plan.schedule == plan.schedule }
    let otherSchedules = choices.filter { $0.goal == goal && !$0.isChosen }
    let costs = [
      LayerCost(
        title: "additions", explanation: "additions left for one inference once zero weights are skipped",
        chosen: Series(label: "additions", values: layers.map(\.additions))),
      LayerCost(
        title: "instructions", explanation: "predicted for one inference on a \(plan.core.title)",
        chosen: Series(label: "--optimize \(goal.rawValue)", values: CostEstimate(plan).operations),
        alternatives: otherGoals.map {
          Series(label: "--optimize \($0.goal.rawValue)", values: CostEstimate($0.plan).operations)
        }),
      LayerCost(
        title: "flash bytes",
        explanation: "estimate of weights, tables and the layer's own code, without functions that layers share",
        chosen: Series(label: "--optimize \(goal.rawValue)", values: FlashEstimate.operations(plan)),
        alternatives: otherGoals.map {
          Series(label: "--optimize \($0.goal.rawValue)", values: FlashEstimate.operations($0.plan))
        }),
      LayerCost(
        title: "RAM bytes", explanation: "what holds the layer's input: a ring of rows, or the whole tensor",
        chosen: Series(label: "--schedule \(plan.schedule.rawValue)", values: plan.contexts.map(\.input.bytes)),
        alternatives: otherSchedules.map {
          Series(label: "--schedule \($0.plan.schedule.rawValue)", values: $0.plan.contexts.map(\.input.bytes))
        },
        isAdditive: false),
    ]
    return plan.core.hasInstructionCounts ? costs : costs.filter { $0.title != "instructions" }
  }
}
