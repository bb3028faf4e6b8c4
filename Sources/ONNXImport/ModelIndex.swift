internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The file's names, looked up: initializers, producers, the one input, the outputs; all checked to be sound.
struct ModelIndex {
  let graphName: String
  let opset: Int
  let nodes: [ONNXNodeProto]
  let initializers: [String: ONNXTensorProto]
  /// The node that computes each name.
  let producers: [String: Int]
  /// Its shape behind the batch, as the file has it.
  let input: (name: String, shape: [Int])
  let inputElement: Graph.InputElement
  /// At least one, each once.
  let outputs: [String]
  /// Who wrote the file.
  let framework: Framework
  /// The one node that reads a name, by its index; −1 for several.
  private let readers: [String: Int]

  /// Operators that pass a tensor on, whatever its shape, when they stand behind the last layer.
  static let passingTypes = ["Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Dropout"]

  fileprivate static let mostOutputs = 256

  init(_ model: ONNXModelProto) throws(ModelError) {
    var problems: [Diagnostic] = []
    let graph = model.graph
    try Self.checkNames(graph)
    graphName = graph.name
    nodes = graph.node

    framework = Framework(producer: model.producerName)
    var readers: [String: Int] = [:]
    for (index, node) in graph.node.enumerated() {
      for name in node.input { readers[name] = readers[name] == nil ? index : -1 }
    }
    self.readers = readers

    opset = Self.opset(model, &problems)
    initializers = Self.initializers(graph, &problems)
    let (inputName, inputShape, element) = Self.input(graph, initializers, framework, &problems)
    input = (inputName, inputShape)
    inputElement = element
    producers = Self.producers(graph, initializers, input: inputName, &problems)
    // All outputs of one node that is left out anyway (TopK's values and indices) count as one.
    let names = graph.output.map(\.name)
    var seenTopK = Set<Int>()
    let producers = producers
    outputs = names.filter { name in
      guard let producer = producers[name], graph.node[producer].opType == "TopK" else { return true }
      return seenTopK.insert(producer).inserted
    }
    if names.isEmpty || names.contains("") || names.count > Self.mostOutputs || Set(names).count != names.count {
      problems.append(.outputs(names))
    }
    if !problems.isEmpty { throw ModelError(Array(problems.prefix(ImportState.maximumReports))) }
  }

  func node(_ number: Int) -> OperatorNode { OperatorNode(nodes[number], index: number, framework: framework) }

  func hasReader(_ name: String) -> Bool { readers[name] != nil }

  func onlyReader(of name: String) -> ONNXNodeProto? {
    readers[name].flatMap { nodes.indices.contains($0) ? nodes[$0] : nil }
  }

  /// Names are repeated in messages and in the emitted code's comments.
  private static func checkNames(_ graph: ONNXGraphProto) throws(ModelError) {
    func check(_ names: String...) throws(ModelError) {
      for name in names where name.utf8.count > ONNXLimits.nameBytes { throw ModelError(.longName(name)) }
    }
    try check(graph.name)
    for tensor in graph.initializer { try check(tensor.name) }
    for value in graph.input + graph.output { try check(value.name) }
    for node in graph.node {
      try check(node.name, node.opType, node.domain)
      for name in node.input { try check(name) }
      for name in node.output { try check(name) }
      for attribute in node.attribute { try check(attribute.name) }
    }
  }

  private static func opset(_ model: ONNXModelProto, _ problems: inout [Diagnostic]) -> Int {
    let versions = Set(model.opsetImport.filter { OperatorDomain.onnx.contains($0.domain) }.map(\.version))
    guard versions.count == 1, let version = versions.first else {
      problems.append(.opsetMissing(versions.sorted()))
      return 0
    }
    guard (9...25).contains(version), let version = Int(exactly: version) else {
      problems.append(.opsetVersion(version))
      return 0
    }
    return version
  }

