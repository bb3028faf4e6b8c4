import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// Random networks for `--core host`, the emitted C against the interpreter: vectorized, and under sanitizers.
@Suite struct ColumnDifferentialTests {
  private static let jobs: [(seeds: Range<UInt64>, host: Target, optimization: Optimization, flags: [String])] = [
    (200..<225, .hostGCC, .standard, []),
    (225..<245, .hostClang, .standard, []),
    (245..<255, .hostGCC, .aggressive, []),
    (255..<270, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
  ]

  /// Two of three networks end in a max pool behind a convolution, where they can.
  private static func network(seed: UInt64) -> TernaryNetwork {
    let living = RandomNetwork.make(seed: seed)
    if seed % 3 != 0, let pooled = living.withMaxPool(seed: seed) { return pooled }
    return living.withDeadChannels(seed: seed)
  }

  private static func options(seed: UInt64) -> PlanningOptions {
    var options = RandomNetworkDifferentialTests.options(seed: seed)
    options.core = .host
    options.fusesPools = seed % 8 != 0
    return options
  }

  @Test(arguments: jobs.indices) func columnsEqualInterpreter(job index: Int) async throws {
    let job = Self.jobs[index]
    for seed in job.seeds {
      let network = Self.network(seed: seed)
      let options = Self.options(seed: seed)
      let compilation = try Compilation(network: network, options)
      let inputs = randomInputs(for: network, count: 16, seed: seed)
      let outcome = try await RandomNetworkDifferentialTests.verify(
        compilation, inputs, job.host, job.optimization, job.flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
  }

  /// The seeds of those jobs make many networks, with pools, steps, groups, odd widths and rows that slide.
  @Test func columnsOfAllKindsOccur() throws {
    var stages: [Context] = []
    var networks = 0
    for seed: UInt64 in 200..<270 {
      let found = try Compilation(network: Self.network(seed: seed), Self.options(seed: seed)).plan.stages.filter {
        $0.vectors != nil
      }
      networks += found.isEmpty ? 0 : 1
      stages += found
    }
    #expect(networks >= 48, "\(networks) networks have rows of columns")
    func count(_ isOfKind: (Context) -> Bool) -> Int { stages.count(where: isOfKind) }
    #expect(count { $0.variant.geometry.isPooled } >= 12)
    #expect(count { $0.window.strideWidth > 1 } >= 12)
    #expect(count { $0.outputShape.width % 8 != 0 } >= 12)
    #expect(count { $0.input.slide > 0 } >= 12)
    #expect(count { $0.input.layout.element != .i16 } >= 6)
    #expect(count { $0.groups > 1 && $0.inputChannelsOfGroup == 1 } >= 6)
    #expect(count { $0.groups > 1 && $0.inputChannelsOfGroup > 1 } >= 3)
  }
}

extension Context {
  fileprivate var inputChannelsOfGroup: Int { terms?.groupChannels ?? 0 }
  fileprivate var groups: Int { inputShape.channels / max(inputChannelsOfGroup, 1) }
}
