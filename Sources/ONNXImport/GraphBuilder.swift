internal import GraphIR

/// The graph under construction, and what is known about its values.
struct GraphBuilder {
  /// The model's input is the first value.
  let input = Graph.ValueID(0)
  private var values: [Graph.Value] = []
  private var nodes: [Graph.Node] = []
  private var facts: [Facts] = []
  private var nodeNames = Set<String>()
  private var valueNames = Set<String>()

  /// What is known of a value beyond its shape.
  private struct Facts {
    /// The grid on which it lies; nil for real numbers.
    var grid: Grid?
    /// The result of a quantizer that has been refused: nobody complains again that it is not quantized.
    var isAssumedQuantized = false
    /// The input, or what operations that treat all elements alike make of it: it may still be laid out otherwise.
    var isPointwiseOfInput = false
    /// The node that computes it, by its index in `nodes`.
    var producer: Int?
  }

  private var hasQuantizedInput = false
  /// A layer has read the input, or what is made of it element by element, in the layout that it has.
  private var isInputLayoutFixed = false
  private(set) var inputLayout: Graph.InputLayout?
  private let fileShape: [Int]

  /// - Parameters:
  ///   - fileShape: Behind the batch.
  init(inputName: String, fileShape: [Int]) {
    self.fileShape = fileShape
    // 1-D data is a map of one row until the file says otherwise.
    let shape = fileShape.count == 2 ? [fileShape[0], 1, fileShape[1]] : fileShape
    if shape != fileShape { inputLayout = Graph.InputLayout(fileShape: fileShape, isChannelsLast: false) }
    _ = addValue(name: inputName, shape: shape, Facts(isPointwiseOfInput: true))
  }

  subscript(_ id: Graph.ValueID) -> Graph.Value { values[id.index] }

  func grid(of id: Graph.ValueID) -> Grid? { facts[id.index].grid }

  func isAssumedQuantized(_ id: Graph.ValueID) -> Bool { facts[id.index].isAssumedQuantized }

  mutating func assumeQuantized(_ id: Graph.ValueID) { facts[id.index].isAssumedQuantized = true }

  /// The value from which `id` is made by pools, reshapes and factors alone, and the node that computes it.
  func source(of id: Graph.ValueID) -> (value: Graph.Value, node: Graph.Node?) {
    var id = id
    while let node = facts[id.index].producer.map({ nodes[$0] }) {
      // Which of several inputs is to blame is not asked.
      guard node.operation.movesOnly, node.inputs.count == 1, let input = node.inputs.first else {
        return (self[id], node)
      }
      id = input
    }
    return (self[id], nil)
  }

  /// Whether the input may still be taken in another layout, with `id` following it.
  func canChangeInputLayout(of id: Graph.ValueID) -> Bool {
    facts[id.index].isPointwiseOfInput && inputLayout?.isChannelsLast != true && !isInputLayoutFixed
  }

  /// The file begins with a DequantizeLinear of its integer input: integers are what the network takes anyway.
  mutating func inputIsQuantized() { hasQuantizedInput = true }

  /// Takes the input as `[channels, height, width]`, of as many elements as it has.
  mutating func changeInputLayout(to shape: [Int], isChannelsLast: Bool) {
    for index in values.indices where facts[index].isPointwiseOfInput { values[index].shape = shape }
    inputLayout =
      shape == fileShape && !isChannelsLast
      ? nil : Graph.InputLayout(fileShape: fileShape, isChannelsLast: isChannelsLast)
  }

  /// Appends operations that together compute the result of a node of the file from one value.
  mutating func append(
    _ operations: [Operation], input: Graph.ValueID, node: OperatorNode
  ) throws(ShapeProblem) -> Graph.ValueID {
    var current = input
    for (step, operation) in operations.enumerated() {
      let isLast = step == operations.count - 1
      current = try append(
        operation, inputs: [current], node: node, step: step,
        output: isLast ? node.output : "\(node.output) (\(operation.kind))")
    }
    return current
  }

  /// Appends an operation that computes the result of a node of the file.
  ///
  /// - Parameter inputs: At least one.
  mutating func append(
    _ operation: Operation, inputs: [Graph.ValueID], node: OperatorNode
  ) throws(ShapeProblem) -> Graph.ValueID {
    try append(operation, inputs: inputs, node: node, step: 0, output: node.output)
  }

  private mutating func append(
    _ operation: Operation, inputs: [Graph.ValueID], node: OperatorNode, step: Int, output name: String
  ) throws(ShapeProblem) -> Graph.ValueID {
    let shape = try operation.outputShape(for: inputs.map { self[$0].shape })
    let known = inputs.map { self.facts[$0.index] }
    if !operation.isPointwise, known.contains(where: \.isPointwiseOfInput) { isInputLayoutFixed = true }
    let facts = Facts(
      grid: operation.grid(of: known.map(\.grid)),
      isAssumedQuantized: operation.movesOnly && known.contains(where: \.isAssumedQuantized)
        && known.allSatisfy { $0.isAssumedQuantized || $0.grid != nil },
      isPointwiseOfInput: known[0].isPointwiseOfInput && operation.isPointwise, producer: nodes.count)
    let output = addValue(name: name, shape: shape, facts)
    nodes.append(
      Graph.Node(name: uniqueName(node, step: step), operation: operation, inputs: inputs, output: output))
    return output
  }

  /// Whether the value is a sum of activations, or a multiple of one, that nothing has quantized since: another addition may
  /// take it up.
  func isSum(_ id: Graph.ValueID) -> Bool {
    var id = id
    while let node = facts[id.index].producer.map({ nodes[$0] }) {
      switch node.operation {
      case .addition: return true
      case .arithmetic(let arithmetic) where arithmetic.factor != nil: id = node.inputs[0]
      default: return false
      }
    }
    return false
  }

  func finished(_ index: ModelIndex, outputs: [Graph.ValueID], trailings: [TrailingNode?]) -> Graph {
    Graph(
      name: index.graphName, framework: index.framework, inputLayout: inputLayout,
      inputElement: hasQuantizedInput ? .real : index.inputElement,
      values: values, nodes: nodes, input: input, outputs: outputs, trailings: trailings)
  }

  private mutating func addValue(name: String, shape: [Int], _ facts: Facts) -> Graph.ValueID {
    var name = name
    while !valueNames.insert(name).inserted { name += " #\(values.count)" }
    values.append(Graph.Value(name: name, shape: shape))
    self.facts.append(facts)
    return Graph.ValueID(values.count - 1)
  }

  private mutating func uniqueName(_ node: OperatorNode, step: Int) -> String {
    var name = step == 0 ? node.name : "\(node.name) (\(step + 1))"
    while !nodeNames.insert(name).inserted { name += " #\(node.index)" }
    return name
  }
}

extension Operation {
  /// Whether the result holds elements of the input, or means or multiples of them.
  fileprivate var movesOnly: Bool {
    switch self {
    case .maxPool, .averagePool, .flatten, .concatenation, .slice, .resize: true
    case .arithmetic(let arithmetic): arithmetic.factor != nil
    case .quantize, .convolution, .dense, .batchNormalization, .relu, .clip, .addition: false
    }
  }

  /// Whether all elements are treated alike.
  fileprivate var isPointwise: Bool {
    switch self {
    case .quantize, .relu, .clip: true
    case .arithmetic(let arithmetic): arithmetic.constants.count == 1
    case .convolution, .dense, .batchNormalization, .maxPool, .averagePool, .flatten, .addition, .concatenation, .slice,
      .resize:
      false
    }
  }
}
