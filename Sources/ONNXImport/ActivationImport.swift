internal import Diagnostics
internal import GraphIR

@Sendable func importRelu(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try state.emitPointwise(node, .relu, input: state.activation(node, 0), keepsZero: true)
}

/// ONNX `Clip(x, min?, max?)`: on reals (ReLU6, Hardtanh), on a quantizer's integers, and on constants.
///
/// Up to opset 10 the bounds are attributes.
@Sendable func importClip(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let bounds = try clipBounds(node, &state)
  switch try state.input(node, 0) {
  case .activation(let input):
    return try state.emitPointwise(
      node, .clip(minimum: bounds.lower, maximum: bounds.upper), input: input,
      keepsZero: (bounds.lower ?? 0) <= 0 && (bounds.upper ?? 0) >= 0)
  case .codes(var codes):
    let lower = max(codes.grid.lowerBound, integer(bounds.lower, .up) ?? .min)
    let upper = min(codes.grid.upperBound, integer(bounds.upper, .down) ?? .max)
    guard lower <= upper else { throw .clipBounds(node, "leave none of the quantizer's integers") }
    codes.grid = lower...upper
    return .codes(codes)
  case .constant(var constant):
    try state.spend(constant.count, for: constant.origin)
    switch constant.numbers {
    case .floats(let values):
      constant.numbers = .floats(values.map { min(max($0, bounds.lower ?? $0), bounds.upper ?? $0) })
    case .integers(let values):
      let lower = integer(bounds.lower, .up) ?? .min
      let upper = integer(bounds.upper, .down) ?? .max
      constant.numbers = .integers(values.map { min(max($0, lower), upper) })
    case .scaled: throw .clipBounds(node, "apply to a quantized constant; expected Clip before DequantizeLinear")
    }
    return .constant(constant)
  case .integerInput, .failed, nil: throw .clipInput(node)
  }
}

/// A bound on integers; nil where there is none, or none that an integer can reach.
private func integer(_ bound: Float?, _ direction: FloatingPointRoundingRule) -> Int64? {
  bound.flatMap { Int64(exactly: $0.rounded(direction)) }
}

/// The bounds; infinite ones are none.
private func clipBounds(
  _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> (lower: Float?, upper: Float?) {
  func bound(_ position: Int, _ attribute: String) throws(Diagnostic) -> Float? {
    if node.hasAttribute(attribute) { return try node.float(attribute, default: 0) }
    guard let constant = try state.constant(node, position) else { return nil }
    guard let value = constant.uniform else { throw .clipBounds(node, "are not single numbers") }
    return value
  }
  let lower = try bound(1, "min")
  let upper = try bound(2, "max")
  if lower?.isNaN == true || upper?.isNaN == true || lower == .infinity || upper == -.infinity {
    throw .clipBounds(node, "are \(lower ?? 0) and \(upper ?? 0)")
  }
  if let lower, let upper, lower > upper { throw .clipBounds(node, "are in the wrong order: \(lower) and \(upper)") }
  return (lower == -.infinity ? nil : lower, upper == .infinity ? nil : upper)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func clipBounds(_ node: OperatorNode, _ reason: String) -> Diagnostic {
    Diagnostic(
      code: "clip-bounds", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Clip's bounds \(reason): expected single numbers, the smaller first",
      fix: reason.contains("quantizer's integers") || reason.contains("quantized constant")
        ? node.framework.exportAgain : "use constant bounds with minimum ≤ maximum (torch.clamp, nn.Hardtanh)")
  }

  fileprivate static func clipInput(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "integer-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Clip acts on the model's integer input: expected real numbers, behind a Cast to FLOAT",
      fix: "begin with a cast to float (PyTorch: x.float())")
  }
}
