internal import GraphIR

/// The graph under construction, and what is known about its values.
struct GraphBuilder {
  /// The model's input is the first value.
  let input = Graph.ValueID(0)
  private var values: [Graph.Value] = []
  private var nodes: [Graph.Node] = []
  private var facts: [Facts] = []
  /// What the file does behind the output.
  var trailing: TrailingNode?
  private var nodeNames = Set<String>()
  private var valueNames = Set<String>()

  private struct Facts {
    /// The quantizer whose grid the value lies on, possibly through pools and reshapes.
    var quantizer: Quantizer?
    /// The result of a quantizer that has been refused: nobody complains again that it is not quantized.
    var isAssumedQuantized = false
    /// The node that computes it, by its index in `nodes`.
    var producer: Int?
    var readerCount = 0
  }

  init(inputName: String, shape: [Int]) {
    _ = addValue(name: inputName, shape: shape, Facts())
  }

  subscript(_ id: Graph.ValueID) -> Graph.Value { values[id.index] }

  func quantizer(of id: Graph.ValueID) -> Quantizer? { facts[id.index].quantizer }

  func isAssumedQuantized(_ id: Graph.ValueID) -> Bool { facts[id.index].isAssumedQuantized }

  mutating func assumeQuantized(_ id: Graph.ValueID) { facts[id.index].isAssumedQuantized = true }

  /// The value from which `id` is made by pools and reshapes alone, and the node that computes it.
  func source(of id: Graph.ValueID) -> (value: Graph.Value, node: Graph.Node?) {
    var id = id
    while let node = facts[id.index].producer.map({ nodes[$0] }) {
      guard node.operation.keepsGrid, let input = node.inputs.first else { return (self[id], node) }
      id = input
    }
    return (self[id], nil)
  }

  /// Appends operations that together compute the result of a node of the file from one value.
  mutating func append(
    _ operations: [Operation], input: Graph.ValueID, node: OperatorNode
  ) throws(ShapeProblem) -> Graph.ValueID {
    var current = input
    for (step, operation) in operations.enumerated() {
      let shape = try operation.outputShape(for: self[current].shape)
      let isLast = step == operations.count - 1
      var facts = Facts(producer: nodes.count)
      if case .quantize(let quantizer) = operation { facts.quantizer = quantizer }
      if operation.keepsGrid {
        facts.quantizer = quantizer(of: current)
        facts.isAssumedQuantized = isAssumedQuantized(current)
      }
      let name = isLast ? node.output : "\(node.output) (\(operation.kind))"
      let output = addValue(name: name, shape: shape, facts)
      nodes.append(
        Graph.Node(name: uniqueName(node, step: step), operation: operation, inputs: [current], output: output))
      self.facts[current.index].readerCount += 1
      current = output
    }
    return current
  }

  /// The values that several nodes read, or that are read and put out, with the names of the readers.
  func branches(output: Graph.ValueID, limit: Int) -> [(value: Graph.Value, readers: [String])] {
    var result: [(Graph.Value, [String])] = []
    for (index, facts) in facts.enumerated() where result.count < limit {
      let id = Graph.ValueID(index)
      guard facts.readerCount > 1 || (facts.readerCount == 1 && id == output && id != input) else { continue }
      result.append((self[id], nodes.filter { $0.inputs.contains(id) }.map(\.name)))
    }
    return result
  }

  func finished(name: String, output: Graph.ValueID) -> Graph {
    Graph(name: name, values: values, nodes: nodes, input: input, output: output, trailing: trailing)
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
  /// Whether the result lies on the grid of the input: a mean on a finer one of the same kind.
  fileprivate var keepsGrid: Bool {
    switch self {
    case .maxPool, .averagePool, .flatten: true
    case .quantize, .convolution, .dense, .batchNormalization, .arithmetic, .relu, .clip: false
    }
  }
}
