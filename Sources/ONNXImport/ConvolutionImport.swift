internal import Diagnostics
internal import GraphIR

/// ONNX `Conv(x, weights, bias?)` in two dimensions. Zeros that a Pad node puts in front of it become its own padding.
@Sendable func importConv(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let constant = try state.requiredConstant(node, 1)
  let input = try state.map(state.quantizedInput(state.activation(node, 0), node), node)
  guard constant.shape.count == 4, !constant.shape.contains(0) else { throw .weightShape(node, constant) }
  let stored = try kernel(node, fallback: Array(constant.shape.suffix(2)))
  guard [stored.height, stored.width] == Array(constant.shape.suffix(2)) else { throw .weightShape(node, constant) }

  var weights = try ternaryWeights(constant, shape: constant.shape, node, &state)
  let dilation = try dilations(node)
  weights = try dilated(weights, by: dilation, &state)
  let groups = try node.int("group", default: 1, in: 1...65536)
  var window = try window(node, kernel: (weights.shape[2], weights.shape[3]), input: input.shape)
  window.padding = window.padding + input.padding
  let bias = try bias(node, 2, outputs: constant.shape[0], &state)
  let convolution = Convolution(weights: weights, bias: bias, window: window, groups: groups)
  return .activation(try state.emitMap(node, .convolution(convolution), input: input))
}

/// The same weights with the gaps of a dilated kernel filled by zeros.
private func dilated(
  _ weights: TernaryWeights, by dilation: (height: Int, width: Int), _ state: inout ImportState
) throws(Diagnostic) -> TernaryWeights {
  if dilation.height == 1 && dilation.width == 1 { return weights }
  let (height, width) = (weights.shape[2], weights.shape[3])
  let newHeight = (height - 1) * dilation.height + 1
  let newWidth = (width - 1) * dilation.width + 1
  let planes = weights.shape[0] * weights.shape[1]
  // At most 2^24 planes of at most 2^40 taps: the product fits 64 bits.
  let count = planes.multipliedReportingOverflow(by: newHeight * newWidth)
  try state.spend(count.overflow ? .max : count.partialValue, for: weights.name)

  var result = weights
  result.shape = [weights.shape[0], weights.shape[1], newHeight, newWidth]
  result.values = [Int8](repeating: 0, count: count.partialValue)
  for plane in 0..<planes {
    for y in 0..<height {
      for x in 0..<width {
        let target = (plane * newHeight + y * dilation.height) * newWidth + x * dilation.width
        result.values[target] = weights.values[(plane * height + y) * width + x]
      }
    }
  }
  return result
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func weightShape(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights have shape \(constant.shape): "
        + "expected [outputs, inputs / groups, height, width] as kernel_shape says, without empty axes",
      fix: constant.shape.count == 3 ? node.framework.twoDimensional : node.framework.exportAgain)
  }
}
