internal import Diagnostics
internal import GraphIR

/// ONNX `MaxPool(x)`: `ceil_mode` becomes padding, which a maximum ignores.
@Sendable func importMaxPool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.unpaddedMap(state.activation(node, 0), node)
  let window = try poolingWindow(node, input: input.shape)
  return .activation(try state.emitMap(node, .maxPool(window), input: input))
}

/// ONNX `AveragePool(x)`. Zeros padded by a node in front of it are elements like others.
@Sendable func importAveragePool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  var input = try state.map(state.activation(node, 0), node)
  var exact = try poolingWindow(node, input: input.shape, ceilMode: false)
  let partial = try poolingWindow(node, input: input.shape)
  guard partial == exact else { throw .partialMean(node) }
  if exact.padding != .none {
    guard try node.int("count_include_pad", default: 0, in: 0...1) == 1 else { throw .uncountedPadding(node) }
  }
  if input.padding.isBelow(exact.kernelHeight, exact.kernelWidth) {
    exact.padding = exact.padding + input.padding
  } else {
    input = try state.unpaddedMap(input, node)
  }
  return .activation(try state.emitMap(node, .averagePool(exact), input: try state.settled(input, node)))
}

@Sendable func importGlobalAveragePool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved
{
  try reduced(node, try state.activation(node, 0), [2, 3], keepsAxes: true, isMean: true, &state)
}

@Sendable func importGlobalMaxPool(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try reduced(node, try state.activation(node, 0), [2, 3], keepsAxes: true, isMean: false, &state)
}

/// ONNX `ReduceMean(x, axes)` over rows and columns: what dynamo makes of `AdaptiveAvgPool2d(1)`.
@Sendable func importReduceMean(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importReduction(node, isMean: true, &state)
}

/// ONNX `ReduceMax(x, axes)`: `x.amax((2, 3))`.
@Sendable func importReduceMax(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importReduction(node, isMean: false, &state)
}

private func importReduction(
  _ node: OperatorNode, isMean: Bool, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  let rank = input.shape.count
  let chosen = try axes(node, position: 1, rank: rank, &state)
  if chosen?.isEmpty ?? true, try node.int("noop_with_empty_axes", default: 0, in: 0...1) == 1 {
    return .activation(input)
  }
  let axes = chosen.flatMap { $0.isEmpty ? nil : $0 } ?? Array(0..<rank)
  let keepsAxes = try node.int("keepdims", default: 1, in: 0...1) == 1
  return try reduced(node, input, axes, keepsAxes: keepsAxes, isMean: isMean, &state)
}

/// The mean or maximum along whole rows, columns or both. Axes of extent 1 may be named as well.
private func reduced(
  _ node: OperatorNode, _ view: ActivationView, _ axes: [Int], keepsAxes: Bool, isMean: Bool, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  var view = view
  if ["GlobalAveragePool", "GlobalMaxPool"].contains(node.type) || view.padding != .none {
    view = try state.unpaddedMap(view, node)
  }
  let source = state[view.id].shape
  let strides: [Int?] = source.count == 3 ? [source[1] * source[2], source[2], 1] : [1]
  let axes = Set(axes).filter { view.shape[$0] > 1 }
  // Which axes of the value they are: those of the same extent and step.
  try state.spend(view.count, for: state[view.id].name)
  var whole = Set<Int>()
  guard let steps = view.strides, view.count == source.reduce(1, *) else { throw .reducedAxes(node, view.shape, axes) }
  for axis in axes {
    guard let found = strides.indices.first(where: { strides[$0] == steps[axis] && source[$0] == view.shape[axis] }),
      found > 0
    else { throw .reducedAxes(node, view.shape, axes) }
    whole.insert(found)
  }
  var shape = view.shape
  for axis in axes { shape[axis] = 1 }
  if !keepsAxes {
    let gone = Set(try reducedPositions(node, view.shape.count, &state))
    shape = shape.indices.filter { !gone.contains($0) }.map { shape[$0] }
  }
  guard !whole.isEmpty else { return .activation(view.reshaped(to: shape)) }
  let window = Window(kernel: (whole.contains(1) ? source[1] : 1, whole.contains(2) ? source[2] : 1))
  // Where the axes that are left lie in the result.
  let kept = [source[0], whole.contains(1) ? 1 : source[1], whole.contains(2) ? 1 : source[2]]
  let keptStrides = [kept[1] * kept[2], kept[2], 1]
  let newSteps = view.shape.indices.map { axis -> Int in
    guard view.shape[axis] > 1, !axes.contains(axis),
      let found = strides.indices.first(where: { strides[$0] == steps[axis] && source[$0] == view.shape[axis] })
    else { return 0 }
    return keptStrides[found]
  }
  var order: [Int]?
  if view.order != nil {
    order = stridedIndices(shape: view.shape.indices.map { axes.contains($0) ? 1 : view.shape[$0] }, strides: newSteps)
  }
  if isMean { view = try state.settled(view, node) }
  return .activation(
    try state.emit(node, [isMean ? .averagePool(window) : .maxPool(window)], input: view, shape: shape, order: order))
}

