internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The file's names, looked up: initializers, producers, the one input, the one output; all checked to be sound.
struct ModelIndex {
  let graphName: String
  let opset: Int
  let nodes: [ONNXNodeProto]
  let initializers: [String: ONNXTensorProto]
  /// The node that computes each name.
  let producers: [String: Int]
  let input: (name: String, shape: [Int])
  let output: String

  init(_ model: ONNXModelProto) throws(ModelError) {
    var problems: [Diagnostic] = []
    let graph = model.graph
    try Self.checkNames(graph)
    graphName = graph.name
    nodes = graph.node

    opset = Self.opset(model, &problems)
    initializers = Self.initializers(graph, &problems)
    let (inputName, inputShape) = Self.input(graph, initializers, &problems)
    input = (inputName, inputShape)
    producers = Self.producers(graph, initializers, input: inputName, &problems)
    output = graph.output.first?.name ?? ""
    if graph.output.count != 1 || output.isEmpty {
      problems.append(.outputs(graph.output.map(\.name)))
    }
    if !problems.isEmpty { throw ModelError(Array(problems.prefix(ImportState.maximumReports))) }
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
    _ graph: ONNXGraphProto, _ initializers: [String: ONNXTensorProto], _ problems: inout [Diagnostic]
  ) -> (String, [Int]) {
    let inputs = graph.input.filter { initializers[$0.name] == nil }
    guard inputs.count == 1, let input = inputs.first, !input.name.isEmpty else {
      problems.append(.inputs(inputs.map(\.name)))
      return ("", [1])
    }
    if input.type.tensorType.elemType != ElementType.float.rawValue {
      problems.append(.inputType(input.name, ElementType.name(input.type.tensorType.elemType)))
    }
    let dims = input.type.tensorType.shape.dim
    guard let shape = activationShape(dims) else {
      problems.append(.inputShape(input.name, dims.map(\.spelling)))
      return (input.name, [1])
    }
    return (input.name, shape)
  }

  /// `[channels, height, width]` or `[features]`; nil unless the batch is 1 or symbolic and the rest are numbers.
  private static func activationShape(_ dims: [ONNXDimensionProto]) -> [Int]? {
    guard dims.count == 2 || dims.count == 4, let batch = dims.first else { return nil }
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
      fix: "export with torch.onnx.export(..., opset_version=17)")
  }

  fileprivate static func opsetVersion(_ version: Int64) -> Diagnostic {
    Diagnostic(
      code: "opset", message: "opset \(version) is not supported: expected 9 to 25",
      fix: "export with torch.onnx.export(..., opset_version=17)")
  }

  fileprivate static func longName(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "long-name",
      message:
        "a name of \(name.utf8.count) bytes, beginning '\(name.prefix(40))': expected at most \(ONNXLimits.nameBytes)",
      fix: "export the model again")
  }

  fileprivate static var unnamedInitializer: Diagnostic {
    Diagnostic(code: "unnamed-initializer", message: "an initializer has no name", fix: "export the model again")
  }

  fileprivate static func duplicateName(_ name: String, _ reason: String) -> Diagnostic {
    Diagnostic(
      code: "duplicate-name", location: Location(tensor: name), message: "the name is taken: \(reason)",
      fix: "export the model again; the file breaks ONNX's rule that each name is defined once")
  }

  fileprivate static func inputs(_ names: [String]) -> Diagnostic {
    Diagnostic(
      code: "inputs",
      message: "the graph has \(names.count) inputs\(listed(names)): expected exactly one that is no initializer",
      fix: "give the PyTorch model a forward() with one tensor")
  }

  fileprivate static func outputs(_ names: [String]) -> Diagnostic {
    Diagnostic(
      code: "outputs", message: "the graph has \(names.count) outputs\(listed(names)): expected exactly one",
      fix: "return one tensor from forward()")
  }

  private static func listed(_ names: [String]) -> String {
    names.isEmpty ? "" : " (" + names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …)" : ")")
  }

  fileprivate static func inputType(_ name: String, _ type: String) -> Diagnostic {
    Diagnostic(
      code: "input-type", location: Location(tensor: name),
      message: "the model's input has elements of type \(type): expected FLOAT, quantized by the first node",
      fix: "export a float model that begins with a QuantIdentity")
  }

  fileprivate static func inputShape(_ name: String, _ dims: [String]) -> Diagnostic {
    Diagnostic(
      code: "input-shape", location: Location(tensor: name),
      message:
        "the model's input has the shape [\(dims.joined(separator: ", "))]: expected [1, channels, height, width]"
        + " or [1, features] in numbers, of at most \(Operation.maximumElements) elements; only the batch may be symbolic",
      fix: "export with a sample of the real size, and with dynamic_axes for the batch at most")
  }
}
