import Diagnostics
import TernaryIR
import TestSupport
import Testing

@Suite struct TextTests {
  /// What a test would write.
  private static let tiny = """
    network "tiny"
    input 1x4x4 range 0...15
    conv "edge" kernel 3x3 stride 2x2 pad 1 1 0 0      # top left bottom right
      weights
        +0- +0- +0-
        000 0+0 000
      affine shift 2 clamp 0...7
      multipliers 1 3
      offsets 2 0
    dense "classes"
      weights
        ++++ 0000
        0-0- +++-
      logits
    """

  @Test func writtenByHand() throws {
    let network = try TernaryNetwork(parsing: Self.tiny)
    #expect(network.problems().isEmpty)
    #expect(network.input == InputQuantization(name: "input", maximum: 15))
    #expect(network.tensors.map(\.shape) == [Shape(1, 4, 4), Shape(2, 2, 2), Shape(2)])
    #expect(network.tensors.map(\.range) == [0...15, 0...7, -21...28])
    #expect(network.tensors.map(\.kind) == [.activation, .activation, .logits])
    #expect(network.layers.map(\.inputs) == [[.init(0)], [.init(1)]])
    #expect(network.outputTensor == .init(2))
    guard case .convolution(let convolution) = network.layers[0].kind,
      case .dense(let dense) = network.layers[1].kind
    else {
      Issue.record("unexpected layers")
      return
    }
    #expect(convolution.weights == [1, 0, -1, 1, 0, -1, 1, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    #expect(
      convolution.window
        == Window(kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2, top: 1, left: 1))
    #expect(convolution.accumulators == [-45...45, 0...15])
    #expect(convolution.requantizer.form == .affine(multipliers: [1, 3], offsets: [2, 0], shift: 2))
    #expect(dense.accumulators == [0...28, -21...21])
    #expect(dense.requantizer.form == .logits(multipliers: [1], offsets: [0]))
  }

  /// Every field, each with a value of its own.
  @Test func roundTripOfEverything() throws {
    let proof = Requantizer.Proof(pairs: 12345, exceptions: 2, resolution: 0.1)
    func tensor(_ name: String, _ shape: Shape, kind: Tensor.Kind = .activation) -> Tensor {
      Tensor(name: name, shape: shape, kind: kind, range: -3...90, grid: -7...99, zeroPoint: 5, scale: 1.0 / 3)
    }
    let window = Window(
      kernelHeight: 2, kernelWidth: 3, strideHeight: 4, strideWidth: 5, top: 6, left: 7, bottom: 8, right: 9)
    func layer(_ name: String, _ kind: Layer.Kind, _ input: Int, _ output: Int) -> Layer {
      Layer(name: name, kind: kind, inputs: [.init(input)], output: .init(output))
    }
    func requantizer(_ form: Requantizer.Form) -> Requantizer {
      Requantizer(form: form, minimum: -2, maximum: 1, proof: proof)
    }
    var network = TernaryNetwork(
      name: "a \"quoted\\ name\n\u{7}e\u{301}",
      input: InputQuantization(
        name: "x # 1",
        steps: [
          .add([0.1]), .subtract([1e-30, 2]), .subtractFrom([3]), .multiply([-4.5]),
          .divide([.greatestFiniteMagnitude]),
        ],
        scale: 0.3, zeroPoint: -4, minimum: -8, maximum: 7, addsZeroPointAfterRounding: true, isSigned: true),
      tensors: [
        tensor("orphan", Shape(1)), tensor("input", Shape(2, 3, 4)), tensor("conv", Shape(4, 1, 1)),
        tensor("sum", Shape(1, 2, 3), kind: .sum), tensor("pooled", Shape(4, 5, 6)), tensor("dense", Shape(2)),
        tensor("even", Shape(2)), tensor("out", Shape(3), kind: .logits),
      ],
      layers: [
        layer(
          "/conv/Conv",
          .convolution(
            Convolution(
              weights: (0..<24).map { Int8($0 % 3 - 1) }, outputChannels: 4, groupChannels: 1, groups: 2,
              window: window,
              accumulators: [-1...1, 0...0, -5 ... -4, 2...9],
              requantizer: requantizer(.affine(multipliers: [1, 2, 3, 4], offsets: [-1 << 40, 0, 7, 8], shift: 31)))),
          1, 2),
        layer(
          "sums", .averagePool(AveragePool(window: window, accumulators: -3...4, requantizer: nil)), 2, 3),
        layer("maximum", .maxPool(window), 3, 4),
        layer(
          "thresholds",
          .dense(
            Dense(
              weights: [Int8](repeating: -1, count: 240), outputs: 2, accumulators: [0...0, 1...1],
              requantizer: requantizer(.thresholds([[1, 2, 3], [-9, -9, 1 << 33]])))), 4, 5),
        layer(
          "even",
          .averagePool(
            AveragePool(
              window: Window(kernelHeight: 1, kernelWidth: 1), accumulators: -3...4,
              requantizer: requantizer(.affineHalfEven(multipliers: [1], offsets: [2], shift: 3)))), 5, 6),
        layer(
          "logits",
          .dense(
            Dense(
              weights: [0, 1, -1, 0, 1, 1], outputs: 3, accumulators: [0...0, 1...1, 2...2],
              requantizer: requantizer(.logits(multipliers: [1, 2, 3], offsets: [4, 5, -6])))), 6, 7),
      ], inputTensor: .init(1), outputTensor: .init(6))
    #expect(try TernaryNetwork(parsing: network.text) == network)
    // How the file has its input.
    network.input.fileShape = [3, 4, 2]
    network.input.isChannelsLast = true
    network.input.element = .uint8
    #expect(try TernaryNetwork(parsing: network.text) == network)
  }

  /// Layers of several inputs, named or numbered, and several outputs.
  private static let branching = """
    network "branching"
    input 4x2x2 range 0...15
    slice "left" count 2
    slice "right" of "input" first 2 count 2
    add "sum" of "left" "right"
      affine shift 1 clamp 0...15
    add "difference" %1 %2 factors 3 -2
      half-even clamp -8...7
    concat "both" of "sum" "difference" "left"
      part 1
      affine clamp 0...15
      multipliers 1
      offsets 8
    resize "large" by 2x3
    result %6 %4
    """

  @Test func branchesWrittenByHand() throws {
    let network = try TernaryNetwork(parsing: Self.branching)
    #expect(network.problems() == [])
    #expect(network.layers.map { $0.inputs.map(\.index) } == [[0], [0], [1, 2], [1, 2], [3, 4, 1], [5]])
    #expect(network.outputTensors == [.init(6), .init(4)])
    #expect(
      network.tensors.map(\.shape)
        == [
          Shape(4, 2, 2), Shape(2, 2, 2), Shape(2, 2, 2), Shape(2, 2, 2), Shape(2, 2, 2), Shape(6, 2, 2),
          Shape(6, 4, 6),
        ])
    guard case .add(let sum) = network.layers[2].kind, case .add(let difference) = network.layers[3].kind,
      case .concatenate(let both) = network.layers[4].kind
    else {
      Issue.record("unexpected layers")
      return
    }
    #expect(sum.multipliers == [1, 1])
    #expect(sum.accumulators == 0...30)
    #expect(difference.multipliers == [3, -2])
    #expect(difference.accumulators == -30...45)
    #expect(both.requantizers.map { $0 == nil } == [true, false, true])
    #expect(network[.init(6)].grid == 0...15)
    #expect(try TernaryNetwork(parsing: network.text) == network)
  }

  @Test func roundTripOfBranchingNetworks() throws {
    for seed: UInt64 in 0..<100 {
      var network = RandomNetwork.branching(seed: seed)
      #expect(try TernaryNetwork(parsing: network.text) == network, "seed \(seed)")
      // Sums of two activations may be wider than int32.
      for index in network.layers.indices {
        guard case .add(var addition) = network.layers[index].kind else { continue }
        addition.accumulators = -1 << 40...(1 << 41)
        network.layers[index].kind = .add(addition)
      }
      #expect(try TernaryNetwork(parsing: network.text) == network, "seed \(seed)")
    }
  }

  @Test func constantThresholds() throws {
    let text = """
      network "n"
      input 1 range 0...1
      dense "d"
        weights
          +
        thresholds clamp 3...3
        at
      """
    let network = try TernaryNetwork(parsing: text)
    #expect(network.layers[0].requantizer?.form == .thresholds([[]]))
    #expect(try TernaryNetwork(parsing: network.text) == network)
  }

  @Test func looksAsExpected() throws {
    let text = """
      network "tiny"
      quantize "x" scale 0.5 zero 0 range -8...7 signed
        step divide 255.0
      input %0 "x" activation 2x2x2 range -8...7 grid -8...7 zero 0 scale 0.5

      conv "c" %0 kernel 2x2 stride 1x2 pad 0 1 0 1
        weights
          +- 00  -- 0+
        half-even shift 1 clamp 0...3
        multipliers 1
        offsets 3
        proof pairs 76 exceptions 0 resolution 0.0
        accumulators -37...38
        output %1 "a" activation 1x1x2 range 0...3 grid 0...3 zero 0 scale 1.0

      result %1

      """
    #expect(try TernaryNetwork(parsing: text).text == text)
  }

  @Test func sumsFollowFromThePool() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 3x4x4 range -8...7 zero 3
        avgpool "mean" kernel 4x4
        """)
    let sum = network.tensors[1]
    #expect(sum.kind == .sum)
    #expect(sum.shape == Shape(3, 1, 1))
    #expect(sum.range == -128...112)
    #expect(sum.zeroPoint == 48)
    #expect(network.problems().isEmpty)
  }

  @Test(arguments: [
    ("", "line 1, column 1: no 'network'"),
    ("network tiny", "line 1, column 9: expected the network's name in quotes, found 'tiny'"),
    ("network \"tiny", "line 1, column 9: the string does not end"),
    ("network \"a\\q\"", "line 1, column 11: unknown escape: expected \\\", \\\\, \\n or \\u{…}"),
    ("network \"n\" 3", "line 1, column 13: expected the line's end, found '3'"),
    ("network \"n\"\nnetwork \"m\"", "line 2, column 1: a second 'network'"),
    (
      "network \"n\"\nlayer",
      "line 2, column 1: expected network, quantize, input, tensor, conv, dense, maxpool, avgpool, add, concat, slice, resize "
        + "or result, found 'layer'"
    ),
    ("network \"n\"\ninput range 0...1", "line 2, column 1: the tensor has no shape"),
    ("network \"n\"\ninput 1x2", "line 2, column 1: the tensor has no range"),
    (
      "network \"n\"\ninput 1x0 range 0...1",
      "line 2, column 7: expected a name, kind, shape, range, grid, zero or scale, found '1x0'"
    ),
    (
      "network \"n\"\ninput 1 range 3...1", "line 2, column 15: expected a range such as 0...255, found '3...1'"
    ),
    (
      "network \"n\"\ninput 1 range 0...99999999999",
      "line 2, column 15: expected a range such as 0...255, found '0...99999999999'"
    ),
    ("conv \"c\" kernel 1x1", "line 1, column 1: a layer before 'input'"),
  ])
  func errorsOfStatements(text: String, message: String) {
    expect(text, message)
  }

  @Test(arguments: [
    ("conv \"c\"", "line 3, column 9: no kernel: expected for instance 'kernel 3x3'"),
    ("conv \"c\" kernel 3", "line 3, column 17: expected a kernel such as 3x3, found '3'"),
    ("conv \"c\" kernel 1x1 dilation 2", "line 3, column 21: expected kernel, stride, pad or groups, found 'dilation'"),
    (
      "conv \"c\" kernel 1x1 pad 1 1",
      "line 3, column 28: expected padding: top left bottom right, found the line's end"
    ),
    ("conv \"c\" kernel 1x1\nlogits", "line 3, column 6: the layer has no weights"),
    ("conv \"c\" kernel 1x1\nweights\n+0\nlogits", "line 5, column 1: 2 weights: expected 1"),
    ("conv \"c\" kernel 1x1\nweights\n+*", "line 5, column 2: '*' is no weight: expected +, - or 0"),
    ("conv \"c\" kernel 1x1\nweights\n+", "line 3, column 6: the layer has no requantizer"),
    ("conv \"c\" kernel 1x1\nweights\n+\naffine shift 32", "line 6, column 16: shift 32: expected 0 to 31"),
    ("conv \"c\" kernel 1x1\nweights\n+\naffine", "line 3, column 6: affine needs 'clamp'"),
    ("conv \"c\" kernel 1x1\nweights\n+\nlogits\nlogits", "line 7, column 1: a second requantizer"),
    ("conv \"c\" kernel 1x1 groups 2\nweights\n+\nlogits", "line 3, column 6: 2 groups do not divide 1 input channels"),
    ("conv \"c\" kernel 5x1\nweights\n+++++\nlogits", "line 3, column 6: the window does not fit into 1x2x2"),
    (
      "conv \"c\" kernel 1x1\nweights\n+\nlogits\nmultipliers 9223372036854775807",
      "line 3, column 6: a logit leaves int32"
    ),
    (
      "dense \"d\"\nweights\n++++\nthresholds clamp 0...3\nat 1 2",
      "line 3, column 7: thresholds: expected lines 'at' with 3 each, for clamp 0...3"
    ),
    ("maxpool \"p\" kernel 2x2\nweights", "line 4, column 1: 'weights' has no place in a maxpool layer"),
    ("add \"a\" %0", "line 3, column 11: 1 inputs: expected two or more"),
    ("add \"a\" of \"x\" \"y\"", "line 3, column 12: 0 tensors have this name: expected one"),
    ("add \"a\" %0 %0 factors 1 1 1\naffine clamp 0...1", "line 3, column 5: 3 factors for 2 inputs: expected as many"),
    ("add \"a\" %0 %0 factors 1 9223372036854775807\nlogits", "line 3, column 5: a sum leaves 64 bits"),
    ("add \"a\" %0 %0", "line 3, column 5: the layer has no requantizer"),
    ("add \"a\" %0 %0\npart 0", "line 4, column 1: 'part' has no place in a add layer"),
    ("concat \"c\" %0 %0\naffine clamp 0...1", "line 4, column 1: 'affine' has no place in a concat layer"),
    ("concat \"c\" %0 %0\npart 2", "line 4, column 7: part 2: expected each of 0 to 1 at most once"),
    ("concat \"c\" %0 %0\npart 1", "line 3, column 8: the layer has no requantizer"),
    ("concat \"c\" %0 %9", "line 3, column 8: there is no tensor %9"),
    ("slice \"s\" %0 %0 count 1", "line 3, column 17: 2 inputs: expected one"),
    ("slice \"s\"", "line 3, column 7: no count: expected for instance 'first 0 count 8'"),
    ("slice \"s\" first -1 count 2", "line 3, column 7: 2 channels from -1 on: expected numbers from 0 to 65535"),
    ("slice \"s\" of 2", "line 3, column 14: expected first or count, found '2'"),
    ("resize \"r\" by 2", "line 3, column 15: expected factors such as 2x2, found '2'"),
    ("resize \"r\" by 40000x1", "line 3, column 8: 80000x2 rows and columns: expected at most 65535"),
    ("maxpool \"p\" kernel 2x2\nresult %1 %1 %7", "line 4, column 1: there is no tensor %7"),
    ("maxpool \"p\" %7 kernel 2x2", "line 3, column 9: there is no tensor %7"),
    ("maxpool \"p\" kernel 2x2\noutput %0", "line 3, column 9: tensor %0 exists already"),
    ("maxpool \"p\" kernel 2x2\noutput %5", "line 4, column 1: tensor %1 is never made"),
    ("maxpool \"p\" kernel 2x2\nresult %5", "line 4, column 1: there is no tensor %5"),
    ("", "line 3, column 1: no layer"),
  ])
  func errorsOfLayers(text: String, message: String) {
    expect("network \"n\"\ninput 1x2x2 range 0...1\n\(text)", message)
  }

  private func expect(_ text: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
    do {
      _ = try TernaryNetwork(parsing: text)
      Issue.record("parsed: \(text)", sourceLocation: sourceLocation)
    } catch {
      #expect(error.diagnostics.map(\.message) == [message], sourceLocation: sourceLocation)
    }
  }
}
