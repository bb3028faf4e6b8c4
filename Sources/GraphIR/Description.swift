import Diagnostics

extension Graph: CustomStringConvertible {
  /// The graph as text, one node a line, for tests and for people. The same graph gives the same text everywhere.
  ///
  /// Weights are summed up by how many are −1, 0 and +1; other constants by their first value and their number.
  package var description: String {
    var lines = ["graph \(quoted(name))", "input \(quoted(self[input].name)) \(self[input].shape)"]
    if let inputLayout {
      lines.append("layout \(inputLayout.fileShape)" + (inputLayout.isChannelsLast ? " channels last" : ""))
    }
    if inputElement != .real { lines.append("elements \(inputElement.rawValue)") }
    for node in nodes {
      let inputs = node.inputs.map { quoted(self[$0].name) }.joined(separator: ", ")
      lines.append("\(quoted(node.name)): \(node.operation) (\(inputs)) -> \(self[node.output].shape)")
    }
    for output in outputs { lines.append("output \(quoted(self[output].name)) \(self[output].shape)") }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Operation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .quantize(let quantizer): "quantize \(quantizer)"
    case .convolution(let convolution):
      "convolution \(convolution.window) groups \(convolution.groups) \(convolution.weights)"
        + (convolution.bias.map { " bias \(summary($0))" } ?? "")
    case .dense(let dense):
      "dense \(dense.weights)" + (dense.bias.map { " bias \(summary($0))" } ?? "")
    case .batchNormalization(let parameters):
      "batchNormalization gamma \(summary(parameters.gamma)) beta \(summary(parameters.beta)) "
        + "mean \(summary(parameters.mean)) variance \(summary(parameters.variance)) epsilon \(parameters.epsilon)"
    case .arithmetic(let arithmetic): "\(arithmetic.kind.rawValue) \(summary(arithmetic.constants))"
    case .relu: "relu"
    case .clip(let minimum, let maximum):
      "clip \(minimum.map { "\($0)" } ?? "open") ... \(maximum.map { "\($0)" } ?? "open")"
    case .maxPool(let window): "maxPool \(window)"
    case .averagePool(let window): "averagePool \(window)"
    case .flatten: "flatten"
    case .addition(let addition): "addition " + addition.signs.map { $0 < 0 ? "-" : "+" }.joined()
    case .concatenation: "concatenation"
    case .slice(let slice): "slice \(slice.first)..<\(slice.first + slice.count)"
    case .resize(let resize): "resize \(resize.rows)x\(resize.columns)"
    }
  }

  /// The operation's kind alone, as in `convolution`; for messages and for comparing topologies.
  package var kind: String {
    switch self {
    case .quantize: "quantize"
    case .convolution: "convolution"
    case .dense: "dense"
    case .batchNormalization: "batchNormalization"
    case .arithmetic(let arithmetic): arithmetic.kind.rawValue
    case .relu: "relu"
    case .clip: "clip"
    case .maxPool: "maxPool"
    case .averagePool: "averagePool"
    case .flatten: "flatten"
    case .addition: "addition"
    case .concatenation: "concatenation"
    case .slice: "slice"
    case .resize: "resize"
    }
  }
}

extension Quantizer: CustomStringConvertible {
  package var description: String {
    var text = "\(isSigned ? "signed" : "unsigned") \(minimum)...\(maximum) scale \(scale)"
    if zeroPoint != 0 { text += " zero \(zeroPoint) \(zeroPointOrder.rawValue)" }
    if rounding != .halfEven { text += " \(rounding.rawValue)" }
    if let truncation { text += " shift \(truncation.shift) to scale \(truncation.outputScale)" }
    return text
  }
}

extension Window: CustomStringConvertible {
  package var description: String {
    var text = "\(kernelHeight)x\(kernelWidth) stride \(strideHeight)x\(strideWidth)"
    if padding != .none { text += " padding \(padding.top),\(padding.left),\(padding.bottom),\(padding.right)" }
    return text
  }
}

extension TernaryWeights: CustomStringConvertible {
  package var description: String {
    var counts = (minus: 0, zero: 0, plus: 0)
    for value in values {
      if value < 0 { counts.minus += 1 } else if value > 0 { counts.plus += 1 } else { counts.zero += 1 }
    }
    return "weights \(quoted(name)) \(shape) -\(counts.minus) 0:\(counts.zero) +\(counts.plus) scale \(summary(scales))"
  }
}

extension ExactConstant: CustomStringConvertible {
  package var description: String { integer == 1 ? "\(scale)" : "\(integer)*\(scale)" }
}

/// A name in quotes, escaped so that one node stays one line.
private func quoted(_ name: String) -> String {
  var text = "\""
  for character in name.escapedForTerminal.unicodeScalars {
    if character == "\"" || character == "\\" { text += "\\" }
    text.unicodeScalars.append(character)
  }
  return text + "\""
}

private func summary<Element>(_ constants: [Element]) -> String {
  guard let first = constants.first else { return "none" }
  return constants.count == 1 ? "\(first)" : "\(first)…×\(constants.count)"
}
