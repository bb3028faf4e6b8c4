import Diagnostics
import GraphIR
import Lowering
import ReferenceInterpreter
import TernaryIR
import Testing

/// Small graphs, lowered, run on the interpreter and compared with the graph's own real arithmetic. The graphs'
/// constants are short dyadic numbers, so `Reference` is exact and so must be the agreement.
@Suite struct GraphLoweringTests {
  private typealias Window = GraphIR.Window

  // MARK: Layers

  @Test func convolutionWithBiasAndRelu() throws {
    let network = try check(
      Chain([2, 5, 4]).then("in", input(zeroPoint: 3, -8...7))
        .then("conv", conv(3, 2, padded(3), bias: [0.5, -1.25, 3]))
        .then("relu", .relu).then("act", quantize(0.25, 0...7, zeroPoint: 1)))
    #expect(network.layers.map(\.name) == ["conv"])
    // Relu: nothing below the zero point comes out.
    #expect(network.tensors[1].range.lowerBound == 1)
    #expect(network.tensors[1].grid == 0...7)
  }

  @Test func negativeWeightScalesAndGamma() throws {
    let network = try check(
      Chain([1, 4, 4]).then("in", input(zeroPoint: 0, -8...7))
        .then("conv", conv(3, 1, padded(3), scales: [0.5, -0.25, 0.125]))
        .then("bn", normalize(gamma: [-1, 2, -0.5], beta: [0.25, 0, -1], mean: [1, 0.5, 0]))
        .then("act", quantize(0.5, -8...7, zeroPoint: 0)))
    guard case .convolution(let convolution) = network.layers[0].kind,
      case .convolution(let plain) = conv(3, 1, padded(3), scales: [1])
    else {
      Issue.record("expected convolutions")
      return
    }
    // Channels 0 and 1 have one negative factor, channel 2 as well: all three are negated.
    #expect(convolution.weights == plain.weights.values.map { -$0 })
    if case .affine(let multipliers, _, _) = convolution.requantizer.form {
      #expect(multipliers.allSatisfy { $0 >= 0 })
    }
  }

  @Test func gammaZeroMakesAConstantChannel() throws {
    let network = try check(
      Chain([1, 3, 3]).then("in", input(zeroPoint: 0, 0...15)).then("conv", conv(2, 1, padded(3)))
        .then("bn", normalize(gamma: [0, 1], beta: [2.5, 0], mean: [3, 0])).then("act", quantize(1, 0...7)))
    guard case .convolution(let convolution) = network.layers[0].kind else { return }
    #expect(convolution.weights[..<9].allSatisfy { $0 == 0 })
    #expect(convolution.accumulators[0] == 0...0)
  }

  @Test func depthwiseAndStrides() throws {
    try check(
      Chain([4, 5, 7]).then("in", input(zeroPoint: -3, -8...7))
        .then(
          "conv",
          conv(
            8, 1, Window(kernel: (3, 2), stride: (2, 3), padding: Padding(top: 1, left: 1, bottom: 0, right: 1)),
            groups: 4)
        )
        .then("act", quantize(0.5, 0...15, zeroPoint: 5, order: .afterRounding)))
  }

  @Test func denseAfterFlatten() throws {
    let network = try check(
      Chain([2, 3, 2]).then("in", input(zeroPoint: 1, 0...15)).then("conv", conv(3, 2, padded(3)))
        .then("act", quantize(0.5, 0...15)).then("flatten", .flatten).then("fc", dense(4, 18, bias: [1, 0, -0.5, 2]))
        .then("out", quantize(0.5, -128...127)))
    #expect(network.layers.count == 2)
    #expect(network.tensors[2].shape == Shape(4))
  }

  @Test func arithmeticAndClips() throws {
    try check(
      Chain([2, 3, 3]).then("in", input(zeroPoint: 0, -8...7)).then("conv", conv(2, 2, padded(3)))
        .then("half", .arithmetic(Arithmetic(kind: .multiply, constants: [.init(scale: 0.5), .init(scale: -2)])))
        .then("from", .arithmetic(Arithmetic(kind: .subtractFrom, constants: [.init(integer: 3, scale: 0.5)])))
        .then("clip", .clip(minimum: -1.5, maximum: 2.75))
        .then("by", .arithmetic(Arithmetic(kind: .divide, constants: [.init(scale: 0.25)])))
        .then("act", quantize(0.5, -128...127, zeroPoint: 7)))
  }

  /// A BatchNorm or a second quantizer without a layer before it becomes a pointwise depthwise convolution.
  @Test func arithmeticOnIntegers() throws {
    let network = try check(
      Chain([2, 3, 3]).then("in", input(zeroPoint: 2, 0...15))
        .then("bn", normalize(gamma: [0.5, -1], beta: [0, 2], mean: [0, 0])).then("act", quantize(0.5, -8...7)))
    guard case .convolution(let convolution) = network.layers[0].kind else {
      Issue.record("expected a convolution")
      return
    }
    #expect(convolution.isDepthwise)
    #expect(convolution.weights == [1, -1])
  }

