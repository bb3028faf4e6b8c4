internal import Diagnostics
internal import GraphIR

// Where branches meet: additions and concatenations of activations.

/// ONNX `Sum(x, …)`.
@Sendable func importSum(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard (1...Operation.maximumInputs).contains(node.inputCount) else { throw .joinInputs(node) }
  var views: [ActivationView] = []
  for position in 0..<node.inputCount { views.append(try state.activation(node, position)) }
  if views.count == 1 { return .activation(views[0]) }
  return try joined(node, views, signs: views.map { _ in 1 }, &state)
}

/// Two activations or more, added or subtracted element by element. Each lies on a quantizer's grid, or is such a sum itself.
func joined(
  _ node: OperatorNode, _ views: [ActivationView], signs: [Int], _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let shape = views[0].shape
  if let other = views.first(where: { $0.shape != shape }) { throw .operandShapes(node, shape, other.shape) }
  var operands: [ActivationView] = []
  for view in views { operands.append(state.graph.isSum(view.id) ? view : try state.quantizedInput(view, node)) }
  let first = operands[0]
  let areAlike = operands.allSatisfy {
    $0.order == first.order && $0.padding == .none && state[$0.id].shape == state[first.id].shape
  }
  if !areAlike {
    for index in operands.indices { operands[index] = try state.ordered(operands[index], node) }
  }
  return .activation(
    try state.emit(
      node, .addition(Addition(signs: signs)), inputs: operands, shape: shape, order: areAlike ? first.order : nil))
}

/// ONNX `Concat`: of lists of constants, and of the channels of activations.
@Sendable func importConcat(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let axis = try node.int("axis", default: 0)
  var views: [ActivationView] = []
  var values: [Int64] = []
  for position in 0..<node.inputCount {
    switch try state.input(node, position) {
    case .activation(let view):
      views.append(view)
      continue
    case .codes, .integerInput:
      // Of one tensor alone nothing is joined.
      if node.inputCount == 1, let input = try state.input(node, position) { return input }
      _ = try state.activation(node, position)
    default: break
    }
    let constant = try state.requiredConstant(node, position)
    guard views.isEmpty else { throw .joinedConstant(node, constant) }
    guard let part = constant.integers, constant.shape.count == 1, axis == 0 || axis == -1 else {
      throw .list(node, constant)
    }
    try state.spend(part.count, for: constant.origin)
    values += part
  }
  if views.isEmpty { return .constant(list(values, named: node.output)) }
  guard views.count == node.inputCount else { throw .joinedConstant(node, nil) }
  if views.count == 1 { return .activation(views[0]) }
  return try concatenated(node, views, axis: axis, &state)
}

private func concatenated(
  _ node: OperatorNode, _ views: [ActivationView], axis: Int, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let rank = views[0].shape.count
  guard (axis < 0 ? axis + rank : axis) == 1, rank == 4 || rank == 2, views.count <= Operation.maximumInputs,
    views.allSatisfy({ $0.shape.count == rank && $0.shape[0] == 1 })
  else { throw .concatenationAxis(node, axis, views.map(\.shape)) }
  var parts: [ActivationView] = []
  // A quantizer behind the concatenation serves parts that have none.
  for view in views { parts.append(try state.ordered(state.settled(view, node), node)) }
  if let other = parts.first(where: { $0.shape.dropFirst(2) != parts[0].shape.dropFirst(2) }) {
    throw .operandShapes(node, parts[0].shape, other.shape)
  }
  var shape = parts[0].shape
  // Each at most 2^24, and at most `maximumInputs` of them.
  shape[1] = parts.reduce(0) { $0 + $1.shape[1] }
  return .activation(try state.emit(node, .concatenation, inputs: parts, shape: shape))
}

extension ImportState {
  /// A view as the graph's value itself, all of it in order: a map, or a list of features.
  mutating func ordered(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView {
    if view.shape.count == 4 { return try unpaddedMap(view, node) }
    guard view.shape.count == 2, view.shape[0] == 1 else { throw .joinedShape(node, view.shape) }
    var (flat, columns) = try features(view, node)
    flat.order = columns
    guard columns != nil else { return ActivationView(id: flat.id, shape: view.shape) }
    guard let slice = slice(flat) else { throw .joinedShape(node, view.shape) }
    return try shared(flat) { state throws(Diagnostic) in
      try state.emit(node, [.slice(slice)], input: flat, shape: flat.shape)
    }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func joinInputs(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "operands", location: Location(node: node.name),
      message: "\(node.type) has \(node.inputCount) inputs: expected 1 to \(Operation.maximumInputs)",
      fix: node.framework.exportAgain)
  }

  fileprivate static func operandShapes(_ node: OperatorNode, _ left: [Int], _ right: [Int]) -> Diagnostic {
    Diagnostic(
      code: "operand-shapes", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) joins activations of shapes \(left) and \(right): expected "
        + (node.type == "Concat" ? "equal rows and columns" : "equal shapes"),
      fix: node.type == "Concat"
        ? "crop, pool or upsample the branches to one size in front of torch.cat"
        : "give both branches as many channels, rows and columns: an activation is not broadcast over another")
  }

  fileprivate static func joinedShape(_ node: OperatorNode, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "layout", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) joins activations that have been rearranged to \(shape): expected [1, channels, height, "
        + "width] or [1, features] in the order in which they are computed",
      fix: "join the branches in front of reshape and permute")
  }

  fileprivate static func concatenationAxis(_ node: OperatorNode, _ axis: Int, _ shapes: [[Int]]) -> Diagnostic {
    Diagnostic(
      code: "concatenation-axis", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "Concat joins activations of shapes \(shapes.prefix(4)) along axis \(axis): expected the channels, axis 1 of "
        + "[1, channels, height, width] or [1, features]",
      fix: node.framework == .keras ? "use Concatenate(axis=-1)" : "use torch.cat(…, dim=1) on maps, or on features")
  }

  fileprivate static func joinedConstant(_ node: OperatorNode, _ constant: Constant?) -> Diagnostic {
    Diagnostic(
      code: "constant-input", location: Location(node: node.name, tensor: constant?.origin ?? node.inputName(0)),
      message: "Concat joins a constant and an activation: expected activations only, or constants only",
      fix: "leave constant channels out: a bias of the layer behind them does as well")
  }

  fileprivate static func list(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "constant-expression", location: Location(node: node.name, tensor: constant.origin),
      message:
        "\(node.type) of constants joins one of shape \(constant.shape): expected lists of integers, as shapes are",
      fix: node.framework.foldConstants)
  }
}
