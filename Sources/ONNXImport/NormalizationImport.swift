internal import Diagnostics
internal import GraphIR

/// ONNX `BatchNormalization(x, gamma, beta, mean, variance)` in inference mode.
@Sendable func importBatchNormalization(
  _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  guard try node.int("training_mode", default: 0, in: 0...1) == 0 else {
    throw node.wrongAttribute("training_mode", expected: "0, inference", fix: node.framework.inference)
  }
  let epsilon = try node.float("epsilon", default: 1e-5)
  guard epsilon.isFinite, epsilon >= 0 else { throw node.wrongAttribute("epsilon", expected: "a positive number") }
  guard input.shape.count >= 2 else { throw .expectedMap(node, shape: input.shape) }
  let channels = input.shape[1]
  let gamma = try parameter(node, 1, channels: channels, &state)
  let beta = try parameter(node, 2, channels: channels, &state)
  let mean = try parameter(node, 3, channels: channels, &state)
  let variance = try parameter(node, 4, channels: channels, &state)
  if let bad = variance.first(where: { !($0 >= 0 && $0 + epsilon > 0) }) { throw .variance(node, bad) }

  // Which of the value's channels each parameter belongs to.
  var view = input.padding == .none ? input : try state.unpaddedMap(input, node)
  var places = Constant(
    origin: node.output, shape: [channels] + [Int](repeating: 1, count: input.shape.count - 2),
    numbers: .integers((0..<channels).map { Int64($0) }), type: .int64)
  if channels == 1 { places.shape = [1] }
  guard let order = try state.perChannel(places, &view, node)?.map({ Int($0.scale) }) else {
    throw .normalizedAxis(node, input.shape)
  }
  func arranged(_ values: [Float]) -> [Float] {
    let chosen = order.map { values[$0] }
    return chosen.count == state[view.id].shape[0]
      ? chosen : [Float](repeating: values[0], count: state[view.id].shape[0])
  }
  return try state.emitPointwise(
    node,
    .batchNormalization(
      BatchNormalization(
        gamma: arranged(gamma), beta: arranged(beta), mean: arranged(mean), variance: arranged(variance),
        epsilon: epsilon)),
    input: view)
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
      fix: node.framework.exportAgain)
  }

  fileprivate static func normalizationValue(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "the parameter of BatchNormalization holds \(value): expected finite numbers",
      fix: "the training has diverged: train again, with a smaller learning rate")
  }

  fileprivate static func variance(_ node: OperatorNode, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "variance", location: Location(node: node.name, tensor: node.inputName(4)),
      message: "the variance is \(value): expected a number that is positive together with epsilon",
      fix: "estimate the statistics again: run some training batches in train() mode before the export")
  }

  fileprivate static func normalizedAxis(_ node: OperatorNode, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "normalized-axis", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "BatchNormalization of shape \(shape) does not act on the channels as they were computed: expected "
        + "[1, channels, height, width], or [1, features] of a linear layer",
      fix: "normalize in front of the flatten or permute (nn.BatchNorm2d behind the convolution)")
  }
}