  // MARK: Pools

  @Test func maxPoolCommutesWithTheQuantizer() throws {
    let network = try check(
      Chain([1, 6, 6]).then("in", input(zeroPoint: 0, -8...7)).then("conv", conv(2, 1, padded(3), scales: [-0.5]))
        .then("bn", normalize(gamma: [-1, 1], beta: [0, 0.5], mean: [0, 1]))
        .then("pool", .maxPool(Window(kernel: (3, 3), stride: (2, 2), padding: Padding(top: 1, left: 1))))
        .then("relu", .relu).then("act", quantize(0.5, 0...7)))
    #expect(network.layers.map(\.name) == ["conv", "pool"])
    #expect(network.tensors[1].range == network.tensors[2].range)
  }

  @Test func maxPoolBeforeANegativeFactorIsRefused() {
    expect(
      code: "max-pool-before-negative-scale",
      Chain([1, 4, 4]).then("in", input(zeroPoint: 0, 0...15)).then("conv", conv(2, 1, padded(3)))
        .then("pool", .maxPool(Window(kernel: (2, 2), stride: (2, 2))))
        .then("bn", normalize(gamma: [1, -1], beta: [0, 0], mean: [0, 0])).then("act", quantize(0.5, 0...7)))
  }

  /// One call tells everything: a pool that would become a minimum, and an un-quantized result that feeds a layer.
  @Test func allProblemsAreToldAtOnce() {
    let chain = Chain([1, 4, 4]).then("in", input(zeroPoint: 0, 0...15)).then("conv", conv(2, 1, padded(3)))
      .then("pool", .maxPool(Window(kernel: (2, 2), stride: (2, 2))))
      .then("bn", normalize(gamma: [1, -1], beta: [0, 0], mean: [0, 0])).then("act", quantize(0.5, 0...7))
      .then("conv2", conv(2, 2, padded(3))).then("conv3", conv(2, 2, padded(3))).then("out", quantize(0.5, 0...7))
    let error = #expect(throws: ModelError.self) { try Lowering.lower(chain.graph) }
    #expect(error?.diagnostics.map(\.code) == ["max-pool-before-negative-scale", "activation-not-quantized"])
    #expect(error?.diagnostics.map(\.location.node) == ["pool", "conv3"])
  }

  @Test func twoByTwoMeansRoundHalfToEven() throws {
    let network = try check(
      Chain([3, 4, 4]).then("in", input(zeroPoint: 1, 0...15))
        .then("pool", .averagePool(Window(kernel: (2, 2), stride: (2, 2)))).then(
          "act", quantize(0.5, 0...15, zeroPoint: 1)))
    guard case .averagePool(let pool) = network.layers[0].kind, let requantizer = pool.requantizer else {
      Issue.record("expected an average pool")
      return
    }
    #expect(requantizer.form == .affineHalfEven(multipliers: [1], offsets: [0], shift: 2))
  }

