import Diagnostics
import GraphIR
import ModelBuilding
import ONNXFormat
import ONNXImport
import Testing

/// What a file's nodes, names and inputs may be.
@Suite struct GraphStructureTests {
  @Test func opsetsFrom9To25() {
    for opset in [9, 17, 25] as [Int64] {
      if case .failure(let error) = outcome(model(opset: opset) { $0.node("Relu", [$1]) }.bytes) {
        Issue.record("opset \(opset): \(error)")
      }
    }
    for opset in [8, 26, 99, -1, .max] as [Int64] {
      let bytes = model(opset: opset) { $0.node("Relu", [$1]) }.bytes
      guard case .failure(let error) = outcome(bytes) else {
        Issue.record("opset \(opset) was accepted")
        continue
      }
      #expect(error.diagnostics[0].message.contains("opset \(opset) "))
    }
    var missing = model { $0.node("Relu", [$1]) }
    missing.proto.opsetImport = []
    expectRefusal(missing.bytes, "opset")
  }

  @Test func exactlyOneInputAndOutput() {
    var two = model { $0.node("Relu", [$1]) }
    two.proto.graph.output.append(two.proto.graph.output[0])
    two.proto.graph.input.append(two.proto.graph.input[0])
    two.proto.graph.input[1].name = "second"
    guard case .failure(let error) = outcome(two.bytes) else {
      Issue.record("accepted")
      return
    }
    #expect(error.diagnostics.map(\.code) == ["inputs", "outputs"])
    var none = model { $0.node("Relu", [$1]) }
    none.proto.graph.output = []
    expectRefusal(none.bytes, "outputs")
  }

  @Test(
    arguments: [
      [2, 1, 8, 8], [1, 1, nil, 8], [1, 1, 1, 8, 8], [1, nil, 8], [1], [], [1, 0], [1, -1], [1, .max, .max, .max],
      [0, 4],
    ] as [[Int64?]])
  func refusesInputShapes(input: [Int64?]) {
    expectRefusal(model(input: input) { $0.node("Relu", [$1]) }.bytes, "input-shape")
  }

  @Test func namesAreDefinedOnce() {
    var twoProducers = model { $0.node("Relu", [$1], output: "y") }
    twoProducers.node("Relu", ["x"], output: "y")
    expectRefusal(twoProducers.bytes, "duplicate-name")
    var shadowed = model { $0.node("Relu", [$1]) }
    shadowed.node("Relu", ["x"], output: "x")
    expectRefusal(shadowed.bytes, "duplicate-name")
    var initializers = model { $0.node("Relu", [$1]) }
    _ = initializers.floats([1], [1], name: "twice")
    _ = initializers.floats([1], [1], name: "twice")
    expectRefusal(initializers.bytes, "duplicate-name")
  }

  @Test func refusesWhatIsNeverDefined() {
    expectRefusal(model { $0.node("Add", [$1, "nowhere"]) }.bytes, "undefined-tensor")
    var output = model { $0.node("Relu", [$1]) }
    output.output = "nowhere"
    expectRefusal(output.bytes, "undefined-tensor")
  }

  /// One fault, one message: the node where the branches meet.
  @Test func refusesBranchesWhereTheyMeet() {
    let branching = model {
      let left = $0.node("Relu", [$1], name: "left", output: "l")
      return $0.node("Mul", [left, $0.node("Relu", [$1], name: "right", output: "r")])
    }
    guard case .failure(let error) = outcome(branching.bytes) else {
      Issue.record("accepted")
      return
    }
    #expect(error.diagnostics.map(\.code) == ["product-of-activations"])
    #expect(error.diagnostics[0].message.contains("'l' and 'r'"))
  }

  /// Outputs keep the file's order, whatever order their nodes have, and may be read inside.
  @Test func severalOutputs() throws {
    var two = model { $0.node("Relu", [$1], output: "second") }
    let first = two.node("Flatten", [two.node("Clip", ["second", two.scalar(0), two.scalar(1)])], output: "first")
    two.proto.graph.output.insert(two.proto.graph.output[0], at: 0)
    two.proto.graph.output[0].name = first
    let graph = try ModelImporter.importModel(bytes: two.bytes, folder: nil).graph
    #expect(graph.verified().isEmpty)
    #expect(graph.nodes.map(\.operation.kind) == ["quantize", "relu", "clip"])
    #expect(graph.outputs == [.init(3), .init(2)])
  }

