import Diagnostics
import FirmwarePlanning
import TernaryIR

extension Compilation {
  /// Two lines that tell the essentials.
  package var summary: String {
    "\(plan.name): \(plan.stages.count) layers, state \(plan.stateBytes) bytes, flash about \(plan.flash.bytes) bytes, "
      + "requantizers exact on all \(Report.Proof(plan).pairs) reachable accumulators"
  }

  /// What `sterna inspect` prints.
  package func inspection() throws(ModelError) -> String {
    let report = Report(self)
    var lines = [
      "\(plan.name): \(plan.input.shape) \(plan.input.quantization.isSigned ? "int8" : "uint8") in, \(plan.output.count) out",
      "",
    ]
    lines += Self.table(report.layers)
    let proof = report.proof
    lines += [
      "",
      "requantizers: \(proof.pairs) (channel, accumulator) pairs checked, \(proof.exceptions) exceptions, largest shift "
        + "\(proof.largestShift)",
    ]
    if !proof.layersIn64Bits.isEmpty { lines.append("  in 64 bits: " + proof.layersIn64Bits.joined(separator: ", ")) }
    if !proof.layersByThresholds.isEmpty {
      lines.append("  by thresholds: " + proof.layersByThresholds.joined(separator: ", "))
    }
    if plan.output.tensor.kind == .logits {
      lines.append("logits: one unit is \(plan.output.tensor.scale), exact to within \(plan.output.resolution) units")
    }
    lines += ["", "RAM, without the stack:"]
    for other in try plansBySchedule() {
      let mark = other.schedule == plan.schedule ? " *" : ""
      lines.append(
        "  \(other.schedule.rawValue.padding(8)) \(pad("\(other.stateBytes)", 8)) bytes  (lower bound "
          + "\(other.lowerBoundBytes), \(other.segments.count) segment(s))\(mark)")
    }
    let flash = plan.flash
    lines += [
      "",
      "flash, Cortex-M4 at -O2: \(flash.bytes) bytes  (weights \(flash.weights), requantizers \(flash.requantizers), "
        + "code and descriptors \(flash.code))",
    ]
    return lines.joined(separator: "\n")
  }

  private static func table(_ layers: [Report.Layer]) -> [String] {
    let heads = ["layer", "kind", "output", "weights", "zero", "additions", "accumulators", "requantizer", "pairs"]
    let rows = layers.map(row)
    let widths = heads.indices.map { column in ([heads] + rows).map { $0[column].count }.max() ?? 0 }
    return ([heads] + rows).map { row in
      let cells = row.indices.map { column in
        [0, 1, 7].contains(column) ? row[column].padding(widths[column]) : pad(row[column], widths[column])
      }
      return cells.joined(separator: "  ").trimmedRight
    }
  }

  private static func row(_ layer: Report.Layer) -> [String] {
    let hasWeights = layer.weights > 0
    var range = "-"
    if let low = layer.accumulatorMinimum, let high = layer.accumulatorMaximum { range = "\(low)...\(high)" }
    var requantizer = layer.requantizer ?? "-"
    if let shift = layer.shift, shift > 0 { requantizer += " >> \(shift)" }
    return [
      layer.identifier, layer.kind, layer.output.map { "\($0)" }.joined(separator: "x"),
      hasWeights ? "\(layer.weights)" : "-", hasWeights ? "\(100 * layer.zeros / layer.weights) %" : "-",
      hasWeights ? "\(layer.additions)" : "-", range, requantizer, layer.pairs.map { "\($0)" } ?? "-",
    ]
  }
}

extension Shape {
  /// As NumPy has them: a vector's rows and columns are left out.
  package var extents: [Int] { height == 1 && width == 1 ? [channels] : [channels, height, width] }
}

extension String {
  /// Left-aligned.
  func padding(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }

  var trimmedRight: String {
    var text = self
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
