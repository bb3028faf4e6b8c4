/// Who wrote the file, as far as advice depends on it: what to change stands in the owner's training code.
package enum Framework: Sendable, Equatable {
  /// PyTorch with Brevitas; also where the file does not say who wrote it.
  case pytorch
  /// Keras, mostly with QKeras, through tf2onnx or a relative.
  case keras
  /// FINN's and qonnx's own transformations.
  case finn
  /// ONNX Runtime's quantizer.
  case onnxRuntime

  /// - Parameter producer: The file's `producer_name`.
  package init(producer: String) {
    let name = producer.lowercased()
    let isMade = { (words: [String]) in words.contains { name.contains($0) } }
    if isMade(["tf2onnx", "keras", "tensorflow", "tflite"]) {
      self = .keras
    } else if isMade(["finn", "qonnx"]) {
      self = .finn
    } else if isMade(["onnx.quantize", "onnxruntime", "quantization"]) {
      self = .onnxRuntime
    } else {
      self = .pytorch
    }
  }
}

/// Advice that depends on who wrote the file.
extension Framework {
  /// Where a layer's input lies on no quantizer's grid.
  ///
  /// - Parameter isRelu: Whether a ReLU made it.
  package func quantizeActivation(behindRelu isRelu: Bool) -> String {
    switch self {
    case .pytorch where isRelu: "use QuantReLU instead of ReLU"
    case .pytorch: "put a QuantIdentity(bit_width=8) in front of the layer that reads it"
    case .keras where isRelu: "use QActivation('quantized_relu(8)') of QKeras instead of ReLU"
    case .keras: "put a QActivation('quantized_bits(8)') of QKeras in front of the layer that reads it"
    case .finn: "keep the activation's Quant node in front of the layer: take the file from before streamlining"
    case .onnxRuntime: "let quantize_static quantize this tensor too: do not list its nodes in nodes_to_exclude"
    }
  }

  package var quantizeInput: String {
    switch self {
    case .pytorch: "put a QuantIdentity(bit_width=8, return_quant_tensor=True) before the first layer"
    case .keras: "put a QActivation('quantized_bits(8)') of QKeras behind the Input"
    case .finn: "keep the Quant node behind the graph's input: take the file from before streamlining"
    case .onnxRuntime: "let quantize_static quantize the graph's input too, with quant_format=QuantFormat.QDQ"
    }
  }

  package var ternaryWeights: String {
    switch self {
    case .pytorch:
      "quantize the weights to 2 bits with narrow_range=True (Brevitas: weight_bit_width=2), or use a ternary quantizer"
    case .keras: "use QKeras layers with kernel_quantizer=ternary(alpha='auto')"
    case .finn: "train with ternary weights in Brevitas (weight_bit_width=2, narrow_range=True)"
    case .onnxRuntime:
      "ONNX Runtime quantizes to 8 bits: train with ternary weights (Brevitas: weight_bit_width=2), or run "
        + "`sterna ternarize` on the float model"
    }
  }

  /// A scale for each channel of an activation.
  package var scalePerTensor: String {
    switch self {
    case .pytorch:
      "use one scale for the tensor: QuantReLU(scaling_per_output_channel=False), without per_channel_broadcastable_shape"
    case .keras: "give the activation's quantizer one alpha for the tensor: quantized_bits(8, alpha=1)"
    case .finn: "give the activation's Quant node one scale for the tensor"
    case .onnxRuntime: "quantize activations per tensor: per_channel=True is for weights"
    }
  }

  package var eightBits: String {
    switch self {
    case .pytorch: "set bit_width=8 or less in the activation's quantizer"
    case .keras: "use quantized_bits(8) or quantized_relu(8) of QKeras, or fewer bits"
    case .finn: "give the activation's Quant node a bit width of 8 or less"
    case .onnxRuntime: "set activation_type=QuantType.QUInt8 or QInt8 in quantize_static"
    }
  }

  /// Where normalization, dropout and the like are exported as in training.
  package var inference: String {
    switch self {
    case .pytorch: "call model.eval() before the export, and export with training=TrainingMode.EVAL"
    case .keras: "export the inference model: call it with training=False"
    case .finn, .onnxRuntime: "export the trained model in inference mode (PyTorch: model.eval())"
    }
  }

  /// For a file that breaks ONNX's rules or went through too many hands.
  package var exportAgain: String {
    switch self {
    case .pytorch: "export the model again with brevitas.export.export_qonnx or export_onnx_qcdq"
    case .keras: "export the model again with tf2onnx (qkeras models: qonnx.converters.keras)"
    case .finn: "take the file that Brevitas exported, before FINN's transformations"
    case .onnxRuntime: "run quantize_static again on a freshly exported float model"
    }
  }

  package var foldConstants: String {
    "fold constants first: run the file through onnxsim, or qonnx.util.cleanup"
  }

  package var keepBatchFirst: String {
    switch self {
    case .keras: "use Flatten() in front of Dense, and Conv2D on [batch, rows, columns, channels] otherwise"
    default: "use torch.flatten(x, 1) in front of a linear layer, and keep [batch, channels, rows, columns] otherwise"
    }
  }

  package var twoDimensional: String {
    switch self {
    case .keras: "write it as Conv2D and MaxPooling2D with a height of 1: tf.expand_dims(x, 1), kernel (1, k)"
    default: "write it as Conv2d and MaxPool2d with a height of 1: x.unsqueeze(2), kernel (1, k)"
    }
  }

  /// Where two branches quantize one result, each in its own way.
  package var quantizeBeforeBranches: String {
    switch self {
    case .pytorch:
      "put one QuantIdentity or QuantReLU behind the layer and let all branches read its result, before any of them pools "
        + "or rescales it"
    case .keras: "put one QActivation behind the layer, in front of all branches"
    case .finn: "keep the Quant node in front of the fork: take the file from before streamlining"
    case .onnxRuntime: "leave one QuantizeLinear and DequantizeLinear per tensor: set DedicatedQDQPair=False"
    }
  }

  /// Where the inputs of an addition or concatenation are to lie on grids.
  ///
  /// - Parameter isConcatenation: Else an addition.
  package func quantizeOperands(isConcatenation: Bool) -> String {
    switch self {
    case .pytorch where isConcatenation:
      "put one shared QuantIdentity on each tensor that torch.cat joins, or a QuantIdentity behind torch.cat"
    case .pytorch: "put a QuantIdentity(bit_width=8, return_quant_tensor=True) on each operand in front of the addition"
    case .keras: "put a QActivation('quantized_bits(8)') on each input of \(isConcatenation ? "Concatenate" : "Add")"
    case .finn: "keep the Quant nodes in front of the join: take the file from before streamlining"
    case .onnxRuntime: "let quantize_static quantize all inputs of the node: do not list it in nodes_to_exclude"
    }
  }
}
