internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The graph under construction, what each name of the file stands for so far, and the problems found.
struct ImportState {
  /// So many problems are listed at most.
  static let maximumReports = 100
  /// Elements of all constants, decoded and computed; bounds memory and time for files that multiply small data.
  private static let maximumConstantElements = 1 << 25

  let index: ModelIndex
  let folder: String?
  private var problems: [Diagnostic] = []
  private var warnings: [Diagnostic] = []
  private var resolved: [String: Resolved] = [:]
  private var constantElements = 0

  private(set) var values: [Graph.Value] = []
  private(set) var nodes: [Graph.Node] = []
  /// For each value: the quantizer whose grid it lies on, possibly through pools and reshapes.
  private(set) var quantizers: [Quantizer?] = []
  /// Results of quantizers that have been refused: nobody complains again that they are not quantized.
  private var assumedQuantized = Set<Graph.ValueID>()
  private var nodeNames = Set<String>()
  private var valueNames = Set<String>()
  private var readers: [Int] = []
  /// For each value: the node that computes it, by its index in `nodes`.
  private var producers: [Int?] = []

  init(index: ModelIndex, folder: String?) {
    self.index = index
    self.folder = folder
    let input = addValue(name: index.input.name, shape: index.input.shape, quantizer: nil)
    resolved[index.input.name] = .activation(input)
  }

  mutating func report(_ problem: Diagnostic) {
    if !isFull { problems.append(problem) }
  }

  /// Whether further problems would not be listed.
  var isFull: Bool { problems.count >= Self.maximumReports }

  mutating func warn(_ warning: Diagnostic) {
    if warnings.count < Self.maximumReports { warnings.append(warning) }
  }

  mutating func spend(_ elements: Int, for tensor: String) throws(Diagnostic) {
    guard elements <= Self.maximumConstantElements - constantElements else {
      throw .tooManyConstants(tensor, limit: Self.maximumConstantElements)
    }
    constantElements += elements
  }

  func isModelOutput(_ name: String) -> Bool { name == index.output }

  subscript(_ id: Graph.ValueID) -> Graph.Value { values[id.index] }

  func quantizer(of id: Graph.ValueID) -> Quantizer? { quantizers[id.index] }

  func isAssumedQuantized(_ id: Graph.ValueID) -> Bool { assumedQuantized.contains(id) }

  /// The value from which `id` is made by pools and reshapes alone, and the node that computes it.
  func source(of id: Graph.ValueID) -> (value: Graph.Value, node: Graph.Node?) {
    var id = id
    while let node = producers[id.index].map({ nodes[$0] }) {
      switch node.operation {
      case .maxPool, .averagePool, .flatten: id = node.inputs[0]
      default: return (self[id], node)
      }
    }
    return (self[id], nil)
  }
}

// MARK: - Inputs of a node

