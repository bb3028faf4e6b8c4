import Diagnostics
import GraphIR
import ReferenceInterpreter
import TernaryIR
import Testing

@testable import Lowering

/// Where branches meet and part, lowered and compared with the graph's own real arithmetic.
@Suite struct JunctionTests {
  private typealias Window = GraphIR.Window

  /// Two branches from one input: `left` and `right`, each a layer with a quantizer.
  private func branches(_ left: GraphIR.Operation, _ right: GraphIR.Operation) -> Chain {
    Chain([2, 4, 5]).then("in", input(zeroPoint: 3, -8...7))
      .then("a", conv(3, 2, padded(3)), of: "in").then("left", left)
      .then("b", conv(3, 2, padded(1), scales: [0.5]), of: "in").then("right", right)
  }

  private let sum = GraphIR.Operation.addition(GraphIR.Addition(signs: [1, 1]))

  private func addition(_ network: TernaryNetwork) -> TernaryIR.Addition? {
    for layer in network.layers { if case .add(let addition) = layer.kind { return addition } }
    return nil
  }

  // MARK: Additions

  @Test func equalScalesAreAddedAsTheyAre() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, 0...15, zeroPoint: 4)).then("sum", sum, of: "left", "right")
        .then("relu", .relu).then("out", quantize(0.5, 0...15)))
    #expect(addition(network)?.multipliers == [1, 1])
    #expect(network.layers.map(\.name) == ["a", "b", "sum"])
    #expect(network.layers[2].inputs == [.init(1), .init(2)])
  }

  @Test(arguments: [(0.5, 0.25, [2, 1]), (0.375, 0.25, [3, 2]), (0.0625, 1, [1, 16])] as [(Float, Float, [Int])])
  func scalesInASimpleRatio(left: Float, right: Float, multipliers: [Int]) throws {
    let network = try check(
      branches(quantize(left, -8...7, zeroPoint: -1), quantize(right, -8...7, zeroPoint: 2))
        .then("sum", sum, of: "left", "right").then("out", quantize(0.25, -8...7, zeroPoint: 1)))
    #expect(addition(network)?.multipliers == multipliers)
  }

  @Test func differencesAndFactors() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.25, -8...7)).then("twice", by(2), of: "left")
        .then("minus", .addition(GraphIR.Addition(signs: [1, -1])), of: "right", "twice")
        .then("turned", by(-0.5)).then("out", quantize(0.25, -8...7)))
    // The sign that stands behind the sum turns both.
    #expect(addition(network)?.multipliers == [-1, 4])
  }

  @Test func moreThanTwo() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.25, -8...7, zeroPoint: 1)).then("sum", sum, of: "left", "right")
        .then("more", .addition(GraphIR.Addition(signs: [1, 1, 1])), of: "sum", "right", "left")
        .then("out", quantize(0.5, -16...15)))
    // Each stands there twice.
    #expect(addition(network)?.multipliers == [2, 1])
    #expect(addition(network)?.accumulators == -24...21)
  }

  @Test func aTensorAndItself() throws {
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 3, -8...7)).then("twice", sum, of: "in", "in")
        .then("out", quantize(0.5, -8...7)))
    #expect(addition(network) == nil)
    let nothing = Chain([2, 4, 4]).then("in", input(zeroPoint: 3, -8...7))
      .then("zero", .addition(GraphIR.Addition(signs: [1, -1])), of: "in", "in")
      .then("bias", .arithmetic(Arithmetic(kind: .add, constants: [.init(scale: 1)]))).then(
        "out", quantize(0.5, -8...7))
    #expect(
      try Interpreter(Lowering.lower(nothing.graph)).run([Int32](repeating: 5, count: 32)).output.allSatisfy { $0 == 2 }
    )
  }

  @Test func normalizationAndPoolBehind() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7)).then("sum", sum, of: "left", "right")
        .then("bn", normalize(gamma: [1, 0.5, 2], beta: [0.25, 0, -1], mean: [1, 0.5, 0]))
        .then("pool", .maxPool(Window(kernel: (2, 2), stride: (2, 2)))).then("out", quantize(0.5, -8...7)))
    #expect(addition(network)?.requantizer.entries == 3)
    #expect(network.layers.map(\.name) == ["a", "b", "sum", "pool"])
  }

  @Test func aMeanIsAddedAsItsSum() throws {
    let mean = GraphIR.Operation.averagePool(Window(kernel: (2, 2), stride: (2, 2)))
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 3, -8...7)).then("left", mean, of: "in")
        .then("most", .maxPool(Window(kernel: (2, 2), stride: (2, 2))), of: "in").then("sum", sum, of: "left", "most")
        .then("out", quantize(0.5, -8...7)))
    #expect(addition(network)?.multipliers == [1, 4])
    #expect(network.layers.map(\.name) == ["most", "left", "sum"])
    #expect(network[network.layers[1].output].kind == .sum)
  }

  @Test func atTheEnd() throws {
    try check(
      branches(quantize(0.5, -8...7), quantize(0.25, -8...7)).then("sum", sum, of: "left", "right"))
    // In no simple ratio: as near as int32 allows.
    let network = try check(
      branches(quantize(0.313, -128...127), quantize(0.000777, -128...127, zeroPoint: 2)).then(
        "sum", sum, of: "left", "right"))
    let resolution = try #require(addition(network)).requantizer.proof.resolution
    #expect(resolution > 0 && resolution < 32)
  }

  // MARK: Concatenations

  @Test func oneGridNeedsNoQuantizer() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7)).then("cat", .concatenation, of: "left", "right")
        .then("c", conv(2, 6, padded(3))).then("out", quantize(0.5, 0...15)))
    guard case .concatenate(let concatenation) = network.layers[2].kind else {
      Issue.record("no concatenation")
      return
    }
    #expect(concatenation.requantizers == [nil, nil])
    #expect(network[network.layers[2].output].shape == Shape(6, 4, 5))
  }

  @Test func equalCodesOnAWiderGrid() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, -2...1)).then("cat", .concatenation, of: "left", "right"))
    guard case .concatenate(let concatenation) = network.layers[2].kind else { return }
    #expect(concatenation.requantizers[0] == nil)
    #expect(concatenation.requantizers[1]?.form == .affine(multipliers: [1], offsets: [0], shift: 0))
  }

  @Test func eachInputIsRequantized() throws {
    let network = try check(
      branches(quantize(0.5, -8...7, zeroPoint: 1), quantize(0.375, -8...7)).then(
        "cat", .concatenation, of: "left", "right"
      )
      .then("bn", normalize(gamma: [1, 0.5, 2, 1, 0, 3], beta: [0.25, 0, -1, 0, 2, 0], mean: [1, 0.5, 0, 0, 0, 1]))
      .then("relu", .relu).then("out", quantize(0.25, 0...15)))
    guard case .concatenate(let concatenation) = network.layers[2].kind else { return }
    #expect(concatenation.requantizers.map { $0?.entries } == [3, 3])
    #expect(concatenation.requantizers.map { $0?.proof.pairs } == [48, 48])
  }

  /// One quantizer behind a concatenation serves layers that have none, means, sums, and concatenations themselves.
  @Test func openPartsAreClosedByTheQuantizerBehind() throws {
    let network = try check(
      branches(quantize(0.5, -8...7, zeroPoint: 1), quantize(0.375, -8...7)).then("sum", sum, of: "left", "right")
        .then("c", conv(2, 3, padded(3)), of: "left").then("relu", .relu)
        .then(
          "mean", .averagePool(Window(kernel: (3, 3), padding: Padding(top: 1, left: 1, bottom: 1, right: 1))),
          of: "left"
        )
        .then("inner", .concatenation, of: "right", "left").then("twice", by(2), of: "right")
        .then("clipped", .clip(minimum: -0.3, maximum: 1.3), of: "twice")
        .then("cat", .concatenation, of: "relu", "sum", "inner", "mean", "clipped")
        .then(
          "bn",
          normalize(
            gamma: (0..<17).map { Float($0 % 5) - 1 }, beta: [Float](repeating: 0.25, count: 17),
            mean: [Float](repeating: 0.5, count: 17))
        )
        .then("out", quantize(0.25, -8...7)))
    #expect(network.layers.map(\.name).contains("c"))
    guard case .concatenate(let concatenation)? = network.layers.last?.kind else {
      Issue.record("no concatenation at the end")
      return
    }
    #expect(concatenation.requantizers.allSatisfy { $0 == nil })
  }

  /// Channels that a factor turns round are a layer of their own.
  @Test func decreasingChannelsOfAConcatenation() throws {
    let network = try check(
      branches(quantize(0.5, -8...7, zeroPoint: 1), quantize(0.375, -8...7)).then(
        "cat", .concatenation, of: "left", "right"
      )
      .then("bn", normalize(gamma: [1, 0.5, 2, 1, 0, -3], beta: [0.25, 0, -1, 0, 2, 0], mean: [1, 0.5, 0, 0, 0, 1]))
      .then("out", quantize(0.25, -8...7)))
    guard case .concatenate(let concatenation)? = network.layers.last?.kind else { return }
    #expect(concatenation.requantizers.map { $0 == nil } == [false, true])
    #expect(network.layers.count == 4)
  }

  /// Read as it is, and requantized.
  @Test func aConcatenationWithTwoReaders() throws {
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7)).then("cat", .concatenation, of: "left", "right")
        .then("c", conv(2, 6, padded(3)), of: "cat").then("d", conv(2, 6, padded(1)), of: "cat")
        .then("e", quantize(0.25, -8...7), of: "cat").ending("c", "d", "e"))
    #expect(network.layers.count { if case .concatenate = $0.kind { true } else { false } } == 2)
    #expect(Set(network.layers.map(\.name)).count == network.layers.count)
  }

  // MARK: Slices, resizes

  @Test func slicesAndResizes() throws {
    let network = try check(
      Chain([4, 3, 2]).then("in", input(zeroPoint: 3, -8...7))
        .then("head", .slice(GraphIR.ChannelSlice(first: 0, count: 3)), of: "in")
        .then("tail", .slice(GraphIR.ChannelSlice(first: 1, count: 3)), of: "in")
        .then("again", .slice(GraphIR.ChannelSlice(first: 1, count: 3)), of: "in")
        .then("sum", .addition(GraphIR.Addition(signs: [1, 1, 1])), of: "head", "tail", "again")
        .then("large", .resize(GraphIR.Resize(rows: 2, columns: 3))).then("out", quantize(1, -16...15))
        .then("larger", .resize(GraphIR.Resize(rows: 1, columns: 2))))
    // Equal slices are one.
    #expect(network.layers.map(\.name) == ["head", "tail", "sum", "large", "larger"])
    #expect(addition(network)?.multipliers == [1, 2])
    #expect(network[network.outputTensor].shape == Shape(3, 6, 12))
  }

  // MARK: Branches

  @Test func equalQuantizersOfAResultAreOne() throws {
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 0, -8...7)).then("a", conv(3, 2, padded(3)))
        .then("relu", .relu, of: "a").then("first", quantize(0.5, 0...15))
        // Without the ReLU, which the quantizer's own grid makes needless; and pooled in one branch.
        .then("second", quantize(0.5, 0...15), of: "a").then("pool", .maxPool(Window(kernel: (3, 3))), of: "a")
        .then("third", quantize(0.5, 0...15)).then("mean", .maxPool(Window(kernel: (3, 3))), of: "first")
        .then("sum", sum, of: "first", "second").then("x", quantize(0.5, 0...15))
        .then("small", sum, of: "third", "mean").then("y", quantize(0.5, 0...15)).ending("x", "y"))
    #expect(network.layers.count { if case .convolution = $0.kind { $0.name == "a" } else { false } } == 1)
    #expect(network.layers.count { if case .maxPool = $0.kind { true } else { false } } == 1)
  }

  @Test func differentQuantizersOfAResultAreRefused() {
    let layer = Chain([2, 4, 4]).then("in", input(zeroPoint: 0, -8...7)).then("a", conv(3, 2, padded(3)))
    expect(
      code: "branch-before-quantizer",
      layer.then("first", quantize(0.5, 0...15), of: "a").then("second", quantize(0.25, 0...15), of: "a")
        .ending("first", "second"))
    expect(
      code: "branch-before-quantizer",
      layer.then("first", quantize(0.5, 0...15), of: "a").ending("a", "first"))
  }

  /// What has no weights is computed for each quantizer.
  @Test func differentQuantizersOfWhatIsCheap() throws {
    let mean = GraphIR.Operation.averagePool(Window(kernel: (2, 2)))
    let network = try check(
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7)).then("sum", sum, of: "left", "right")
        .then("s1", quantize(0.5, -8...7), of: "sum").then("s2", quantize(0.25, -8...7), of: "sum")
        .then("mean", mean, of: "in").then("m1", quantize(0.5, -8...7), of: "mean")
        .then("m2", quantize(1, -8...7), of: "mean").then("i1", quantize(1, -8...7), of: "in")
        .ending("s1", "s2", "m1", "m2", "i1"))
    #expect(network.layers.map(\.name) == ["a", "b", "sum", "sum (2)", "mean", "mean (2)", "i1"])
  }

  @Test func severalHeads() throws {
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 0, -8...7)).then("a", conv(3, 2, padded(3)))
        .then("trunk", quantize(0.5, 0...15)).then("classes", dense(3, 48), of: "trunk")
        .then("box", conv(2, 3, padded(1)), of: "trunk").then("boxes", quantize(0.25, -8...7))
        .ending("boxes", "trunk", "classes"))
    #expect(network.outputTensors.map { network[$0].kind } == [.activation, .activation, .logits])
    #expect(network.outputTensors == [.init(2), .init(1), .init(3)])
  }

  @Test func whatIsRefused() {
    let unquantized = Chain([2, 4, 4]).then("in", input(zeroPoint: 0, -8...7)).then("a", conv(2, 2, padded(3)))
    expect(code: "activation-not-quantized", unquantized.then("sum", sum, of: "a", "in").then("q", quantize(1, 0...7)))
    expect(code: "activation-not-quantized", unquantized.then("cat", .concatenation, of: "a", "in"))
    expect(
      code: "activation-not-quantized",
      unquantized.then("cat", .concatenation, of: "a", "in").then("c", conv(2, 4, padded(1))))
    expect(code: "activation-not-quantized", unquantized.then("part", .slice(GraphIR.ChannelSlice(first: 0, count: 1))))
    expect(code: "activation-not-quantized", unquantized.then("large", .resize(GraphIR.Resize(rows: 2, columns: 2))))
    expect(
      code: "unequal-grids",
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7, zeroPoint: 1)).then(
        "cat", .concatenation, of: "left", "right"
      )
      .then("c", conv(2, 6, padded(3))))
    expect(
      code: "outputs",
      unquantized.then("q", quantize(0.5, 0...7), of: "a").then("r", quantize(0.5, 0...7), of: "a").ending("q", "r"))
    expect(
      code: "input-quantized-twice",
      Chain([4]).then("in", input(zeroPoint: 0, 0...15)).ending("in")
        .reading(quantize(0.25, 0...15), named: "other").then("sum", sum, of: "in", "other"))
    expect(
      code: "flattened-branch",
      branches(quantize(0.5, -8...7), quantize(0.5, -8...7)).then("flat", .flatten, of: "left")
        .then("other", .flatten, of: "right").then("cat", .concatenation, of: "flat", "other"))
  }

  /// One quantizer written into two branches of the input.
  @Test func equalQuantizersOfTheInputAreOne() throws {
    let network = try check(
      Chain([4]).then("in", input(zeroPoint: 0, 0...15)).reading(input(zeroPoint: 0, 0...15), named: "other")
        .then("max", by(3), of: "in").then("sum", sum, of: "max", "other").then("out", quantize(1, 0...15)))
    #expect(network.inputTensor == .init(0))
    #expect(network.layers.count == 1)
  }

  private func by(_ factor: Float) -> GraphIR.Operation {
    .arithmetic(Arithmetic(kind: .multiply, constants: [.init(scale: factor)]))
  }
}

extension Chain {
  /// Appends a node that reads the graph's input.
  func reading(_ operation: GraphIR.Operation, named name: String) -> Chain {
    var next = then(name, operation, of: graph.nodes[0].name)
    next.graph.nodes[next.graph.nodes.count - 1].inputs = [graph.input]
    return next
  }
}
