internal import Diagnostics
internal import ONNXFormat

@Sendable func readRelu(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  return try reader.append(node, .clip(minimum: 0, maximum: nil), shape: reader.shape)
}

/// ONNX `Clip(x, min?, max?)`; up to opset 10 the bounds are attributes.
@Sendable func readClip(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  var bounds: [Float?] = []
  for (position, attribute) in [(1, "min"), (2, "max")] {
    if node.hasAttribute(attribute) {
      bounds.append(try node.finite(attribute, default: 0))
    } else if node.inputName(position) != nil {
      guard case .floats(let values) = try reader.requiredConstant(node, position).elements, values.count == 1,
        !values[0].isNaN
      else { throw node.problem("clip-bounds", "Clip's bounds are not single numbers") }
      bounds.append(values[0].isFinite ? values[0] : nil)
    } else {
      bounds.append(nil)
    }
  }
  if let lower = bounds[0], let upper = bounds[1], lower > upper {
    throw node.problem("clip-bounds", "Clip's bounds are in the wrong order: \(lower) and \(upper)")
  }
  return try reader.append(node, .clip(minimum: bounds[0], maximum: bounds[1]), shape: reader.shape)
}

/// What stands behind the logits does not change which class wins, and the firmware has its own argmax.
@Sendable func readTrailing(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  guard reader.isModelOutput(node.output) else {
    throw node.problem(
      "unsupported-operator", "\(node.type) stands inside the network: it is supported as the last node")
  }
  reader.warn(
    Diagnostic(
      .warning, code: "dropped-node", location: .init(node: node.name),
      message: "the last node, \(node.type), is left out: the outputs are the values in front of it"))
  return reader.unchanged()
}