extension ImportState {
  /// What input number `position` of a node stands for; nil where an optional input is left out.
  mutating func input(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Resolved? {
    guard position < node.inputCount else { return nil }
    let name = node.proto.input[position]
    if name.isEmpty { return nil }
    if let known = resolved[name] { return known }
    guard let proto = index.initializers[name] else { return .failed }
    // Marked first, so that a tensor that cannot be decoded is reported once.
    resolved[name] = .failed
    let tensor = try Tensor(decoding: proto, name: name, folder: folder)
    try spend(tensor.elements.count, for: name)
    let constant = Resolved.constant(Constant(tensor))
    resolved[name] = constant
    return constant
  }

  mutating func hasFailedInput(_ node: OperatorNode) throws(Diagnostic) -> Bool {
    for position in 0..<node.inputCount {
      if case .failed = try input(node, position) { return true }
    }
    return false
  }

  mutating func activation(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Graph.ValueID {
    switch try input(node, position) {
    case .activation(let id): return id
    case .constant: throw .expectedActivation(node, position, found: "is a constant")
    case .codes: throw .expectedActivation(node, position, found: "holds the integers of a QuantizeLinear")
    case nil, .failed: throw .expectedActivation(node, position, found: "is missing")
    }
  }

  /// A constant input, nil where it is left out.
  mutating func constant(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Constant? {
    switch try input(node, position) {
    case .constant(let constant): return constant
    case .activation, .codes: throw .expectedConstant(node, position, found: "is computed from the model's input")
    case .failed: throw .expectedConstant(node, position, found: "is missing")
    case nil: return nil
    }
  }

  mutating func requiredConstant(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Constant {
    guard let constant = try constant(node, position) else {
      throw .expectedConstant(node, position, found: "is missing")
    }
    return constant
  }

  /// The first input itself, as the result of a node that has been refused: so that the search for problems goes on.
  mutating func passedThrough(_ node: OperatorNode, isQuantizer: Bool = false) -> Resolved {
    guard node.inputCount > 0, let input = resolved[node.proto.input[0]] else { return .failed }
    switch input {
    case .constant(var constant):
      constant.isPlaceholder = true
      return .constant(constant)
    case .activation(let id) where isQuantizer:
      assumedQuantized.insert(id)
      return input
    case .activation, .codes, .failed:
      return input
    }
  }
}

// MARK: - Results of a node

extension ImportState {
  mutating func bind(_ node: OperatorNode, to result: Resolved) {
    if !node.output.isEmpty { resolved[node.output] = result }
  }

  /// Appends operations that together compute the node's result from one value.
  mutating func emit(
    _ node: OperatorNode, _ operations: [Operation], input: Graph.ValueID
  ) throws(Diagnostic) -> Resolved {
    var current = input
    for (step, operation) in operations.enumerated() {
      let shape: [Int]
      do throws(ShapeProblem) {
        shape = try operation.outputShape(for: self[current].shape)
      } catch {
        throw .shape(node, tensor: self[current].name, error.message)
      }
      let isLast = step == operations.count - 1
      let output = addValue(
        name: isLast ? node.output : "\(node.output) (\(operation.kind))", shape: shape,
        quantizer: operation.resultQuantizer(input: quantizers[current.index]))
      if assumedQuantized.contains(current) { assumedQuantized.insert(output) }
      nodes.append(
        Graph.Node(name: uniqueName(node, step: step), operation: operation, inputs: [current], output: output))
      readers[current.index] += 1
      producers[output.index] = nodes.count - 1
      current = output
    }
    return .activation(current)
  }

  mutating func emit(_ node: OperatorNode, _ operation: Operation, input: Graph.ValueID) throws(Diagnostic) -> Resolved
  {
    try emit(node, [operation], input: input)
  }

  private mutating func addValue(name: String, shape: [Int], quantizer: Quantizer?) -> Graph.ValueID {
    var name = name
    while !valueNames.insert(name).inserted { name += " #\(values.count)" }
    values.append(Graph.Value(name: name, shape: shape))
    quantizers.append(quantizer)
    readers.append(0)
    producers.append(nil)
    return Graph.ValueID(values.count - 1)
  }

  private mutating func uniqueName(_ node: OperatorNode, step: Int) -> String {
    var name = step == 0 ? node.name : "\(node.name) (\(step + 1))"
    while !nodeNames.insert(name).inserted { name += " #\(node.index)" }
    return name
  }

  /// The finished graph, or all problems.
  func finished() throws(ModelError) -> (graph: Graph, warnings: [Diagnostic]) {
    var problems = problems
    var output = Graph.ValueID(0)
    switch resolved[index.output] {
    case .activation(let id) where id.index != 0: output = id
    case .activation, .constant: problems.append(.constantOutput(index.output))
    case .codes: problems.append(.integerOutput(index.output))
    case .failed, nil:
      if problems.isEmpty { problems.append(.undefinedOutput(index.output)) }
    }
    for (id, count) in readers.enumerated() where count > 1 || (count == 1 && id == output.index && id != 0) {
      let consumers = nodes.filter { $0.inputs.contains(Graph.ValueID(id)) }.map(\.name)
      problems.append(.branch(values[id].name, consumers: consumers))
      if problems.count >= Self.maximumReports { break }
    }
    if !problems.isEmpty { throw ModelError(problems) }

    let graph = Graph(
      name: index.graphName, values: values, nodes: nodes, input: Graph.ValueID(0), output: output)
    let findings = graph.verified()
    if !findings.isEmpty { throw ModelError(findings) }
    return (graph, warnings)
  }
}

extension Operation {
  /// The quantizer whose grid the result lies on: pools and reshapes keep their input's, a mean lies on a finer one of
  /// the same kind.
  fileprivate func resultQuantizer(input: Quantizer?) -> Quantizer? {
    switch self {
    case .quantize(let quantizer): quantizer
    case .maxPool, .averagePool, .flatten: input
    case .convolution, .dense, .batchNormalization, .arithmetic, .relu, .clip: nil
    }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func tooManyConstants(_ tensor: String, limit: Int) -> Diagnostic {
    Diagnostic(
      code: "too-many-constants", location: Location(tensor: tensor),
      message: "the constants of the model have more than \(limit) elements together",
      fix: "compile a network that a microcontroller can hold")
  }

  fileprivate static func expectedActivation(_ node: OperatorNode, _ position: Int, found: String) -> Diagnostic {
    Diagnostic(
      code: "expected-activation", location: Location(node: node.name, tensor: node.inputName(position)),
      message: "\(node.type)'s input \(position) \(found): expected a real tensor computed from the model's input",
      fix: "export the model again; QuantizeLinear must be followed by DequantizeLinear")
  }

  fileprivate static func expectedConstant(_ node: OperatorNode, _ position: Int, found: String) -> Diagnostic {
    Diagnostic(
      code: "expected-constant", location: Location(node: node.name, tensor: node.inputName(position)),
      message: "\(node.type)'s input \(position) \(found): expected a constant",
      fix: "make it a parameter or buffer of the PyTorch module")
  }

  fileprivate static func shape(_ node: OperatorNode, tensor: String, _ reason: String) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: tensor), message: "\(node.type) \(reason)",
      fix: "export the model again with a sample of the right size")
  }

  fileprivate static func constantOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message: "the model's output is a constant or the input itself: expected the result of a network")
  }

  fileprivate static func integerOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message: "the model's output is a QuantizeLinear's: expected a real tensor",
      fix: "end the model with a DequantizeLinear")
  }

  fileprivate static func undefinedOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name), message: "no node computes the model's output",
      fix: "export the model again")
  }

  fileprivate static func branch(_ name: String, consumers: [String]) -> Diagnostic {
    Diagnostic(
      code: "branch", location: Location(tensor: name),
      message: "several nodes read this activation"
        + (consumers.isEmpty ? "" : " (\(consumers.prefix(5).joined(separator: ", ")))")
        + ", or it is read and put out: only networks without branches can be compiled",
      fix: "remove skip connections and parallel branches from the PyTorch model")
  }
}

extension OperatorNode {
  /// The file's name of an input, for messages.
  func inputName(_ position: Int) -> String? {
    proto.input.indices.contains(position) && !proto.input[position].isEmpty ? proto.input[position] : nil
  }
}
