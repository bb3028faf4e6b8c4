internal import Diagnostics
internal import FoundationEssentials
internal import ONNXFormat

/// Writes a ternary network as QONNX, in the form that Brevitas exports and `sterna compile` reads.
///
/// Weights are stored on the grid: a `Quant` of 2 bits, signed and narrow, with one scale an output, gives back the very
/// levels whatever threshold made them (rounding at 0.5 · α cannot move −α, 0 or +α).
struct QONNXWriter {
  static let domain = "qonnx.custom_op.general"

  private let network: FloatNetwork
  private var graph = ONNXGraphProto()
  private var nodes: [ONNXNodeProto] = []
  private var initializers: [ONNXTensorProto] = []
  private var names: Set<String>
  private var scalars: [Float: String] = [:]

  init(_ network: FloatNetwork) {
    self.network = network
    names = [network.inputName, network.outputName]
  }

  /// The file's bytes.
  func file(_ steps: [TernaryStep]) throws(ModelError) -> [UInt8] {
    var writer = self
    writer.write(steps)
    var model = ONNXModelProto()
    model.irVersion = 8
    model.producerName = "sterna"
    model.opsetImport = [("", Int64(13)), (Self.domain, Int64(1))].map { domain, version in
      var entry = ONNXOperatorSetIdProto()
      entry.domain = domain
      entry.version = version
      return entry
    }
    model.graph = writer.graph
    return try model.serialized()
  }

  private mutating func write(_ steps: [TernaryStep]) {
    graph.name = network.name
    graph.input = [Self.value(network.inputName, network.inputShape)]
    graph.output = [Self.value(network.outputName, network.outputShape)]
    var current = network.inputName
    for (index, step) in steps.enumerated() {
      let isLast = index == steps.count - 1
      switch step {
      case .quantize(let quantizer): current = quantize(current, quantizer, isLast: isLast)
      case .layer(let name, let layer): current = write(name, layer, current, isLast: isLast)
      case .plain(let step): current = write(step, current, isLast: isLast)
      }
    }
    graph.node = nodes
    graph.initializer = initializers
  }

  // MARK: Steps

  private mutating func quantize(_ input: String, _ quantizer: ActivationQuantizer, isLast: Bool) -> String {
    node(
      "Quant", "\(input)_quant",
      [input, scalar(quantizer.scale), scalar(0), scalar(Float(quantizer.bits))], isLast: isLast,
      Self.quantAttributes(isSigned: quantizer.isSigned, isNarrow: false))
  }

  private mutating func write(_ name: String, _ layer: TernaryLayer, _ input: String, isLast: Bool) -> String {
    let linear = layer.linear
    let shape =
      linear.isDense
      ? [linear.outputs, linear.groupInputs]
      : [linear.outputs, linear.groupInputs, linear.window.kernelHeight, linear.window.kernelWidth]
    let weights = constant(linear.weightName, linear.weights, shape)
    let scaleShape = [linear.outputs] + [Int](repeating: 1, count: shape.count - 1)
    let scales = constant("\(linear.weightName)_scale", layer.alphas, scaleShape)
    let ternary = node(
      "Quant", "\(name)_weight_quant", [weights, scales, scalar(0), scalar(2)], isLast: false,
      Self.quantAttributes(isSigned: true, isNarrow: true))
    let bias = constant("\(linear.weightName)_bias", linear.bias, [linear.outputs])
    if linear.isDense {
      return node("Gemm", name, [input, ternary, bias], isLast: isLast, [.integer("transB", 1)])
    }
    return node(
      "Conv", name, [input, ternary, bias], isLast: isLast,
      Self.attributes(linear.window) + [
        .list("dilations", [linear.window.dilationHeight, linear.window.dilationWidth]),
        .integer("group", linear.groups),
      ])
  }

