internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The integers of an activation between `QuantizeLinear` and `DequantizeLinear`, perhaps narrowed by a `Clip`.
struct QuantizedCodes {
  /// The real tensor that is quantized.
  var input: ActivationView
  var scale: Float
  var zeroPoint: Int
  var grid: ClosedRange<Int64>
  var type: ElementType
}

/// ONNX `QuantizeLinear(x, scale, zero_point)`: saturate(round(x / scale) + zero point).
@Sendable func importQuantizeLinear(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard try node.int("block_size", default: 0, in: 0...Int(Int32.max)) == 0 else { throw .blocked(node) }
  let type = try storedType(node, &state)
  guard let range = type.integerRange, type.bits <= 16, type != .bool else { throw .storedType(node, type) }
  if case .constant(let constant) = try state.input(node, 0) {
    let axis = try axis(node, rank: constant.shape.count)
    let (scales, scaleShape) = try QuantizerParameters.constantScales(node, 1, of: constant, axis: axis, &state)
    let zeroPoint = try zeroPoints(node, of: constant, axis: axis, &state)
    guard let offset = zeroPoint.uniform else { throw .zeroPoints(node, constant) }
    // ONNX rounds before it adds the zero point, so the grid is shifted and the zero point added behind the rounding.
    let grid = range.lowerBound - offset...range.upperBound - offset
    var result = try quantized(
      constant, scales: scales, scaleShape: scaleShape, bits: type.bits,
      .grid(grid, zeroPoint: 0, rounding: .halfEven), node, &state)
    if case .scaled(let integers, _, _) = result.numbers { result.numbers = .integers(integers.map { $0 + offset }) }
    result.type = type
    return .constant(result)
  }

  let input = try state.activation(node, 0)
  let scale = try QuantizerParameters.activationScale(node, 1, &state)
  let zeroPoint =
    node.inputName(2) == nil ? 0 : try QuantizerParameters.integer(node, 2, "zero point", in: -32768...65535, &state)
  return .codes(QuantizedCodes(input: input, scale: scale, zeroPoint: zeroPoint, grid: range, type: type))
}

/// ONNX `DequantizeLinear(q, scale, zero_point)`: (q − zero point) · scale.
@Sendable func importDequantizeLinear(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard try node.int("block_size", default: 0, in: 0...Int(Int32.max)) == 0 else { throw .blocked(node) }
  switch try state.input(node, 0) {
  case .constant(let constant):
    return .constant(try dequantized(constant, node, &state))
  case .codes(let codes):
    let scale = try QuantizerParameters.activationScale(node, 1, &state)
    let zeroPoint =
      node.inputName(2) == nil ? 0 : try QuantizerParameters.integer(node, 2, "zero point", in: -32768...65535, &state)
    guard scale == codes.scale, zeroPoint == codes.zeroPoint else {
      throw .unequalScales(node, codes, scale, zeroPoint)
    }
    let quantizer = Quantizer(
      scale: scale, zeroPoint: zeroPoint, minimum: Int(codes.grid.lowerBound), maximum: Int(codes.grid.upperBound),
      zeroPointOrder: .afterRounding, isSigned: codes.type.isSigned)
    return try state.emitPointwise(
      node, .quantize(QuantizerParameters.check(quantizer, node)), input: codes.input, keepsZero: true)
  case .integerInput(let view):
    // The model's input is what a quantizer would have made of it.
    let scale = try QuantizerParameters.activationScale(node, 1, &state)
    let zeroPoint =
      node.inputName(2) == nil ? 0 : try QuantizerParameters.integer(node, 2, "zero point", in: -128...255, &state)
    let isSigned = state.index.inputElement == .int8
    let quantizer = Quantizer(
      scale: scale, zeroPoint: zeroPoint, minimum: isSigned ? -128 : 0, maximum: isSigned ? 127 : 255,
      zeroPointOrder: .afterRounding, isSigned: isSigned)
    state.graph.inputIsQuantized()
    return try state.emitPointwise(
      node, .quantize(QuantizerParameters.check(quantizer, node)), input: view, keepsZero: true)
  case .activation(let view) where state.graph.isAssumedQuantized(view.id):
    return .activation(view)
  case .activation, .failed, nil:
    throw .notQuantized(node)
  }
}

