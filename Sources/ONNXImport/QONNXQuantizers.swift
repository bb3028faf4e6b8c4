internal import Diagnostics
internal import GraphIR

/// QONNX `Quant(x, scale, zero_point, bit_width)`, on activations, weights and biases.
///
/// Source of the semantics: qonnx.custom_op.general.quant; y = x / scale + zero point, clipped, then rounded.
@Sendable func importQuant(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let isSigned = try node.int("signed", default: 1, in: 0...1) == 1
  let isNarrow = try node.int("narrow", default: 0, in: 0...1) == 1
  let rounding = try roundingMode(node, default: .round)
  let data = try state.input(node, 0)
  if case .constant(let constant) = data {
    let zeroPoint = try QuantizerParameters.integer(node, 2, "zero point", in: -1 << 20...1 << 20, &state)
    let bits = try QuantizerParameters.integer(node, 3, "bit width", in: 1...32, &state)
    let (scales, scaleShape) = try QuantizerParameters.constantScales(node, 1, of: constant, axis: nil, &state)
    let step: QuantizerStep
    if bits == 1 && isSigned {
      step = .sign
    } else {
      step = .grid(
        integerGrid(bits: bits, isSigned: isSigned, isNarrow: isNarrow), zeroPoint: zeroPoint, rounding: rounding)
    }
    return .constant(try quantized(constant, scales: scales, scaleShape: scaleShape, bits: bits, step, node, &state))
  }

  let input = try state.activation(node, 0)
  let bits = try QuantizerParameters.integer(node, 3, "bit width", in: 1...8, &state)
  guard bits > 1 || !isSigned else { throw .binaryActivation(node) }
  guard bits > 1 || !isNarrow else { throw .emptyGrid(node) }
  guard let activationRounding = rounding.ofActivation else { throw .rounding(node, rounding) }
  let grid = integerGrid(bits: bits, isSigned: isSigned, isNarrow: isNarrow)
  let quantizer = Quantizer(
    scale: try QuantizerParameters.activationScale(node, 1, &state),
    zeroPoint: try QuantizerParameters.integer(node, 2, "zero point", in: -255...255, &state),
    minimum: Int(grid.lowerBound), maximum: Int(grid.upperBound), rounding: activationRounding,
    zeroPointOrder: .beforeRounding, isSigned: isSigned)
  return try state.emitPointwise(
    node, .quantize(QuantizerParameters.check(quantizer, node)), input: input, keepsZero: true)
}

/// QONNX `BipolarQuant(x, scale)`: +scale for x ≥ 0, else −scale.
@Sendable func importBipolarQuant(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  guard case .constant(let constant) = try state.input(node, 0) else { throw .binaryActivation(node) }
  let (scales, scaleShape) = try QuantizerParameters.constantScales(node, 1, of: constant, axis: nil, &state)
  return .constant(try quantized(constant, scales: scales, scaleShape: scaleShape, bits: 1, .sign, node, &state))
}

