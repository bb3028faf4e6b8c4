package import Diagnostics
internal import ONNXFormat

/// Reads a float model: the bytes of an ONNX file in, a chain of steps out.
package struct FloatReader {
  /// What a name of the file stands for.
  enum Meaning {
    /// The value that the chain has after so many steps.
    case activation(steps: Int)
    case constant(Tensor)
    /// Its problem has been reported.
    case failed
  }

  /// So many problems are listed at most.
  private static let maximumReports = 100
  /// Elements of one activation: more than any firmware holds, and so few that no sum or product overflows.
  private static let maximumElements = 1 << 22
  /// Multiplications or comparisons of one step for one sample: no microcontroller does as many, and they bound the
  /// time that a hostile file can cost.
  private static let maximumWork = 1 << 33
  /// Elements of all constants, each use counted.
  private static let maximumConstants = 1 << 25

  private let folder: String?
  private var initializers: [String: ONNXTensorProto] = [:]
  private var meanings: [String: Meaning] = [:]
  private var constantElements = 0
  private(set) var network: FloatNetwork
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - folder: Where external data lies; nil refuses it.
  /// - Throws: All problems of the file at once.
  package static func read(
    bytes: [UInt8], folder: String?
  ) throws(ModelError) -> (network: FloatNetwork, warnings: [Diagnostic]) {
    let model = try ONNXModelProto.parsing(bytes)
    var reader = FloatReader(model, folder: folder)
    reader.readNodes(model.graph)
    if !reader.problems.isEmpty { throw ModelError(Array(reader.problems.prefix(maximumReports))) }
    return (reader.network, reader.warnings)
  }

  private init(_ model: ONNXModelProto, folder: String?) {
    self.folder = folder
    let graph = model.graph
    network = FloatNetwork(name: graph.name, inputName: "", inputShape: [1], outputName: "", steps: [])
    let versions = Set(model.opsetImport.filter { ["", "ai.onnx"].contains($0.domain) }.map(\.version))
    if versions.count != 1 || !versions.allSatisfy({ (9...25).contains($0) }) {
      problems.append(.opset(versions.sorted()))
    }
    for tensor in graph.initializer { initializers[tensor.name] = tensor }

    let inputs = graph.input.filter { initializers[$0.name] == nil }
    if inputs.count == 1, let input = inputs.first, !input.name.isEmpty {
      network.inputName = input.name
      if let shape = Self.shape(input.type.tensorType) {
        network.inputShape = shape
        meanings[input.name] = .activation(steps: 0)
      } else {
        problems.append(.inputShape(input.name))
        meanings[input.name] = .failed
      }
    } else {
      problems.append(.inputs(inputs.count))
    }
    network.outputName = graph.output.first?.name ?? ""
    if graph.output.count != 1 || network.outputName.isEmpty { problems.append(.outputs(graph.output.count)) }
  }

  /// `[channels, height, width]` or `[features]`; nil unless the type is float, the batch 1 or symbolic, the rest numbers.
  private static func shape(_ type: ONNXTensorTypeProto) -> [Int]? {
    let dims = type.shape.dim
    guard type.elemType == ElementType.float.rawValue, dims.count == 2 || dims.count == 4 else { return nil }
    if case .dimValue(let batch) = dims[0].value, batch != 1 { return nil }
    var shape: [Int] = []
    for dim in dims.dropFirst() {
      guard case .dimValue(let value) = dim.value, (1...Int64(maximumElements)).contains(value) else { return nil }
      shape.append(Int(value))
      guard elementCount(shape) != nil else { return nil }
    }
    return shape
  }

  private static func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= maximumElements else { return nil }
      count = product
    }
    return count
  }

  private mutating func readNodes(_ graph: ONNXGraphProto) {
    let needed = Self.neededNodes(graph)
    let quantizers = needed.filter { isQuantizer(graph.node[$0].opType) }
    if let first = quantizers.first {
      problems.append(.alreadyQuantized(FloatNode(graph.node[first], index: first), count: quantizers.count))
    }
    for index in needed where problems.count < Self.maximumReports {
      let node = FloatNode(graph.node[index], index: index)
      var result = Meaning.failed
      do throws(Diagnostic) {
        result = try read(node)
      } catch {
        problems.append(error)
      }
      if !node.output.isEmpty { meanings[node.output] = result }
    }
    switch meanings[network.outputName] {
    case .activation(network.steps.count) where network.steps.contains { $0.isLinear }: break
    case _ where !problems.isEmpty: break
    default: problems.append(.noLayers())
    }
  }

  private mutating func read(_ node: FloatNode) throws(Diagnostic) -> Meaning {
    // Reported once for the whole file; what it quantizes is read on, to find the other problems.
    if isQuantizer(node.type) { return try meaning(node, 0) ?? .failed }
    guard ["", "ai.onnx"].contains(node.proto.domain), let translate = floatOperators[node.type] else {
      throw .unsupportedOperator(node)
    }
    for position in node.proto.input.indices {
      if case .failed? = try meaning(node, position) { return .failed }
    }
    return try translate(node, &self)
  }

  /// The nodes that the output depends on, in the order of the file, which ONNX demands to be topological.
  private static func neededNodes(_ graph: ONNXGraphProto) -> [Int] {
    var names = Set(graph.output.map(\.name))
    var needed: [Int] = []
    for index in graph.node.indices.reversed() where graph.node[index].output.contains(where: names.contains) {
      needed.append(index)
      names.formUnion(graph.node[index].input)
    }
    return needed.reversed()
  }
}

