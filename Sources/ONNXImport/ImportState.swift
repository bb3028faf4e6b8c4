internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The graph under construction, what each name of the file stands for so far, and the problems found.
struct ImportState {
  /// So many problems are listed at most.
  static let maximumReports = 100
  /// Elements of constants that may be decoded, computed and looked at in any file. Bounds memory and time for files that
  /// multiply small data.
  private static let freeElements = 1 << 24
  /// As many more for each element that the file really holds: a weight is decoded, clipped, quantized, dequantized, checked
  /// and ternarized, once each.
  private static let elementsPerStored = 6

  let index: ModelIndex
  let folder: String?
  private var problems: [Diagnostic] = []
  private var warnings: [Diagnostic] = []
  private var resolved: [String: Resolved] = [:]
  private var spentElements = 0
  /// Elements of the tensors that have been asked for, and of those whose data was there.
  private var declaredElements = 0
  private var storedElements = 0
  private(set) var graph: GraphBuilder

  init(index: ModelIndex, folder: String?) {
    self.index = index
    self.folder = folder
    graph = GraphBuilder(inputName: index.input.name, shape: index.input.shape)
    resolved[index.input.name] = .activation(graph.input)
  }

  mutating func report(_ problem: Diagnostic) {
    if !isFull { problems.append(problem) }
  }

  /// Whether further problems would not be listed.
  var isFull: Bool { problems.count >= Self.maximumReports }

  mutating func warn(_ warning: Diagnostic) {
    if warnings.count < Self.maximumReports { warnings.append(warning) }
  }

  /// Pays for work on constants before it is done.
  ///
  /// - Parameter elements: At least 0.
  /// - Throws: where the file asks for more work than its own data can need.
  mutating func spend(_ elements: Int, for tensor: String) throws(Diagnostic) {
    let limit = Self.freeElements + Self.elementsPerStored * storedElements
    guard elements <= limit - spentElements else { throw .tooMuchFolding(tensor, limit: limit) }
    spentElements += elements
  }

  func isModelOutput(_ name: String) -> Bool { name == index.output }

  subscript(_ id: Graph.ValueID) -> Graph.Value { graph[id] }
}

// MARK: - Inputs of a node

extension ImportState {
  /// What input number `position` of a node stands for; nil where an optional input is left out.
  mutating func input(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Resolved? {
    guard position < node.inputCount else { return nil }
    let name = node.proto.input[position]
    if name.isEmpty { return nil }
    if let known = resolved[name] { return known }
    guard let proto = index.initializers[name] else {
      if let producer = index.producers[name], index.nodes[producer].output.first != name {
        throw .secondOutput(OperatorNode(index.nodes[producer], index: producer), name)
      }
      return .failed
    }
    // Marked first, so that a tensor that cannot be decoded is reported once.
    resolved[name] = .failed
    let constant = Resolved.constant(try decoded(proto, name: name))
    resolved[name] = constant
    return constant
  }

  /// A tensor of the file as a constant. It is paid for before anything is allocated or read.
  mutating func decoded(_ proto: ONNXTensorProto, name: String) throws(Diagnostic) -> Constant {
    let count = Tensor.declaredElements(proto)
    guard count <= ONNXLimits.tensorElements - declaredElements else { throw .tooManyConstants(name) }
    declaredElements += count
    try spend(count, for: name)
    let constant = Constant(try Tensor(decoding: proto, name: name, folder: folder))
    storedElements += count
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

  /// A constant input, nil where it is left out. Each use is paid for, as most look at all elements.
  mutating func constant(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Constant? {
    switch try input(node, position) {
    case .constant(let constant):
      try spend(constant.count, for: constant.origin)
      return constant
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
      graph.assumeQuantized(id)
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

  /// Leaves out the node that computes the model's output: the value before it takes its place.
  mutating func leaveOut(_ trailing: TrailingNode, behind input: Graph.ValueID) {
    graph.trailing = trailing
    resolved[index.output] = .activation(input)
  }

  /// Appends operations that together compute the node's result from one value.
  mutating func emit(
    _ node: OperatorNode, _ operations: [Operation], input: Graph.ValueID
  ) throws(Diagnostic) -> Resolved {
    do throws(ShapeProblem) {
      return .activation(try graph.append(operations, input: input, node: node))
    } catch {
      throw .shape(node, tensor: self[input].name, error.message)
    }
  }

  mutating func emit(_ node: OperatorNode, _ operation: Operation, input: Graph.ValueID) throws(Diagnostic) -> Resolved
  {
    try emit(node, [operation], input: input)
  }

  /// The finished graph, or all problems.
  func finished() throws(ModelError) -> (graph: Graph, warnings: [Diagnostic]) {
    var problems = problems
    var output = graph.input
    switch resolved[index.output] {
    case .activation(let id) where id != graph.input: output = id
    // A refused node may have passed its input on: that is no problem of its own.
    case _ where !problems.isEmpty: break
    case .activation, .constant: problems.append(.constantOutput(index.output))
    case .codes: problems.append(.integerOutput(index.output))
    case .failed, nil: problems.append(.undefinedOutput(index.output))
    }
    for (value, readers) in graph.branches(output: output, limit: Self.maximumReports) {
      problems.append(.branch(value.name, consumers: readers))
    }
    if !problems.isEmpty { throw ModelError(problems) }

    let finished = graph.finished(name: index.graphName, output: output)
    let findings = finished.verified()
    if !findings.isEmpty { throw ModelError(findings) }
    return (finished, warnings)
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func tooManyConstants(_ tensor: String) -> Diagnostic {
    Diagnostic(
      code: "too-many-constants", location: Location(tensor: tensor),
      message: "the constants of the model have more than \(ONNXLimits.tensorElements) elements together",
      fix: "compile a network that a microcontroller can hold")
  }

  fileprivate static func tooMuchFolding(_ tensor: String, limit: Int) -> Diagnostic {
    Diagnostic(
      code: "too-many-constants", location: Location(tensor: tensor),
      message: "computing with the model's constants takes more than \(limit) elements, which its data can not need",
      fix: "run the model through onnxsim or qonnx's cleanup to fold constants")
  }

  fileprivate static func secondOutput(_ node: OperatorNode, _ name: String) -> Diagnostic {
    Diagnostic(
      code: "second-output", location: Location(node: node.name, tensor: name),
      message: "a further output of \(node.type) is used: expected the first one only",
      fix: "do not use pooling indices or dropout masks in forward()")
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
