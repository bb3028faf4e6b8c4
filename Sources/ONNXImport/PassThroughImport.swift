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

/// `Softmax`, `LogSoftmax`, `ArgMax` and `TopK` behind the logits: they do not change which class wins.
@Sendable func importTrailing(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard node.proto.output.contains(where: state.isModelOutput) else { throw .innerSoftmax(node) }
  let rank = state[input].shape.count + 1
  let isCoerced = state.index.opset < 13
  let axis: Int
  let kind: TrailingNode.Kind
  switch node.type {
  case "ArgMax":
    axis = try node.int("axis", default: 0)
    kind = .argMax(selectsLast: try node.int("select_last_index", default: 0, in: 0...1) == 1)
  case "TopK":
    axis = try node.int("axis", default: -1)
    guard try node.int("largest", default: 1, in: 0...1) == 1, try node.int("sorted", default: 1, in: 0...1) == 1 else {
      throw node.wrongAttribute("largest", expected: "1, and 'sorted' as well")
    }
    let count = try state.requiredConstant(node, 1).uniform.flatMap { Int(exactly: $0) } ?? 0
    kind = .topK(count: count, areIndices: !state.isModelOutput(node.output))
  default:
    axis = try node.int("axis", default: isCoerced ? 1 : -1)
    kind = node.type == "Softmax" ? .softmax : .logSoftmax
  }
  let first = (axis < 0 ? axis + rank : axis) - 1
  guard first >= 0, first < rank - 1 else { throw .trailingAxis(node, axis) }
  // Before opset 13, Softmax takes all axes from its own on as one.
  let isToTheEnd = isCoerced && (kind == .softmax || kind == .logSoftmax)
  let trailing = TrailingNode(type: node.type, kind: kind, axes: first..<(isToTheEnd ? rank - 1 : first + 1))
  if case .topK(let count, _) = kind, !(1...state[input].shape[first]).contains(count) { throw .topKCount(node, count) }
  state.warn(.droppedTrailing(node))
  state.leaveOut(trailing, behind: input)
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

  fileprivate static func trailingAxis(_ node: OperatorNode, _ axis: Int) -> Diagnostic {
    Diagnostic(
      code: "trailing-axis", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) ranges over axis \(axis), which is the batch or none at all: expected axis 1, the classes",
      fix: "give it dim=1 in PyTorch, or leave it out of the exported model")
  }

  fileprivate static func topKCount(_ node: OperatorNode, _ count: Int) -> Diagnostic {
    Diagnostic(
      code: "trailing-count", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "\(node.type)'s K is \(count): expected a constant from 1 to the number of classes",
      fix: "give topk a number that fits, or leave it out of the exported model")
  }
}
