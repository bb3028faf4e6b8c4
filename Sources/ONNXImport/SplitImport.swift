internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// ONNX `Split(x, split?)`: each output is a part of the input along an axis.
@Sendable func importSplit(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let data = try state.input(node, 0)
  let shape = try state.shapeOfPlaces(data, node)
  let axis = try node.int("axis", default: 0)
  let position = axis < 0 ? axis + shape.count : axis
  guard shape.indices.contains(position) else { throw .split(node, [], shape) }
  let extent = shape[position]
  let outputs = node.proto.output
  var lengths = try node.ints("split")
  if lengths == nil, let list = try state.constant(node, 1) {
    guard let integers = list.integers else { throw .split(node, [], shape) }
    lengths = integers.map { Int($0) }
  }
  if lengths == nil {
    // Parts of one length; only the last one may be shorter, and that from opset 18 on.
    let count = try node.int("num_outputs", default: outputs.count)
    guard count == outputs.count, count >= 1 else { throw .split(node, [], shape) }
    let length = (extent + count - 1) / count
    lengths = (0..<count).map { max(0, min(length, extent - $0 * length)) }
    if state.index.opset < 18, extent % count != 0 { throw .split(node, lengths ?? [], shape) }
  }
  guard let lengths, lengths.count == outputs.count, !lengths.isEmpty, extent >= 1,
    lengths.allSatisfy({ (1...extent).contains($0) }),
    lengths.count <= extent, lengths.reduce(0, +) == extent
  else { throw .split(node, lengths ?? [], shape) }
  var start = 0
  var first: Resolved?
  for (output, length) in zip(outputs, lengths) {
    var places = shape.map { Array(0..<$0) }
    places[position] = Array(start..<(start + length))
    start += length
    let part = try selected(data, places, shape: shape, result: places.map(\.count), node, &state)
    state.bind(output, to: part)
    if first == nil { first = part }
  }
  return first ?? .failed
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func split(_ node: OperatorNode, _ lengths: [Int], _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "split", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Split cuts a tensor of shape \(shape) into \(node.proto.output.count) parts"
        + (lengths.isEmpty ? "" : " of \(lengths.prefix(8))")
        + ": expected constant lengths of at least 1 that make up the axis",
      fix: "use torch.split or chunk with whole numbers, and export with a sample of the real size"
    )
  }
}
