import Scheduling
import TernaryIR

// Why the integers are those of the file.

extension ReportPage {
  var proofSection: Markup {
    let proof = report.proof
    return section(
      "Requantizers, proven", id: "proof",
      "Each turns a sum into the next layer's integer. Every sum that a channel can reach was tried against the exact "
        + "real arithmetic of the file, before any C was written."
    ) {
      tag("p", ["class": proof.exceptions == 0 ? "seal good" : "seal bad"]) {
        tag("strong") { "\(PageNumber.grouped(proof.exceptions)) exceptions" }
        " in \(PageNumber.grouped(proof.pairs)) pairs of channel and sum."
      }
      dataTable(
        ["layer", "form", "arithmetic", "shift", "multipliers", "entries", "pairs", "exceptions"],
        plan.contexts.compactMap(row))
      for output in plan.outputs where output.tensor.kind == .logits {
        tag("p", ["class": "remark"]) {
          "The logits\(plan.outputs.count > 1 ? " \(output.tensor.name)" : "") are integers in one scale, "
            + "\(output.tensor.scale) a unit; \(output.exactness)."
        }
      }
    }
  }

  private func row(_ stage: Context) -> [[Markup]]? {
    guard let requantizer = stage.layer.requantizer, let epilogue = stage.variant.epilogue else { return nil }
    let form: String
    let multipliers: String
    switch epilogue.form {
    case .affine(let table, _, _, _, _):
      form = "multiply, add, clamp, shift"
      multipliers = Self.span(table)
    case .halfEven(let table, _, _, _, _):
      form = "multiply, add, round half to even"
      multipliers = Self.span(table)
    case .thresholds(let lists, _):
      form = "\(lists.first?.count ?? 0) thresholds"
      multipliers = "–"
    case .logits(let table, _):
      form = "multiply, add"
      multipliers = Self.span(table)
    }
    let proof = requantizer.proof
    return [
      [tag("strong", ["title": stage.layer.name.shortened(to: 200)]) { stage.name }], [.text(form)],
      [.text(epilogue.fits32 ? "32 bits" : "64 bits")],
      [.text(requantizer.shift > 0 ? "\(requantizer.shift)" : "–")], [.text(multipliers)],
      [.text(PageNumber.grouped(requantizer.entries))], [.text(PageNumber.grouped(proof.pairs))],
      [
        tag("span", ["class": proof.exceptions == 0 ? "pill good" : "pill bad"]) {
          PageNumber.grouped(proof.exceptions)
        }
      ],
    ]
  }

  private static func span(_ table: [Int]) -> String {
    guard let low = table.min(), let high = table.max() else { return "–" }
    return low == high ? PageNumber.grouped(low) : PageNumber.range(low...high)
  }
}
