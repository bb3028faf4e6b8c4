internal import Diagnostics
internal import GraphIR

/// ONNX `MaxPool(x)`: `ceil_mode` becomes padding, which a maximum ignores.
@Sendable func importMaxPool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  let window = try poolingWindow(node, input: state[input].shape)
  return try state.emit(node, .maxPool(window), input: input)
}

/// ONNX `AveragePool(x)`.
@Sendable func importAveragePool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  let exact = try poolingWindow(node, input: state[input].shape, ceilMode: false)
  let partial = try poolingWindow(node, input: state[input].shape)
  guard partial == exact else { throw .partialMean(node) }
  if exact.padding != .none {
    guard try node.int("count_include_pad", default: 0, in: 0...1) == 1 else { throw .uncountedPadding(node) }
  }
  return try state.emit(node, .averagePool(exact), input: input)
}

@Sendable func importGlobalAveragePool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved
{
  let input = try state.activation(node, 0)
  return try state.emit(node, .averagePool(try wholeMap(node, state[input].shape)), input: input)
}

@Sendable func importGlobalMaxPool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  return try state.emit(node, .maxPool(try wholeMap(node, state[input].shape)), input: input)
}

/// ONNX `ReduceMean(x, axes)` over rows and columns: what dynamo makes of `AdaptiveAvgPool2d(1)`.
@Sendable func importReduceMean(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  let map = try wholeMap(node, state[input].shape)
  let axes = try axes(node, position: 1, rank: 4, &state)
  guard let axes, Set(axes) == [2, 3] else { throw .reducedAxes(node, axes ?? []) }
  let keepsAxes = try node.int("keepdims", default: 1, in: 0...1) == 1
  return try state.emit(node, keepsAxes ? [.averagePool(map)] : [.averagePool(map), .flatten], input: input)
}

private func wholeMap(_ node: OperatorNode, _ shape: [Int]) throws(Diagnostic) -> Window {
  guard shape.count == 3 else { throw .expectedMap(node, shape: shape) }
  return Window(kernel: (shape[1], shape[2]))
}

private func poolingWindow(
  _ node: OperatorNode, input: [Int], ceilMode: Bool = true
) throws(Diagnostic) -> Window {
  let kernel = try kernel(node)
  let dilation = try dilations(node)
  guard dilation.height == 1, dilation.width == 1 else {
    throw node.wrongAttribute("dilations", expected: "1 and 1 for a pool")
  }
  var window = try window(node, kernel: kernel, input: input)
  let padding = window.padding
  guard max(padding.top, padding.bottom) < kernel.height, max(padding.left, padding.right) < kernel.width else {
    throw node.wrongAttribute("pads", expected: "less than the kernel's extents")
  }
  if ceilMode, try node.int("ceil_mode", default: 0, in: 0...1) == 1 {
    window.padding.bottom += partialWindow(
      extent: input[1], before: padding.top, after: padding.bottom, kernel: kernel.height, stride: window.strideHeight)
    window.padding.right += partialWindow(
      extent: input[2], before: padding.left, after: padding.right, kernel: kernel.width, stride: window.strideWidth)
  }
  return window
}

/// The padding that a last, partial window needs at the end. A window that would begin in the padding does not count.
private func partialWindow(extent: Int, before: Int, after: Int, kernel: Int, stride: Int) -> Int {
  let room = extent + before + after - kernel
  guard room >= 0, room % stride != 0 else { return 0 }
  let start = (room / stride + 1) * stride
  return start < extent + before ? start - room : 0
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func partialMean(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "average-pool-partial", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "ceil_mode makes windows that reach over the edge: expected whole windows in an average pool",
      fix: "set ceil_mode=False in AvgPool2d, or choose a kernel that divides the map")
  }

  fileprivate static func uncountedPadding(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "average-pool-padding", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the padding is not counted in the mean (count_include_pad = 0): expected no padding, or a counted one",
      fix: "set count_include_pad=True in AvgPool2d")
  }

  fileprivate static func reducedAxes(_ node: OperatorNode, _ axes: [Int]) -> Diagnostic {
    Diagnostic(
      code: "reduce-axes", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "ReduceMean over axes \(axes): expected 2 and 3, rows and columns", fix: "use nn.AdaptiveAvgPool2d(1)")
  }
}
