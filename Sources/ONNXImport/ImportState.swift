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
  /// Operators that cannot be compiled and stand behind a node that has been refused.
  private var hidden: [String] = []
  private var spentElements = 0
  /// Elements of the tensors that have been asked for, and of those whose data was there.
  /// What the file does behind each output, by its place among them.
  private var trailings: [Int: TrailingNode] = [:]
  /// Views that have been brought into the graph's layout, so that several readers share what that takes.
  private var maps: [ActivationView: ActivationView] = [:]
  private var declaredElements = 0
  private var storedElements = 0
  var graph: GraphBuilder

  init(index: ModelIndex, folder: String?) {
    self.index = index
    self.folder = folder
    graph = GraphBuilder(inputName: index.input.name, fileShape: index.input.shape)
    let view = ActivationView(id: graph.input, shape: [1] + index.input.shape)
    resolved[index.input.name] = index.inputElement == .real ? .activation(view) : .integerInput(view)
  }

  mutating func report(_ problem: Diagnostic) {
    // Where work on constants has come to its limit, whatever needs more would say so.
    let isKnown = problem.code == Self.exhausted && problems.contains { $0.code == Self.exhausted }
    if !isFull, !isKnown { problems.append(problem) }
  }

  fileprivate static let exhausted = "too-many-constants"

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

  /// The model output that the name is, by its place among them, where nothing but the model's end reads it; nodes that
  /// change neither values nor order do not count.
  func modelOutput(_ name: String) -> Int? {
    var name = name
    while true {
      if let output = index.outputs.firstIndex(of: name) {
        // Of a single output no other node is looked at that may read it.
        return index.outputs.count == 1 || !index.hasReader(name) ? output : nil
      }
      guard let reader = index.onlyReader(of: name), ModelIndex.passingTypes.contains(reader.opType),
        let next = reader.output.first
      else { return nil }
      name = next
    }
  }

  /// Remembers an operator that cannot be compiled, behind a node that has been refused: it is named, and not judged.
  mutating func hide(_ node: OperatorNode) {
    if hidden.count < Self.maximumReports, !hidden.contains(node.type) { hidden.append(node.type) }
  }

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
        throw .secondOutput(index.node(producer), name)
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
    var hasFailed = false
    // All are looked up: a constant that cannot be decoded is a problem of its own.
    for position in 0..<node.inputCount {
      if case .failed = try input(node, position) { hasFailed = true }
    }
    return hasFailed
  }

  mutating func activation(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> ActivationView {
    switch try input(node, position) {
    case .activation(let view): return view
    case .constant: throw .constantInput(node, position)
    case .codes, .integerInput: throw .integerInput(node, position)
    case nil, .failed: throw .missingInput(node, position)
    }
  }

  /// A constant input, nil where it is left out. Each use is paid for, as most look at all elements.
  mutating func constant(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Constant? {
    switch try input(node, position) {
    case .constant(let constant):
      try spend(constant.count, for: constant.origin)
      return constant
    case .activation, .codes, .integerInput: throw .computedConstant(node, position)
    case .failed: throw .missingInput(node, position)
    case nil: return nil
    }
  }

  mutating func requiredConstant(_ node: OperatorNode, _ position: Int) throws(Diagnostic) -> Constant {
    guard let constant = try constant(node, position) else { throw .missingInput(node, position) }
    return constant
  }

  /// What a refused quantizer stands for: its input, taken for quantized, so that the layers behind it are not refused for
  /// it.
  mutating func assumedQuantized(_ node: OperatorNode) -> Resolved {
    guard node.inputCount > 0, let input = resolved[node.proto.input[0]] else { return .failed }
    switch input {
    case .constant(var constant):
      constant.isPlaceholder = true
      return .constant(constant)
    case .codes(let codes): return assumed(codes.input)
    case .activation(let view), .integerInput(let view): return assumed(view)
    case .failed: return .failed
    }
  }

  private mutating func assumed(_ view: ActivationView) -> Resolved {
    graph.assumeQuantized(view.id)
    return .activation(view)
  }
}

// MARK: - Results of a node

extension ImportState {
  mutating func bind(_ node: OperatorNode, to result: Resolved) {
    if !node.output.isEmpty { resolved[node.output] = inOrder(result) }
  }

  /// A view that takes all elements in order, however that has come about, without an order of its own.
  private func inOrder(_ result: Resolved) -> Resolved {
    guard case .activation(var view) = result, let order = view.order,
      order.count == self[view.id].shape.reduce(1, *), order.indices.allSatisfy({ order[$0] == $0 })
    else { return result }
    view.order = nil
    return .activation(view)
  }

  /// Gives all outputs of a node the same meaning.
  mutating func bindAll(_ node: OperatorNode, to result: Resolved) {
    for name in node.proto.output where !name.isEmpty { resolved[name] = result }
  }

  /// Gives an output of a node that has several its meaning.
  mutating func bind(_ name: String, to result: Resolved) {
    if !name.isEmpty { resolved[name] = inOrder(result) }
  }

  /// Leaves out the node that computes a model output: the value before it takes its place.
  mutating func leaveOut(_ trailing: TrailingNode, output: Int, behind input: ActivationView) {
    trailings[output] = trailing
    resolved[index.outputs[output]] = .activation(input)
  }

  /// Appends operations that together compute the node's result from one value.
  ///
  /// - Parameters:
  ///   - input: Read as the graph's value that it is a view of.
  ///   - shape: As the file has the result.
  ///   - order: Of the result in the new value.
  mutating func emit(
    _ node: OperatorNode, _ operations: [Operation], input: ActivationView, shape: [Int], order: [Int]? = nil,
    padding: Padding = .none
  ) throws(Diagnostic) -> ActivationView {
    do throws(ShapeProblem) {
      let id = try graph.append(operations, input: input.id, node: node)
      return ActivationView(id: id, shape: shape, order: order, padding: padding)
    } catch {
      throw .shape(node, tensor: self[input.id].name, error.message)
    }
  }

  /// Appends an operation that joins several values.
  mutating func emit(
    _ node: OperatorNode, _ operation: Operation, inputs: [ActivationView], shape: [Int], order: [Int]? = nil
  ) throws(Diagnostic) -> ActivationView {
    do throws(ShapeProblem) {
      let id = try graph.append(operation, inputs: inputs.map(\.id), node: node)
      return ActivationView(id: id, shape: shape, order: order)
    } catch {
      throw .shape(node, tensor: self[inputs[0].id].name, error.message)
    }
  }

  /// Brings a view into the graph's layout, once for all who read it so.
  mutating func shared(
    _ view: ActivationView, _ make: (inout ImportState) throws(Diagnostic) -> ActivationView
  ) throws(Diagnostic) -> ActivationView {
    if let known = maps[view] { return known }
    let made = try make(&self)
    maps[view] = made
    return made
  }

  /// Takes the input in another layout; what has been said of it so far stays true.
  ///
  /// - Parameter shape: `[channels, height, width]`.
  mutating func changeInputLayout(to shape: [Int], isChannelsLast: Bool) throws(Diagnostic) {
    if isChannelsLast {
      // Where each of the file's elements lies now.
      let (channels, plane) = (shape[0], shape[1] * shape[2])
      func moved(_ view: ActivationView) -> ActivationView {
        guard graph.canChangeInputLayout(of: view.id) else { return view }
        var view = view
        view.order = (view.order ?? Array(0..<view.count)).map { $0 % channels * plane + $0 / channels }
        return view
      }
      for (name, known) in resolved {
        switch known {
        case .activation(let view) where graph.canChangeInputLayout(of: view.id):
          try spend(view.count, for: name)
          resolved[name] = .activation(moved(view))
        case .integerInput(let view) where graph.canChangeInputLayout(of: view.id):
          try spend(view.count, for: name)
          resolved[name] = .integerInput(moved(view))
        case .codes(var codes) where graph.canChangeInputLayout(of: codes.input.id):
          try spend(codes.input.count, for: name)
          codes.input = moved(codes.input)
          resolved[name] = .codes(codes)
        default: break
        }
      }
    }
    graph.changeInputLayout(to: shape, isChannelsLast: isChannelsLast)
  }

  /// Appends a layer or pool that makes `[1, channels, height, width]` of a map.
  mutating func emitMap(_ node: OperatorNode, _ operation: Operation, input: ActivationView) throws(Diagnostic)
    -> ActivationView
  {
    let view = try emit(node, [operation], input: input, shape: [])
    return ActivationView(id: view.id, shape: [1] + self[view.id].shape)
  }

  /// Appends an operation that treats all elements alike, or all of a channel: views of it are views of the result.
  mutating func emitPointwise(
    _ node: OperatorNode, _ operation: Operation, input: ActivationView, keepsZero: Bool = false
  ) throws(Diagnostic) -> Resolved {
    var input = input
    if input.padding != .none, !keepsZero {
      // Zeros that would become something else have to be there before.
      input = try unpaddedMap(input, node)
    }
    return .activation(
      try emit(
        node, [operation], input: input, shape: input.shape, order: input.order, padding: input.padding))
  }

  /// The integers that a layer reads: a Relu or Clip on the way from the quantizer is applied first. Real numbers are
  /// reported.
  mutating func quantizedInput(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView {
    checkQuantized(view.id, node, &self)
    return try settled(view, node)
  }

  /// A value whose Relu or Clip on the quantizer's grid has been applied.
  mutating func settled(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView {
    guard let grid = graph.grid(of: view.id), grid.isClamped else { return view }
    return try emit(
      node, [.quantize(grid.quantizer)], input: view, shape: view.shape, order: view.order, padding: view.padding)
  }

  /// An output as the layer behind the last one would read it: parts of what has been computed become layers.
  private mutating func ordered(_ view: ActivationView, output name: String) throws(ModelError) -> ActivationView {
    if view.padding == .none, view.order == nil { return view }
    do throws(Diagnostic) {
      if let producer = index.producers[name] { return try ordered(view, index.node(producer)) }
    } catch {}
    throw ModelError(.rearrangedOutput(name, view.shape))
  }

  /// The finished graph, or all problems.
  mutating func finished() throws(ModelError) -> (graph: Graph, warnings: [Diagnostic]) {
    var problems = problems
    if !problems.isEmpty {
      if !hidden.isEmpty {
        problems[0].notes.append(
          "behind what is refused stand more operators that cannot be compiled: \(hidden.joined(separator: ", "))")
      }
      throw ModelError(problems)
    }
    var outputs: [Graph.ValueID] = []
    for name in index.outputs {
      switch resolved[name] {
      case .activation(let view) where view.id != graph.input:
        let view = try ordered(view, output: name)
        guard !outputs.contains(view.id) else { throw ModelError(.sameOutput(name)) }
        outputs.append(view.id)
      case .codes: throw ModelError(.integerOutput(name))
      case .activation, .constant, .integerInput: throw ModelError(.constantOutput(name))
      case .failed, nil: throw ModelError(.undefinedOutput(name, index))
      }
    }
    let finished = graph.finished(index, outputs: outputs, trailings: outputs.indices.map { trailings[$0] })
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
      fix: "run the model through onnxsim or qonnx.util.cleanup to fold constants")
  }

  fileprivate static func secondOutput(_ node: OperatorNode, _ name: String) -> Diagnostic {
    let (what, fix) =
      switch node.type {
      case "MaxPool": ("pooling indices", "do not return indices from the pool, and use no MaxUnpool")
      case "Dropout": ("its mask", node.framework.inference)
      case "BatchNormalization": ("its running statistics", node.framework.inference)
      default: ("output '\(name)'", "let forward() use the first result only")
      }
    return Diagnostic(
      code: "second-output", location: Location(node: node.name, tensor: name),
      message: "a further output of \(node.type) is read, \(what): expected the first output only", fix: fix)
  }

  fileprivate static func constantInput(_ node: OperatorNode, _ position: Int) -> Diagnostic {
    Diagnostic(
      code: "constant-input", location: Location(node: node.name, tensor: node.inputName(position)),
      message:
        "\(node.type)'s input \(position) is a constant: expected a tensor that is computed from the model's input",
      fix: node.type == "MatMul" || node.type == "Gemm"
        ? "write the product as x @ weights, with the constant second (nn.Linear)" : node.framework.foldConstants)
  }

  fileprivate static func integerInput(_ node: OperatorNode, _ position: Int) -> Diagnostic {
    Diagnostic(
      code: "integer-activation", location: Location(node: node.name, tensor: node.inputName(position)),
      message:
        "\(node.type) reads integers: expected real numbers, as a DequantizeLinear (behind a QuantizeLinear) or a "
        + "Cast to FLOAT (behind an integer input) gives them",
      fix: node.framework == .onnxRuntime
        ? "quantize with quant_format=QuantFormat.QDQ"
        : "export QDQ pairs (brevitas.export.export_onnx_qcdq), and begin with x.float() where the input is integers")
  }

  fileprivate static func missingInput(_ node: OperatorNode, _ position: Int) -> Diagnostic {
    Diagnostic(
      code: "missing-input", location: Location(node: node.name, tensor: node.inputName(position)),
      message: "\(node.type) has no input \(position): ONNX demands one", fix: node.framework.exportAgain)
  }

  /// A parameter that depends on the input: what that means depends on the operator.
  fileprivate static func computedConstant(_ node: OperatorNode, _ position: Int) -> Diagnostic {
    let (what, fix): (String, String) =
      switch (node.type, position) {
      case ("MatMul", 1), ("Gemm", 1), ("Conv", 1):
        (
          "the weights are computed from the model's input, as in attention: expected constant weights",
          "attention and other products of two activations cannot be compiled: use convolutions or linear layers"
        )
      case ("Gather", 1), ("Gather", 0):
        (
          "the places to gather from depend on the model's input: expected constant ones",
          "an embedding or a lookup cannot be compiled: do it in front of the network, and export what comes behind"
        )
      case ("Reshape", 1), ("Slice", 1...), ("Pad", 1...), ("Squeeze", 1), ("Unsqueeze", 1), ("Expand", 1):
        (
          "the target depends on the values of the model's input: expected constants",
          "use sizes that do not depend on the data, and export with a sample of the real size"
        )
      case ("Quant", 1...), ("BipolarQuant", 1...), ("Trunc", 1...), ("QuantizeLinear", 1...),
        ("DequantizeLinear", 1...):
        (
          "the quantizer's parameter is computed from the model's input (dynamic quantization): expected a constant",
          node.framework == .onnxRuntime
            ? "use quantize_static with calibration data instead of quantize_dynamic"
            : "use quantizers with a learned or calibrated scale (Brevitas: the default), not dynamic ones"
        )
      default:
        (
          "it is computed from the model's input: expected a constant",
          "keep what \(node.type) takes besides its first input constant"
        )
      }
    return Diagnostic(
      code: "expected-constant", location: Location(node: node.name, tensor: node.inputName(position)),
      message: "\(node.type)'s input \(position): \(what)", fix: fix)
  }

  fileprivate static func shape(_ node: OperatorNode, tensor: String, _ reason: String) -> Diagnostic {
    Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: tensor), message: "\(node.type) \(reason)",
      fix: reason.contains("larger than its padded input")
        ? "use a smaller kernel_size, more padding or a larger input"
        : reason.contains("elements")
          ? "compile a network that a microcontroller can hold"
          : "export the model again, with a sample of the size that it was trained for")
  }

  fileprivate static func sameOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message:
        "the output is the same tensor as another one, as far as the firmware computes it: expected different ones",
      fix: "return each tensor once from forward(), and the logits without their softmax or argmax")
  }

  fileprivate static func constantOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message: "the model's output is a constant or the input itself: expected the result of a network",
      fix: "return the network's result from forward(), and export again")
  }

  fileprivate static func integerOutput(_ name: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message: "the model's output is a QuantizeLinear's: expected a real tensor",
      fix: "end the model with a DequantizeLinear: return the dequantized tensor from forward()")
  }

  fileprivate static func undefinedOutput(_ name: String, _ index: ModelIndex) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name), message: "no node computes the model's output",
      fix: index.framework.exportAgain)
  }

  fileprivate static func rearrangedOutput(_ name: String, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: Location(tensor: name),
      message:
        "the model's output, of shape \(shape), is padded, cropped or in another order of axes than it was computed: "
        + "expected the last layer's own, [1, channels, height, width] or [1, features]",
      fix: "leave the last permute, slice or padding out of the exported model")
  }
}

extension OperatorNode {
  /// The file's name of an input, for messages.
  func inputName(_ position: Int) -> String? {
    proto.input.indices.contains(position) && !proto.input[position].isEmpty ? proto.input[position] : nil
  }
}
