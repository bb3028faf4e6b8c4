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
    guard kind == .add || kind == .subtract else { throw .twoActivations(node) }
    return try joined(node, [left, right], signs: [1, kind == .add ? 1 : -1], &state)
  case (.codes, _), (_, .codes), (.integerInput, _), (_, .integerInput): throw .integerOperands(node)
  default: throw .operands(node)
  }
}

private func emit(
  _ node: OperatorNode, _ kind: Arithmetic.Kind, _ constant: Constant, input: ActivationView,
  _ state: inout ImportState
) throws(Diagnostic) -> Resolved {
  if constant.isPlaceholder { return .activation(input) }
  var input = input
  if constant.count > 1, input.padding != .none { input = try state.unpaddedMap(input, node) }
  guard let constants = try state.perChannel(constant, &input, node) else {
    throw .constantShape(node, constant, shape: input.shape)
  }
  if let bad = constant.floats.first(where: { !$0.isFinite || (kind == .divide && $0 == 0) }) {
    throw .constantValue(node, constant, bad)
  }
  let arithmetic = Arithmetic(kind: kind, constants: constants)
  var result = try state.emitPointwise(
    node, .arithmetic(arithmetic), input: input, keepsZero: kind == .multiply || kind == .divide)
  // ONNX broadcasts both ways: a constant of more axes gives the result as many.
  if case .activation(var view) = result, constant.shape.count > view.shape.count {
    view.shape = [Int](repeating: 1, count: constant.shape.count - view.shape.count) + view.shape
    result = .activation(view)
  }
  return result
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

/// Operators that are computed on constants only, element by element: exact in float32.
private func importFolded(
  _ node: OperatorNode, _ state: inout ImportState, _ function: (Float) -> Float
) throws(Diagnostic) -> Resolved {
  guard case .constant(var constant)? = try state.input(node, 0) else { throw .unsupportedOperator(node) }
  try state.spend(constant.count, for: constant.origin)
  constant.numbers = .floats(constant.floats.map(function))
  constant.type = .float
  return .constant(constant)
}

@Sendable func importSqrt(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importFolded(node, &state) { $0.squareRoot() }
}

@Sendable func importCeil(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importFolded(node, &state) { $0.rounded(.up) }
}

@Sendable func importFloor(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importFolded(node, &state) { $0.rounded(.down) }
}

@Sendable func importRound(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  try importFolded(node, &state) { $0.rounded(.toNearestOrEven) }
}

@Sendable func importNeg(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  if case .activation(let input)? = try state.input(node, 0) {
    let arithmetic = Arithmetic(kind: .multiply, constants: [ExactConstant(scale: -1)])
    return try state.emitPointwise(node, .arithmetic(arithmetic), input: input, keepsZero: true)
  }
  return try importFolded(node, &state) { -$0 }
}

/// ONNX `Pow` of constants by the exponents that normalizations need, and of 2 by integers, as power-of-two scales are.
@Sendable func importPow(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard case .constant(var constant)? = try state.input(node, 0) else { throw .unsupportedOperator(node) }
  let exponent = try state.requiredConstant(node, 1)
  try state.spend(constant.count, for: constant.origin)
  switch exponent.uniform {
  case 0.5: constant.numbers = .floats(constant.floats.map { $0.squareRoot() })
  case 1: break
  case 2: constant.numbers = .floats(constant.floats.map { $0 * $0 })
  case _ where constant.count == 1 && constant.floats[0] == 2:
    var powers: [Float] = []
    for value in exponent.floats {
      guard value == value.rounded(.towardZero), (-126...127).contains(value) else { throw .exponent(node) }
      powers.append(Float(sign: .plus, exponent: Int(value), significand: 1))
    }
    constant.shape = exponent.shape
    constant.numbers = .floats(powers)
  default: throw .exponent(node)
  }
  return .constant(constant)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func twoActivations(_ node: OperatorNode) -> Diagnostic {
    let names = [0, 1].map { node.inputName($0).map { "'\($0)'" } ?? "none" }.joined(separator: " and ")
    return Diagnostic(
      code: "product-of-activations", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "\(node.type) combines two activations, \(names): expected a constant operand",
      fix: "gates and products of activations (SiLU, squeeze-and-excitation, attention) cannot be compiled: remove them"
    )
  }

  fileprivate static func integerOperands(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "integer-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "\(node.type) computes with integers: expected real numbers, behind a DequantizeLinear or a Cast to FLOAT",
      fix: "export QDQ pairs, and begin with a cast to float (PyTorch: x.float()) where the model's input is integers")
  }

  fileprivate static func dividedConstant(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "divided-constant", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Div divides a constant by an activation: expected an activation divided by a constant",
      fix: "divide by constants only: the reciprocal of an activation cannot be compiled")
  }

  fileprivate static func operands(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "operands", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) cannot be computed on these constants: expected two whose shapes fit, without overflow or "
        + "division by 0",
      fix: node.framework.foldConstants)
  }

  fileprivate static func constantShape(_ node: OperatorNode, _ constant: Constant, shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "constant-shape", location: Location(node: node.name, tensor: constant.origin),
      message:
        "the constant of \(node.type) has shape \(constant.shape), the activation \(shape): expected one number, or "
        + "one for each channel",
      fix: "a constant that differs from place to place (a positional bias) cannot be compiled: give it the shape "
        + "[1, C, 1, 1], or [1, C] behind a linear layer")
  }

  fileprivate static func constantValue(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "the constant of \(node.type) holds \(value): expected finite numbers, and no 0 in a division",
      fix: value == 0 ? "divide by numbers other than 0" : "the training has diverged: train again")
  }

  fileprivate static func exponent(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "exponent", location: Location(node: node.name, tensor: node.inputName(1)),
      message: "Pow of constants by other exponents than 0.5, 1 or 2: expected one of these, or an integer power of 2",
      fix: node.framework.foldConstants)
  }
}
