internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// ONNX `Shape(x)`: the batch counts as 1.
@Sendable func importShape(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let shape: [Int]
  switch try state.input(node, 0) {
  case .activation(let id): shape = [1] + state[id].shape
  case .codes(let codes): shape = [1] + state[codes.input].shape
  case .constant(let constant): shape = constant.shape
  case .failed, nil: return .failed
  }
  let start = clamped(try node.int("start", default: 0), count: shape.count)
  let end = clamped(try node.int("end", default: shape.count), count: shape.count)
  return .constant(list(shape[start..<max(start, end)].map { Int64($0) }, named: node.output))
}

/// ONNX `Gather(data, indices)` from a list.
@Sendable func importGather(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let data = try state.requiredConstant(node, 0)
  let indices = try state.requiredConstant(node, 1)
  let axis = try node.int("axis", default: 0)
  guard data.shape.count == 1, axis == 0 || axis == -1, let values = data.integers, let positions = indices.integers
  else { throw .list(node, data) }
  try state.spend(positions.count, for: data.origin)
  var result = indices
  var gathered: [Int64] = []
  for position in positions {
    guard let position = Int(exactly: position), position >= -values.count, position < values.count else {
      throw .list(node, data)
    }
    gathered.append(values[position < 0 ? position + values.count : position])
  }
  result.numbers = .integers(gathered)
  return .constant(result)
}

/// ONNX `Slice(data, starts, ends, axes?, steps?)` of a list; attributes up to opset 9.
@Sendable func importSlice(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let data = try state.requiredConstant(node, 0)
  func bounds(_ position: Int, _ attribute: String) throws(Diagnostic) -> [Int64]? {
    if let values = try node.ints(attribute) { return values.map { Int64($0) } }
    return try state.constant(node, position)?.integers
  }
  let starts = try bounds(1, "starts")
  let ends = try bounds(2, "ends")
  let axes = try bounds(3, "axes") ?? [0]
  let steps = try bounds(4, "steps") ?? [1]
  guard let values = data.integers, data.shape.count == 1, let starts, let ends, starts.count == 1, ends.count == 1,
    axes == [0] || axes == [-1], steps == [1]
  else { throw .list(node, data) }
  let start = clamped(Int(starts[0]), count: values.count)
  let end = clamped(Int(ends[0]), count: values.count)
  return .constant(list(Array(values[start..<max(start, end)]), named: data.origin))
}

/// ONNX `Concat` of lists.
@Sendable func importConcat(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let axis = try node.int("axis", default: 0)
  var values: [Int64] = []
  for position in 0..<node.inputCount {
    if case .activation = try state.input(node, position) { throw .concatenation(node, position) }
    let constant = try state.requiredConstant(node, position)
    guard let part = constant.integers, constant.shape.count == 1, axis == 0 || axis == -1 else {
      throw .list(node, constant)
    }
    try state.spend(part.count, for: constant.origin)
    values += part
  }
  return .constant(list(values, named: node.output))
}

/// A bound of a slice: negative ones count from the end, all are brought into the list.
private func clamped(_ bound: Int, count: Int) -> Int {
  let (shifted, overflow) = bound.addingReportingOverflow(bound < 0 ? count : 0)
  return overflow ? 0 : min(max(shifted, 0), count)
}

private func list(_ values: [Int64], named name: String) -> Constant {
  Constant(origin: name, shape: [values.count], numbers: .integers(values), type: .int64)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func list(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "constant-expression", location: Location(node: node.name, tensor: constant.origin),
      message:
        "\(node.type) is supported on lists of integers only, as shapes are; this one has shape \(constant.shape)",
      fix: "run the model through onnxsim or qonnx's cleanup to fold constants")
  }

  fileprivate static func concatenation(_ node: OperatorNode, _ position: Int) -> Diagnostic {
    Diagnostic(
      code: "unsupported-operator", location: Location(node: node.name, tensor: node.inputName(position)),
      message: "Concat joins activations: only networks without branches can be compiled",
      fix: "remove parallel branches from the PyTorch model")
  }
}
