import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// Random graphs: residual additions, concatenations, slices, resizes, tensors with several readers, several outputs. The
/// emitted C against the interpreter, every value of every layer.
@Suite struct GraphDifferentialTests {
  static func options(seed: UInt64) -> PlanningOptions {
    PlanningOptions(
      name: "graph\(seed)", schedule: .allCases[Int(seed % 3)], goal: seed % 5 < 2 ? .size : .speed,
      core: .allCases[Int(seed / 3) % Core.allCases.count], fusesPools: seed % 4 != 0, usesLanes: seed % 7 != 0)
  }

  private static let jobs: [(seeds: Range<UInt64>, host: Target, optimization: Optimization, flags: [String])] = [
    (0..<60, .hostGCC, .standard, []),
    (60..<110, .hostClang, .standard, []),
    (110..<200, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
  ]

  @Test(arguments: jobs.indices)
  func cOfGraphsEqualsInterpreter(job index: Int) async throws {
    let job = Self.jobs[index]
    for seed in job.seeds {
      let network = RandomNetwork.branching(seed: seed)
      var options = Self.options(seed: seed)
      // As little RAM as there is, for every other one.
      if seed % 2 == 0 { options.ram = try? Scheduler.plan(network, Self.options(seed: seed)).stateBytes * 3 / 4 }
      let compilation: Compilation
      do {
        compilation = try Compilation(network: network, options)
      } catch {
        options.ram = nil
        compilation = try Compilation(network: network, options)
      }
      let inputs = randomInputs(for: network, count: 8, seed: seed)
      let outcome = try await RandomNetworkDifferentialTests.verify(
        compilation, inputs, job.host, job.optimization, job.flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
  }
}
