internal import Diagnostics
internal import GraphIR

/// ONNX `Gemm(x, weights, bias?)` with the weights as `[outputs, inputs]` (transB = 1) or `[inputs, outputs]`.
@Sendable func importGemm(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard try node.int("transA", default: 0, in: 0...1) == 0 else {
    throw node.wrongAttribute("transA", expected: "0")
  }
  for factor in ["alpha", "beta"] where try node.float(factor, default: 1) != 1 {
    throw node.wrongAttribute(factor, expected: "1")
  }
  let isTransposed = try node.int("transB", default: 0, in: 0...1) == 1
  return try importDense(node, weightsAreOutputsFirst: isTransposed, bias: 2, &state)
}

/// ONNX `MatMul(x, weights)` with the weights as `[inputs, outputs]`.
@Sendable func importMatMul(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importDense(node, weightsAreOutputsFirst: false, bias: nil, &state)
}

private func importDense(
  _ node: OperatorNode, weightsAreOutputsFirst: Bool, bias biasPosition: Int?, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard state[input].shape.count == 1 else { throw .expectedFeatures(node, shape: state[input].shape) }
  checkQuantized(input, node, &state)
  var constant = try state.requiredConstant(node, 1)
  guard constant.shape.count == 2, !constant.shape.contains(0) else { throw .matrixShape(node, constant) }
  if !weightsAreOutputsFirst {
    try state.spend(constant.count, for: constant.origin)
    constant = constant.transposedMatrix
  }
  let weights = try ternaryWeights(constant, shape: constant.shape, node, &state)
  var dense = Dense(weights: weights)
  if let biasPosition { dense.bias = try bias(node, biasPosition, outputs: constant.shape[0], &state) }
  return try state.emit(node, .dense(dense), input: input)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func expectedFeatures(_ node: OperatorNode, shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type)'s input has shape \(shape) behind the batch: expected [features]",
      fix: "put nn.Flatten() in front of the linear layer")
  }

  fileprivate static func matrixShape(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights have shape \(constant.shape): expected a matrix without empty axes")
  }
}
