internal import Diagnostics
internal import GraphIR

/// What to do about operators that cannot be compiled, by what they are for.
private enum Replacement {
  /// A function of one value: with a quantizer behind it, a ReLU trains as well in most networks.
  case activation
  case integerOperator
  case floatQuantizer
  case recurrent
  case attention
  case normalization
  case interpolation
  case transposedConvolution
  case sequence
  case reduction
  case finn
  case shaping
  case comparison
  case microsoft

  init?(_ type: String) {
    for (replacement, types) in Self.types where types.contains(type) {
      self = replacement
      return
    }
    return nil
  }

  private static let types: [(Self, Set<String>)] = [
    (
      .activation,
      [
        "Sigmoid", "Tanh", "Erf", "Gelu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish",
        "Swish",
        "Mish", "Softplus", "Softsign", "ThresholdedRelu", "Exp", "Log", "Sin", "Cos", "Abs", "Neg", "Sign", "Sqrt",
        "Pow",
        "Reciprocal", "Hardmax", "Ceil", "Floor", "Round", "Mod", "Shrink",
      ]
    ),
    (
      .integerOperator,
      [
        "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QLinearAdd", "QLinearMul", "QLinearConcat",
        "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax",
        "QGemm",
        "QLinearReduceMean", "QAttention", "QEmbedLayerNormalization", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
      ]
    ),
    (.floatQuantizer, ["DynamicQuantizeLinear", "FloatQuant", "IntQuant", "MatMulNBits"]),
    (.recurrent, ["LSTM", "GRU", "RNN", "Scan", "DynamicQuantizeLSTM"]),
    (.attention, ["Attention", "MultiHeadAttention", "GroupQueryAttention", "Einsum", "RotaryEmbedding"]),
    (
      .normalization,
      [
        "InstanceNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "LRN",
        "LpNormalization",
        "MeanVarianceNormalization", "SkipLayerNormalization", "SimplifiedLayerNormalization",
      ]
    ),
    (.interpolation, ["GridSample", "AffineGrid", "MaxUnpool", "RoiAlign", "CenterCropPad"]),
    (.transposedConvolution, ["ConvTranspose", "DeformConv", "Col2Im"]),
    (
      .sequence,
      [
        "SequenceConstruct", "SequenceAt", "SequenceEmpty", "SequenceInsert", "ConcatFromSequence", "SequenceLength",
        "SequenceErase", "SplitToSequence", "Optional", "OptionalGetElement",
      ]
    ),
    (
      .reduction,
      [
        "ReduceSum", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "CumSum", "LpPool",
        "GlobalLpPool", "ReduceSumSquare", "Mean",
      ]
    ),
    (
      .finn,
      [
        "MultiThreshold", "XnorPopcountMatMul", "Im2Col", "StreamingDataflowPartition", "QuantAvgPool2d", "MaxPoolNHWC",
        "ChannelwiseOp_Batch", "MatrixVectorActivation", "Thresholding_Batch",
      ]
    ),
    (
      .shaping,
      [
        "DepthToSpace", "SpaceToDepth", "Tile", "Expand", "GatherND", "GatherElements", "ScatterND", "Compress",
        "ReverseSequence", "Trilu", "OneHot", "EyeLike", "ConstantOfShape", "Range",
      ]
    ),
    (
      .comparison,
      [
        "Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Not", "Xor",
        "NonZero", "NonMaxSuppression", "Unique", "IsNaN", "IsInf", "Min", "Max",
      ]
    ),
  ]

  func advice(for type: String, _ framework: Framework) -> String {
    switch self {
    case .activation:
      framework == .keras
        ? "use QActivation('quantized_relu(8)') of QKeras instead"
        : type == "Tanh" || type == "Softsign"
          ? "use nn.Hardtanh, or QuantReLU, instead" : "use QuantReLU instead of \(type == "Erf" ? "GELU" : type)"
    case .integerOperator:
      "export QDQ: QuantizeLinear and DequantizeLinear around float operators "
        + (framework == .onnxRuntime || framework == .pytorch
          ? "(ONNX Runtime: quant_format=QuantFormat.QDQ; Brevitas: export_onnx_qcdq)" : "(Brevitas: export_onnx_qcdq)")
    case .floatQuantizer:
      "use static integer quantizers: learned or calibrated scales, exported as Quant or as QuantizeLinear and "
        + "DequantizeLinear"
    case .recurrent: "recurrent layers cannot be compiled: use convolutions over time, or carry the state outside"
    case .attention: "attention cannot be compiled: use convolutions or linear layers"
    case .normalization:
      framework == .keras ? "use BatchNormalization instead" : "use nn.BatchNorm2d or nn.BatchNorm1d instead"
    case .interpolation:
      framework == .keras
        ? "use UpSampling2D(interpolation='nearest'), strides or pools"
        : "use nn.Upsample(scale_factor=2, mode='nearest'), strides or pools"
    case .transposedConvolution:
      framework == .keras
        ? "use UpSampling2D(interpolation='nearest') and a Conv2D behind it"
        : "use nn.Upsample(scale_factor=2, mode='nearest') and a Conv2d behind it"
    case .sequence:
      "keep one tensor per layer in forward(): no lists, and export with torch.jit.trace rather than script"
    case .reduction: "reduce rows and columns by a mean or a maximum (AdaptiveAvgPool2d(1), x.amax((2, 3)))"
    case .finn: "take the file that Brevitas exported (export_qonnx), before FINN's and qonnx's transformations"
    case .shaping: "rearranging activations like this cannot be compiled: flatten or crop them, or do it outside"
    case .comparison: "choosing by value cannot be compiled: use QuantReLU, Hardtanh or Clip for bounds"
    case .microsoft: "export without ONNX Runtime's graph optimizations: optimization_level ORT_DISABLE_ALL or basic"
    }
  }
}

extension Diagnostic {
  static func unsupportedOperator(_ node: OperatorNode) -> Diagnostic {
    let domain = node.domain.isEmpty || node.domain == "ai.onnx" ? "" : " of domain '\(node.domain)'"
    let replacement =
      node.domain == "com.microsoft" && Replacement(node.type) == nil ? Replacement.microsoft : Replacement(node.type)
    return Diagnostic(
      code: "unsupported-operator",
      location: Location(node: node.name, tensor: node.inputName(0)),
      message: ModelImporter.supportedOperator(type: node.type, domain: node.domain) == nil
        ? "operator '\(node.type)'\(domain) cannot be compiled: expected one of those that `sterna operators` lists"
        : "operator '\(node.type)' works on an activation: expected constants here, as `sterna operators` says",
      fix: replacement?.advice(for: node.type, node.framework)
        ?? (domain.isEmpty
          ? "replace it by listed operators in the model, or do it outside of the exported network"
          : "\(node.framework.exportAgain): other tools' own operators are not known here"))
  }

  static func unsupportedFolding(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "unsupported-operator", location: Location(node: node.name, tensor: constant.origin),
      message: "operator '\(node.type)' computes with constants: expected one of those that `sterna operators` lists",
      fix: node.framework.foldConstants)
  }
}