// MARK: - What operators ask for

extension FloatReader {
  /// The shape of the chain's value so far.
  var shape: [Int] { network.outputShape }

  func isModelOutput(_ name: String) -> Bool { name == network.outputName }

  mutating func warn(_ warning: Diagnostic) { warnings.append(warning) }

  mutating func meaning(_ node: FloatNode, _ position: Int) throws(Diagnostic) -> Meaning? {
    guard let name = node.inputName(position) else { return nil }
    if let known = meanings[name] { return known }
    guard let proto = initializers[name] else {
      meanings[name] = .failed
      throw node.problem(
        "undefined-tensor", "the tensor is read before anything computes it, and it is no input or initializer",
        tensor: name, fix: "export the model again")
    }
    meanings[name] = .failed
    let decoded = Meaning.constant(try decode(proto, name: name))
    meanings[name] = decoded
    return decoded
  }

  mutating func decode(_ proto: ONNXTensorProto, name: String) throws(Diagnostic) -> Tensor {
    try spend(Tensor.declaredElements(proto), for: name)
    return try Tensor(decoding: proto, name: name, folder: folder)
  }

  /// Checks that the node reads the chain's last value.
  mutating func requireActivation(_ node: FloatNode, _ position: Int) throws(Diagnostic) {
    switch try meaning(node, position) {
    case .activation(network.steps.count): return
    case .activation:
      throw node.problem(
        "branch",
        "reads an activation that another layer has read already: only networks without branches can be "
          + "compiled", tensor: node.inputName(position),
        fix: "remove skip connections and parallel branches from the PyTorch model")
    case .constant, .failed, nil:
      throw node.problem(
        "expected-activation",
        "\(node.type)'s input \(position) is a constant or missing: expected a tensor computed "
          + "from the model's input", tensor: node.inputName(position), fix: "export the model again")
    }
  }

  /// A constant input; nil where it is left out.
  mutating func constant(_ node: FloatNode, _ position: Int) throws(Diagnostic) -> Tensor? {
    switch try meaning(node, position) {
    case nil: return nil
    case .constant(let tensor):
      try spend(tensor.elements.count, for: tensor.name)
      return tensor
    case .activation, .failed:
      throw node.problem(
        "expected-constant", "\(node.type)'s input \(position) is computed from the model's input: expected a constant",
        tensor: node.inputName(position), fix: "make it a parameter or buffer of the PyTorch module")
    }
  }

  mutating func requiredConstant(_ node: FloatNode, _ position: Int) throws(Diagnostic) -> Tensor {
    guard let tensor = try constant(node, position) else {
      throw node.problem("expected-constant", "\(node.type)'s input \(position) is missing: expected a constant")
    }
    return tensor
  }

  /// A constant's finite floats.
  mutating func floats(_ node: FloatNode, _ position: Int) throws(Diagnostic) -> (Tensor, [Float]) {
    let tensor = try requiredConstant(node, position)
    guard case .floats(let values) = tensor.elements else {
      throw node.problem(
        "already-quantized", "\(node.type)'s constant holds integers: expected the floats of a plain float model",
        tensor: tensor.name, fix: "export the float model, before quantization; a quantized one is compiled as it is")
    }
    if let bad = values.first(where: { !$0.isFinite }) {
      throw node.problem(
        "not-finite", "holds \(bad): expected finite numbers", tensor: tensor.name,
        fix: "the training has diverged; train again")
    }
    return (tensor, values)
  }

