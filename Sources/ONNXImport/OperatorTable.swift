internal import Diagnostics

/// An operator that can be compiled, under which conditions, and what imports it.
package struct SupportedOperator: Sendable {
  /// As in a node's `op_type`.
  package let type: String
  /// As in a node's `domain`; the empty one is ONNX's own.
  package let domains: [String]
  /// In prose, for `sterna operators`.
  package let conditions: String
  /// Whether the result has the shape of the first input: then the search for problems goes on behind a refused node.
  let keepsShape: Bool
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
      "2-D, ternary constant weights, quantized input; any kernel, stride, padding, dilation and groups",
      keepsShape: false, importConv),
    entry(
      "Gemm", "ternary constant weights as second input, quantized input; alpha = beta = 1, transA = 0",
      keepsShape: false, importGemm),
    entry("MatMul", "ternary constant weights as second input, quantized input", keepsShape: false, importMatMul),
    entry(
      "BatchNormalization", "in inference mode, on [N, C, H, W] or [N, C]", keepsShape: true, importBatchNormalization),
    entry("Relu", "", keepsShape: true, importRelu),
    entry("Clip", "constant bounds", keepsShape: true, importClip),
    entry("Add", "of a constant, per channel or for all", keepsShape: true, importAdd),
    entry("Sub", "of a constant or from one, per channel or for all", keepsShape: true, importSub),
    entry("Mul", "by a constant, per channel or for all", keepsShape: true, importMul),
    entry("Div", "by a constant other than 0, per channel or for all", keepsShape: true, importDiv),

    // Pooling.
    entry("MaxPool", "2-D, no dilation, no indices", keepsShape: false, importMaxPool),
    entry(
      "AveragePool", "2-D, no dilation; padding only with count_include_pad = 1; no partial windows",
      keepsShape: false, importAveragePool),
    entry("GlobalAveragePool", "2-D", keepsShape: false, importGlobalAveragePool),
    entry("GlobalMaxPool", "2-D", keepsShape: false, importGlobalMaxPool),
    entry("ReduceMean", "over rows and columns (axes 2 and 3)", keepsShape: false, importReduceMean),

    // Shapes. All of these also on constants, so that exporters' shape arithmetic is resolved.
    entry("Flatten", "axis 1", keepsShape: false, importFlatten),
    entry("Reshape", "to [1, features] or to the same shape; constant target", keepsShape: false, importReshape),
    entry("Squeeze", "of rows and columns of extent 1", keepsShape: false, importSqueeze),
    entry("Unsqueeze", "of constants", keepsShape: false, importUnsqueeze),
    entry("Transpose", "of constants, or one that changes nothing", keepsShape: false, importTranspose),
    entry("Shape", "", keepsShape: false, importShape),
    entry("Gather", "from a constant list", keepsShape: false, importGather),
    entry("Slice", "of a constant list", keepsShape: false, importSlice),
    entry("Concat", "of constant lists", keepsShape: false, importConcat),

    // Operators without an effect in inference, and constants.
    entry("Identity", "", keepsShape: true, importIdentity),
    entry("Dropout", "in inference mode", keepsShape: true, importDropout),
    entry("Cast", "between float and double, or of constants", keepsShape: true, importCast),
    entry("Constant", "a tensor or numbers", keepsShape: false, importConstant),
    entry("Pow", "of constants, by 0.5, 1 or 2", keepsShape: true, importPow),
    entry("Sqrt", "of constants", keepsShape: true, importSqrt),
    entry("Softmax", "as the last node: dropped, it does not change the order", keepsShape: true, importTrailing),
    entry("LogSoftmax", "as the last node: dropped, it does not change the order", keepsShape: true, importTrailing),
    entry("ArgMax", "as the last node: dropped, the firmware has an argmax function", keepsShape: true, importTrailing),
    entry("TopK", "as the last node: dropped, only the values or only the indices", keepsShape: true, importTrailing),
  ]

  static func supportedOperator(type: String, domain: String) -> SupportedOperator? {
    operatorsByType[type].flatMap { $0.domains.contains(domain) ? $0 : nil }
  }

  private static let operatorsByType = Dictionary(
    supportedOperators.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })

  private typealias Translation = @Sendable (OperatorNode, inout ImportState) throws(Diagnostic) -> Resolved

  private static func entry(
    _ type: String, _ conditions: String, keepsShape: Bool, _ translate: @escaping Translation
  ) -> SupportedOperator {
    SupportedOperator(
      type: type, domains: OperatorDomain.onnx, conditions: conditions, keepsShape: keepsShape, translate: translate)
  }

  private static func quantizer(
    _ type: String, domains: [String] = OperatorDomain.quantizers, _ conditions: String,
    _ translate: @escaping Translation
  ) -> SupportedOperator {
    SupportedOperator(
      type: type, domains: domains, conditions: conditions, keepsShape: true, isQuantizer: true, translate: translate)
  }
}
