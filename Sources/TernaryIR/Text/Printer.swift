extension TernaryNetwork {
  /// The textual form: everything, one statement a line. `TernaryNetwork(parsing:)` documents it.
  package var text: String {
    var lines = ["network \(TextLine.quoted(name))"]
    lines += input.lines
    lines.append("input \(TextLine.text(inputTensor, self[inputTensor]))")
    let made = Set(layers.map(\.output) + [inputTensor])
    for index in tensors.indices where !made.contains(TensorID(index)) {
      lines.append("tensor \(TextLine.text(TensorID(index), tensors[index]))")
    }
    for layer in layers {
      lines.append("")
      lines += layer.lines(self)
    }
    lines += ["", "result " + outputTensors.map { "%\($0.index)" }.joined(separator: " ")]
    return lines.joined(separator: "\n") + "\n"
  }
}

extension TextLine {
  fileprivate static func text(_ id: TernaryNetwork.TensorID, _ tensor: Tensor) -> String {
    "%\(id.index) \(quoted(tensor.name)) \(tensor.kind.rawValue) \(tensor.shape) range \(text(tensor.range)) "
      + "grid \(text(tensor.grid)) zero \(tensor.zeroPoint) scale \(tensor.scale)"
  }

  fileprivate static func text(_ range: ClosedRange<Int>) -> String {
    "\(range.lowerBound)...\(range.upperBound)"
  }

  fileprivate static func text(_ values: [Int]) -> String {
    values.map { "\($0)" }.joined(separator: " ")
  }
}

extension InputQuantization {
  fileprivate var lines: [String] {
    var line = "quantize \(TextLine.quoted(name)) scale \(scale) zero \(zeroPoint) range \(minimum)...\(maximum)"
    line += isSigned ? " signed" : " unsigned"
    if addsZeroPointAfterRounding { line += " zero-after-rounding" }
    if !fileShape.isEmpty { line += " shape " + fileShape.map(String.init).joined(separator: "x") }
    if isChannelsLast { line += " channels-last" }
    if element != .real { line += " from \(element.rawValue)" }
    return [line] + steps.map { "  step \($0.text)" }
  }
}

extension InputQuantization.Step {
  fileprivate var text: String {
    func list(_ constants: [Float]) -> String { constants.map { "\($0)" }.joined(separator: " ") }
    return switch self {
    case .add(let constants): "add \(list(constants))"
    case .subtract(let constants): "subtract \(list(constants))"
    case .subtractFrom(let constants): "subtract-from \(list(constants))"
    case .multiply(let constants): "multiply \(list(constants))"
    case .divide(let constants): "divide \(list(constants))"
    }
  }
}

extension Layer {
  fileprivate func lines(_ network: TernaryNetwork) -> [String] {
    let sources = inputs.map { "%\($0.index)" }.joined(separator: " ")
    let head = "\(TextLine.quoted(name)) \(sources)"
    var lines: [String]
    switch kind {
    case .convolution(let convolution):
      lines = ["conv \(head)\(convolution.window.text)\(convolution.groups > 1 ? " groups \(convolution.groups)" : "")"]
      let window = convolution.window
      lines += Self.rows(convolution.weights, convolution.taps, window.kernelWidth, window.kernelHeight)
      lines += convolution.requantizer.lines
      lines.append("  accumulators " + convolution.accumulators.map { TextLine.text($0) }.joined(separator: " "))
    case .dense(let dense):
      let shape = network[input].shape
      lines = ["dense \(head)"]
      lines += Self.rows(dense.weights, dense.taps, shape.width, shape.height)
      lines += dense.requantizer.lines
      lines.append("  accumulators " + dense.accumulators.map { TextLine.text($0) }.joined(separator: " "))
    case .maxPool(let window):
      lines = ["maxpool \(head)\(window.text)"]
    case .averagePool(let pool):
      lines = ["avgpool \(head)\(pool.window.text)"]
      lines += pool.requantizer?.lines ?? []
      lines.append("  accumulators \(TextLine.text(pool.accumulators))")
    case .add(let addition):
      lines = ["add \(head) factors \(TextLine.text(addition.multipliers))"]
      lines += addition.requantizer.lines
      lines.append("  accumulators \(TextLine.text(addition.accumulators))")
    case .concatenate(let concatenation):
      lines = ["concat \(head)"]
      for (position, requantizer) in concatenation.requantizers.enumerated() {
        if let requantizer { lines += ["  part \(position)"] + requantizer.lines.map { "  " + $0 } }
      }
    case .slice(let slice):
      lines = ["slice \(head) first \(slice.first) count \(slice.count)"]
    case .resize(let resize):
      lines = ["resize \(head) by \(resize.rows)x\(resize.columns)"]
    }
    return lines + ["  output \(TextLine.text(output, network[output]))"]
  }

  /// A line for each output channel: a blank between kernel rows, two between input channels.
  private static func rows(_ weights: [Int8], _ taps: Int, _ width: Int, _ height: Int) -> [String] {
    ["  weights"]
      + stride(from: 0, to: weights.count, by: max(taps, 1)).map { start in
        var line = "    "
        for tap in 0..<taps {
          if width * height > 1, tap > 0, tap % width == 0 { line += tap % (width * height) == 0 ? "  " : " " }
          line += weights[start + tap] == 0 ? "0" : weights[start + tap] > 0 ? "+" : "-"
        }
        return line
      }
  }
}

extension Window {
  fileprivate var text: String {
    var text = " kernel \(kernelHeight)x\(kernelWidth)"
    if strideHeight != 1 || strideWidth != 1 { text += " stride \(strideHeight)x\(strideWidth)" }
    if hasPadding { text += " pad \(top) \(left) \(bottom) \(right)" }
    return text
  }
}

extension Requantizer {
  fileprivate var lines: [String] {
    let clamp = "clamp \(minimum)...\(maximum)"
    var lines: [String]
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      lines = ["affine shift \(shift) \(clamp)"] + Self.tables(multipliers, offsets)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      lines = ["half-even shift \(shift) \(clamp)"] + Self.tables(multipliers, offsets)
    case .thresholds(let lists):
      lines = ["thresholds \(clamp)"] + lists.map { $0.isEmpty ? "at" : "at \(TextLine.text($0))" }
    case .logits(let multipliers, let offsets):
      lines = ["logits \(clamp)"] + Self.tables(multipliers, offsets)
    }
    lines.append("proof pairs \(proof.pairs) exceptions \(proof.exceptions) resolution \(proof.resolution)")
    return lines.map { "  " + $0 }
  }

  private static func tables(_ multipliers: [Int], _ offsets: [Int]) -> [String] {
    ["multipliers \(TextLine.text(multipliers))", "offsets \(TextLine.text(offsets))"]
  }
}
