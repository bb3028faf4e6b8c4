import GraphIR
import Testing

@Suite struct GraphTests {
  static let sound = Graph(
    name: "g",
    values: [
      Graph.Value(name: "x", shape: [1, 4, 4]), Graph.Value(name: "q", shape: [1, 4, 4]),
      Graph.Value(name: "c", shape: [2, 2, 2]), Graph.Value(name: "f", shape: [8]),
    ],
    nodes: [
      Graph.Node(
        name: "quant", operation: .quantize(Quantizer(scale: 0.5, minimum: 0, maximum: 255, isSigned: false)),
        inputs: [Graph.ValueID(0)], output: Graph.ValueID(1)),
      Graph.Node(
        name: "conv \"1\"",
        operation: .convolution(
          Convolution(
            weights: TernaryWeights(
              name: "w", values: [Int8](repeating: 1, count: 9) + [Int8](repeating: -1, count: 9), shape: [2, 1, 3, 3],
              scales: [0.25]),
            window: Window(kernel: (3, 3)))),
        inputs: [Graph.ValueID(1)], output: Graph.ValueID(2)),
      Graph.Node(name: "flat", operation: .flatten, inputs: [Graph.ValueID(2)], output: Graph.ValueID(3)),
    ],
    input: Graph.ValueID(0), output: Graph.ValueID(3))

  @Test func describesItselfLineByLine() {
    #expect(
      Self.sound.description == """
        graph "g"
        input "x" [1, 4, 4]
        "quant": quantize unsigned 0...255 scale 0.5 ("x") -> [1, 4, 4]
        "conv \\"1\\"": convolution 3x3 stride 1x1 groups 1 weights "w" [2, 1, 3, 3] -9 0:0 +9 scale 0.25 ("q") -> [2, 2, 2]
        "flat": flatten ("c") -> [8]
        output "f" [8]

        """)
  }

  /// A fork, a join of each kind, and two outputs of which one is read inside.
  static let branching: Graph = {
    func value(_ name: String, _ shape: [Int]) -> Graph.Value { Graph.Value(name: name, shape: shape) }
    func node(_ name: String, _ operation: GraphIR.Operation, _ inputs: [Int], _ output: Int) -> Graph.Node {
      Graph.Node(
        name: name, operation: operation, inputs: inputs.map { Graph.ValueID($0) }, output: Graph.ValueID(output))
    }
    return Graph(
      name: "b",
      values: [
        value("x", [4, 2, 2]), value("l", [2, 2, 2]), value("r", [2, 2, 2]), value("s", [2, 2, 2]),
        value("c", [6, 2, 2]), value("u", [6, 4, 6]),
      ],
      nodes: [
        node("left", .slice(ChannelSlice(first: 0, count: 2)), [0], 1),
        node("right", .slice(ChannelSlice(first: 2, count: 2)), [0], 2),
        node("sum", .addition(Addition(signs: [1, -1])), [1, 2], 3), node("cat", .concatenation, [3, 1, 2], 4),
        node("up", .resize(Resize(rows: 2, columns: 3)), [4], 5),
      ], input: Graph.ValueID(0), outputs: [Graph.ValueID(5), Graph.ValueID(3)])
  }()

  @Test func describesBranches() {
    #expect(
      Self.branching.description == """
        graph "b"
        input "x" [4, 2, 2]
        "left": slice 0..<2 ("x") -> [2, 2, 2]
        "right": slice 2..<4 ("x") -> [2, 2, 2]
        "sum": addition +- ("l", "r") -> [2, 2, 2]
        "cat": concatenation ("s", "l", "r") -> [6, 2, 2]
        "up": resize 2x3 ("c") -> [6, 4, 6]
        output "u" [6, 4, 6]
        output "s" [2, 2, 2]

        """)
    #expect(Self.branching.verified() == [])
  }

  @Test func findsBrokenBranches() {
    let breakages: [(String, (inout Graph) -> Void)] = [
      ("one summand", { $0.nodes[2].inputs.removeLast() }),
      ("one part", { $0.nodes[3].inputs = [Graph.ValueID(4)] }),
      ("summands' shapes", { $0.nodes[2].inputs[1] = Graph.ValueID(0) }),
      ("signs", { $0.nodes[2].operation = .addition(Addition(signs: [1, 2])) }),
      ("parts' rows", { $0.values[1].shape = [2, 3, 2] }),
      ("slice", { $0.nodes[1].operation = .slice(ChannelSlice(first: 3, count: 2)) }),
      ("slice far outside", { $0.nodes[1].operation = .slice(ChannelSlice(first: .max, count: 2)) }),
      ("factors", { $0.nodes[4].operation = .resize(Resize(rows: .max, columns: 2)) }),
      ("an output twice", { $0.outputs[1] = $0.outputs[0] }),
      ("no output", { $0.outputs = [] }),
      ("trailing nodes", { $0.trailings = [] }),
      ("a later value", { $0.nodes[2].inputs[0] = Graph.ValueID(5) }),
      ("an empty shape", { $0.values[1].shape = [] }),
    ]
    for (rule, breaking) in breakages {
      var graph = Self.branching
      breaking(&graph)
      #expect(!graph.verified().isEmpty, "\(rule)")
    }
  }

  @Test func acceptsASoundGraph() {
    #expect(Self.sound.verified().isEmpty)
  }

  @Test func findsBrokenRules() {
    let breakages: [(String, (inout Graph) -> Void)] = [
      ("order", { $0.nodes.swapAt(0, 1) }),
      ("index", { $0.nodes[0].inputs = [Graph.ValueID(99)] }),
      ("output index", { $0.output = Graph.ValueID(-1) }),
      ("shape", { $0.values[2].shape = [2, 3, 2] }),
      ("empty extent", { $0.values[3].shape = [0] }),
      ("node name", { $0.nodes[2].name = "quant" }),
      ("value name", { $0.values[2].name = "x" }),
      ("second producer", { $0.nodes[2].output = Graph.ValueID(1) }),
      ("no producer", { $0.nodes.removeLast() }),
      ("inputs", { $0.nodes[0].inputs = [] }),
      (
        "scale",
        { $0.nodes[0].operation = .quantize(Quantizer(scale: 0, minimum: 0, maximum: 255, isSigned: false)) }
      ),
      (
        "grid",
        { $0.nodes[0].operation = .quantize(Quantizer(scale: 1, minimum: -1, maximum: 255, isSigned: false)) }
      ),
    ]
    for (rule, breaking) in breakages {
      var graph = Self.sound
      breaking(&graph)
      #expect(!graph.verified().isEmpty, "\(rule)")
    }
  }
}