  /// A softmax behind one of two outputs is left out of that one.
  @Test func trailingNodesOfEachOutput() throws {
    var two = model(input: [1, 4]) { $0.node("MatMul", [$1, $0.ternary([4, 3])]) }
    let other = two.node("MatMul", [two.nodes[0].output[0], two.ternary([4, 2])])
    two.proto.graph.output.append(two.proto.graph.output[0])
    two.proto.graph.output[1].name = two.node("Softmax", [other])
    let imported = try ModelImporter.importModel(bytes: two.bytes, folder: nil)
    #expect(imported.graph.trailings.map { $0?.type } == [nil, "Softmax"])
    #expect(imported.warnings.map(\.code) == ["dropped-node"])
  }

  /// The input's layout is found in one branch: what another branch says of it counts from then on, too.
  @Test func layoutOfTheInputIsOneForAllBranches() throws {
    func branches(_ isTransposedFirst: Bool) -> ModelBuilder {
      var model = ModelBuilder(input: [1, 4, 4, 4])
      func layer(_ isTransposed: Bool) -> String {
        let x = model.quant("x")
        let map = isTransposed ? model.node("Transpose", [x], ["perm": .ints([0, 3, 1, 2])]) : x
        return model.quant(model.node("Conv", [map, model.ternary([4, 4, 1, 1])]))
      }
      let left = layer(isTransposedFirst)
      model.output = model.node("Add", [left, layer(!isTransposedFirst)])
      return model
    }
    // A cube: nothing but the order tells the two apart.
    expectRefusal(branches(true).bytes, "layout")
    expectRefusal(branches(false).bytes, "layout")
    var same = ModelBuilder(input: [1, 3, 4, 2])
    let x = same.quant("x")
    let maps = (0..<2).map { _ in same.node("Transpose", [x], ["perm": .ints([0, 3, 1, 2])]) }
    let layers = maps.map { same.quant(same.node("Conv", [$0, same.ternary([4, 2, 1, 1])])) }
    same.output = same.node("Add", layers)
    let graph = try ModelImporter.importModel(bytes: same.bytes, folder: nil).graph
    #expect(graph.inputLayout?.isChannelsLast == true)
    #expect(graph[graph.output].shape == [4, 3, 4])
  }

  @Test func deadNodesAreIgnored() throws {
    var dead = model { $0.node("Relu", [$1]) }
    dead.node("Erf", ["x"])
    #expect(try kinds(dead) == "quantize relu")
  }

  @Test func duplicateNodeNamesAreMadeUnique() throws {
    let same = model { $0.node("Relu", [$0.node("Relu", [$1], name: "same")], name: "same") }
    let graph = try ModelImporter.importModel(bytes: same.bytes, folder: nil).graph
    #expect(graph.nodes.map(\.name).count == Set(graph.nodes.map(\.name)).count)
  }

  /// Along one chain: all are found in one go that do not stand behind another's result.
  @Test func allIndependentProblemsAreReportedAtOnce() {
    let floats = (0..<9).map { Float($0) }
    let broken = model {
      var value = $0.node("Conv", [$1, $0.floats(floats, [1, 1, 3, 3])])
      value = $0.quant(value, scale: 0)
      value = $0.node("Conv", [value, $0.ternary([1, 1, 3, 3])])
      value = $0.node("Conv", [value, $0.ternary([1, 1, 1, 1])])
      value = $0.node("Erf", [value])
      value = $0.node("Erf", [value])
      value = $0.quant($0.node("LSTM", [value]))
      return $0.node("Conv", [value, $0.floats(floats, [1, 1, 3, 3])])
    }
    guard case .failure(let error) = outcome(broken.bytes) else {
      Issue.record("accepted")
      return
    }
    #expect(
      error.diagnostics.map(\.code) == [
        "weights-not-ternary", "quantizer-scale", "unquantized-activation", "unsupported-operator",
        "weights-not-ternary",
      ])
    // What stands behind a refused node is named, and not judged.
    #expect(
      error.diagnostics[0].notes == ["behind what is refused stand more operators that cannot be compiled: Erf, LSTM"])
  }

  @Test func refusesSubgraphsAndSecondOutputs() {
    var branch = model { $0.node("If", [$1]) }
    branch.nodes[branch.nodes.count - 1].attribute = [
      ONNXAttributeProto.with {
        $0.name = "then_branch"
        $0.g = .init()
      }
    ]
    expectRefusal(branch.bytes, "subgraph")
    var indices = model { $0.node("MaxPool", [$1], ["kernel_shape": .ints([2, 2])]) }
    indices.nodes[indices.nodes.count - 1].output.append("indices")
    indices.output = indices.node("Relu", ["indices"])
    expectRefusal(indices.bytes, "second-output")
  }

  @Test func theOperatorTableIsSound() {
    let types = ModelImporter.supportedOperators.map(\.type)
    #expect(Set(types).count == types.count)
    #expect(ModelImporter.supportedOperators.allSatisfy { !$0.domains.isEmpty })
  }
}
