import Ternarization

/// What ternarization did, for people.
extension TernarizedModel {
  /// A line for each layer.
  package var layerTable: String {
    let rows = ternarization.layers.map { layer in
      [
        layer.name, "\(layer.weights)", percent(layer.zeroShare),
        layer.smallestAlpha == layer.largestAlpha
          ? significant(layer.meanAlpha)
          : "\(significant(layer.meanAlpha)) (\(significant(layer.smallestAlpha)) to \(significant(layer.largestAlpha)))",
        layer.weightSQNR.map { "\(($0 * 10).rounded() / 10) dB" } ?? "-",
        "\(significant(Float(layer.meanErrorBefore))) -> \(significant(Float(layer.meanErrorAfter)))",
      ]
    }
    let weights = ternarization.layers.reduce(0) { $0 + $1.weights }
    let zeros = ternarization.layers.reduce(0) { $0 + $1.zeros }
    let total = ["all", "\(weights)", percent(weights == 0 ? 0 : Double(zeros) / Double(weights)), "", "", ""]
    return columns([["layer", "weights", "zeros", "alpha", "SQNR", "mean error"]] + rows + [total])
  }

  /// The loss in plain words.
  package func accuracyText(_ accuracy: Accuracy) -> String {
    let loss = accuracy.float.accuracy - accuracy.ternary.accuracy
    let change =
      loss > 0 ? "a loss of \(points(loss))" : loss < 0 ? "\(points(-loss)) more, by chance" : "no difference"
    var lines = [
      "accuracy on the calibration samples: float \(percent(accuracy.float.accuracy)), ternary "
        + "\(percent(accuracy.ternary.accuracy)): \(change)",
      "same class on \(accuracy.agreements) of \(accuracy.float.total) samples",
    ]
    if loss > 0.01 {
      lines.append(
        "Ternary weights without training cost that much: sizes and speed are real, the accuracy is not the one that "
          + "training with quantization reaches. More calibration samples often win some back.")
    }
    return lines.joined(separator: "\n")
  }

  private func points(_ share: Double) -> String {
    String(percent(share).dropLast(2)) + " points"
  }
}

/// Three significant digits, without locale.
private func significant(_ value: Float) -> String {
  guard value != 0, value.isFinite else { return "0" }
  var unit: Double = 1
  let magnitude = Double(value.magnitude)
  // At most 45 steps: a float's range.
  while magnitude >= unit * 1000 { unit *= 10 }
  while magnitude < unit * 100 { unit /= 10 }
  let digits = Int((magnitude / unit).rounded())
  return (value < 0 ? "-" : "") + "\(Float(Double(digits) * unit))"
}

/// Left-aligned columns, two blanks between them.
private func columns(_ rows: [[String]]) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
  .joined(separator: "\n")
}
