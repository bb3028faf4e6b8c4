internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

@Sendable func importIdentity(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try state.input(node, 0) ?? .failed
}

/// ONNX `Dropout(x, ratio?, training_mode?)`: the identity, unless the file asks for training.
@Sendable func importDropout(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  if let training = try state.constant(node, 2)?.uniform, training != 0 { throw .training(node) }
  return try importIdentity(node, &state)
}

/// ONNX `Cast(x, to)`.
@Sendable func importCast(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let number = try node.int("to", default: 0)
  guard let type = ElementType(rawValue: Int32(number)) else {
    throw node.wrongAttribute("to", expected: "a number type")
  }
  guard case .constant(var constant) = try state.input(node, 0) else {
    guard type == .float || type == .double else { throw .castActivation(node, type) }
    return try importIdentity(node, &state)
  }
  try state.spend(constant.count, for: constant.origin)
  if type.isFloatingPoint {
    // Rounding to a narrower type would change the constant; no exporter writes it for constants.
    guard type == .float || type == .double else { throw .castActivation(node, type) }
    if case .integers = constant.numbers { constant.numbers = .floats(constant.floats) }
    return .constant(constant)
  }
  let integers = constant.integers ?? constant.floats.compactMap { Int64(exactly: $0.rounded(.towardZero)) }
  guard integers.count == constant.count, integers.allSatisfy({ type.integerRange?.contains($0) == true }) else {
    throw .castActivation(node, type)
  }
  constant.numbers = .integers(integers)
  constant.type = type
  return .constant(constant)
}

/// ONNX `Constant`.
@Sendable func importConstant(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let name = node.output
  let constant: Constant
  if let proto = node.tensor("value") {
    return .constant(try state.decoded(proto, name: name))
  } else if node.hasAttribute("value_float") {
    let value = try node.float("value_float", default: 0)
    constant = Constant(origin: name, shape: [], numbers: .floats([value]), type: .float)
  } else if node.hasAttribute("value_int") {
    let value = try node.int("value_int", default: 0, in: .min ... .max)
    constant = Constant(origin: name, shape: [], numbers: .integers([Int64(value)]), type: .int64)
  } else if let values = node.floats("value_floats") {
    constant = Constant(origin: name, shape: [values.count], numbers: .floats(values), type: .float)
  } else if let values = try node.ints("value_ints") {
    constant = Constant(
      origin: name, shape: [values.count], numbers: .integers(values.map { Int64($0) }), type: .int64)
  } else {
    throw node.wrongAttribute("value", expected: "a dense tensor or numbers")
  }
  try state.spend(constant.count, for: name)
  return .constant(constant)
}

/// `Softmax`, `LogSoftmax` and `ArgMax` behind the logits: they do not change which class wins.
@Sendable func importTrailing(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard state.isModelOutput(node.output) else { throw .innerSoftmax(node) }
  state.warn(.droppedTrailing(node))
  return .activation(input)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func training(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "training-mode", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Dropout is in training mode", fix: "call model.eval() before the export")
  }

  fileprivate static func castActivation(_ node: OperatorNode, _ type: ElementType) -> Diagnostic {
    Diagnostic(
      code: "cast", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Cast to \(ElementType.name(type.rawValue)) changes values: expected a cast to FLOAT",
      fix: "export the model in float32 (model.float()), without autocast")
  }

  fileprivate static func innerSoftmax(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "unsupported-operator", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) stands inside the network: it is supported as the last node only, where it is dropped",
      fix: "move it behind the network, out of the exported model")
  }

  fileprivate static func droppedTrailing(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      .warning, code: "dropped-node", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the last node, \(node.type), is left out: the firmware's outputs are the values in front of it")
  }
}
