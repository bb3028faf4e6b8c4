internal import Diagnostics
internal import GraphIR

/// Bounds of what windows may be; far above any real network, and small enough that nothing overflows.
private let kernelRange = 1...1024
private let paddingRange = 0...1024

/// The kernel of a convolution or pool: `kernel_shape`, or `fallback` where the file leaves it out.
func kernel(_ node: OperatorNode, fallback: [Int]? = nil) throws(Diagnostic) -> (height: Int, width: Int) {
  guard let kernel = try node.ints("kernel_shape", count: 2, in: kernelRange) ?? fallback else {
    throw node.wrongAttribute(
      "kernel_shape", expected: "two integers, rows and columns", fix: node.framework.exportAgain)
  }
  return (kernel[0], kernel[1])
}

func dilations(_ node: OperatorNode) throws(Diagnostic) -> (height: Int, width: Int) {
  let dilations = try node.ints("dilations", count: 2, in: kernelRange) ?? [1, 1]
  return (dilations[0], dilations[1])
}

/// The window of a convolution or pool over an input `[1, C, H, W]`, with `auto_pad` resolved.
func window(
  _ node: OperatorNode, kernel: (height: Int, width: Int), input: [Int]
) throws(Diagnostic) -> Window {
  let strides = try node.ints("strides", count: 2, in: kernelRange) ?? [1, 1]
  let padding: Padding
  let mode = try node.string("auto_pad", default: "NOTSET")
  switch mode {
  case "NOTSET", "":
    let pads = try node.ints("pads", count: 4, in: paddingRange) ?? [0, 0, 0, 0]
    padding = Padding(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
  case "VALID":
    padding = .none
  case "SAME_UPPER", "SAME_LOWER":
    let height = samePadding(extent: input[2], kernel: kernel.height, stride: strides[0], mode: mode)
    let width = samePadding(extent: input[3], kernel: kernel.width, stride: strides[1], mode: mode)
    padding = Padding(top: height.0, left: width.0, bottom: height.1, right: width.1)
  default:
    throw node.wrongAttribute("auto_pad", expected: "NOTSET, VALID, SAME_UPPER or SAME_LOWER")
  }
  return Window(kernel: kernel, stride: (strides[0], strides[1]), padding: padding)
}

/// Padding such that the output has ⌈extent / stride⌉ positions; an odd element goes to the end for SAME_UPPER.
private func samePadding(extent: Int, kernel: Int, stride: Int, mode: String) -> (Int, Int) {
  let positions = (extent + stride - 1) / stride
  let total = max((positions - 1) * stride + kernel - extent, 0)
  return mode == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
}

extension Padding {
  static func + (a: Padding, b: Padding) -> Padding {
    Padding(top: a.top + b.top, left: a.left + b.left, bottom: a.bottom + b.bottom, right: a.right + b.right)
  }

  /// Whether each side is smaller than the kernel, so that no window lies wholly in it.
  func isBelow(_ height: Int, _ width: Int) -> Bool { max(top, bottom) < height && max(left, right) < width }
}
