internal import Diagnostics
internal import ONNXFormat

/// ONNX `Conv(x, weights, bias?)` in two dimensions.
@Sendable func readConv(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  let (tensor, weights) = try reader.floats(node, 1)
  let shape = tensor.shape
  guard shape.count == 4, !shape.contains(0), shape.allSatisfy({ $0 <= 65536 }) else {
    throw node.weightShape(tensor, "[outputs, inputs / groups, height, width]: only 2-D convolutions can be compiled")
  }
  if let kernel = try node.ints("kernel_shape"), kernel != Array(shape.suffix(2)) {
    throw node.wrongAttribute("kernel_shape", expected: "the extents of the weights, \(Array(shape.suffix(2)))")
  }
  let window = try slidingWindow(node, kernel: (shape[2], shape[3]), input: reader.shape)
  let groups = try node.int("group", default: 1, in: 1...65536)
  let input = reader.shape
  guard input.count == 3, input[0] == shape[1] * groups, shape[0] % groups == 0 else {
    throw node.weightShape(tensor, "weights that fit the input \(input) in \(groups) group(s)")
  }
  guard let extents = window.outputExtents(height: input[1], width: input[2]) else {
    throw node.problem("shape", "the window is larger than its padded input of shape \(input)")
  }
  let layer = FloatLinear(
    weightName: tensor.name, weights: weights, outputs: shape[0], groupInputs: shape[1], groups: groups, window: window,
    isDense: false, bias: try bias(node, 2, outputs: shape[0], &reader))
  return try reader.append(node, .linear(layer), shape: [shape[0], extents.height, extents.width])
}

/// ONNX `Gemm(x, weights, bias?)`.
@Sendable func readGemm(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  guard try node.int("transA", default: 0) == 0 else { throw node.wrongAttribute("transA", expected: "0") }
  for factor in ["alpha", "beta"] where try node.finite(factor, default: 1) != 1 {
    throw node.wrongAttribute(factor, expected: "1")
  }
  return try readDense(node, outputsFirst: node.int("transB", default: 0) == 1, bias: 2, &reader)
}

/// ONNX `MatMul(x, weights)`; a bias follows as `Add`.
@Sendable func readMatMul(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try readDense(node, outputsFirst: false, bias: nil, &reader)
}

private func readDense(
  _ node: FloatNode, outputsFirst: Bool, bias position: Int?, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  var (tensor, weights) = try reader.floats(node, 1)
  guard tensor.shape.count == 2, !tensor.shape.contains(0) else { throw node.weightShape(tensor, "a matrix") }
  if !outputsFirst { (tensor.shape, weights) = transposed(weights, tensor.shape) }
  guard reader.shape.count == 1, reader.shape[0] == tensor.shape[1] else {
    throw node.weightShape(tensor, "[outputs, inputs] for an input of shape \(reader.shape), flattened")
  }
  let outputs = tensor.shape[0]
  let layer = FloatLinear(
    weightName: tensor.name, weights: weights, outputs: outputs, groupInputs: tensor.shape[1], groups: 1,
    window: FloatWindow(kernelHeight: 1, kernelWidth: 1), isDense: true,
    bias: try position.map { position throws(Diagnostic) in
      try bias(node, position, outputs: outputs, &reader)
    } ?? [Float](repeating: 0, count: outputs))
  return try reader.append(node, .linear(layer), shape: [outputs])
}

func transposed(_ values: [Float], _ shape: [Int]) -> (shape: [Int], values: [Float]) {
  let (rows, columns) = (shape[0], shape[1])
  return ([columns, rows], (0..<values.count).map { values[$0 % rows * columns + $0 / rows] })
}

private func bias(
  _ node: FloatNode, _ position: Int, outputs: Int, _ reader: inout FloatReader
) throws(Diagnostic) -> [Float] {
  guard node.inputName(position) != nil else { return [Float](repeating: 0, count: outputs) }
  let (tensor, values) = try reader.floats(node, position)
  guard values.count == outputs || values.count == 1 else {
    throw node.problem(
      "bias-shape", "the bias has shape \(tensor.shape): expected \(outputs) elements", tensor: tensor.name)
  }
  return values.count == outputs ? values : [Float](repeating: values[0], count: outputs)
}

