import Diagnostics
import Scheduling

// The model, where it comes from, and the figures that people ask for first.

extension ReportPage {
  var header: Markup {
    tag("header") {
      tag("p", ["class": "brand"]) {
        mark
        "sterna report of \(report.model.file.shortened())"
      }
      tag("h1") { plan.name }
      tag("p", ["class": "lead"]) {
        "\(signature). "
          + "\(plan.contexts.count) \(plan.contexts.count == 1 ? "layer" : "layers"), "
          + "\(plan.fusionGroups.count) \(plan.fusionGroups.count == 1 ? "segment" : "segments")."
      }
      figures
      warningList
      tag("details", ["class": "provenance"]) {
        tag("summary") { "Provenance" }
        tag("dl") {
          definition("model", report.model.file.shortened(to: 200))
          definition("SHA-256", report.model.sha256)
          definition("options", report.options)
          definition("tool", report.tool)
        }
      }
    }
  }

  private var signature: String {
    let input = plan.input
    let type = input.quantization.isSigned ? "int8" : "uint8"
    let shape = [input.shape.channels, input.shape.height, input.shape.width].map { "\($0)" }.joined(separator: "×")
    let outputs = plan.outputs.map { output in
      "\(output.count) \(output.tensor.kind == .logits ? "int32 logits" : "values") out"
        + (plan.outputs.count > 1 ? " as \(output.tensor.name)" : "")
    }
    return "\(shape) \(type) in, " + outputs.joined(separator: ", ")
  }

  private var figures: Markup {
    let weights = report.layers.reduce(0) { $0 + $1.weights }
    let zeros = report.layers.reduce(0) { $0 + $1.zeros }
    let macs = report.layers.reduce(0) { $0 + $1.macs }
    let additions = report.layers.reduce(0) { $0 + $1.additions }
    let proof = report.proof
    return tag("div", ["class": "figures"]) {
      figure(
        "RAM", PageNumber.bytes(plan.stateBytes),
        "all state; the stack takes \(plan.stackBound().map { "\(PageNumber.bytes($0)) at most" } ?? "more") beside it, "
          + "the input frame alone has \(PageNumber.bytes(plan.input.bytes))")
      figure(
        "Flash", PageNumber.bytes(plan.flash.bytes),
        plan.flash.code > 0
          ? "at most: weights, tables and code, \(plan.core.wherever) at -O2"
          : "weights and tables; code is not counted"
      )
      if plan.core.hasInstructionCounts {
        figure(
          "Instructions", PageNumber.grouped(CostEstimate(plan).instructions),
          "an inference, predicted for a \(plan.core.title)")
      }
      figure(
        "Weights", PageNumber.grouped(weights),
        "\(PageNumber.percent(zeros, of: weights)) of them are zero and cost nothing")
      figure(
        "Additions", PageNumber.grouped(additions),
        "an inference, instead of \(PageNumber.grouped(macs)) multiply-accumulates")
      figure(
        "Exactness", "\(PageNumber.grouped(proof.exceptions)) exceptions",
        "in \(PageNumber.grouped(proof.pairs)) reachable accumulators, every one checked", class: "good")
    }
  }

  private func figure(_ name: String, _ value: String, _ note: String, class style: String = "") -> Markup {
    tag("div", ["class": style.isEmpty ? "figure" : "figure \(style)"]) {
      tag("span", ["class": "name"]) { name }
      tag("span", ["class": "value"]) { value }
      tag("span", ["class": "note"]) { note }
    }
  }

  @MarkupBuilder private var warningList: [Markup] {
    for warning in warnings {
      tag("p", ["class": "warning"]) {
        tag("strong") { "warning " }
        warning.location.node.map { "\($0.shortened()): " } ?? ""
        warning.message.shortened(to: 600)
        warning.fix.map { " Fix: \($0.shortened(to: 300))" } ?? ""
      }
    }
  }

  @MarkupBuilder private func definition(_ term: String, _ text: String) -> [Markup] {
    tag("dt") { term }
    tag("dd") { text }
  }

  /// Minus one, nought, plus one.
  private var mark: Markup {
    tag("svg", ["class": "mark", "width": "44", "height": "14", "aria-hidden": "true"]) {
      for (x, style) in [("0", "minus"), ("15", "zero"), ("30", "plus")] {
        tag("rect", ["class": style, "x": x, "width": "14", "height": "14", "rx": "3"])
      }
    }
  }
}
