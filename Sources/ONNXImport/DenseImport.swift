internal import Diagnostics
internal import GraphIR

/// ONNX `Gemm(x, weights, bias?)`: alpha · x · weights + beta · bias, the weights as `[outputs, inputs]` (transB = 1) or
/// `[inputs, outputs]`.
@Sendable func importGemm(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard try node.int("transA", default: 0, in: 0...1) == 0 else {
    throw node.wrongAttribute(
      "transA", expected: "0", fix: "do not transpose the layer's input: write the product as x @ weights (nn.Linear)")
  }
  var factors: [Float] = []
  for name in ["alpha", "beta"] {
    let factor = try node.float(name, default: 1)
    guard factor.isFinite else { throw node.wrongAttribute(name, expected: "a finite number") }
    factors.append(factor)
  }
  let input = try state.activation(node, 0)
  guard input.shape.count == 2 else { throw .expectedFeatures(node, shape: input.shape) }
  let isTransposed = try node.int("transB", default: 0, in: 0...1) == 1
  var dense = try denseLayer(node, input, weightsAreOutputsFirst: isTransposed, &state)
  let bias = try bias(node, 2, outputs: dense.layer.weights.shape[0], &state)
  var operations: [Operation] = []
  if factors[0] != 1 {
    operations.append(.arithmetic(Arithmetic(kind: .multiply, constants: [.init(scale: factors[0])])))
  }
  if let bias, factors[1] != 0 {
    // (y / beta + bias) · beta, so that beta · bias is rounded nowhere.
    let beta = [ExactConstant(scale: factors[1])]
    if factors == [1, 1] {
      dense.layer.bias = bias
    } else if factors[1] == 1 {
      operations.append(.arithmetic(Arithmetic(kind: .add, constants: bias)))
    } else {
      operations += [
        .arithmetic(Arithmetic(kind: .divide, constants: beta)), .arithmetic(Arithmetic(kind: .add, constants: bias)),
        .arithmetic(Arithmetic(kind: .multiply, constants: beta)),
      ]
    }
  }
  return .activation(
    try state.emit(
      node, [.dense(dense.layer)] + operations, input: dense.input, shape: [1, dense.layer.weights.shape[0]]))
}

/// ONNX `MatMul(x, weights)` with the weights as `[inputs, outputs]`; extents of 1 may stand in front of the features.
@Sendable func importMatMul(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard input.shape.dropLast().allSatisfy({ $0 == 1 }), let features = input.shape.last else {
    throw .expectedFeatures(node, shape: input.shape)
  }
  let flat = input.reshaped(to: [1, features])
  let dense = try denseLayer(node, input.padding == .none ? flat : input, weightsAreOutputsFirst: false, &state)
  let outputs = dense.layer.weights.shape[0]
  return .activation(
    try state.emit(node, [.dense(dense.layer)], input: dense.input, shape: input.shape.dropLast() + [outputs]))
}

/// The layer without its bias, and the value that it reads. Where the file has reordered the features, the weights' columns
/// are put into the value's order; features that it has left out get none.
private func denseLayer(
  _ node: OperatorNode, _ input: ActivationView, weightsAreOutputsFirst: Bool, _ state: inout ImportState
) throws(Diagnostic) -> (layer: Dense, input: ActivationView) {
  var constant = try state.requiredConstant(node, 1)
  let input = try state.quantizedInput(input, node)
  guard constant.shape.count == 2, !constant.shape.contains(0) else { throw .matrixShape(node, constant) }
  if !weightsAreOutputsFirst {
    try state.spend(constant.count, for: constant.origin)
    constant = constant.transposedMatrix
  }
  var weights = try ternaryWeights(constant, shape: constant.shape, node, &state)
  let (value, columns) = try state.features(input, node)
  guard let columns else { return (Dense(weights: weights), value) }
  let (outputs, inputs) = (constant.shape[0], state[value.id].shape[0])
  guard columns.count == constant.shape[1] else { throw .featureCount(node, constant, columns.count) }
  let count = outputs.multipliedReportingOverflow(by: inputs)
  try state.spend(count.overflow ? .max : count.partialValue, for: constant.origin)
  var values = [Int8](repeating: 0, count: count.partialValue)
  for output in 0..<outputs {
    for (column, place) in columns.enumerated() {
      // A feature that is picked twice has the sum of its weights.
      let sum = Int(values[output * inputs + place]) + Int(weights.values[output * columns.count + column])
      guard let weight = Int8(exactly: sum), (-1...1).contains(weight) else { throw .repeatedFeature(node, constant) }
      values[output * inputs + place] = weight
    }
  }
  weights.values = values
  weights.shape = [outputs, inputs]
  return (Dense(weights: weights), value)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func expectedFeatures(_ node: OperatorNode, shape: [Int]) -> Diagnostic {
    if shape.count == 3 {
      return Diagnostic(
        code: "one-dimensional", location: Location(node: node.name, tensor: node.inputName(0)),
        message:
          "\(node.type) is applied to each step of 1-D data: its input has shape \(shape), [batch, steps, features]; "
          + "expected [1, features]",
        fix: node.framework == .keras
          ? "put Flatten() in front of Dense, or write it as Conv2D with a kernel of (1, 1)"
          : "put nn.Flatten() in front of the linear layer, or write it as Conv2d with kernel_size=1")
    }
    return Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type)'s input has shape \(shape): expected [1, features]",
      fix: node.framework == .keras
        ? "put Flatten() in front of Dense" : "put nn.Flatten() in front of the linear layer")
  }

  fileprivate static func matrixShape(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights have shape \(constant.shape): expected a matrix without empty axes",
      fix: "use one weight matrix per linear layer, with at least one input and output")
  }

  fileprivate static func featureCount(_ node: OperatorNode, _ constant: Constant, _ count: Int) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message:
        "the weights have shape \(constant.shape) ([outputs, inputs]): expected \(count) inputs, as the layer's input has",
      fix: "export the model again, with a sample of the size that it was trained for")
  }

  fileprivate static func repeatedFeature(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "repeated-feature", location: Location(node: node.name, tensor: constant.origin),
      message: "\(node.type) reads a feature several times, with weights whose sum is not −1, 0 or +1",
      fix: "let indexing in front of the layer pick each feature once")
  }
}
