internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

@Sendable func importIdentity(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard let input = try state.input(node, 0) else { throw .nothingToPass(node) }
  return input
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
    guard type == .float || type == .double else { throw .castActivation(node, type, state.index) }
    if case .integerInput(let view)? = try state.input(node, 0) { return .activation(view) }
    if case .codes? = try state.input(node, 0) { throw .castCodes(node) }
    return try importIdentity(node, &state)
  }
  try state.spend(constant.count, for: constant.origin)
  if type.isFloatingPoint {
    // Rounding to a narrower type would change the constant; no exporter writes it for constants.
    guard type == .float || type == .double else { throw .castConstant(node, type) }
    if case .integers = constant.numbers { constant.numbers = .floats(constant.floats) }
    return .constant(constant)
  }
  let integers = constant.integers ?? constant.floats.compactMap { Int64(exactly: $0.rounded(.towardZero)) }
  guard integers.count == constant.count, integers.allSatisfy({ type.integerRange?.contains($0) == true }) else {
    throw .castConstant(node, type)
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

/// `Softmax`, `ArgMax` and others behind the logits: they do not change which class wins.
@Sendable func importTrailing(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard let output = node.proto.output.compactMap({ state.modelOutput($0) }).first else {
    throw .innerTrailing(node)
  }
  let view = try state.trailing(input, node)
  let rank = view.shape.count
  let isCoerced = state.index.opset < 13
  var axis: Int?
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
    kind = .topK(count: count, areIndices: state.modelOutput(node.output) == nil)
  case "Sigmoid": kind = .sigmoid
  default:
    axis = try node.int("axis", default: isCoerced ? 1 : -1)
    kind = node.type == "Softmax" ? .softmax : .logSoftmax
  }
  // Of the output without the batch; a rank of one has lost the batch already.
  let axes: Range<Int>
  if let axis {
    let first = (axis < 0 ? axis + rank : axis) - (rank == 1 ? 0 : 1)
    guard first >= 0, first < max(1, rank - 1) else { throw .trailingAxis(node, axis, view.shape) }
    // Before opset 13, Softmax takes all axes from its own on as one.
    let isToTheEnd = isCoerced && (kind == .softmax || kind == .logSoftmax)
    axes = first..<(isToTheEnd ? max(1, rank - 1) : first + 1)
  } else {
    axes = 0..<max(1, rank - 1)
  }
  if case .topK(let count, _) = kind, !(1...view.shape[axes.lowerBound + (rank == 1 ? 0 : 1)]).contains(count) {
    throw .topKCount(node, count)
  }
  state.warn(.droppedTrailing(node))
  state.leaveOut(TrailingNode(type: node.type, kind: kind, axes: axes), output: output, behind: view)
  state.bindAll(node, to: .activation(view))
  return .activation(view)
}

extension ImportState {
  /// The values in front of the last node, which must be the last layer's own.
  fileprivate mutating func trailing(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView
  {
    guard view.order == nil, view.padding == .none else { throw .rearrangedTrailing(node) }
    return view
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func nothingToPass(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "missing-input", location: Location(node: node.name),
      message: "\(node.type) has no input: ONNX demands one",
      fix: node.framework.exportAgain)
  }

  fileprivate static func training(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "training-mode", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Dropout is in training mode: expected inference", fix: node.framework.inference)
  }

  fileprivate static func castActivation(_ node: OperatorNode, _ type: ElementType, _ index: ModelIndex) -> Diagnostic {
    let name = ElementType.name(type.rawValue)
    return Diagnostic(
      code: "cast", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Cast to \(name) changes an activation's values: expected a cast to FLOAT",
      fix: type == .float16 || type == .bfloat16
        ? "export the model in float32 (PyTorch: model.float()), without autocast"
        : "round by a quantizer, not by a cast: integers in the middle of a network come from Quant or QuantizeLinear")
  }

  fileprivate static func castCodes(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "integer-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "Cast makes real numbers of a QuantizeLinear's integers without their scale: expected a DequantizeLinear",
      fix: "export QDQ pairs: each QuantizeLinear followed by a DequantizeLinear")
  }

  fileprivate static func castConstant(_ node: OperatorNode, _ type: ElementType) -> Diagnostic {
    Diagnostic(
      code: "cast", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "Cast to \(ElementType.name(type.rawValue)) of a constant that such numbers cannot hold: expected whole numbers "
        + "in range, or a cast to FLOAT",
      fix: "export the model in float32 (PyTorch: model.float()), without autocast")
  }

  fileprivate static func innerTrailing(_ node: OperatorNode) -> Diagnostic {
    let fix =
      switch node.type {
      case "Softmax", "LogSoftmax":
        "attention and gates by Softmax cannot be compiled: keep it for the end of the network"
      case "ArgMax", "TopK": "let the network end in front of it: the firmware has an argmax function"
      default:
        node.framework == .keras
          ? "use QActivation('quantized_relu(8)') of QKeras instead"
          : "use QuantReLU or nn.Hardtanh instead of \(node.type) (SiLU is x · Sigmoid(x))"
      }
    return Diagnostic(
      code: "unsupported-operator", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) stands inside the network: expected it as the last node only, where it is left out",
      fix: fix)
  }

  fileprivate static func trailingAxis(_ node: OperatorNode, _ axis: Int, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "trailing-axis", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) compares along axis \(axis) of \(shape), the batch: expected the classes",
      fix: "pass dim=1 (keras: axis=-1)")
  }

  fileprivate static func rearrangedTrailing(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) reads a padded, cropped or transposed result: expected the last layer's own order of axes",
      fix: "leave the permute or slice in front of \(node.type) out of the exported model")
  }

  fileprivate static func droppedTrailing(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      .warning, code: "dropped-node", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the last node, \(node.type), is left out: the firmware's outputs are the values in front of it",
      fix: "nothing has to change; apply \(node.type) to the outputs where its values are needed")
  }

  fileprivate static func topKCount(_ node: OperatorNode, _ count: Int) -> Diagnostic {
    Diagnostic(
      code: "trailing-count", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "\(node.type)'s K is \(count): expected a constant from 1 to the number of classes",
      fix: "give topk a number that fits, or leave it out of the exported model")
  }
}
