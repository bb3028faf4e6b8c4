internal import Diagnostics

/// An operator that can be compiled, under which conditions, and what imports it.
package struct SupportedOperator: Sendable {
  /// As in a node's `op_type`.
  package let type: String
  /// As in a node's `domain`; the empty one is ONNX's own.
  package let domains: [String]
  /// In prose, for `sterna operators`.
  package let conditions: String
  /// Whether the result of a refused node counts as quantized, so that the layers behind it are not refused for it.
  var isQuantizer = false
  let translate: @Sendable (OperatorNode, inout ImportState) throws(Diagnostic) -> Resolved
}

enum OperatorDomain {
  static let onnx = ["", "ai.onnx"]
  /// Where QONNX's quantizers have lived over the years; old files have them in ONNX's own domain.
  static let quantizers = ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general", "", "ai.onnx"]
}

extension ModelImporter {
  /// All that can be compiled. The import looks operators up here, and `sterna operators` prints it.
  package static let supportedOperators: [SupportedOperator] = [
    // Quantizers.
    quantizer(
      "Quant",
      "activations: 1 to 8 bits (signed: 2 to 8), one scale, integer zero point, rounding ROUND, FLOOR or CEIL; "
        + "weights: levels −1, 0, +1 only; biases: up to 32 bits", importQuant),
    quantizer("BipolarQuant", "weights only", importBipolarQuant),
    quantizer(
      "Trunc", "five or six inputs, one scale, rounding ROUND, FLOOR or CEIL, at most 24 bits removed", importTrunc),
    quantizer(
      "QuantizeLinear", domains: OperatorDomain.onnx,
      "one scale for activations; followed by an optional Clip and a DequantizeLinear of equal scale",
      importQuantizeLinear),
    quantizer(
      "DequantizeLinear", domains: OperatorDomain.onnx,
      "of QuantizeLinear's result, or of constant integers: per tensor or per channel, not blocked",
      importDequantizeLinear),

    // Layers.
    entry(
      "Conv",
      "2-D, ternary constant weights, quantized input; any kernel, stride, padding, dilation and groups", importConv),
    entry("Gemm", "ternary constant weights as second input, quantized input; transA = 0", importGemm),
    entry("MatMul", "ternary constant weights as second input, quantized input of [1, features]", importMatMul),
    entry("BatchNormalization", "in inference mode, per channel: on [N, C, H, W] or [N, C]", importBatchNormalization),
    entry("Relu", "", importRelu),
    entry("Clip", "constant bounds", importClip),
    entry(
      "Add",
      "of a constant, per channel or for all; of two quantized activations of one shape, as in residual networks",
      importAdd),
    entry(
      "Sub", "of a constant or from one, per channel or for all; of two quantized activations of one shape", importSub),
    entry("Sum", "of quantized activations of one shape", importSum),
    entry("Mul", "by a constant, per channel or for all", importMul),
    entry("Div", "by a constant other than 0, per channel or for all", importDiv),
    entry("Neg", "", importNeg),
    entry(
      "Pad", "zeros around rows and columns, behind a quantizer or the input; negative pads crop", importPad),

    // Pooling.
    entry("MaxPool", "2-D, no dilation, no indices; ceil_mode and auto_pad", importMaxPool),
    entry(
      "AveragePool", "2-D, no dilation; padding only with count_include_pad = 1; no partial windows", importAveragePool),
    entry("GlobalAveragePool", "2-D", importGlobalAveragePool),
    entry("GlobalMaxPool", "2-D", importGlobalMaxPool),
    entry("ReduceMean", "over rows, columns or both", importReduceMean),
    entry("ReduceMax", "over rows, columns or both", importReduceMax),

    // Shapes. All of these also on constants, so that exporters' shape arithmetic is resolved.
    entry("Flatten", "with a batch of 1", importFlatten),
    entry(
      "Reshape", "constant target; of the input, or in front of a flatten or linear layer; channels may be reordered",
      importReshape),
    entry("Squeeze", "", importSqueeze),
    entry("Unsqueeze", "", importUnsqueeze),
    entry(
      "Transpose", "of the input from channels last; in front of a flatten or linear layer; one that changes nothing",
      importTranspose),
    entry("Shape", "", importShape),
    entry("Resize", "mode nearest, rows and columns repeated a whole number of times", importResize),
    entry("Upsample", "mode nearest, rows and columns repeated a whole number of times", importResize),
    entry("Gather", "constant places of a constant, or of channels, rows and columns behind a quantizer", importGather),
    entry("Slice", "of constants, or of channels, rows and columns behind a quantizer", importSlice),
    entry("Split", "of constants, or of channels, rows and columns behind a quantizer", importSplit),
    entry(
      "Concat",
      "of channels: of quantized activations on one grid, or of any with a quantizer behind it; of constant lists",
      importConcat),
    entry("ConstantOfShape", "of constants", importConstantOfShape),

    // Operators without an effect in inference, and constants.
    entry("Identity", "", importIdentity),
    entry("Dropout", "in inference mode", importDropout),
    entry("Cast", "between float and double, of an integer input to float, or of constants", importCast),
    entry("Constant", "a tensor or numbers", importConstant),
    entry("Pow", "of constants, by 0.5, 1 or 2; of 2 by whole numbers", importPow),
    entry("Sqrt", "of constants", importSqrt),
    entry("Ceil", "of constants", importCeil),
    entry("Floor", "of constants", importFloor),
    entry("Round", "of constants", importRound),

    // Behind the network's outputs.
    entry("Softmax", "as the last node: dropped, it does not change the order", importTrailing),
    entry("LogSoftmax", "as the last node: dropped, it does not change the order", importTrailing),
    entry("Sigmoid", "as the last node: dropped, it does not change the order", importTrailing),
    entry("ArgMax", "as the last node: dropped, the firmware has an argmax function", importTrailing),
    entry("TopK", "as the last node: dropped, only the values or only the indices", importTrailing),
  ]

  static func supportedOperator(type: String, domain: String) -> SupportedOperator? {
    operatorsByType[type].flatMap { $0.domains.contains(domain) ? $0 : nil }
  }

  private static let operatorsByType = Dictionary(
    supportedOperators.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })

  private typealias Translation = @Sendable (OperatorNode, inout ImportState) throws(Diagnostic) -> Resolved

  private static func entry(
    _ type: String, _ conditions: String, _ translate: @escaping Translation
  ) -> SupportedOperator {
    SupportedOperator(type: type, domains: OperatorDomain.onnx, conditions: conditions, translate: translate)
  }

  private static func quantizer(
    _ type: String, domains: [String] = OperatorDomain.quantizers, _ conditions: String,
    _ translate: @escaping Translation
  ) -> SupportedOperator {
    SupportedOperator(
      type: type, domains: domains, conditions: conditions, isQuantizer: true, translate: translate)
  }
}
