internal import Diagnostics
internal import ONNXFormat

@Sendable func readFlatten(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let axis = try node.int("axis", default: 1)
  guard axis == 1 || axis == -reader.shape.count else {
    throw node.wrongAttribute("axis", expected: "1, behind the batch")
  }
  return try flattened(node, &reader)
}

func flattened(_ node: FloatNode, _ reader: inout FloatReader) throws(Diagnostic) -> FloatReader.Meaning {
  if reader.shape.count == 1 { return reader.unchanged() }
  return try reader.append(node, .flatten, shape: [reader.shape.reduce(1, *)])
}

/// ONNX `Reshape(x, shape)`: a flatten, or nothing.
@Sendable func readReshape(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  guard case .integers(let target) = try reader.requiredConstant(node, 1).elements else { throw node.reshape([], []) }
  let current = [1] + reader.shape
  let keepsZeros = try node.int("allowzero", default: 0) == 1
  let count = Int64(current.reduce(1, *))
  var extents = target
  for axis in extents.indices where extents[axis] == 0 && !keepsZeros && axis < current.count {
    extents[axis] = Int64(current[axis])
  }
  if let open = extents.firstIndex(of: -1) {
    // No product of extents that divide the number of elements can overflow; others are refused below.
    var known: Int64 = 1
    for (axis, extent) in extents.enumerated() where axis != open {
      guard extent >= 1, extent <= count, known * extent <= count else { throw node.reshape(current, target) }
      known *= extent
    }
    extents[open] = count / known
  }
  if extents == current.map(Int64.init) { return reader.unchanged() }
  guard extents == [1, count] else { throw node.reshape(current, target) }
  return try flattened(node, &reader)
}

/// ONNX `Squeeze(x, axes)`: of `[C, 1, 1]` a flatten.
@Sendable func readSqueeze(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  if case .constant? = try reader.meaning(node, 0) { return try readListOperator(node, &reader) }
  try reader.requireActivation(node, 0)
  let axes = try axes(node, &reader)?.map { $0 < 0 ? $0 + 4 : $0 }
  guard reader.shape.count == 3, reader.shape[1] == 1, reader.shape[2] == 1, let axes, Set(axes) == [2, 3] else {
    throw node.reshape([1] + reader.shape, [])
  }
  return try flattened(node, &reader)
}

/// `Unsqueeze`, `Squeeze` of a short constant list: only the order of its elements matters here.
@Sendable func readListOperator(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  var tensor = try reader.requiredConstant(node, 0)
  guard tensor.shape.count <= 1 || tensor.elements.count == 1 else {
    throw node.problem("operands", "\(node.type) of a constant is supported for lists only", tensor: tensor.name)
  }
  tensor.shape = [tensor.elements.count]
  return .constant(tensor)
}

/// Axes as an attribute, or from opset 13 or 18 on an input.
func axes(_ node: FloatNode, _ reader: inout FloatReader) throws(Diagnostic) -> [Int]? {
  if let axes = try node.ints("axes") {
    return axes.count <= 8 && axes.allSatisfy({ (-8...8).contains($0) }) ? axes : nil
  }
  guard case .integers(let axes)? = try reader.constant(node, 1)?.elements, axes.count <= 8 else { return nil }
  return axes.allSatisfy({ (-8...8).contains($0) }) ? axes.map { Int($0) } : nil
}

/// `Identity`, and `Dropout` in inference.
@Sendable func readIdentity(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  if node.type == "Dropout", let training = try reader.constant(node, 2) {
    guard training.elements == .integers([0]) else {
      throw node.problem("training-mode", "Dropout is in training mode", fix: "call model.eval() before the export")
    }
  }
  return try reader.meaning(node, 0) ?? .failed
}

@Sendable func readCast(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  let type = ElementType(rawValue: Int32(try node.int("to", default: 0)))
  switch (try reader.meaning(node, 0), type) {
  case (let value?, .float): return value
  case (.constant(let tensor)?, .int64):
    if case .integers = tensor.elements { return .constant(tensor) }
  default: break
  }
  throw node.problem("cast", "Cast changes values: expected a cast to FLOAT", fix: "export model.float()")
}

@Sendable func readConstant(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  let name = node.output
  if let proto = node.tensor("value") { return .constant(try reader.decode(proto, name: name)) }
  if node.hasAttribute("value_float") {
    return .constant(
      Tensor(name: name, shape: [], type: .float, elements: .floats([try node.finite("value_float", default: 0)])))
  }
  if node.hasAttribute("value_int") {
    let value = Int64(try node.int("value_int", default: 0, in: .min ... .max))
    return .constant(Tensor(name: name, shape: [], type: .int64, elements: .integers([value])))
  }
  if let values = node.floats("value_floats") {
    return .constant(Tensor(name: name, shape: [values.count], type: .float, elements: .floats(values)))
  }
  if let values = try node.ints("value_ints") {
    return .constant(
      Tensor(name: name, shape: [values.count], type: .int64, elements: .integers(values.map(Int64.init))))
  }
  throw node.wrongAttribute("value", expected: "a dense tensor or numbers")
}

/// ONNX `Transpose` of a constant matrix.
@Sendable func readTranspose(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  var (tensor, values) = try reader.floats(node, 0)
  guard tensor.shape.count == 2, try node.ints("perm") ?? [1, 0] == [1, 0] else {
    throw node.problem("transposed", "Transpose is supported of a constant matrix only", tensor: tensor.name)
  }
  if values.isEmpty { throw node.weightShape(tensor, "a matrix without empty axes") }
  (tensor.shape, values) = transposed(values, tensor.shape)
  tensor.elements = .floats(values)
  return .constant(tensor)
}

/// ONNX `Shape` of an activation, with a batch of 1: exporters compute the target of a `Reshape` from it.
@Sendable func readShape(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let all = ([1] + reader.shape).map { Int64($0) }
  let start = try node.int("start", default: 0, in: 0...all.count)
  let end = try node.int("end", default: all.count, in: start...all.count)
  return .constant(
    Tensor(name: node.output, shape: [end - start], type: .int64, elements: .integers(Array(all[start..<end]))))
}

@Sendable func readGather(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  let list = try reader.requiredConstant(node, 0)
  guard case .integers(let values) = list.elements, list.shape.count <= 1,
    case .integers(let indices) = try reader.requiredConstant(node, 1).elements,
    indices.count <= 8, indices.allSatisfy({ (-Int64(values.count)..<Int64(values.count)).contains($0) })
  else { throw node.problem("operands", "Gather is supported from a constant list of integers only") }
  let gathered = indices.map { values[Int($0 < 0 ? $0 + Int64(values.count) : $0)] }
  return .constant(Tensor(name: node.output, shape: [gathered.count], type: .int64, elements: .integers(gathered)))
}

@Sendable func readConcat(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  var joined: [Int64] = []
  for position in node.proto.input.indices {
    guard case .constant(let part)? = try reader.meaning(node, position), case .integers(let values) = part.elements,
      values.count <= 8, joined.count <= 8
    else {
      throw node.problem(
        "unsupported-operator", "Concat of activations cannot be compiled: it is supported on lists of integers only",
        fix: "add up or widen layers instead of concatenating")
    }
    joined += values
  }
  return .constant(Tensor(name: node.output, shape: [joined.count], type: .int64, elements: .integers(joined)))
}