  mutating func spend(_ elements: Int, for tensor: String) throws(Diagnostic) {
    guard elements <= Self.maximumConstants - constantElements else {
      throw Diagnostic(
        code: "too-many-constants", location: .init(tensor: tensor),
        message: "the constants of the model have more than \(Self.maximumConstants) elements together",
        fix: "compile a network that a microcontroller can hold")
    }
    constantElements += elements
  }

  mutating func append(_ node: FloatNode, _ operation: FloatOperation, shape: [Int]) throws(Diagnostic) -> Meaning {
    let elements = Self.elementCount(shape) ?? Self.maximumElements + 1
    let (work, overflow) = elements.multipliedReportingOverflow(by: operation.workPerElement)
    guard elements <= Self.maximumElements, !overflow, work <= Self.maximumWork else {
      throw node.problem(
        "shape",
        "makes a tensor of shape \(shape) by \(operation.workPerElement) operations an element: more than "
          + "\(Self.maximumElements) elements, or \(Self.maximumWork) operations",
        fix: "compile a network that a microcontroller can hold")
    }
    network.steps.append(.init(name: node.name, operation: operation, shape: shape))
    return .activation(steps: network.steps.count)
  }

  /// The chain's value as the result of an operator that changes nothing.
  func unchanged() -> Meaning { .activation(steps: network.steps.count) }
}

extension FloatOperation {
  /// Steps of the innermost loop for one element of the result.
  fileprivate var workPerElement: Int {
    switch self {
    case .linear(let layer): layer.taps
    case .maxPool(let window), .averagePool(let window): window.kernelHeight * window.kernelWidth
    case .affine, .clip, .flatten: 1
    }
  }
}

extension FloatNetwork.Step {
  var isLinear: Bool {
    if case .linear = operation { return true }
    return false
  }
}

private func isQuantizer(_ type: String) -> Bool {
  [
    "Quant", "BipolarQuant", "Trunc", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv",
    "QLinearMatMul", "ConvInteger", "MatMulInteger", "IntQuant", "MultiThreshold",
  ].contains(type)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func opset(_ versions: [Int64]) -> Diagnostic {
    Diagnostic(
      code: "opset", message: "the file names the ONNX operator versions \(versions): expected one from 9 to 25",
      fix: "export with torch.onnx.export(..., opset_version=17)")
  }

  fileprivate static func inputShape(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "input-shape", location: .init(tensor: name),
      message: "the model's input is not [1, channels, height, width] or [1, features] of floats, in numbers but for "
        + "the batch",
      fix: "export with a sample of the real size, and with dynamic_axes for the batch at most")
  }

  fileprivate static func inputs(_ count: Int) -> Diagnostic {
    Diagnostic(
      code: "inputs", message: "the graph has \(count) inputs: expected exactly one that is no initializer",
      fix: "give the PyTorch model a forward() with one tensor")
  }

  fileprivate static func outputs(_ count: Int) -> Diagnostic {
    Diagnostic(
      code: "outputs", message: "the graph has \(count) outputs: expected exactly one",
      fix: "return one tensor from forward()")
  }

  fileprivate static func noLayers() -> Diagnostic {
    Diagnostic(
      code: "no-layers", message: "the output is not computed by a convolution or linear layer: nothing to ternarize",
      fix: "export the trained module, with its nodes in topological order")
  }

  fileprivate static func alreadyQuantized(_ node: FloatNode, count: Int) -> Diagnostic {
    Diagnostic(
      code: "already-quantized", location: .init(node: node.name, tensor: node.inputName(0)),
      message:
        "the model is quantized already: \(count) quantizer node(s), the first is \(node.type); expected a plain "
        + "float model",
      fix: "compile it as it is (sterna compile), or export the float model it was made from")
  }

  fileprivate static func unsupportedOperator(_ node: FloatNode) -> Diagnostic {
    Diagnostic(
      code: "unsupported-operator", location: .init(node: node.name, tensor: node.inputName(0)),
      message:
        "operator '\(node.type)'\(node.proto.domain.isEmpty ? "" : " of domain '\(node.proto.domain)'") cannot be "
        + "ternarized: expected one of " + floatOperators.keys.sorted().joined(separator: ", "),
      fix: "replace it by supported operators in the PyTorch model")
  }
}
