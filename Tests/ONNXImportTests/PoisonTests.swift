import Diagnostics
import GraphIR
import ModelBuilding
import ONNXFormat
import ONNXImport
import Testing

/// One fault, one message: whatever operator stands behind a node that is refused, it is not judged.
@Suite struct PoisonTests {
  /// Nodes that are refused, each made from a value of four axes or two.
  private static let refused: [(name: String, code: String, make: @Sendable (inout ModelBuilder, String) -> String)] = [
    ("an unknown activation", "unsupported-operator", { $0.node("Erf", [$1]) }),
    ("a recurrent layer", "unsupported-operator", { $0.node("LSTM", [$1]) }),
    ("another tool's operator", "unsupported-operator", { $0.node("Magic", [$1], domain: "com.example") }),
    ("a softmax inside", "unsupported-operator", { $0.node("Softmax", [$1], ["axis": .int(1)]) }),
    ("a gate", "product-of-activations", { $0.node("Mul", [$1, $1]) }),
    ("SiLU", "unsupported-operator", { $0.node("Mul", [$1, $0.node("Sigmoid", [$1])]) }),
    ("a concatenation of rows", "concatenation-axis", { $0.node("Concat", [$1, $1], ["axis": .int(2)]) }),
    ("an interpolation", "resize-mode", { $0.node("Resize", [$1], ["mode": .string("linear")]) }),
    ("a cast", "cast", { $0.node("Cast", [$1], ["to": .int(10)]) }),
    ("mirrored padding", "pad-mode", { $0.node("Pad", [$1], ["mode": .string("reflect")]) }),
    ("an embedding", "expected-constant", { $0.node("Gather", [$0.floats([1, 2], [2]), $1]) }),
    (
      "attention", "expected-constant",
      { $0.node("MatMul", [$0.node("Reshape", [$1, $0.integers([1, -1], [2], type: .int64)]), $1]) }
    ),
    ("control flow", "subgraph", { $0.node("If", [$1], ["then_branch": .graph]) }),
    (
      "dropout in training", "training-mode",
      {
        $0.node("Dropout", [$1, $0.scalar(0.5), $0.integers([1], [], type: .bool)])
      }
    ),
    ("a quantizer's rounding", "rounding-mode", { $0.quant($1, rounding: "UP") }),
    ("a quantizer's width", "quantizer-parameter", { $0.quant($1, bits: 9) }),
    ("a quantizer's scale", "quantizer-scale", { $0.quant($1, scale: 0) }),
    ("a sign", "binary-activation", { $0.node("BipolarQuant", [$1, $0.scalar(1)], domain: "onnx.brevitas") }),
    (
      "int16", "activation-width",
      {
        let parameters = [$0.scalar(1), $0.integers([0], [], type: .int16)]
        return $0.node("DequantizeLinear", [$0.node("QuantizeLinear", [$1] + parameters)] + parameters)
      }
    ),
    (
      "integers without a scale", "quantizer-scale",
      {
        $0.node("DequantizeLinear", [$0.node("QuantizeLinear", [$1, $0.scalar(.nan)]), $0.scalar(.nan)])
      }
    ),
  ]

  /// The model with a refused node in front of all that read `name`.
  private func refusing(_ spelling: SpellingTests.Spelling, behind name: String, _ number: Int) -> ModelBuilder {
    var model = spelling.model
    let old = model.nodes
    model.nodes = []
    let bad = Self.refused[number].make(&model, name)
    let inserted = model.nodes
    let position = old.firstIndex { $0.output.contains(name) }.map { $0 + 1 } ?? 0
    model.nodes = Array(old[..<position]) + inserted
    for node in old[position...] {
      var node = node
      node.input = node.input.map { $0 == name ? bad : $0 }
      model.nodes.append(node)
    }
    return model
  }

  /// Each operator, in each spelling, behind each refused node: in front of the first quantizer and behind it.
  @Test(arguments: refused.indices)
  func nothingBehindARefusedNodeIsJudged(number: Int) {
    for spelling in SpellingTests.spellings {
      let isInteger = spelling.model.proto.graph.input[0].type.tensorType.elemType != ElementType.float.rawValue
      for name in ["x", spelling.model.nodes[0].output[0]] where !(name == "x" && isInteger) {
        let model = refusing(spelling, behind: name, number)
        // Of the model's last node nothing stands behind.
        guard model.nodes.contains(where: { $0.output[0] == model.output }), name != model.output else { continue }
        // A constant that stands first has nothing to do with the input.
        guard spelling.model.nodes[0].input.first == "x" || name == "x" else { continue }
        guard case .failure(let error) = outcome(model.bytes) else {
          Issue.record("\(spelling) behind \(Self.refused[number].name) at \(name) was accepted")
          continue
        }
        let codes = error.diagnostics.map(\.code)
        // What is refused may be two nodes: the first of them meets padding that no quantizer stands in front of.
        let isPadded =
          name != "x" && spelling.model.nodes[0].opType == "Pad" && Self.refused[number].name == "attention"
        #expect(
          codes == [Self.refused[number].code] || isPadded && codes == ["padded-activation"],
          "\(spelling) behind \(Self.refused[number].name) at \(name): \(error.diagnostics.map(\.message))")
      }
    }
  }
}
