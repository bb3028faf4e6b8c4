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