private func dequantized(
  _ constant: Constant, _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> Constant {
  if constant.isPlaceholder { return constant }
  guard let codes = constant.integers else { throw .notQuantized(node) }
  let axis = try axis(node, rank: constant.shape.count)
  let (scales, scaleShape) = try QuantizerParameters.constantScales(node, 1, of: constant, axis: axis, &state)
  try state.spend(codes.count, for: constant.origin)
  let zeroPoint = try zeroPoints(node, of: constant, axis: axis, &state)
  var integers: [Int64] = []
  integers.reserveCapacity(codes.count)
  for (position, code) in codes.enumerated() {
    let (integer, overflow) = code.subtractingReportingOverflow(zeroPoint[position])
    guard !overflow else { throw .zeroPoints(node, constant) }
    integers.append(integer)
  }
  var result = constant
  result.numbers = .scaled(integers, scales: scales, scaleShape: scaleShape)
  result.bitWidth = constant.bitWidth ?? constant.type.bits
  return result
}

/// The type of the integers: that of the zero point, else the attribute's, else uint8.
private func storedType(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> ElementType {
  if let zeroPoint = try state.constant(node, 2) { return zeroPoint.type }
  let number = try node.int("output_dtype", default: 0)
  if number == 0 { return .uint8 }
  guard let type = ElementType(rawValue: Int32(number)) else {
    throw node.wrongAttribute("output_dtype", expected: "an integer type")
  }
  return type
}

/// The axis of per-channel parameters. It matters only where there are several, so a scalar's may be out of range.
private func axis(_ node: OperatorNode, rank: Int) throws(Diagnostic) -> Int {
  let axis = try node.int("axis", default: 1)
  return axis < 0 ? axis + rank : axis
}

/// The zero point of each element.
private struct ZeroPoints {
  let values: [Int64]
  /// Nil for one value for all.
  let indices: [Int]?

  subscript(position: Int) -> Int64 { indices.map { values[$0[position]] } ?? values.first ?? 0 }
  var uniform: Int64? { values.allSatisfy { $0 == values.first } ? values.first ?? 0 : nil }
}

private func zeroPoints(
  _ node: OperatorNode, of data: Constant, axis: Int, _ state: inout ImportState
) throws(Diagnostic) -> ZeroPoints {
  guard let constant = try state.constant(node, 2) else { return ZeroPoints(values: [0], indices: nil) }
  guard let values = constant.integers, values.allSatisfy({ (-1 << 40...1 << 40).contains($0) }),
    let shape = QuantizerParameters.broadcastShape(of: constant, to: data.shape, axis: axis)
  else { throw .zeroPoints(node, constant) }
  return ZeroPoints(values: values, indices: values.count == 1 ? nil : broadcastIndices(of: shape, over: data.shape))
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func blocked(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "blocked-quantization", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) has one scale for each block: expected one for the tensor or one for each channel",
      fix: "quantize weights per tensor or per channel: no block or group size")
  }

  fileprivate static func storedType(_ node: OperatorNode, _ type: ElementType) -> Diagnostic {
    Diagnostic(
      code: "element-type", location: Location(node: node.name, tensor: node.inputName(2)),
      message: "\(node.type) quantizes to \(ElementType.name(type.rawValue)): expected int8 or uint8",
      fix: node.framework.eightBits)
  }

  fileprivate static func zeroPoints(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "zero-point", location: Location(node: node.name, tensor: constant.origin),
      message: "the zero points of \(node.type) are not whole numbers, one for the tensor or one for each channel of "
        + "\(constant.shape): expected that",
      fix: "quantize weights symmetrically, with a zero point of 0")
  }

  fileprivate static func unequalScales(
    _ node: OperatorNode, _ codes: QuantizedCodes, _ scale: Float, _ zeroPoint: Int
  ) -> Diagnostic {
    Diagnostic(
      code: "unequal-scales", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "DequantizeLinear has scale \(scale) and zero point \(zeroPoint), its QuantizeLinear has "
        + "\(codes.scale) and \(codes.zeroPoint): expected equal ones",
      fix: "leave rescaling to the next quantizer: " + node.framework.exportAgain)
  }

  fileprivate static func notQuantized(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "expected-integers", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "DequantizeLinear's input holds no integers: expected the result of a QuantizeLinear or an integer constant",
      fix: "export QDQ pairs: each DequantizeLinear directly behind its QuantizeLinear or integers")
  }
}