/// The axes that a reduction without keepdims removes.
private func reducedPositions(
  _ node: OperatorNode, _ rank: Int, _ state: inout ImportState
) throws(Diagnostic) -> [Int] {
  let chosen = try axes(node, position: 1, rank: rank, &state)
  return chosen.flatMap { $0.isEmpty ? nil : $0 } ?? Array(0..<rank)
}

private func poolingWindow(
  _ node: OperatorNode, input: [Int], ceilMode: Bool = true
) throws(Diagnostic) -> Window {
  let kernel = try kernel(node)
  let dilation = try dilations(node)
  // A kernel of one element in a direction has no gaps in it.
  guard dilation.height == 1 || kernel.height == 1, dilation.width == 1 || kernel.width == 1 else {
    throw node.wrongAttribute("dilations", expected: "1 and 1 for a pool", fix: "set dilation=1 in the pool")
  }
  var window = try window(node, kernel: kernel, input: input)
  let padding = window.padding
  guard max(padding.top, padding.bottom) < kernel.height, max(padding.left, padding.right) < kernel.width else {
    throw node.wrongAttribute(
      "pads", expected: "less than the kernel's extents", fix: "choose padding at most half of the pool's kernel_size")
  }
  if ceilMode, try node.int("ceil_mode", default: 0, in: 0...1) == 1 {
    window.padding.bottom += partialWindow(
      extent: input[2], before: padding.top, after: padding.bottom, kernel: kernel.height, stride: window.strideHeight)
    window.padding.right += partialWindow(
      extent: input[3], before: padding.left, after: padding.right, kernel: kernel.width, stride: window.strideWidth)
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
      fix: node.framework == .keras
        ? "use padding='valid' in AveragePooling2D, or a pool_size that divides the map"
        : "set ceil_mode=False in AvgPool2d, or choose a kernel that divides the map")
  }

  fileprivate static func uncountedPadding(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "average-pool-padding", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the padding is not counted in the mean (count_include_pad = 0): expected no padding, or a counted one",
      fix: node.framework == .keras
        ? "use padding='valid' in AveragePooling2D" : "set count_include_pad=True in AvgPool2d, or padding=0")
  }

  fileprivate static func reducedAxes(_ node: OperatorNode, _ shape: [Int], _ axes: Set<Int>) -> Diagnostic {
    Diagnostic(
      code: "reduce-axes", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "\(node.type) of a tensor of shape \(shape) over axes \(axes.sorted()): expected rows, columns or both of "
        + "[1, channels, height, width]",
      fix: node.framework == .keras
        ? "use GlobalAveragePooling2D or GlobalMaxPooling2D; LayerNormalization cannot be compiled, BatchNormalization can"
        : "use nn.AdaptiveAvgPool2d(1) or x.mean((2, 3)); means over channels (LayerNorm) cannot be compiled, BatchNorm can"
    )
  }
}