  private static func initializers(
    _ graph: ONNXGraphProto, _ problems: inout [Diagnostic]
  ) -> [String: ONNXTensorProto] {
    var result: [String: ONNXTensorProto] = [:]
    for tensor in graph.initializer where problems.count < ImportState.maximumReports {
      if tensor.name.isEmpty {
        problems.append(.unnamedInitializer)
      } else if result.updateValue(tensor, forKey: tensor.name) != nil {
        problems.append(.duplicateName(tensor.name, "two initializers have this name"))
      }
    }
    return result
  }

  private static func producers(
    _ graph: ONNXGraphProto, _ initializers: [String: ONNXTensorProto], input: String,
    _ problems: inout [Diagnostic]
  ) -> [String: Int] {
    var result: [String: Int] = [:]
    for (index, node) in graph.node.enumerated() {
      for output in node.output where !output.isEmpty {
        if problems.count >= ImportState.maximumReports { return result }
        if result.updateValue(index, forKey: output) != nil {
          problems.append(.duplicateName(output, "two nodes compute it"))
        } else if output == input || initializers[output] != nil {
          problems.append(.duplicateName(output, "a node computes it, but it is an input or initializer as well"))
        }
      }
    }
    return result
  }

  /// The one input that is no initializer; exporters of older IR versions list all initializers as inputs.
  private static func input(
    _ graph: ONNXGraphProto, _ initializers: [String: ONNXTensorProto], _ framework: Framework,
    _ problems: inout [Diagnostic]
  ) -> (String, [Int], Graph.InputElement) {
    let inputs = graph.input.filter { initializers[$0.name] == nil }
    guard inputs.count == 1, let input = inputs.first, !input.name.isEmpty else {
      problems.append(.inputs(inputs.map(\.name), framework))
      return ("", [1], .real)
    }
    var element = Graph.InputElement.real
    switch ElementType(rawValue: input.type.tensorType.elemType) {
    case .float: break
    case .uint8: element = .uint8
    case .int8: element = .int8
    default:
      problems.append(.inputType(input.name, ElementType.name(input.type.tensorType.elemType)))
    }
    let dims = input.type.tensorType.shape.dim
    guard let shape = activationShape(dims) else {
      problems.append(.inputShape(input.name, dims))
      return (input.name, [1], element)
    }
    return (input.name, shape, element)
  }

  /// Two to four extents without the batch; nil unless the batch is 1 or symbolic and the rest are numbers.
  private static func activationShape(_ dims: [ONNXDimensionProto]) -> [Int]? {
    guard (2...4).contains(dims.count), let batch = dims.first else { return nil }
    if case .dimValue(let value) = batch.value, value != 1 { return nil }
    var shape: [Int] = []
    var count = 1
    for dim in dims.dropFirst() {
      guard case .dimValue(let value) = dim.value, let extent = Int(exactly: value), extent >= 1 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Operation.maximumElements else { return nil }
      count = product
      shape.append(extent)
    }
    return shape
  }
}

extension ONNXDimensionProto {
  fileprivate var spelling: String {
    switch value {
    case .dimValue(let value): "\(value)"
    case .dimParam(let name): name
    case nil: "?"
    }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func opsetMissing(_ versions: [Int64]) -> Diagnostic {
    Diagnostic(
      code: "opset",
      message: versions.isEmpty
        ? "the file does not say which version of the ONNX operators it uses (opset_import)"
        : "the file names several versions of the ONNX operators: \(versions)",
      fix: "export the model again, naming one version: opset_version=17 (PyTorch), --opset 17 (tf2onnx)")
  }

  fileprivate static func opsetVersion(_ version: Int64) -> Diagnostic {
    Diagnostic(
      code: "opset", message: "opset \(version) is not supported: expected 9 to 25",
      fix: "export with opset_version=17 (PyTorch) or --opset 17 (tf2onnx), or convert with onnx.version_converter")
  }

  fileprivate static func longName(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "long-name",
      message:
        "a name of \(name.utf8.count) bytes, beginning '\(name.prefix(40))': expected at most \(ONNXLimits.nameBytes)",
      fix: "give nodes and tensors shorter names: qonnx.util.cleanup does")
  }

