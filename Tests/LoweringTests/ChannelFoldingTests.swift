import ReferenceInterpreter
import TernaryIR
import TestSupport
import Testing

@testable import Lowering

@Suite struct ChannelFoldingTests {
  /// Of the first layer's channels the second has no weights and is 3, the third is saturated at 0, the fourth is unused.
  private static let pruned = """
    network "pruned"
    input 1x4x4 range 0...15
    conv "edges" kernel 3x3 pad 1 1 1 1
      weights
        +0- +0- +0-
        000 000 000
        +++ +++ +++
        0+0 +++ 0+0
      affine shift 1 clamp 0...7
      multipliers 1 1 1 1
      offsets 2 6 -900 0
    conv "mix" kernel 1x1
      weights
        +  +  -  0
        -  -  +  0
      affine shift 1 clamp 0...7
      multipliers 2 1
      offsets 5 20
    dense "classes"
      weights
        ++++++++++++++++ 0000000000000000
        -----------+++++ +++++++++++-----
      logits
    """

  @Test func constantAndUnusedChannelsAreLeftOut() throws {
    let network = try TernaryNetwork(parsing: Self.pruned)
    let reduced = try DeadChannelElimination.fold(network)
    #expect(reduced.kept == [[0], [0], [0, 1], [0, 1]])
    guard case .convolution(let edges) = reduced.network.layers[0].kind,
      case .convolution(let mix) = reduced.network.layers[1].kind
    else {
      Issue.record("unexpected layers")
      return
    }
    #expect(edges.weights == [1, 0, -1, 1, 0, -1, 1, 0, -1])
    #expect(edges.requantizer.form == .affine(multipliers: [1], offsets: [2], shift: 1))
    #expect(mix.weights == [1, -1])
    // The 3 that both channels have seen has moved into the offsets: 5 + 2 · 3 and 20 − 1 · 3.
    #expect(mix.requantizer.form == .affine(multipliers: [2, 1], offsets: [11, 17], shift: 1))
    #expect(mix.accumulators == [0...7, -7...0])
    #expect(reduced.network.layers[2] == network.layers[2])
  }

  /// Padding is 0: a window over a channel of threes does not see the same everywhere.
  @Test func constantsBesidePaddingStay() throws {
    let padded = Self.pruned.replacing("kernel 1x1\n", with: "kernel 1x1 pad 1 1 0 0\n")
      .replacing(
        "++++++++++++++++ 0000000000000000", with: "+++++ +++++ +++++ +++++ +++++  00000 00000 00000 00000 00000"
      )
      .replacing(
        "-----------+++++ +++++++++++-----", with: "----- ----- ----- ----- -----  +++++ +++++ +++++ +++++ +++++")
    #expect(try DeadChannelElimination.fold(TernaryNetwork(parsing: padded)).kept == [[0], [0, 1], [0, 1], [0, 1]])
  }

