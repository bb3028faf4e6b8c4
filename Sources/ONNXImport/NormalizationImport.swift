internal import Diagnostics
internal import GraphIR

/// ONNX `BatchNormalization(x, gamma, beta, mean, variance)` in inference mode.
@Sendable func importBatchNormalization(
  _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard try node.int("training_mode", default: 0, in: 0...1) == 0 else {
    throw node.wrongAttribute("training_mode", expected: "0: call model.eval() before the export")
  }
  let epsilon = try node.float("epsilon", default: 1e-5)
  guard epsilon.isFinite, epsilon >= 0 else { throw node.wrongAttribute("epsilon", expected: "a positive number") }
  let channels = state[input].shape[0]
  let gamma = try parameter(node, 1, channels: channels, &state)
  let beta = try parameter(node, 2, channels: channels, &state)
  let mean = try parameter(node, 3, channels: channels, &state)
  let variance = try parameter(node, 4, channels: channels, &state)
  if let bad = variance.first(where: { !($0 >= 0 && $0 + epsilon > 0) }) { throw .variance(node, bad) }
  return try state.emit(
    node,
    .batchNormalization(
      BatchNormalization(gamma: gamma, beta: beta, mean: mean, variance: variance, epsilon: epsilon)),
    input: input)
}

private func parameter(
  _ node: OperatorNode, _ position: Int, channels: Int, _ state: inout ImportState
) throws(Diagnostic) -> [Float] {
  let constant = try state.requiredConstant(node, position)
  guard case .floats(let values) = constant.numbers, values.count == channels else {
    throw .normalizationShape(node, constant, channels: channels)
  }
  if let bad = values.first(where: { !$0.isFinite }) { throw .normalizationValue(node, constant, bad) }
  return values
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func normalizationShape(
    _ node: OperatorNode, _ constant: Constant, channels: Int
  ) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the parameter of BatchNormalization has shape \(constant.shape) and type "
        + "\(constant.type): expected \(channels) floats, one for each channel",
      fix: "export the model again")
  }

  fileprivate static func normalizationValue(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "the parameter of BatchNormalization holds \(value): expected finite numbers",
      fix: "the training has diverged; train again")
  }

  fileprivate static func variance(_ node: OperatorNode, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "variance", location: Location(node: node.name, tensor: node.inputName(4)),
      message: "the variance \(value) plus epsilon is not positive", fix: "train the BatchNorm statistics again")
  }
}
