internal import Diagnostics
internal import GraphIR

@Sendable func importAdd(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importArithmetic(node, .add, reversed: .add, &state)
}

@Sendable func importSub(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importArithmetic(node, .subtract, reversed: .subtractFrom, &state)
}

@Sendable func importMul(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importArithmetic(node, .multiply, reversed: .multiply, &state)
}

@Sendable func importDiv(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importArithmetic(node, .divide, reversed: nil, &state)
}

/// An elementwise operator on two inputs.
///
/// - Parameters:
///   - kind: Its meaning where the constant is the second input.
///   - reversed: Where it is the first; nil where that cannot be compiled.
private func importArithmetic(
  _ node: OperatorNode, _ kind: Arithmetic.Kind, reversed: Arithmetic.Kind?, _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  switch (try state.input(node, 0), try state.input(node, 1)) {
  case (.activation(let input), .constant(let constant)):
    return try emit(node, kind, constant, input: input, &state)
  case (.constant(let constant), .activation(let input)):
    guard let reversed else { throw .dividedConstant(node) }
    return try emit(node, reversed, constant, input: input, &state)
  case (.constant(let left), .constant(let right)):
    return .constant(try folded(node, kind, left, right, &state))
  case (.activation(let left), .activation(let right)):
    // A residual addition will be imported here, as an operation with two inputs.
    throw .twoActivations(node, state[left].name, state[right].name)
  default:
    throw .operands(node)
  }
}

private func emit(
  _ node: OperatorNode, _ kind: Arithmetic.Kind, _ constant: Constant, input: Graph.ValueID,
  _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  if constant.isPlaceholder { return .activation(input) }
  guard let constants = perChannel(constant, shape: state[input].shape) else {
    throw .constantShape(node, constant, shape: state[input].shape)
  }
  if let bad = constant.floats.first(where: { !$0.isFinite || (kind == .divide && $0 == 0) }) {
    throw .constantValue(node, constant, bad)
  }
  return try state.emit(node, .arithmetic(Arithmetic(kind: kind, constants: constants)), input: input)
}

/// One constant, or one for each channel of an activation of shape `[C, H, W]` or `[C]`; nil where it varies otherwise.
private func perChannel(_ constant: Constant, shape: [Int]) -> [ExactConstant]? {
  if constant.count == 1 { return constant.exact }
  // The rank of the activation counts the batch, which the graph does not have.
  let rank = shape.count + 1
  let padded = [Int](repeating: 1, count: max(rank - constant.shape.count, 0)) + constant.shape
  let channelAxis = padded.count - shape.count
  for (axis, extent) in padded.enumerated() where axis != channelAxis && extent != 1 { return nil }
  return constant.count == shape[0] ? constant.exact : nil
}

// MARK: - Constant operands

/// The result for two constants, in float32 or in integers.
private func folded(
  _ node: OperatorNode, _ kind: Arithmetic.Kind, _ left: Constant, _ right: Constant, _ state: inout ImportState
) throws(Diagnostic) -> Constant {
  guard let shape = broadcastShape(left.shape, right.shape) else { throw .operands(node) }
  var count = 1
  for extent in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
    count = overflow ? .max : product
  }
  try state.spend(count, for: left.origin)
  guard let leftIndices = broadcastIndices(of: left.shape, over: shape),
    let rightIndices = broadcastIndices(of: right.shape, over: shape)
  else { throw .operands(node) }

  var result = left
  result.shape = shape
  result.isPlaceholder = left.isPlaceholder || right.isPlaceholder
  if let leftValues = left.integers, let rightValues = right.integers {
    var values: [Int64] = []
    for (left, right) in zip(leftIndices, rightIndices) {
      guard let value = kind.apply(leftValues[left], rightValues[right]) else { throw .operands(node) }
      values.append(value)
    }
    result.numbers = .integers(values)
  } else {
    let (leftValues, rightValues) = (left.floats, right.floats)
    result.numbers = .floats(
      zip(leftIndices, rightIndices).map { kind.apply(leftValues[$0], rightValues[$1]) })
  }
  return result
}

/// The common shape of two operands; nil where they do not fit together.
private func broadcastShape(_ left: [Int], _ right: [Int]) -> [Int]? {
  let rank = max(left.count, right.count)
  let left = [Int](repeating: 1, count: rank - left.count) + left
  let right = [Int](repeating: 1, count: rank - right.count) + right
  guard zip(left, right).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else { return nil }
  return zip(left, right).map { $0 == 1 ? $1 : $0 }
}

extension Arithmetic.Kind {
  fileprivate func apply(_ left: Float, _ right: Float) -> Float {
    switch self {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .subtractFrom: right - left
    }
  }

  /// Nil on overflow and for a division that ONNX leaves open.
  fileprivate func apply(_ left: Int64, _ right: Int64) -> Int64? {
    let (value, overflow) =
      switch self {
      case .add: left.addingReportingOverflow(right)
      case .subtract: left.subtractingReportingOverflow(right)
      case .multiply: left.multipliedReportingOverflow(by: right)
      case .divide: left.dividedReportingOverflow(by: right)
      case .subtractFrom: right.subtractingReportingOverflow(left)
      }
    return overflow ? nil : value
  }
}

@Sendable func importSqrt(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  var constant = try state.requiredConstant(node, 0)
  try state.spend(constant.count, for: constant.origin)
  constant.numbers = .floats(constant.floats.map { $0.squareRoot() })
  return .constant(constant)
}

/// ONNX `Pow` of constants by the exponents that normalizations need.
@Sendable func importPow(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  var constant = try state.requiredConstant(node, 0)
  try state.spend(constant.count, for: constant.origin)
  switch try state.requiredConstant(node, 1).uniform {
  case 0.5: constant.numbers = .floats(constant.floats.map { $0.squareRoot() })
  case 1: break
  case 2: constant.numbers = .floats(constant.floats.map { $0 * $0 })
  default: throw .exponent(node)
  }
  return .constant(constant)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func twoActivations(_ node: OperatorNode, _ left: String, _ right: String) -> Diagnostic {
    Diagnostic(
      code: "residual", location: Location(node: node.name, tensor: right),
      message: "\(node.type) combines two activations, '\(left)' and '\(right)': only a constant operand is supported",
      fix: "remove skip connections and gates (SiLU, attention) from the PyTorch model")
  }

  fileprivate static func dividedConstant(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "divided-constant", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Div divides a constant by an activation: expected an activation divided by a constant")
  }

  fileprivate static func operands(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "operands", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) cannot be computed on these operands: expected an activation and a constant",
      fix: "export the model again")
  }

  fileprivate static func constantShape(_ node: OperatorNode, _ constant: Constant, shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the constant of \(node.type) has shape \(constant.shape), the activation \(shape) behind the batch: "
        + "expected one number, or one for each channel",
      fix: "give the constant the shape [1, C, 1, 1], or [1, C] behind a flatten")
  }

  fileprivate static func constantValue(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "the constant of \(node.type) holds \(value): expected finite numbers, and no 0 in a division")
  }

  fileprivate static func exponent(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "exponent", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Pow is supported on constants by 0.5, 1 or 2 only")
  }
}
