internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// ONNX `Shape(x)`: the batch counts as 1.
@Sendable func importShape(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let shape: [Int]
  switch try state.input(node, 0) {
  case .activation(let view), .integerInput(let view): shape = view.shape
  case .codes(let codes): shape = codes.input.shape
  case .constant(let constant): shape = constant.shape
  case .failed, nil: throw .missingShape(node)
  }
  let start = clamped(try node.int("start", default: 0), count: shape.count)
  let end = clamped(try node.int("end", default: shape.count), count: shape.count)
  return .constant(list(shape[start..<max(start, end)].map { Int64($0) }, named: node.output))
}

/// ONNX `Gather(data, indices)` along an axis: of constants, and of an activation one place or several.
@Sendable func importGather(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let indices = try state.requiredConstant(node, 1)
  let data = try state.input(node, 0)
  let shape = try state.shapeOfPlaces(data, node)
  let axis = try node.int("axis", default: 0)
  let position = axis < 0 ? axis + shape.count : axis
  guard shape.indices.contains(position), let places = indices.integers else { throw .places(node, shape) }
  var chosen: [Int] = []
  for place in places {
    guard let place = Int(exactly: place), place >= -shape[position], place < shape[position] else {
      throw .places(node, shape)
    }
    chosen.append(place < 0 ? place + shape[position] : place)
  }
  let picked = shape.indices.map { $0 == position ? chosen : Array(0..<shape[$0]) }
  let result = Array(shape[..<position]) + indices.shape + Array(shape[(position + 1)...])
  return try selected(data, picked, shape: shape, result: result, node, &state)
}

/// ONNX `Slice(data, starts, ends, axes?, steps?)`; attributes up to opset 9.
@Sendable func importSlice(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let data = try state.input(node, 0)
  let shape = try state.shapeOfPlaces(data, node)
  func bounds(_ position: Int, _ attribute: String) throws(Diagnostic) -> [Int64]? {
    if let values = try node.ints(attribute) { return values.map { Int64($0) } }
    return try state.constant(node, position)?.integers
  }
  guard let starts = try bounds(1, "starts"), let ends = try bounds(2, "ends"), starts.count == ends.count else {
    throw .places(node, shape)
  }
  let axes = try bounds(3, "axes") ?? starts.indices.map { Int64($0) }
  let steps = try bounds(4, "steps") ?? starts.map { _ in 1 }
  guard axes.count == starts.count, steps.count == starts.count else { throw .places(node, shape) }
  var picked = shape.map { Array(0..<$0) }
  for index in starts.indices {
    guard let axis = Int(exactly: axes[index]), axis >= -shape.count, axis < shape.count, steps[index] != 0 else {
      throw .places(node, shape)
    }
    let position = axis < 0 ? axis + shape.count : axis
    picked[position] = sliced(
      shape[position], from: Int(starts[index]), to: Int(ends[index]), by: Int(steps[index]))
  }
  return try selected(data, picked, shape: shape, result: picked.map(\.count), node, &state)
}

/// The places that a slice takes of an axis.
private func sliced(_ count: Int, from start: Int, to end: Int, by step: Int) -> [Int] {
  if step > 0 {
    let (first, last) = (clamped(start, count: count), clamped(end, count: count))
    return first < last ? Array(stride(from: first, to: last, by: step)) : []
  }
  // Backwards the bounds lie between −1 and count − 1.
  func bound(_ value: Int) -> Int { value < -count ? -1 : min(value < 0 ? value + count : value, count - 1) }
  return Array(stride(from: bound(start), to: bound(end), by: step)).filter { (0..<count).contains($0) }
}