  private mutating func write(_ step: FloatNetwork.Step, _ input: String, isLast: Bool) -> String {
    switch step.operation {
    case .linear: return input  // written as a ternary layer
    case .clip(0, nil): return node("Relu", step.name, [input], isLast: isLast)
    case .clip(let minimum, let maximum):
      let bounds = [minimum.map { scalar($0) } ?? "", maximum.map { scalar($0) } ?? ""]
      return node("Clip", step.name, [input] + (maximum == nil ? [bounds[0]] : bounds), isLast: isLast)
    case .flatten: return node("Flatten", step.name, [input], isLast: isLast, [.integer("axis", 1)])
    case .maxPool(let window):
      return node(
        "MaxPool", step.name, [input], isLast: isLast,
        Self.attributes(window) + [.integer("ceil_mode", window.ceilMode ? 1 : 0)])
    case .averagePool(let window):
      return node(
        "AveragePool", step.name, [input], isLast: isLast,
        Self.attributes(window) + [.integer("count_include_pad", 1)])
    case .affine(let affine):
      let rank = step.shape.count
      func values(_ values: [Double]) -> (values: [Float], shape: [Int]) {
        let floats = values.map { Float($0) }
        return floats.count == 1 ? (floats, []) : (floats, [1, floats.count] + (rank == 3 ? [1, 1] : []))
      }
      let (scales, scaleShape) = values(affine.scales)
      let (shifts, shiftShape) = values(affine.shifts)
      let factor = constant("\(step.name)_scale", scales, scaleShape)
      let term = constant("\(step.name)_shift", shifts, shiftShape)
      let product = node("Mul", "\(step.name)_mul", [input, factor], isLast: false)
      return node("Add", step.name, [product, term], isLast: isLast)
    }
  }

  // MARK: Parts of the file

  private enum Attribute {
    case integer(String, Int)
    case list(String, [Int])
    case text(String, String)

    var proto: ONNXAttributeProto {
      var attribute = ONNXAttributeProto()
      switch self {
      case .integer(let name, let value): (attribute.name, attribute.i, attribute.type) = (name, Int64(value), 2)
      case .list(let name, let values):
        (attribute.name, attribute.ints, attribute.type) = (name, values.map(Int64.init), 7)
      case .text(let name, let value): (attribute.name, attribute.s, attribute.type) = (name, Data(value.utf8), 3)
      }
      return attribute
    }
  }

  private static func quantAttributes(isSigned: Bool, isNarrow: Bool) -> [Attribute] {
    [.integer("narrow", isNarrow ? 1 : 0), .text("rounding_mode", "ROUND"), .integer("signed", isSigned ? 1 : 0)]
  }

  private static func attributes(_ window: FloatWindow) -> [Attribute] {
    [
      .list("kernel_shape", [window.kernelHeight, window.kernelWidth]),
      .list("pads", [window.top, window.left, window.bottom, window.right]),
      .list("strides", [window.strideHeight, window.strideWidth]),
    ]
  }

  private mutating func node(
    _ type: String, _ name: String, _ inputs: [String], isLast: Bool, _ attributes: [Attribute] = []
  ) -> String {
    var node = ONNXNodeProto()
    node.opType = type
    node.name = name
    node.domain = type == "Quant" ? Self.domain : ""
    node.input = inputs
    let output = isLast ? network.outputName : unique("\(name)_output")
    node.output = [output]
    node.attribute = attributes.map(\.proto)
    nodes.append(node)
    return output
  }

  private mutating func constant(_ name: String, _ values: [Float], _ shape: [Int]) -> String {
    var tensor = ONNXTensorProto()
    tensor.name = unique(name)
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = ElementType.float.rawValue
    tensor.floatData = values
    initializers.append(tensor)
    return tensor.name
  }

  private mutating func scalar(_ value: Float) -> String {
    if let name = scalars[value] { return name }
    let name = constant("scalar_\(scalars.count)", [value], [])
    scalars[value] = name
    return name
  }

  private mutating func unique(_ name: String) -> String {
    // Names of a hostile file may be long already, and the importer refuses those beyond its limit.
    let stem = name.utf8.count > ONNXLimits.nameBytes / 2 ? "tensor" : name
    var candidate = stem
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(stem)_\(number)"
    }
    return candidate
  }

  /// A value with a symbolic batch.
  private static func value(_ name: String, _ shape: [Int]) -> ONNXValueInfoProto {
    var info = ONNXValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = ElementType.float.rawValue
    var batch = ONNXDimensionProto()
    batch.dimParam = "N"
    info.type.tensorType.shape.dim =
      [batch]
      + shape.map { extent in
        var dim = ONNXDimensionProto()
        dim.dimValue = Int64(extent)
        return dim
      }
    return info
  }
}