  /// The sum goes on as it is, its divisor moves into the scale; padding counts as zeros.
  @Test func averagePoolWithoutQuantizer() throws {
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 3, 0...15))
        .then(
          "pool", .averagePool(Window(kernel: (2, 2), stride: (2, 2), padding: Padding(top: 1, left: 0, bottom: 1)))
        )
        .then("fc", dense(3, 12)).then("out", quantize(0.25, -128...127)))
    #expect(network.tensors[1].kind == .sum)
    #expect(network.tensors[1].zeroPoint == 12)
    #expect(network.tensors[1].range == 0...60)
  }

  /// Channels that differ behind a pool make it a depthwise convolution of ones.
  @Test func averagePoolWithDifferingChannels() throws {
    let network = try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 0, -8...7))
        .then("pool", .averagePool(Window(kernel: (2, 2), stride: (2, 2))))
        .then("bn", normalize(gamma: [1, -2], beta: [0.5, 0], mean: [0, 1])).then("act", quantize(0.5, -8...7)))
    guard case .convolution(let convolution) = network.layers[0].kind else {
      Issue.record("expected a convolution")
      return
    }
    #expect(convolution.weights == [1, 1, 1, 1, -1, -1, -1, -1])
  }

  @Test func truncatedAveragePool() throws {
    var quantizer = Quantizer(scale: 0.125, minimum: 0, maximum: 15, rounding: .floor, isSigned: false)
    quantizer.truncation = .init(shift: 2, outputScale: 0.5)
    // The sum of four, in steps of the input's scale over four, shifted right by two.
    try check(
      Chain([2, 4, 4]).then("in", input(zeroPoint: 0, 0...15))
        .then("pool", .averagePool(Window(kernel: (2, 2), stride: (2, 2)))).then("trunc", .quantize(quantizer)))
  }

  // MARK: Logits

  /// One scale for all: the accumulators themselves are the logits, exactly.
  @Test func logitsWithOneScale() throws {
    let network = try check(
      Chain([6]).then("in", input(zeroPoint: 2, 0...15)).then("fc", dense(3, 6, bias: [0.5, -2, 0])))
    #expect(network.layers[0].requantizer?.proof.resolution == 0)
    guard case .logits(let multipliers, _)? = network.layers[0].requantizer?.form else { return }
    #expect(multipliers == [1, 1, 1])
  }

  @Test func logitsWithAScalePerChannel() throws {
    try check(
      Chain([6]).then("in", input(zeroPoint: 2, 0...15))
        .then("fc", dense(3, 6, scales: [0.3, -0.0171, 1.7], bias: [0.1, 12.7, -3])))
  }

  @Test func logitsOfAMap() throws {
    try check(
      Chain([1, 4, 4]).then("in", input(zeroPoint: 0, 0...15)).then("conv", conv(2, 1, padded(3), scales: [0.1, 0.7])))
  }

  @Test func logitsOfAMean() throws {
    try check(
      Chain([3, 4, 4]).then("in", input(zeroPoint: 0, 0...15)).then("pool", .averagePool(Window(kernel: (4, 4)))))
  }

  // MARK: Refusals

  @Test func whatIsRefused() {
    expect(code: "input-not-quantized", Chain([1, 4, 4]).then("conv", conv(1, 1, padded(3))))
    expect(
      code: "activation-not-quantized",
      Chain([1, 4, 4]).then("in", input(zeroPoint: 0, 0...15)).then("a", conv(2, 1, padded(3)))
        .then("b", conv(1, 2, padded(3))))
    expect(
      code: "padding-not-representable",
      Chain([1, 4, 4]).then("in", input(zeroPoint: 20, 0...15)).then("conv", conv(1, 1, padded(3))))
    expect(
      code: "activation-not-quantized",
      Chain([1, 4, 4]).then("in", input(zeroPoint: 0, 0...15))
        .then("a", .averagePool(Window(kernel: (2, 2)))).then("b", .averagePool(Window(kernel: (2, 2)))))
    expect(code: "no-layers", Chain([4]).then("in", input(zeroPoint: 0, 0...15)))
    expect(
      code: "unquantized-output-clamp",
      Chain([4]).then("in", input(zeroPoint: 0, 0...15)).then("fc", dense(2, 4)).then("relu", .relu))
    expect(
      code: "division-by-zero",
      Chain([4]).then("in", input(zeroPoint: 0, 0...15)).then("fc", dense(2, 4))
        .then("by", .arithmetic(Arithmetic(kind: .divide, constants: [.init(integer: 0, scale: 1)]))))
  }

  // MARK: Random graphs

  /// Two layers with random float constants: agreement wherever no value is near a tie, which Double can tell.
  @Test func randomConstants() throws {
    var generator = Generator(state: 11)
    for _ in 0..<20 {
      func numbers(_ count: Int, _ low: Int, _ high: Int) -> [Float] {
        (0..<count).map { _ in Float(generator.pick(low...high)) * 0.0137 }
      }
      let normalization = BatchNormalization(
        gamma: numbers(3, -150, 150), beta: numbers(3, -99, 99), mean: numbers(3, -99, 99),
        variance: numbers(3, 1, 300),
        epsilon: 1e-5)
      let chain = Chain([2, 4, 5]).then("in", input(zeroPoint: 0, -128...127))
        .then("conv", conv(3, 2, padded(3), scales: numbers(3, 10, 90))).then("bn", .batchNormalization(normalization))
        .then("relu", .relu).then("act", quantize(0.37, 0...15))
      let network = try Lowering.lower(chain.graph)
      for sample in samples(40, -128...127, seed: UInt64(generator.pick(0...999)), count: 6) {
        let integers = Interpreter(network).run(sample).output
        let real = Reference.run(Graph(dropping: 1, from: chain.graph), sample.map { Double($0) * 0.5 })
        for (q, x) in zip(integers, real) {
          let fraction = abs(x / Double(Float(0.37)) - (x / Double(Float(0.37))).rounded(.down) - 0.5)
          if fraction > 1e-6 {
            #expect(Int(q) == Int(min(max((x / Double(Float(0.37))).rounded(), 0), 15)))
          }
        }
      }
    }
  }
}

extension Graph {
  /// Without its last nodes.
  fileprivate init(dropping count: Int, from graph: Graph) {
    self = graph
    nodes.removeLast(count)
  }
}
