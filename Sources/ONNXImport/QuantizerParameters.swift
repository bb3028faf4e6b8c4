internal import Diagnostics
internal import GraphIR

/// The parameters that all quantizer dialects share, checked.
enum QuantizerParameters {
  /// A scale for the whole tensor, as activations need it: finite, positive, not subnormal.
  static func activationScale(
    _ node: OperatorNode, _ position: Int, _ state: inout ImportState
  ) throws(Diagnostic) -> Float {
    let constant = try state.requiredConstant(node, position)
    guard let scale = constant.uniform else {
      if let bad = constant.floats.first(where: { !isScale($0) }) {
        throw .scale(node, constant, "\(bad)", expected: "a positive, finite number")
      }
      throw .scale(
        node, constant, "\(constant.count) different numbers", expected: "one scale for the whole activation",
        fix: constant.count == 0 ? node.framework.exportAgain : node.framework.scalePerTensor)
    }
    guard isScale(scale), scale > 0 else {
      throw .scale(node, constant, "\(scale)", expected: "a positive, finite number")
    }
    return scale
  }

  /// Scales of a constant tensor, brought to its rank.
  ///
  /// - Parameter axis: Where a list of scales belongs, in QuantizeLinear and DequantizeLinear; nil broadcasts.
  static func constantScales(
    _ node: OperatorNode, _ position: Int, of data: Constant, axis: Int?, _ state: inout ImportState
  ) throws(Diagnostic) -> (scales: [Float], shape: [Int]) {
    let constant = try state.requiredConstant(node, position)
    let scales = constant.floats
    if let bad = scales.first(where: { !isScale($0) }) {
      throw .scale(node, constant, "\(bad)", expected: "finite numbers other than 0")
    }
    guard let shape = broadcastShape(of: constant, to: data.shape, axis: axis) else {
      throw .scale(
        node, constant, "a tensor of shape \(constant.shape)",
        expected: "one scale, or one for each channel of '\(data.origin)', whose shape is \(data.shape)")
    }
    return (scales, shape)
  }

  /// The shape of quantizer parameters in the rank of the data: each extent 1 or the data's.
  static func broadcastShape(of constant: Constant, to shape: [Int], axis: Int?) -> [Int]? {
    let ones = [Int](repeating: 1, count: shape.count)
    if constant.count == 1 { return ones }
    if let axis {
      guard constant.shape.count == 1, shape.indices.contains(axis), constant.count == shape[axis] else { return nil }
      var result = ones
      result[axis] = constant.count
      return result
    }
    guard constant.shape.count <= shape.count else { return nil }
    let padded = ones.dropLast(constant.shape.count) + constant.shape
    return zip(padded, shape).allSatisfy { $0 == 1 || $0 == $1 } ? Array(padded) : nil
  }

  /// A zero point or bit width: one integer, whatever its element type.
  static func integer(
    _ node: OperatorNode, _ position: Int, _ what: String, in range: ClosedRange<Int>, _ state: inout ImportState
  ) throws(Diagnostic) -> Int {
    let constant = try state.requiredConstant(node, position)
    guard let value = constant.uniform, let integer = Int(exactly: value), range.contains(integer) else {
      let found = constant.uniform.map { "\($0)" } ?? "\(constant.count) different numbers"
      throw .parameter(
        node, constant, "the \(what) is \(found): expected one integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// An activation's quantizer, if its integers fit a byte and its zero point is one of them.
  static func check(_ quantizer: Quantizer, _ node: OperatorNode) throws(Diagnostic) -> Quantizer {
    let byte = quantizer.isSigned ? -128...127 : 0...255
    guard quantizer.minimum <= quantizer.maximum, byte.contains(quantizer.minimum), byte.contains(quantizer.maximum)
    else { throw .wideActivation(node, quantizer) }
    guard (quantizer.minimum...quantizer.maximum).contains(quantizer.zeroPoint) else {
      throw .zeroPoint(node, quantizer)
    }
    return quantizer
  }

  /// Subnormal numbers are refused: executors flush them to zero or not, as they please.
  private static func isScale(_ value: Float) -> Bool { value.isNormal }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func scale(
    _ node: OperatorNode, _ constant: Constant, _ found: String, expected: String, fix: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      code: "quantizer-scale", location: Location(node: node.name, tensor: constant.origin),
      message: "the scale of \(node.type) is \(found): expected \(expected)",
      fix: fix
        ?? (found.hasPrefix("a tensor")
          ? "give the quantizer one scale, or one for each output channel (scaling_per_output_type='channel')"
          : "train longer or calibrate the quantizer, then export again: this one has not seen useful values"))
  }

  fileprivate static func parameter(_ node: OperatorNode, _ constant: Constant, _ message: String) -> Diagnostic {
    let fix: String
    if message.contains("bit width") {
      fix =
        node.type == "Trunc"
        ? "set whole numbers as bit widths of the truncating pool"
        : message.contains("expected one integer from 1 to 8")
          ? node.framework.eightBits : "set a whole number as bit_width"
    } else {
      fix = "use a quantizer whose zero point is a whole number in this range: 0 in all that are symmetric or unsigned"
    }
    return Diagnostic(
      code: "quantizer-parameter", location: Location(node: node.name, tensor: constant.origin), message: message,
      fix: fix)
  }

  fileprivate static func wideActivation(_ node: OperatorNode, _ quantizer: Quantizer) -> Diagnostic {
    Diagnostic(
      code: "activation-width", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the activation is quantized to \(quantizer.minimum)...\(quantizer.maximum): expected at most 8 bits",
      fix: node.framework.eightBits)
  }

  fileprivate static func zeroPoint(_ node: OperatorNode, _ quantizer: Quantizer) -> Diagnostic {
    Diagnostic(
      code: "zero-point", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "the zero point \(quantizer.zeroPoint) lies outside the grid "
        + "\(quantizer.minimum)...\(quantizer.maximum): expected it inside, as zeros of padding have to be stored",
      fix: "use a quantizer whose range includes 0 (symmetric, or unsigned with a zero point from 0 to 255)")
  }
}