/// QONNX `Trunc`: makes a sum an integer, then drops low bits.
///
/// Version 1 has five inputs (x, scale, zero point, input bits, output bits) and keeps the scale; version 2 has six
/// (…, input bits, output scale, output bits). Source: qonnx.custom_op.general.trunc.
@Sendable func importTrunc(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let input = try state.activation(node, 0)
  let isSecondVersion = node.inputCount == 6
  guard isSecondVersion || node.inputCount == 5 else { throw .truncInputs(node) }
  let rounding = try roundingMode(node, default: .floor)
  guard let rounding = rounding.ofActivation else { throw .rounding(node, rounding) }
  let scale = try QuantizerParameters.activationScale(node, 1, &state)
  let zeroPoint = try QuantizerParameters.integer(
    node, 2, "zero point", in: isSecondVersion ? -255...255 : 0...0, &state)
  let inputBits = try QuantizerParameters.integer(node, 3, "input bit width", in: 1...32, &state)
  let outputBits = try QuantizerParameters.integer(node, isSecondVersion ? 5 : 4, "output bit width", in: 1...8, &state)

  let outputScale: Float
  let shift: Int
  let isSigned: Bool
  let isNarrow: Bool
  if isSecondVersion {
    outputScale = try QuantizerParameters.activationScale(node, 4, &state)
    shift = roundedLog2(Double(outputScale) / Double(scale))
    isSigned = try node.int("signed", default: 1, in: 0...1) == 1
    isNarrow = try node.int("narrow", default: 0, in: 0...1) == 1
  } else {
    outputScale = scale
    shift = inputBits - outputBits
    // Version 1 does not say; it does not clip either, so the grid must hold whatever values come.
    guard (0...24).contains(shift) else { throw .truncWidths(node, inputBits, outputBits) }
    guard let grid = state.graph.grid(of: input.id) else {
      if state.graph.isAssumedQuantized(input.id) { return .activation(input) }
      throw .truncSource(node)
    }
    isSigned = grid.bounds.lowerBound < 0
    isNarrow = false
    let unit = Double(1 << shift)
    let ends = [grid.bounds.lowerBound, grid.bounds.upperBound].map { ($0 / Double(scale)).rounded() / unit }
    let rounded = [ends[0].rounded(.down), ends[1].rounded(rounding == .floor ? .down : .up)]
    let range = integerGrid(bits: outputBits, isSigned: isSigned, isNarrow: false)
    guard rounded[0] >= Double(range.lowerBound), rounded[1] <= Double(range.upperBound) else {
      throw .truncRange(node, rounded, bits: outputBits)
    }
  }
  guard (0...24).contains(shift) else { throw .truncShift(node, shift) }
  let grid = integerGrid(bits: outputBits, isSigned: isSigned, isNarrow: isNarrow)
  let quantizer = Quantizer(
    scale: scale, zeroPoint: zeroPoint, minimum: Int(grid.lowerBound), maximum: Int(grid.upperBound),
    rounding: rounding, zeroPointOrder: .beforeRounding,
    truncation: .init(shift: shift, outputScale: outputScale), isSigned: isSigned)
  return try state.emitPointwise(
    node, .quantize(QuantizerParameters.check(quantizer, node)), input: input, keepsZero: true)
}

private func roundingMode(_ node: OperatorNode, default fallback: RoundingMode) throws(Diagnostic) -> RoundingMode {
  guard let mode = RoundingMode(attribute: try node.string("rounding_mode", default: fallback.rawValue)) else {
    throw node.wrongAttribute(
      "rounding_mode", expected: "ROUND, FLOOR or CEIL", fix: "set float_to_int_impl_type=FloatToIntImplType.ROUND")
  }
  return mode
}

/// log2 of a positive, finite number, rounded to an integer.
private func roundedLog2(_ ratio: Double) -> Int {
  Int(ratio.exponent) + (ratio.significand >= 2.0.squareRoot() ? 1 : 0)
}

/// What a quantizer does with x / scale.
enum QuantizerStep {
  /// Adds the zero point, clips, rounds; the zero point is taken off again.
  case grid(ClosedRange<Int64>, zeroPoint: Int, rounding: RoundingMode)
  /// +1 for x ≥ 0, else −1.
  case sign
}