/// ONNX `BatchNormalization(x, gamma, beta, mean, variance)` in inference mode.
@Sendable func readBatchNormalization(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  try reader.requireActivation(node, 0)
  guard try node.int("training_mode", default: 0) == 0 else {
    throw node.wrongAttribute("training_mode", expected: "0: call model.eval() before the export")
  }
  let epsilon = Double(try node.finite("epsilon", default: 1e-5))
  var parameters: [[Float]] = []
  for position in 1...4 {
    let (tensor, values) = try reader.floats(node, position)
    guard values.count == reader.shape[0] else {
      throw node.problem(
        "shape", "the parameter has shape \(tensor.shape): expected \(reader.shape[0]) floats, one for each channel",
        tensor: tensor.name)
    }
    parameters.append(values)
  }
  guard parameters[3].allSatisfy({ Double($0) + epsilon > 0 }) else {
    throw node.problem(
      "variance", "a variance plus epsilon is not positive", tensor: node.inputName(4),
      fix: "train the BatchNorm statistics again")
  }
  let scales = zip(parameters[0], parameters[3]).map { Double($0) / (Double($1) + epsilon).squareRoot() }
  let shifts = scales.indices.map { Double(parameters[1][$0]) - Double(parameters[2][$0]) * scales[$0] }
  return try reader.append(node, .affine(FloatAffine(scales: scales, shifts: shifts)), shape: reader.shape)
}

/// ONNX `Add`, `Sub`, `Mul`, `Div` of an activation and a constant.
@Sendable func readArithmetic(
  _ node: FloatNode, _ reader: inout FloatReader
) throws(Diagnostic) -> FloatReader.Meaning {
  let operands = (try reader.meaning(node, 0), try reader.meaning(node, 1))
  let constantPosition: Int
  switch operands {
  case (.activation, .constant): constantPosition = 1
  case (.constant, .activation): constantPosition = 0
  case (.activation, .activation):
    throw node.problem(
      "residual", "\(node.type) combines two activations: only a constant operand is supported",
      tensor: node.inputName(1), fix: "remove skip connections and gates (SiLU, attention) from the PyTorch model")
  default:
    throw node.problem(
      "operands", "\(node.type) cannot be computed on these operands: expected an activation and a constant",
      fix: "export the model again")
  }
  try reader.requireActivation(node, 1 - constantPosition)
  let (tensor, values) = try reader.floats(node, constantPosition)
  let constants = try perChannel(values.map(Double.init), tensor, node, shape: reader.shape)
  let isReversed = constantPosition == 0
  let affine: FloatAffine
  switch node.type {
  case "Add": affine = FloatAffine(scales: [1], shifts: constants)
  case "Sub":
    affine =
      isReversed
      ? FloatAffine(scales: [-1], shifts: constants) : FloatAffine(scales: [1], shifts: constants.map { -$0 })
  case "Mul": affine = FloatAffine(scales: constants, shifts: [0])
  default:
    guard !isReversed, !constants.contains(0) else {
      throw node.problem(
        "operands", "Div divides by an activation or by 0: expected division by a constant other than 0",
        tensor: tensor.name)
    }
    affine = FloatAffine(scales: constants.map { 1 / $0 }, shifts: [0])
  }
  return try reader.append(node, .affine(affine), shape: reader.shape)
}

/// One constant, or one for each channel of `[C, H, W]` or feature of `[F]`.
private func perChannel(
  _ values: [Double], _ tensor: Tensor, _ node: FloatNode, shape: [Int]
) throws(Diagnostic) -> [Double] {
  if values.count == 1 { return values }
  let padded = [Int](repeating: 1, count: max(shape.count + 1 - tensor.shape.count, 0)) + tensor.shape
  let channelAxis = padded.count - shape.count
  let isPerChannel = padded.enumerated().allSatisfy { $0 == channelAxis || $1 == 1 }
  guard isPerChannel, values.count == shape[0] else {
    throw node.problem(
      "shape",
      "the constant of \(node.type) has shape \(tensor.shape), the activation \(shape) behind the batch: "
        + "expected one number, or one for each channel", tensor: tensor.name)
  }
  return values
}
