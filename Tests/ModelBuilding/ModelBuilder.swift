package import ONNXFormat
import SwiftProtobuf

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Writes small ONNX models for tests, node by node.
///
///     var model = ModelBuilder(input: [1, 1, 8, 8])
///     let x = model.quant("x", scale: 0.02, bits: 8, signed: false)
///     model.output = model.node("Relu", [x])
///     let bytes = model.bytes
package struct ModelBuilder {
  package static let quantDomain = "qonnx.custom_op.general"

  package var proto = ONNXModelProto()
  package var output = "" {
    didSet { proto.graph.output = [Self.valueInfo(output, dims: [])] }
  }
  /// Kept outside `proto`, where each addition would copy all.
  package var nodes: [ONNXNodeProto] = []
  package var initializers: [ONNXTensorProto] = []
  private var names = 0

  /// - Parameter input: With the batch; nil gives a symbolic dimension.
  package init(input: [Int64?] = [1, 1, 8, 8], opset: Int64 = 17) {
    proto.irVersion = 8
    proto.graph.name = "test"
    proto.graph.input = [Self.valueInfo("x", dims: input)]
    var version = ONNXOperatorSetIdProto()
    version.domain = ""
    version.version = opset
    proto.opsetImport = [version]
  }

  package var bytes: [UInt8] {
    var model = proto
    model.graph.node += nodes
    model.graph.initializer += initializers
    return (try? model.serializedBytes()) ?? []
  }

  /// Adds a node and returns the name of its output.
  @discardableResult
  package mutating func node(
    _ type: String, _ inputs: [String], domain: String = "", name: String? = nil, output: String? = nil,
    outputs: Int = 1, _ attributes: [String: Attribute] = [:]
  ) -> String {
    var node = ONNXNodeProto()
    node.opType = type
    node.domain = domain
    node.input = inputs
    node.name = name ?? fresh(type)
    node.output = [output ?? fresh("t")] + (1..<max(outputs, 1)).map { _ in fresh("more") }
    node.attribute = attributes.sorted { $0.key < $1.key }.map { $1.proto(named: $0) }
    nodes.append(node)
    return node.output[0]
  }

  package enum Attribute {
    case int(Int64)
    case float(Float)
    case string(String)
    case ints([Int64])
    case floats([Float])
    case tensor(ONNXTensorProto)
    /// A graph of its own, as control flow has it.
    case graph

    fileprivate func proto(named name: String) -> ONNXAttributeProto {
      var attribute = ONNXAttributeProto()
      attribute.name = name
      switch self {
      case .int(let value): (attribute.i, attribute.type) = (value, 2)
      case .float(let value): (attribute.f, attribute.type) = (value, 1)
      case .string(let value): (attribute.s, attribute.type) = (Data(value.utf8), 3)
      case .ints(let values): (attribute.ints, attribute.type) = (values, 7)
      case .floats(let values): (attribute.floats, attribute.type) = (values, 6)
      case .tensor(let value): (attribute.t, attribute.type) = (value, 4)
      case .graph: (attribute.g, attribute.type) = (Data([0x12, 0]), 5)
      }
      return attribute
    }
  }

  // MARK: Constants

  package mutating func floats(_ values: [Float], _ shape: [Int64], name: String? = nil) -> String {
    add(Self.tensor(floats: values, shape), name: name)
  }

  package mutating func scalar(_ value: Float) -> String { floats([value], []) }

  package mutating func integers(_ values: [Int64], _ shape: [Int64], type: ElementType, name: String? = nil) -> String
  {
    var tensor = ONNXTensorProto()
    tensor.dims = shape
    tensor.dataType = type.rawValue
    if type == .int64 {
      tensor.int64Data = values
    } else {
      tensor.int32Data = values.map { Int32(truncatingIfNeeded: $0) }
    }
    return add(tensor, name: name)
  }

  package mutating func add(_ tensor: ONNXTensorProto, name: String? = nil) -> String {
    var tensor = tensor
    tensor.name = name ?? fresh("c")
    initializers.append(tensor)
    return tensor.name
  }

  package static func tensor(floats values: [Float], _ shape: [Int64]) -> ONNXTensorProto {
    var tensor = ONNXTensorProto()
    tensor.dims = shape
    tensor.dataType = ElementType.float.rawValue
    tensor.floatData = values
    return tensor
  }

  package static func tensor(integers values: [Int64], _ shape: [Int64]) -> ONNXTensorProto {
    var tensor = ONNXTensorProto()
    tensor.dims = shape
    tensor.dataType = ElementType.int64.rawValue
    tensor.int64Data = values
    return tensor
  }

  // MARK: Common nodes

  package mutating func quant(
    _ input: String, scale: Float = 0.05, zeroPoint: Float = 0, bits: Float = 8, signed: Bool = false,
    narrow: Bool = false, rounding: String = "ROUND"
  ) -> String {
    node(
      "Quant", [input, scalar(scale), scalar(zeroPoint), scalar(bits)], domain: Self.quantDomain,
      ["signed": .int(signed ? 1 : 0), "narrow": .int(narrow ? 1 : 0), "rounding_mode": .string(rounding)])
  }

  /// Ternary weights through a `Quant` of 2 bits: −1, 0, +1 in turn, times the scale.
  package mutating func ternary(_ shape: [Int64], scale: Float = 0.5) -> String {
    let count = shape.reduce(1, *)
    let weights = floats((0..<count).map { Float($0 % 3 - 1) * scale }, shape)
    return quant(weights, scale: scale, bits: 2, signed: true, narrow: true)
  }

  private mutating func fresh(_ stem: String) -> String {
    names += 1
    return "\(stem)_\(names)"
  }

  private static func valueInfo(_ name: String, dims: [Int64?]) -> ONNXValueInfoProto {
    var info = ONNXValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = ElementType.float.rawValue
    info.type.tensorType.shape.dim = dims.enumerated().map { axis, extent in
      var dim = ONNXDimensionProto()
      if let extent { dim.dimValue = extent } else { dim.dimParam = "d\(axis)" }
      return dim
    }
    return info
  }
}
