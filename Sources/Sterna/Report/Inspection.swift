import Diagnostics
import Scheduling
import TernaryIR

extension Compilation {
  /// Two lines that tell the essentials.
  package var summary: String {
    "\(plan.name): \(plan.contexts.count) layers, state \(plan.stateBytes) bytes, flash at most \(plan.flash.bytes) bytes, "
      + "requantizers exact on all \(Report.Proof(plan).pairs) reachable accumulators"
  }

  /// What `sterna inspect` prints.
  package func inspection() throws(ModelError) -> String {
    let report = Report(self)
    var lines = [
      "\(plan.name): \(plan.input.shape) \(plan.input.quantization.isSigned ? "int8" : "uint8") in, \(plan.outputSummary)",
      "",
    ]
    lines += Self.table(report.layers)
    let reduced = report.layers.filter { $0.foldedChannels > 0 }
    if !reduced.isEmpty {
      lines += [
        "",
        "channels left out, as constant or unused: "
          + reduced.map { "\($0.identifier) \($0.foldedChannels) of \($0.foldedChannels + $0.output[0])" }
          .joined(separator: ", "),
      ]
    }
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
    for output in plan.outputs where output.tensor.kind == .logits {
      let name = plan.outputs.count > 1 ? " \(output.tensor.name)" : ""
      lines.append("logits\(name): one unit is \(output.tensor.scale); \(output.exactness)")
    }
    lines += try choiceLines()
    let flash = plan.flash
    lines += [
      "",
      "flash, \(plan.core.wherever) at -O2: \(flash.bytes) bytes at most  (weights \(flash.weights), requantizers "
        + "\(flash.requantizers), code and descriptors \(flash.code))",
    ]
    if let stack = plan.stackBound() {
      lines.append("stack beside the state, \(plan.core.wherever) at -O2: \(stack) bytes at most, with gcc")
    }
    lines += coreLines
    return lines.joined(separator: "\n")
  }

  /// What other options would give, predicted; those that would give the same are left out.
  private func choiceLines() throws(ModelError) -> [String] {
    let isCounted = plan.core.hasInstructionCounts
    var lines = [
      "", "choices, predicted for \(isCounted ? "" : "a ")\(plan.core.figured); RAM without the stack:",
      "  optimize  schedule  instructions       RAM     flash  RAM at least  segments",
    ]
    for choice in try choices().differing {
      let plan = choice.plan
      lines.append(
        "  \(choice.goal.rawValue.padding(8))  \(plan.schedule.rawValue.padding(8))"
          + "  \(pad(isCounted ? "\(choice.instructions)" : "-", 12))  \(pad("\(plan.stateBytes)", 8))  \(pad("\(plan.flash.bytes)", 8))"
          + "  \(pad("\(plan.lowerBoundBytes)", 12))  \(pad("\(plan.fusionGroups.count)", 8))\(choice.isChosen ? " *" : "")"
      )
    }
    let cost = CostEstimate(plan)
    let unrolledPlan = plan.operations.filter { $0.variant.weightForm.isUnrolled }.map(\.name)
    lines += [
      "",
      "instructions, one inference: "
        + (isCounted ? "\(cost.instructions)  (taking rows in: \(cost.network))" : "not predicted for a host"),
    ]
    if !unrolledPlan.isEmpty { lines.append("  weights as code: " + unrolledPlan.joined(separator: ", ")) }
    return lines
  }

  /// What the same C costs elsewhere.
  private var coreLines: [String] {
    let figures = Report.CoreFigures.all(plan)
    guard !figures.isEmpty else { return [] }
    return [
      "", "this C on each core, predicted; flash and stack at most:",
      "  core        instructions     flash     stack",
    ]
      + figures.map {
        "  \($0.core.padding(10))  \(pad("\($0.predictedInstructions)", 12))  \(pad("\($0.flashBytes)", 8))  "
          + "\(pad("\($0.stackBytes)", 8))\($0.core == plan.core.rawValue ? " *" : "")"
      }
  }

  private static func table(_ layers: [Report.Layer]) -> [String] {
    let heads = [
      "layer", "kind", "output", "weights", "zero", "additions", "instructions", "accumulators", "requantizer", "pairs",
    ]
    let rows = layers.map(row)
    let widths = heads.indices.map { column in ([heads] + rows).map { $0[column].count }.max() ?? 0 }
    return ([heads] + rows).map { row in
      let cells = row.indices.map { column in
        [0, 1, 8].contains(column) ? row[column].padding(widths[column]) : pad(row[column], widths[column])
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
      hasWeights ? "\(layer.additions)" : "-", layer.predictedInstructions.map { "\($0)" } ?? "-", range, requantizer,
      layer.pairs.map { "\($0)" } ?? "-",
    ]
  }
}

extension FirmwarePlan {
  /// How many values come out, and of which output where there are several.
  var outputSummary: String {
    guard outputs.count > 1 else { return "\(output.count) out" }
    return "\(outputCount) out: " + outputs.map { "\($0.count) \($0.tensor.name)" }.joined(separator: ", ")
  }
}

extension OutputPlan {
  /// How far logits are from the real values that the model's file means, as a sentence's second half.
  var exactness: String {
    resolution == 0
      ? "times that, the outputs are the real logits of the file"
      : "times that, the outputs differ from the real logits of the file by less than "
        + (resolution * tensor.scale).twoDigits
  }
}

extension Double {
  /// A positive number rounded up to two digits that count: a bound stays one.
  var twoDigits: String {
    guard self > 0, isFinite else { return "\(self)" }
    var exponent = 0
    var mantissa = self
    while mantissa >= 100 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 10 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    let digits = Int(mantissa.rounded(.up))
    if (0...3).contains(exponent) { return "\(digits)" + String(repeating: "0", count: exponent) }
    if (-5..<0).contains(exponent) {
      let text = String(repeating: "0", count: Swift.max(0, 1 - exponent - String(digits).count)) + "\(digits)"
      return text.dropLast(-exponent) + "." + text.suffix(-exponent)
    }
    return "\(digits / 10).\(digits % 10)e\(exponent + 1)"
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