/// Runs a quantizer on a constant in float32, operation for operation as the executors do.
func quantized(
  _ constant: Constant, scales: [Float], scaleShape: [Int], bits: Int, _ step: QuantizerStep, _ node: OperatorNode,
  _ state: inout ImportState
) throws(Diagnostic) -> Constant {
  if constant.isPlaceholder { return constant }
  try state.spend(constant.count, for: constant.origin)
  let values = constant.floats
  if let bad = values.first(where: { !$0.isFinite }) {
    throw .notFinite(node, constant, bad)
  }
  guard let indices = broadcastIndices(of: scaleShape, over: constant.shape) else {
    throw .notFinite(node, constant, .nan)
  }
  var integers: [Int64] = []
  integers.reserveCapacity(values.count)
  for (value, index) in zip(values, indices) {
    switch step {
    case .sign:
      integers.append(value >= 0 ? 1 : -1)
    case .grid(let grid, let zeroPoint, let rounding):
      let scaled = value / scales[index] + Float(zeroPoint)
      let clipped = min(max(scaled, Float(grid.lowerBound)), Float(grid.upperBound))
      guard let integer = Int64(exactly: rounding(clipped)) else { throw .notFinite(node, constant, clipped) }
      integers.append(integer - Int64(zeroPoint))
    }
  }
  var result = constant
  result.numbers = .scaled(integers, scales: scales, scaleShape: scaleShape)
  result.bitWidth = bits
  return result
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func binaryActivation(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "binary-activation", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the activation is quantized to its sign, ±1 (\(node.type)): expected 2 to 8 bits, or 1 bit unsigned",
      fix: node.framework == .keras
        ? "use QActivation('ternary') or quantized_relu(2) of QKeras"
        : "use a ternary activation (QuantIdentity with bit_width=2, narrow_range=True) or QuantReLU")
  }

  fileprivate static func emptyGrid(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "empty-grid", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "the activation is quantized to one unsigned bit with a narrow range, which leaves 0 alone: expected at least "
        + "two values",
      fix: "set narrow_range=False in the activation's quantizer")
  }

  fileprivate static func rounding(_ node: OperatorNode, _ mode: RoundingMode) -> Diagnostic {
    Diagnostic(
      code: "rounding-mode", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the activation is rounded by \(mode.rawValue): expected ROUND, FLOOR or CEIL",
      fix: node.type == "Trunc"
        ? "set float_to_int_impl_type=FloatToIntImplType.FLOOR or ROUND in the truncating pool"
        : "set float_to_int_impl_type=FloatToIntImplType.ROUND in the activation's quantizer")
  }

  fileprivate static func truncInputs(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "trunc", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Trunc has \(node.inputCount) inputs: expected 5 (version 1) or 6 (version 2)",
      fix: "export with a current Brevitas (0.12 or later)")
  }

  fileprivate static func truncSource(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "trunc", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "this Trunc (version 1, five inputs) reads real numbers: expected a quantizer's values, or their mean "
        + "times a constant",
      fix: "put a QuantIdentity or QuantReLU in front of TruncAvgPool2d")
  }

  fileprivate static func truncWidths(_ node: OperatorNode, _ input: Int, _ output: Int) -> Diagnostic {
    Diagnostic(
      code: "trunc", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Trunc goes from \(input) to \(output) bits: expected at most 24 bits less, and none more",
      fix: "set the output bit_width of TruncAvgPool2d to at most that of its sums")
  }

  fileprivate static func truncRange(_ node: OperatorNode, _ range: [Double], bits: Int) -> Diagnostic {
    Diagnostic(
      code: "trunc", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "Trunc leaves values from \(Int(clamping: range[0])) to \(Int(clamping: range[1])), which it does not clip: "
        + "expected numbers of \(bits) bits",
      fix: "give Trunc the input bit width that its sums have: export with a current Brevitas, which writes version 2")
  }

  fileprivate static func truncShift(_ node: OperatorNode, _ shift: Int) -> Diagnostic {
    Diagnostic(
      code: "trunc", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Trunc removes \(shift) bits (output scale over scale): expected 0 to 24",
      fix: "set an output scale of TruncAvgPool2d that is 1 to 2^24 times its input's")
  }

  fileprivate static func notFinite(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "holds \(value): expected finite numbers",
      fix: "the training has diverged: train again, with a smaller learning rate")
  }
}

extension Int {
  fileprivate init(clamping value: Double) { self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e15), 1e15)) }
}
