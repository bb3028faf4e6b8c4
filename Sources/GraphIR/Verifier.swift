import Diagnostics

extension Graph {
  /// What breaks the rules of a graph; empty for a sound one.
  ///
  /// The importer promises them, so a finding here is a defect of the compiler, not of the user's file: indices lie
  /// inside `values`, each value but the input has one producer that stands before its readers, no output stands twice,
  /// names are unique, shapes are what the operations make of their inputs, constants lie in the ranges that their types
  /// document.
  package func verified() -> [Diagnostic] {
    var verifier = GraphVerifier(graph: self)
    verifier.run()
    return verifier.findings
  }
}

private struct GraphVerifier {
  let graph: Graph
  var findings: [Diagnostic] = []

  init(graph: Graph) {
    self.graph = graph
  }

  mutating func run() {
    guard graph.values.indices.contains(graph.input.index), !graph.outputs.isEmpty,
      graph.outputs.allSatisfy({ graph.values.indices.contains($0.index) })
    else {
      findings.append(.brokenGraph(nil, "there is no output, or input or output is no value of the graph"))
      return
    }
    if Set(graph.outputs).count != graph.outputs.count || graph.trailings.count != graph.outputs.count {
      findings.append(.brokenGraph(nil, "an output stands twice, or the nodes behind the outputs are not as many"))
    }
    checkValues()
    var isDefined = [Bool](repeating: false, count: graph.values.count)
    isDefined[graph.input.index] = true
    var names = Set<String>()
    for node in graph.nodes {
      if !names.insert(node.name).inserted {
        findings.append(.brokenGraph(node.name, "two nodes have this name"))
      }
      check(node, isDefined: &isDefined)
    }
    for output in graph.outputs where !isDefined[output.index] {
      findings.append(.brokenGraph(nil, "no node computes the output '\(graph[output].name)'"))
    }
    if let layout = graph.inputLayout, layout.fileShape.reduce(1, *) != graph[graph.input].shape.reduce(1, *) {
      findings.append(.brokenGraph(nil, "the file's input has shape \(layout.fileShape), the graph's another size"))
    }
  }

  private mutating func checkValues() {
    var names = Set<String>()
    for value in graph.values {
      if !names.insert(value.name).inserted {
        findings.append(.brokenGraph(nil, "two values are named '\(value.name)'"))
      }
      if (value.shape.count != 1 && value.shape.count != 3) || value.shape.contains(where: { $0 < 1 }) {
        findings.append(.brokenGraph(nil, "value '\(value.name)' has shape \(value.shape)"))
      }
    }
  }

  private mutating func check(_ node: Graph.Node, isDefined: inout [Bool]) {
    guard node.operation.inputCounts.contains(node.inputs.count),
      node.inputs.allSatisfy({ graph.values.indices.contains($0.index) }),
      graph.values.indices.contains(node.output.index)
    else {
      findings.append(.brokenGraph(node.name, "wrong number of inputs, or an index outside the graph's values"))
      return
    }
    for input in node.inputs where !isDefined[input.index] {
      findings.append(.brokenGraph(node.name, "reads '\(graph[input].name)' before it is computed"))
    }
    if isDefined[node.output.index] {
      findings.append(.brokenGraph(node.name, "computes '\(graph[node.output].name)' a second time"))
    }
    isDefined[node.output.index] = true
    do throws(ShapeProblem) {
      let shape = try node.operation.outputShape(for: node.inputs.map { graph[$0].shape })
      if shape != graph[node.output].shape {
        findings.append(.brokenGraph(node.name, "makes shape \(shape), declared is \(graph[node.output].shape)"))
      }
    } catch {
      findings.append(.brokenGraph(node.name, error.message))
    }
    if let problem = node.operation.constantProblem {
      findings.append(.brokenGraph(node.name, problem))
    }
  }
}

extension Operation {
  /// The first rule on constants that is broken; the rules stand with the types.
  fileprivate var constantProblem: String? {
    switch self {
    case .quantize(let quantizer): quantizer.problem
    case .convolution(let convolution): convolution.weights.problem ?? convolution.bias.flatMap(problem(in:))
    case .dense(let dense): dense.weights.problem ?? dense.bias.flatMap(problem(in:))
    case .arithmetic(let arithmetic): problem(in: arithmetic.constants)
    case .addition(let addition):
      addition.signs.count >= 2 && addition.signs.allSatisfy { abs($0) == 1 } ? nil : "signs \(addition.signs)"
    default: nil
    }
  }
}

extension Quantizer {
  fileprivate var problem: String? {
    if !scale.isFinite || scale <= 0 { return "scale \(scale) is not finite and positive" }
    if minimum > maximum { return "grid \(minimum)...\(maximum) is empty" }
    if minimum < -128 || maximum > 255 || (minimum < 0 && maximum > 127) {
      return "grid \(minimum)...\(maximum) does not fit 8 bits"
    }
    guard let truncation else { return nil }
    if !(0...24).contains(truncation.shift) { return "truncation by \(truncation.shift) bits" }
    return truncation.outputScale.isFinite && truncation.outputScale > 0
      ? nil : "output scale \(truncation.outputScale)"
  }
}

extension TernaryWeights {
  fileprivate var problem: String? {
    if values.contains(where: { $0 < -1 || $0 > 1 }) { return "weights '\(name)' are not ternary" }
    if shape.reduce(1, *) != values.count { return "weights '\(name)': \(values.count) values, shape \(shape)" }
    if scales.count != 1 && scales.count != shape.first { return "weights '\(name)': \(scales.count) scales" }
    return scales.allSatisfy { $0.isFinite && $0 != 0 } ? nil : "weights '\(name)' have a scale of 0 or not finite"
  }
}

private func problem(in constants: [ExactConstant]) -> String? {
  constants.allSatisfy { $0.scale.isFinite } ? nil : "a constant is not finite"
}

extension Diagnostic {
  fileprivate static func brokenGraph(_ node: String?, _ message: String) -> Diagnostic {
    Diagnostic(
      code: "broken-graph", location: Location(node: node), message: "internal error: \(message)",
      fix: "this is a defect of sterna; please report it together with the model")
  }
}