/// The elements of `data` at the product of the places along each axis.
func selected(
  _ data: Resolved?, _ picked: [[Int]], shape: [Int], result: [Int], _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  var count = 1
  for places in picked {
    let (product, overflow) = count.multipliedReportingOverflow(by: places.count)
    count = overflow ? .max : product
  }
  try state.spend(count, for: node.output)
  var indices = [0]
  for (axis, places) in picked.enumerated() {
    indices = indices.flatMap { base in places.map { base * shape[axis] + $0 } }
  }
  switch data {
  case .constant(var constant):
    switch constant.numbers {
    case .integers(let values): constant.numbers = .integers(values.gathered(indices))
    case .floats(let values): constant.numbers = .floats(values.gathered(indices))
    case .scaled: throw .quantizedPlaces(node, constant)
    }
    constant.shape = result
    return .constant(constant)
  case .activation(let view):
    guard count > 0, view.shape.first == 1, result.first == 1 else { throw .places(node, shape) }
    return .activation(try state.unpadded(view, node).selecting(indices, shape: result))
  default: throw .integerPlaces(node)
  }
}

extension ImportState {
  /// The shape of what is picked from: a constant, or an activation, whose padding is made real first.
  mutating func shapeOfPlaces(_ data: Resolved?, _ node: OperatorNode) throws(Diagnostic) -> [Int] {
    switch data {
    case .constant(let constant): constant.shape
    case .activation(let view): try unpadded(view, node).shape
    default: throw .integerPlaces(node)
    }
  }

  /// A view without padding of its own.
  fileprivate mutating func unpadded(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView
  {
    if view.padding == .none { return view }
    return try unpaddedMap(view, node)
  }
}

/// ONNX `ConstantOfShape(shape, value?)`: a list.
@Sendable func importConstantOfShape(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let target = try state.requiredConstant(node, 0)
  var value = Constant(origin: node.output, shape: [1], numbers: .floats([0]), type: .float)
  if let proto = node.tensor("value") { value = try state.decoded(proto, name: node.output) }
  guard let extents = target.integers, value.count == 1, extents.count <= ONNXLimits.tensorRank else {
    throw .constantOfShape(node, target)
  }
  var count = 1
  for extent in extents {
    let (product, overflow) = count.multipliedReportingOverflow(by: Int(extent))
    guard extent >= 0, !overflow, product <= ONNXLimits.tensorElements else { throw .constantOfShape(node, target) }
    count = product
  }
  try state.spend(count, for: node.output)
  value.shape = extents.map { Int($0) }
  switch value.numbers {
  case .integers(let values): value.numbers = .integers([Int64](repeating: values[0], count: count))
  default: value.numbers = .floats([Float](repeating: value.floats[0], count: count))
  }
  return .constant(value)
}

/// A bound of a slice: negative ones count from the end, all are brought into the list.
private func clamped(_ bound: Int, count: Int) -> Int {
  let (shifted, overflow) = bound.addingReportingOverflow(bound < 0 ? count : 0)
  return overflow ? 0 : min(max(shifted, 0), count)
}

func list(_ values: [Int64], named name: String) -> Constant {
  Constant(origin: name, shape: [values.count], numbers: .integers(values), type: .int64)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func missingShape(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "missing-input", location: Location(node: node.name), message: "Shape has no input: ONNX demands one",
      fix: node.framework.exportAgain)
  }

  fileprivate static func integerPlaces(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "integer-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) picks from a tensor of integers: expected constants or real numbers",
      fix: "select behind the DequantizeLinear or Cast")
  }

  fileprivate static func places(_ node: OperatorNode, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "places", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) picks places that a tensor of shape \(shape) does not have, none at all, or the batch's: "
        + "expected constant ones inside, behind the batch",
      fix: "export with a sample of the real size; index x[:, …], not x[…]")
  }

  fileprivate static func quantizedPlaces(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "constant-expression", location: Location(node: node.name, tensor: constant.origin),
      message: "\(node.type) picks from a quantized constant: expected it in front of the quantizer",
      fix: node.framework.foldConstants)
  }

  fileprivate static func constantOfShape(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "constant-expression", location: Location(node: node.name, tensor: constant.origin),
      message:
        "ConstantOfShape's shape or value is not one: expected a list of at most \(ONNXLimits.tensorRank) extents and "
        + "one number",
      fix: node.framework.foldConstants)
  }
}
