import FirmwarePlanning

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
  /// - Parameter others: Plans of the same network, to compare with.
  package static func columns(_ plan: FirmwarePlan, others: [FirmwarePlan]) -> [LayerCost] {
    let layers = plan.stages.map(Report.Layer.init)
    return [
      LayerCost(
        title: "additions", explanation: "additions left for one inference once zero weights are skipped",
        chosen: Series(label: "additions", values: layers.map(\.additions))),
      LayerCost(
        title: "weight bytes", explanation: "packed weights in flash",
        chosen: Series(label: "packed", values: plan.stages.map(\.weightBytes))),
      LayerCost(
        title: "requantizer bytes", explanation: "tables of multipliers, offsets or thresholds in flash",
        chosen: Series(label: "tables", values: plan.stages.map { $0.epilogue?.tableBytes ?? 0 })),
      LayerCost(
        title: "input bytes", explanation: "RAM that holds the layer's input: a ring of rows, or the whole tensor",
        chosen: Series(label: plan.schedule.rawValue, values: plan.stages.map(\.ring.bytes)),
        alternatives: others.map { Series(label: $0.schedule.rawValue, values: $0.stages.map(\.ring.bytes)) },
        isAdditive: false),
    ]
  }
}

extension Stage {
  fileprivate var weightBytes: Int {
    switch work {
    case .convolution(let work): work.weights.reduce(0) { $0 + $1.count }
    case .dense(let work): work.weights.reduce(0) { $0 + $1.count }
    case .maxPool, .averagePool: 0
    }
  }
}
