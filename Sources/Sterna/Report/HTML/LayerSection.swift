import Scheduling

// What each layer costs: a column for each measure there is.

extension ReportPage {
  var layerSection: Markup {
    section(
      "Layers", id: "layers",
      "Bars compare the layers of a column. Thin bars below: the same for the other choice, of --optimize for \(predicted), "
        + "of --schedule for RAM, where it differs. \(isCounted ? "Instructions and flash are" : "Flash is") predicted for a "
        + "\(plan.core.title)."
    ) {
      dataTable(["layer", "output"] + costs.map(\.title), rows + [totals])
      let cost = CostEstimate(plan)
      let shared = plan.flash.bytes - FlashEstimate.operations(plan).reduce(0, +)
      let besides =
        (isCounted
          ? ["\(PageNumber.grouped(cost.network)) instructions take the input's rows in, begin and finish"] : [])
        + (shared > 0 ? ["\(PageNumber.bytes(shared)) of flash hold functions that layers share"] : [])
      if !besides.isEmpty {
        tag("p", ["class": "remark"]) { "Besides, \(besides.joined(separator: ", and "))." }
      }
    }
  }

  private var isCounted: Bool { plan.core.hasInstructionCounts }
  private var predicted: String { isCounted ? "instructions and flash" : "flash" }

  private var rows: [[[Markup]]] {
    zip(plan.contexts, report.layers).enumerated().map { index, layer in
      let (stage, report) = layer
      let name = [
        tag("strong", ["title": stage.layer.name.shortened(to: 200)]) { stage.name },
        tag("span", ["class": "kind"]) { "\(report.kind), \(details(stage))" },
      ]
      let shape = report.output.map { "\($0)" }.joined(separator: "×")
      return [name, [tag("span", ["class": "shape"]) { shape }]] + costs.map { cell($0, index) }
    }
  }

  private var totals: [[Markup]] {
    [[tag("strong") { "together" }], []]
      + costs.map { cost in
        cost.total.map { total in [tag("strong", ["class": "number"]) { PageNumber.grouped(total) }] } ?? []
      }
  }

  private func details(_ stage: Context) -> String {
    if case .dense = stage.layer.kind { return "\(stage.input.shape.count) to \(stage.output.shape.channels)" }
    let window = stage.variant.geometry.window
    var text = "\(window.kernelHeight)×\(window.kernelWidth)"
    if window.strideHeight != window.strideWidth {
      text += ", stride \(window.strideHeight)×\(window.strideWidth)"
    } else if window.strideHeight > 1 {
      text += ", stride \(window.strideHeight)"
    }
    if stage.operation.deadChannels > 0 { text += ", \(stage.operation.deadChannels) channels left out" }
    return text
  }

  private func cell(_ cost: LayerCost, _ index: Int) -> [Markup] {
    let value = cost.chosen.values[index]
    let others = cost.alternatives.filter { $0.values[index] != value }
    guard value > 0 || !others.isEmpty else { return [tag("span", ["class": "number none"]) { "–" }] }
    func share(_ value: Int) -> Double { Double(value) / Double(max(cost.largest, 1)) }
    return [
      tag("span", ["class": "number"]) { PageNumber.grouped(value) },
      Draw.bar(
        share(value), height: 9,
        label: "\(plan.contexts[index].name), \(cost.chosen.label): \(PageNumber.grouped(value)) (\(cost.explanation))"),
    ]
      + others.map {
        Draw.bar(
          share($0.values[index]), height: 3, class: "other",
          label: "\(plan.contexts[index].name), \($0.label): \(PageNumber.grouped($0.values[index]))")
      }
  }
}
