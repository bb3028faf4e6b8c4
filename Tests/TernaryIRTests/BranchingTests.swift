import TernaryIR
import TestSupport
import Testing

/// What the verifier demands of layers that join, cut and repeat, and of outputs.
@Suite struct BranchingTests {
  private static let sound = """
    network "n"
    input 4x2x2 range 0...15
    slice "left" count 2
    slice "right" %0 first 2 count 2
    add "sum" %1 %2 factors 1 2
      affine shift 1 clamp 0...15
    concat "both" %3 %1
      part 1
      affine clamp 0...15
    resize "large" by 2x2
    result %5 %3
    """

  @Test func acceptsASoundNetwork() throws {
    #expect(try TernaryNetwork(parsing: Self.sound).problems() == [])
  }

  @Test func randomNetworksAreSound() {
    var kinds = Set<String>()
    var readTwice = 0
    var outputs = 0
    for seed: UInt64 in 0..<200 {
      let network = RandomNetwork.branching(seed: seed)
      #expect(network.problems() == [], "seed \(seed)")
      for layer in network.layers { kinds.insert(String(layer.name.prefix { $0.isLetter })) }
      readTwice += network.tensors.indices.count { tensor in
        network.layers.count { $0.inputs.contains(.init(tensor)) } > 1
      }
      if network.outputTensors.count > 1 { outputs += 1 }
    }
    #expect(kinds.isSuperset(of: ["add", "concat", "slice", "resize", "conv", "maxpool", "avgpool"]))
    #expect(readTwice > 200 && outputs > 50)
  }

  @Test func findsBrokenRules() throws {
    let sound = try TernaryNetwork(parsing: Self.sound)
    func addition(_ change: @escaping (inout Addition) -> Void) -> (inout TernaryNetwork) -> Void {
      { network in
        guard case .add(var addition) = network.layers[2].kind else { return }
        change(&addition)
        network.layers[2].kind = .add(addition)
      }
    }
    func concatenation(_ change: @escaping (inout Concatenation) -> Void) -> (inout TernaryNetwork) -> Void {
      { network in
        guard case .concatenate(var concatenation) = network.layers[3].kind else { return }
        change(&concatenation)
        network.layers[3].kind = .concatenate(concatenation)
      }
    }
    let breakages: [(String, (inout TernaryNetwork) -> Void)] = [
      ("one summand", { $0.layers[2].inputs.removeLast() }),
      ("multipliers", addition { $0.multipliers = [1, 2, 3] }),
      ("multiplier of 0", addition { $0.multipliers[0] = 0 }),
      ("sums", addition { $0.accumulators = 0...44 }),
      ("overflow", addition { $0.multipliers = [.max, .max] }),
      ("entries", addition { $0.requantizer = $0.requantizer.expanded(to: 3) }),
      ("summand's shape", { $0.layers[2].inputs[1] = .init(0) }),
      ("summand before it is made", { $0.layers[2].inputs[1] = .init(5) }),
      ("requantizers", concatenation { $0.requantizers.removeLast() }),
      ("part's grid", concatenation { $0.requantizers[1]?.maximum = 16 }),
      ("part's entries", concatenation { $0.requantizers[1] = $0.requantizers[1]?.expanded(to: 3) }),
      ("part's zero point", { $0.tensors[3].zeroPoint = 1 }),
      ("part's range", { $0.tensors[4].range = 0...14 }),
      ("part's rows", { $0.layers[3].inputs[1] = .init(0) }),
      ("slice", { $0.layers[1].kind = .slice(ChannelSlice(first: 3, count: 2)) }),
      ("slice of nothing", { $0.layers[1].kind = .slice(ChannelSlice(first: .max, count: 2)) }),
      ("slice's range", { $0.tensors[2].range = 0...14 }),
      ("factors", { $0.layers[4].kind = .resize(Resize(rows: 2, columns: 1)) }),
      ("factor of 0", { $0.layers[4].kind = .resize(Resize(rows: 0, columns: 2)) }),
      ("resized zero point", { $0.tensors[5].zeroPoint = 3 }),
      ("no output", { $0.outputTensors = [] }),
      ("an output twice", { $0.outputTensors = [.init(5), .init(5)] }),
      ("the input as an output", { $0.outputTensors = [.init(5), .init(0)] }),
      ("an output that nothing makes", { $0.outputTensors = [.init(5), .init(9)] }),
    ]
    for (rule, breaking) in breakages {
      var network = sound
      breaking(&network)
      #expect(!network.problems().isEmpty, "\(rule)")
    }
  }
}