  fileprivate static var unnamedInitializer: Diagnostic {
    Diagnostic(
      code: "unnamed-initializer", message: "an initializer has no name: expected each to have one",
      fix: "export the model again; the file breaks ONNX's rules")
  }

  fileprivate static func duplicateName(_ name: String, _ reason: String) -> Diagnostic {
    Diagnostic(
      code: "duplicate-name", location: Location(tensor: name), message: "the name is taken: \(reason)",
      fix: "export the model again; the file breaks ONNX's rule that each name is defined once")
  }

  fileprivate static func inputs(_ names: [String], _ framework: Framework) -> Diagnostic {
    let fix =
      names.isEmpty
      ? "let the model compute something from an input: all of the graph's inputs are initializers"
      : framework == .keras
        ? "build the model with one Input: concatenate what belongs together in front of the network"
        : "give the model a forward() with one tensor: concatenate what belongs together in front of the network"
    return Diagnostic(
      code: "inputs",
      message: "the graph has \(names.count) inputs\(listed(names)): expected exactly one that is no initializer",
      fix: fix)
  }

  fileprivate static func outputs(_ names: [String]) -> Diagnostic {
    Diagnostic(
      code: "outputs",
      message:
        "the graph has \(names.count) outputs\(listed(names)): expected 1 to \(ModelIndex.mostOutputs), each with a name of "
        + "its own",
      fix: names.isEmpty
        ? "export the model again, with its result as an output"
        : "return each tensor once from the model, the logits as a rule")
  }

  private static func listed(_ names: [String]) -> String {
    names.isEmpty ? "" : " (" + names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …)" : ")")
  }

  fileprivate static func inputType(_ name: String, _ type: String) -> Diagnostic {
    Diagnostic(
      code: "input-type", location: Location(tensor: name),
      message:
        "the model's input has elements of type \(type): expected FLOAT, or UINT8 or INT8 that a Cast makes FLOAT",
      fix: type.hasPrefix("FLOAT") || type == "DOUBLE" || type == "BFLOAT16"
        ? "export the model in float32 (PyTorch: model.float(), without autocast)"
        : type.hasPrefix("INT") || type.hasPrefix("UINT")
          ? "feed the network numbers that were measured, as float32: indices of an embedding cannot be compiled"
          : "export a model that takes one float32 tensor")
  }

  fileprivate static func inputShape(_ name: String, _ dims: [ONNXDimensionProto]) -> Diagnostic {
    let expected =
      "expected [1, channels, height, width] or [1, features] in numbers, of at most \(Operation.maximumElements) "
      + "elements; only the batch may be symbolic"
    let isSymbolic = dims.dropFirst().contains { if case .dimValue = $0.value { false } else { true } }
    let fix: String
    if dims.isEmpty {
      fix = "export the model again, with a shape for its input"
    } else if dims.count == 1 {
      fix = "export with a sample that has a batch axis: x.unsqueeze(0)"
    } else if dims.count > 4 {
      fix = "3-D convolutions and sequences of maps cannot be compiled: use 2-D ones, with depth or time as channels"
    } else if isSymbolic {
      fix = "export with a sample of the real size, and with dynamic_axes (dynamic_shapes) for the batch at most"
    } else if case .dimValue(let batch)? = dims[0].value, batch != 1 {
      fix = "export with a sample of batch 1; a firmware runs one sample at a time"
    } else {
      fix = "export with a sample of the real size"
    }
    return Diagnostic(
      code: "input-shape", location: Location(tensor: name),
      message: "the model's input has the shape [\(dims.map(\.spelling).joined(separator: ", "))]: \(expected)",
      fix: fix)
  }
}