  /// Behind a depthwise convolution that nobody needs, neither does it need its input.
  @Test func depthwiseChannelsGoWithTheirInputs() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "separable"
        input 1x3x3 range 0...15
        conv "spread" kernel 1x1
          weights
            +
            +
            -
          affine shift 0 clamp -15...15
          multipliers 1 1 1
          offsets 0 -5 0
        conv "depthwise" kernel 3x3 pad 1 1 1 1 groups 3
          weights
            +0- +0- +0-
            +0- +0- +0-
            000 000 000
          affine shift 3 clamp -15...15
          multipliers 1 1 1
          offsets 1 2 30
        maxpool "pool" kernel 3x3
        dense "classes"
          weights
            + 0 -
            - 0 +
          logits
        """)
    let reduced = try DeadChannelElimination.fold(network)
    #expect(reduced.kept == [[0], [0], [0], [0], [0, 1]])
    guard case .dense(let dense) = reduced.network.layers[3].kind else {
      Issue.record("unexpected layer")
      return
    }
    #expect(dense.weights == [1, -1])
    #expect(dense.requantizer.form == .logits(multipliers: [1, 1], offsets: [-3, 3]))
  }

  @Test func aNetworkOfConstantsKeepsOneChannel() throws {
    let network = try TernaryNetwork(
      parsing: Self.pruned.replacing("offsets 2 6 -900 0", with: "offsets 900 6 -900 900"))
    let reduced = try DeadChannelElimination.fold(network)
    #expect(reduced.kept[1] == [0])
    for sample in randomInputs(for: network, count: 5, seed: 1) {
      #expect(Interpreter(network).run(sample).output == Interpreter(reduced.network).run(sample).output)
    }
  }

  /// A channel that one reader needs stays for all; what is added, joined or sliced keeps its channels.
  @Test func branchesNeedTheUnion() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "fork"
        input 1x2x2 range 0...15
        conv "trunk" kernel 1x1
          weights
            +
            0
            -
            +
          affine clamp -15...15
          multipliers 1 1 1 1
          offsets 0 3 0 1
        conv "left" %1 kernel 1x1
          weights
            +++0
          affine clamp -15...15
        conv "right" %1 kernel 1x1
          weights
            0++0
            0000
          affine clamp -15...15
          multipliers 1 1
          offsets 0 5
        conv "mix" %3 kernel 1x1
          weights
            ++
          affine clamp -15...15
        add "sum" %2 %4
          affine clamp -15...15
        result %5 %2
        """)
    #expect(network.problems() == [])
    let reduced = try DeadChannelElimination.fold(network)
    // The second is 3 for all, the fourth is read by nobody; the second of the right branch is 5.
    #expect(reduced.kept == [[0], [0, 2], [0], [0], [0], [0]])
    for sample in randomInputs(for: network, count: 5, seed: 1) {
      #expect(Interpreter(network).run(sample).outputs == Interpreter(reduced.network).run(sample).outputs)
    }
  }

  @Test func branchingNetworksAreUnchanged() throws {
    var leftOut = 0
    for seed: UInt64 in 0..<300 {
      let network = RandomNetwork.branching(seed: seed).withDeadChannels(seed: seed)
      #expect(network.problems().isEmpty, "seed \(seed): \(network.problems().map(\.message))")
      let reduced = try DeadChannelElimination.fold(network)
      for (whole, kept) in zip(network.tensors, reduced.kept) { leftOut += whole.shape.channels - kept.count }
      for input in randomInputs(for: network, count: 8, seed: seed) {
        let expected = Interpreter(network).run(input)
        let found = Interpreter(reduced.network).run(input)
        for (index, layer) in network.layers.enumerated() {
          #expect(
            found.layers[index] == reduced.select(expected.layers[index], of: layer.output),
            "seed \(seed), \(layer.name)")
        }
        #expect(found.outputs == expected.outputs, "seed \(seed)")
      }
    }
    #expect(leftOut > 15, "\(leftOut) channels")
  }

  /// Every channel that is kept has its values, whatever the network.
  @Test func keptChannelsAreUnchanged() throws {
    var leftOut = 0
    for seed: UInt64 in 0..<300 {
      let network = RandomNetwork.make(seed: seed).withDeadChannels(seed: seed)
      #expect(network.problems().isEmpty, "seed \(seed): \(network.problems().map(\.message))")
      let reduced = try DeadChannelElimination.fold(network)
      for (whole, kept) in zip(network.tensors, reduced.kept) { leftOut += whole.shape.channels - kept.count }
      for input in randomInputs(for: network, count: 8, seed: seed) {
        let expected = Interpreter(network).run(input)
        let found = Interpreter(reduced.network).run(input)
        for (index, layer) in network.layers.enumerated() {
          #expect(
            found.layers[index] == reduced.select(expected.layers[index], of: layer.output),
            "seed \(seed), \(layer.name)")
        }
        #expect(found.output == expected.output, "seed \(seed)")
      }
    }
    #expect(leftOut > 300, "\(leftOut) channels")
  }
}
