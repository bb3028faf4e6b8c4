internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// ONNX `Flatten(x, axis)`: two axes, what stands in front of `axis` and the rest.
@Sendable func importFlatten(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let axis = try node.int("axis", default: 1)
  return try reshape(node, &state) { shape in
    let split = axis < 0 ? axis + shape.count : axis
    guard (0...shape.count).contains(split) else { return nil }
    return [shape[..<split].reduce(1, *), shape[split...].reduce(1, *)]
  }
}

/// ONNX `Reshape(x, shape)`.
@Sendable func importReshape(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let target = try state.requiredConstant(node, 1)
  let keepsZeros = try node.int("allowzero", default: 0, in: 0...1) == 1
  guard let dims = target.integers else { throw .reshapeTarget(node) }
  return try reshape(node, target: dims, &state) { resolvedTarget(dims, from: $0, keepsZeros: keepsZeros) }
}

/// ONNX `Squeeze(x, axes?)`: without axes, of all of extent 1.
@Sendable func importSqueeze(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard let rank = try rank(node, &state) else { throw .reshape(node, [], nil) }
  let axes = try axes(node, position: 1, rank: rank, &state)
  return try reshape(node, &state) { shape in
    let chosen = Set(axes ?? shape.indices.filter { shape[$0] == 1 })
    guard chosen.allSatisfy({ shape[$0] == 1 }) else { return nil }
    return shape.indices.filter { !chosen.contains($0) }.map { shape[$0] }
  }
}

/// ONNX `Unsqueeze(x, axes)`.
@Sendable func importUnsqueeze(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard let rank = try rank(node, &state) else { throw .reshape(node, [], nil) }
  var count = try node.ints("axes")?.count ?? 0
  if let constant = try state.constant(node, 1) { count = constant.count }
  guard rank + count <= ONNXLimits.tensorRank, let axes = try axes(node, position: 1, rank: rank + count, &state),
    Set(axes).count == count
  else { throw .axes(node, [], rank: rank) }
  return try reshape(node, &state) { shape in
    var extents = shape[...]
    return (0..<rank + count).map { axes.contains($0) ? 1 : extents.popFirst() ?? 1 }
  }
}

private func rank(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Int? {
  switch try state.input(node, 0) {
  case .constant(let constant): constant.shape.count
  case .activation(let view), .integerInput(let view): view.shape.count
  case .codes(let codes): codes.input.shape.count
  case .failed, nil: nil
  }
}

/// The same elements in another shape; integers on their way to a DequantizeLinear as well.
///
/// - Parameter newShape: Of the old one; nil where that is not possible.
private func reshape(
  _ node: OperatorNode, target: [Int64]? = nil, _ state: inout ImportState, _ newShape: ([Int]) -> [Int]?
) throws(Diagnostic) -> Resolved {
  func reshaped(_ view: ActivationView) throws(Diagnostic) -> ActivationView {
    var view = view
    guard let shape = newShape(view.shape) else { throw .reshape(node, view.shape, target) }
    if shape == view.shape { return view }
    if view.padding != .none { view = try state.unpaddedMap(view, node) }
    return view.reshaped(to: shape)
  }
  switch try state.input(node, 0) {
  case .constant(let constant):
    guard let shape = newShape(constant.shape) else { throw .reshape(node, constant.shape, target) }
    return .constant(try ONNXImport.reshaped(constant, to: shape, node))
  case .activation(let view): return .activation(try reshaped(view))
  case .integerInput(let view): return .integerInput(try reshaped(view))
  case .codes(var codes):
    codes.input = try reshaped(codes.input)
    return .codes(codes)
  case .failed, nil: throw .reshape(node, [], target)
  }
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

/// ONNX `Transpose(x, perm)`.
@Sendable func importTranspose(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.input(node, 0)
  let rank = try rank(node, &state) ?? 0
  let permutation = try node.ints("perm") ?? Array((0..<rank).reversed())
  guard permutation.sorted() == Array(0..<rank) else {
    throw node.wrongAttribute("perm", expected: "each of the \(rank) axes once")
  }
  func permuted(_ view: ActivationView) throws(Diagnostic) -> ActivationView {
    var view = view
    let shape = permutation.map { view.shape[$0] }
    if permutation == Array(0..<rank) { return view }
    if view.padding != .none { view = try state.unpaddedMap(view, node) }
    try state.spend(view.count, for: state[view.id].name)
    var strides = [Int](repeating: 1, count: rank)
    for axis in view.shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * view.shape[axis + 1] }
    return view.selecting(stridedIndices(shape: shape, strides: permutation.map { strides[$0] }), shape: shape)
  }
  switch input {
  case .constant(let constant):
    try state.spend(constant.count, for: constant.origin)
    return .constant(constant.permuted(permutation))
  case .activation(let view): return .activation(try permuted(view))
  case .integerInput(let view): return .integerInput(try permuted(view))
  case .codes(var codes):
    codes.input = try permuted(codes.input)
    return .codes(codes)
  case .failed, nil: throw .reshape(node, [], nil)
  }
}

/// The axes of a reduction or squeeze: an attribute, or from opset 13 or 18 on an input. Negative ones count from the end.
func axes(
  _ node: OperatorNode, position: Int, attribute: String? = "axes", rank: Int, _ state: inout ImportState
) throws(Diagnostic) -> [Int]? {
  var axes: [Int]?
  if let attribute { axes = try node.ints(attribute) }
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
  fileprivate static func reshapeTarget(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "reshape", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Reshape's target is no list of integers: expected a constant shape", fix: node.framework.foldConstants)
  }

  fileprivate static func reshape(_ node: OperatorNode, _ shape: [Int], _ target: [Int64]?) -> Diagnostic {
    Diagnostic(
      code: "reshape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) of a tensor of shape \(shape)" + (target.map { " to \($0)" } ?? "")
        + ": expected a shape of as many elements, with a batch of 1",
      fix: "export with a sample of batch 1 and of the real size; " + node.framework.keepBatchFirst)
  }

  fileprivate static func axes(_ node: OperatorNode, _ axes: [Int], rank: Int) -> Diagnostic {
    Diagnostic(
      code: "axes", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type)'s axes\(axes.isEmpty ? "" : " \(axes.prefix(8))") do not fit a tensor of \(rank) axes: "
        + "expected different ones inside",
      fix: "export with a sample of the real shape, batch and channels included")
  }
}
