internal import Diagnostics
internal import ONNXFormat

@Sendable func readPool(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let isMaximum = node.type == "MaxPool"
  guard let kernel = try node.ints("kernel_shape", count: 2, in: extentRange) else {
    throw node.wrongAttribute("kernel_shape", expected: "two integers: only 2-D is supported")
  }
  let input = reader.shape
  var window = try slidingWindow(node, kernel: (kernel[0], kernel[1]), input: input)
  guard window.dilationHeight == 1, window.dilationWidth == 1 else {
    throw node.wrongAttribute("dilations", expected: "1 and 1 for a pool")
  }
  guard max(window.top, window.bottom) < kernel[0], max(window.left, window.right) < kernel[1] else {
    throw node.wrongAttribute("pads", expected: "less than the kernel's extents")
  }
  let whole = window.outputExtents(height: input[1], width: input[2])
  window.ceilMode = try node.int("ceil_mode", default: 0) == 1
  guard let extents = window.outputExtents(height: input[1], width: input[2]), let whole else {
    throw node.problem("shape", "the window is larger than its padded input of shape \(input)")
  }
  if !isMaximum {
    guard extents == whole else {
      throw node.problem(
        "average-pool-partial", "ceil_mode makes windows that reach over the edge: expected whole windows",
        fix: "set ceil_mode=False in AvgPool2d, or choose a kernel that divides the map")
    }
    window.ceilMode = false
    let countsPadding = try node.int("count_include_pad", default: 0) == 1
    guard countsPadding || !window.hasPadding else {
      throw node.problem(
        "average-pool-padding", "the padding is not counted in the mean: expected no padding, or a counted one",
        fix: "set count_include_pad=True in AvgPool2d")
    }
  }
  return try reader.append(
    node, isMaximum ? .maxPool(window) : .averagePool(window), shape: [input[0], extents.height, extents.width])
}

@Sendable func readGlobalPool(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let window = try wholeMap(node, reader.shape)
  return try reader.append(
    node, node.type == "GlobalMaxPool" ? .maxPool(window) : .averagePool(window), shape: [reader.shape[0], 1, 1])
}

/// ONNX `ReduceMean(x, axes)` over rows and columns: what dynamo makes of `AdaptiveAvgPool2d(1)`.
@Sendable func readReduceMean(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let window = try wholeMap(node, reader.shape)
  let axes = try axes(node, &reader)
  guard let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3] else {
    throw node.problem(
      "reduce-axes", "ReduceMean over axes \(axes ?? []): expected 2 and 3, rows and columns",
      fix: "use nn.AdaptiveAvgPool2d(1)")
  }
  let keepsAxes = try node.int("keepdims", default: 1) == 1
  let channels = reader.shape[0]
  let mean = try reader.append(node, .averagePool(window), shape: [channels, 1, 1])
  return keepsAxes ? mean : try reader.append(node, .flatten, shape: [channels])
}

private func wholeMap(_ node: FloatNode, _ shape: [Int]) throws(Diagnostic) -> FloatWindow {
  guard shape.count == 3 else { throw node.expectedMap(shape) }
  return FloatWindow(kernelHeight: shape[1], kernelWidth: shape[2])
}

/// Far above any real network's, and small enough that nothing overflows.
let extentRange = 1...1024

/// The window of a convolution or pool, with `auto_pad` resolved.
func slidingWindow(
  _ node: FloatNode, kernel: (height: Int, width: Int), input: [Int]
) throws(Diagnostic) -> FloatWindow {
  guard input.count == 3 else { throw node.expectedMap(input) }
  var window = FloatWindow(kernelHeight: kernel.height, kernelWidth: kernel.width)
  let strides = try node.ints("strides", count: 2, in: extentRange) ?? [1, 1]
  let dilations = try node.ints("dilations", count: 2, in: extentRange) ?? [1, 1]
  (window.strideHeight, window.strideWidth) = (strides[0], strides[1])
  (window.dilationHeight, window.dilationWidth) = (dilations[0], dilations[1])
  let mode = try node.string("auto_pad", default: "NOTSET")
  switch mode {
  case "NOTSET", "":
    let pads = try node.ints("pads", count: 4, in: 0...1024) ?? [0, 0, 0, 0]
    (window.top, window.left, window.bottom, window.right) = (pads[0], pads[1], pads[2], pads[3])
  case "VALID": break
  case "SAME_UPPER", "SAME_LOWER":
    func padding(_ extent: Int, _ kernel: Int, _ dilation: Int, _ stride: Int) -> (Int, Int) {
      let positions = (extent + stride - 1) / stride
      let total = max((positions - 1) * stride + (kernel - 1) * dilation + 1 - extent, 0)
      return mode == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
    }
    (window.top, window.bottom) = padding(input[1], kernel.height, dilations[0], strides[0])
    (window.left, window.right) = padding(input[2], kernel.width, dilations[1], strides[1])
  default:
    throw node.wrongAttribute("auto_pad", expected: "NOTSET, VALID, SAME_UPPER or SAME_LOWER")
  }
  return window
}
