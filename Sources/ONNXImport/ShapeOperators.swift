internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// ONNX `Flatten(x, axis)`.
@Sendable func importFlatten(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let axis = try node.int("axis", default: 1)
  if case .constant(let constant) = try state.input(node, 0) {
    let split = axis < 0 ? axis + constant.shape.count : axis
    guard (0...constant.shape.count).contains(split) else { throw node.wrongAttribute("axis", expected: "an axis") }
    let outer = constant.shape[..<split].reduce(1, *)
    let inner = constant.shape[split...].reduce(1, *)
    return .constant(try reshaped(constant, to: [outer, inner], node))
  }
  let input = try state.activation(node, 0)
  let rank = state[input].shape.count + 1
  guard axis == 1 || axis == 1 - rank else { throw node.wrongAttribute("axis", expected: "1, behind the batch") }
  return try flattened(input, node, &state)
}

/// ONNX `Reshape(x, shape)`: a flatten, or nothing.
@Sendable func importReshape(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let target = try state.requiredConstant(node, 1)
  let keepsZeros = try node.int("allowzero", default: 0, in: 0...1) == 1
  guard let dims = target.integers else { throw .reshapeTarget(node, target.shape) }
  if case .constant(let constant) = try state.input(node, 0) {
    guard let shape = resolvedTarget(dims, from: constant.shape, keepsZeros: keepsZeros) else {
      throw .reshape(node, constant.shape, dims)
    }
    return .constant(try reshaped(constant, to: shape, node))
  }
  let input = try state.activation(node, 0)
  let current = [1] + state[input].shape
  guard let shape = resolvedTarget(dims, from: current, keepsZeros: keepsZeros) else {
    throw .reshape(node, current, dims)
  }
  if shape == current { return .activation(input) }
  guard shape.count == 2, shape.first == 1 else { throw .reshape(node, current, dims) }
  return try flattened(input, node, &state)
}

/// The shape that a `Reshape` asks for: 0 keeps an extent, −1 stands for the rest. Nil where the elements do not fit.
private func resolvedTarget(_ dims: [Int64], from shape: [Int], keepsZeros: Bool) -> [Int]? {
  guard dims.count <= ONNXLimits.tensorRank else { return nil }
  var result: [Int] = []
  var known = 1
  var open: Int?
  for (axis, dim) in dims.enumerated() {
    guard var extent = Int(exactly: dim) else { return nil }
    if extent == 0 && !keepsZeros {
      guard axis < shape.count else { return nil }
      extent = shape[axis]
    }
    if extent == -1 {
      guard open == nil else { return nil }
      open = axis
      extent = 1
    }
    // Zeros left out, so that no product of some extents of an empty tensor can overflow later.
    let (product, overflow) = known.multipliedReportingOverflow(by: max(extent, 1))
    guard extent >= 0, !overflow, product <= Operation.maximumElements else { return nil }
    known = product
    result.append(extent)
  }
  if result.contains(0) { known = 0 }
  let count = shape.reduce(1, *)
  if let open {
    guard known > 0, count % known == 0 else { return nil }
    result[open] = count / known
    return result
  }
  return known == count ? result : nil
}

private func flattened(
  _ input: Graph.ValueID, _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  if state[input].shape.count == 1 { return .activation(input) }
  return try state.emit(node, .flatten, input: input)
}

/// ONNX `Squeeze(x, axes)`: of `[C, 1, 1]` a flatten.
@Sendable func importSqueeze(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  if case .constant(let constant) = try state.input(node, 0) {
    let ones = constant.shape.indices.filter { constant.shape[$0] == 1 }
    var axes = Set(ones)
    if let chosen = try ONNXImport.axes(node, position: 1, rank: constant.shape.count, &state) { axes = Set(chosen) }
    guard axes.isSubset(of: ones) else { throw .squeezedAxes(node, axes.sorted(), constant.shape) }
    return .constant(
      try reshaped(constant, to: constant.shape.indices.filter { !axes.contains($0) }.map { constant.shape[$0] }, node))
  }
  let input = try state.activation(node, 0)
  let shape = state[input].shape
  let axes = try axes(node, position: 1, rank: shape.count + 1, &state)
  guard shape.count == 3, shape[1] == 1, shape[2] == 1, let axes, Set(axes) == [2, 3] else {
    throw .squeezedAxes(node, axes ?? [], [1] + shape)
  }
  return try flattened(input, node, &state)
}

