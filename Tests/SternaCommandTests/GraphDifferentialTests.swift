import FoundationEssentials
import ReferenceInterpreter
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
    (110..<260, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
  ]

  /// The same network with multipliers, offsets and shifts of additions so much larger that sums leave 32 bits.
  private static func withWideSums(_ network: TernaryNetwork) -> TernaryNetwork? {
    var network = network
    var isChanged = false
    for index in network.layers.indices {
      guard case .add(var addition) = network.layers[index].kind,
        case .affine(let multipliers, let offsets, let shift) = addition.requantizer.form, Set(multipliers) == [1],
        offsets.count == 1, shift < 31
      else { continue }
      let factor = 1 << (31 - shift)
      addition.multipliers = addition.multipliers.map { $0 * factor }
      addition.accumulators = addition.accumulators.lowerBound * factor...addition.accumulators.upperBound * factor
      addition.requantizer.form = .affine(multipliers: [1], offsets: [offsets[0] * factor], shift: 31)
      network.layers[index].kind = .add(addition)
      isChanged = isChanged || Int32(exactly: addition.accumulators.upperBound) == nil
    }
    return isChanged ? network : nil
  }

  @Test func sumsBeyond32BitsEqualTheSameWithinThem() async throws {
    var count = 0
    for seed in 0..<400 as Range<UInt64> {
      let network = RandomNetwork.branching(seed: seed)
      guard let wide = Self.withWideSums(network) else { continue }
      let compilation = try Compilation(network: wide, Self.options(seed: seed))
      guard
        compilation.plan.contexts.contains(where: { $0.variant is AddRows && $0.variant.accumulatorBits == 64 })
      else { continue }
      count += 1
      let inputs = randomInputs(for: network, count: 4, seed: seed)
      for input in inputs {
        #expect(Interpreter(wide).run(input).allOutputs == Interpreter(network).run(input).allOutputs)
      }
      let outcome = try await RandomNetworkDifferentialTests.verify(
        compilation, inputs, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
      #expect(outcome.isEqual, "seed \(seed): \(outcome.text)")
    }
    #expect(count > 5)
  }

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