/// ONNX `Unsqueeze` of a constant.
@Sendable func importUnsqueeze(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let constant = try state.requiredConstant(node, 0)
  var count = try node.ints("axes")?.count ?? 0
  if let axes = try state.constant(node, 1) { count = axes.count }
  let rank = constant.shape.count + count
  guard rank <= 8, let axes = try axes(node, position: 1, rank: rank, &state), Set(axes).count == count else {
    throw .squeezedAxes(node, [], constant.shape)
  }
  var extents = constant.shape[...]
  var shape: [Int] = []
  for axis in 0..<rank { shape.append(axes.contains(axis) ? 1 : extents.popFirst() ?? 1) }
  return .constant(try reshaped(constant, to: shape, node))
}

/// ONNX `Transpose(x, perm)`.
@Sendable func importTranspose(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.input(node, 0)
  let rank: Int
  switch input {
  case .constant(let constant): rank = constant.shape.count
  case .activation(let id): rank = state[id].shape.count + 1
  default: rank = 0
  }
  let permutation = try node.ints("perm") ?? Array((0..<rank).reversed())
  guard permutation.sorted() == Array(0..<rank) else {
    throw node.wrongAttribute("perm", expected: "each of the \(rank) axes once")
  }
  switch input {
  case .constant(let constant):
    try state.spend(constant.count, for: constant.origin)
    return .constant(constant.permuted(permutation))
  case .activation(let id):
    // Axes of extent 1 may change places: the elements stay in order.
    let extents = [1] + state[id].shape
    let moved = permutation.filter { extents[$0] != 1 }
    guard moved == moved.sorted(), permutation.map({ extents[$0] }) == extents else {
      throw .transposedActivation(node, permutation)
    }
    return .activation(id)
  default:
    throw .transposedActivation(node, permutation)
  }
}

/// The axes of a reduction or squeeze: an attribute, or from opset 13 or 18 on an input. Negative ones count from the end.
func axes(
  _ node: OperatorNode, position: Int, rank: Int, _ state: inout ImportState
) throws(Diagnostic) -> [Int]? {
  var axes = try node.ints("axes")
  if axes == nil, let constant = try state.constant(node, position) {
    axes = constant.integers?.map { Int($0) }
  }
  guard let axes else { return nil }
  guard axes.count <= 16, axes.allSatisfy({ $0 >= -rank && $0 < rank }) else {
    throw .axes(node, axes, rank: rank)
  }
  return axes.map { $0 < 0 ? $0 + rank : $0 }
}

/// The same elements in another shape. Scales per channel survive only where the axes stay, but for extents of 1.
func reshaped(_ constant: Constant, to shape: [Int], _ node: OperatorNode) throws(Diagnostic) -> Constant {
  var result = constant
  result.shape = shape
  guard case .scaled(let integers, let scales, let scaleShape) = constant.numbers else { return result }
  if scales.count == 1 {
    let ones = [Int](repeating: 1, count: shape.count)
    result.numbers = .scaled(integers, scales: scales, scaleShape: ones)
  } else if let axis = scaleShape.firstIndex(where: { $0 != 1 }), scaleShape[axis] == scales.count,
    // The channel axis must meet an axis of the same extent with as many elements in front of it.
    let newAxis = shape.indices.first(where: {
      shape[$0] == scales.count && shape[..<$0].reduce(1, *) == constant.shape[..<axis].reduce(1, *)
    })
  {
    var newScaleShape = [Int](repeating: 1, count: shape.count)
    newScaleShape[newAxis] = scales.count
    result.numbers = .scaled(integers, scales: scales, scaleShape: newScaleShape)
  } else {
    throw .reshape(node, constant.shape, shape.map { Int64($0) })
  }
  return result
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func reshapeTarget(_ node: OperatorNode, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "reshape", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Reshape's target is no list of integers", fix: "use torch.flatten(x, 1)")
  }

  fileprivate static func reshape(_ node: OperatorNode, _ shape: [Int], _ target: [Int64]) -> Diagnostic {
    Diagnostic(
      code: "reshape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) from \(shape) to \(target): expected [1, features] or the same shape",
      fix: "use torch.flatten(x, 1)")
  }

  fileprivate static func squeezedAxes(_ node: OperatorNode, _ axes: [Int], _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "reshape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) of axes \(axes) in shape \(shape): expected rows and columns of extent 1",
      fix: "use torch.flatten(x, 1)")
  }

  fileprivate static func transposedActivation(_ node: OperatorNode, _ permutation: [Int]) -> Diagnostic {
    Diagnostic(
      code: "transposed-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the activation's axes are exchanged (\(permutation)): expected [N, channels, height, width] throughout",
      fix: "keep the channels first: remove permute() and channels_last from the PyTorch model")
  }

  fileprivate static func axes(_ node: OperatorNode, _ axes: [Int], rank: Int) -> Diagnostic {
    Diagnostic(
      code: "axes", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type)'s axes \(axes.prefix(8)) do not fit a tensor of \(rank) axes")
  }
}
