import FirmwarePlanning
import FoundationEssentials
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// The test that matters most: random networks, the emitted C against the interpreter, every value of every layer.
///
/// The networks are calibrated so that their channels live (`RandomNetworkTests` asserts it). Compilation is the cost, so
/// each network is compiled once, at a level and schedule that go round, and fed many inputs.
@Suite struct RandomNetworkDifferentialTests {
  private static let jobs: [(seeds: Range<UInt64>, host: Target, optimization: Optimization, flags: [String])] = [
    (0..<60, .hostGCC, .standard, []),
    (60..<110, .hostClang, .standard, []),
    (110..<150, .hostGCC, .none, []),
    (150..<170, .hostGCC, .aggressive, []),
    (170..<180, .hostClang, .size, []),
    (180..<200, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
  ]

  @Test(arguments: jobs.indices)
  func cEqualsInterpreter(job index: Int) async throws {
    let job = Self.jobs[index]
    for seed in job.seeds {
      let network = RandomNetwork.make(seed: seed)
      let schedule = PlanningOptions.Schedule.allCases[Int(seed % 3)]
      let goal: PlanningOptions.Goal = seed % 5 < 2 ? .size : .speed
      let core = Core.allCases[Int(seed / 3) % Core.allCases.count]
      var options = PlanningOptions(
        name: "net\(seed)", schedule: schedule, goal: goal, core: core, fusesPools: seed % 4 != 0)
      if seed % 5 == 4 { options.flash = try Self.flashBetween(network, options, share: seed % 4) }
      let compilation = try Compilation(network: network, options)
      let inputs = randomInputs(for: network, count: 16, seed: seed)
      let outcome = try await Self.verify(compilation, inputs, job.host, job.optimization, job.flags)
      #expect(outcome.isEqual, "seed \(seed), \(schedule), \(goal), \(core): \(outcome.text)")
    }
  }

  /// A flash budget between that of packed weights and that of weights as code, so that both occur in one network; nil
  /// where there is nothing between them.
  private static func flashBetween(
    _ network: TernaryNetwork, _ options: PlanningOptions, share: UInt64
  ) throws -> Int? {
    var packed = options
    packed.goal = .size
    let least = try Planner.plan(network, packed).flash.bytes
    let most = try Planner.plan(network, options).flash.bytes
    return least < most ? least + (most - least) * Int(share + 1) / 5 : nil
  }

  /// The budgets above would be of no use if they never made a plan that is neither.
  @Test func someNetworksAreMixed() throws {
    var mixed = 0
    for seed in (0..<200 as Range<UInt64>) where seed % 5 == 4 {
      let network = RandomNetwork.make(seed: seed)
      let core = Core.allCases[Int(seed / 3) % Core.allCases.count]
      var options = PlanningOptions(
        name: "net\(seed)", schedule: .allCases[Int(seed % 3)], goal: .speed, core: core, fusesPools: seed % 4 != 0)
      options.flash = try Self.flashBetween(network, options, share: seed % 4)
      guard let budget = options.flash else { continue }
      let plan = try Planner.plan(network, options)
      #expect(plan.flash.bytes <= budget)
      let coded = plan.stages.count { $0.code != nil }
      let packed = plan.stages.count { stage in
        if case .convolution(let work) = stage.work { work.code == nil } else { false }
      }
      if coded > 0, packed > 0 { mixed += 1 }
    }
    #expect(mixed >= 5, "\(mixed) networks have weights in both forms")
  }

  private static func verify(
    _ compilation: Compilation, _ inputs: [[Int32]], _ target: Target, _ optimization: Optimization, _ flags: [String]
  ) async throws -> (isEqual: Bool, text: String) {
    let folder = FileManager.default.temporaryDirectory.path + "/sterna-random-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for file in compilation.verificationFiles(inputs: inputs) {
      try Data(file.bytes).write(to: URL(filePath: "\(folder)/\(file.name)"))
    }
    let image = try await Toolchain.build(
      target: target, optimization: optimization, sources: [compilation.verificationSource, "verify_harness.c"],
      flags: flags, into: folder)
    let outcome = try await Toolchain.execute(
      target: target, image: image, arguments: ["vectors.bin"], timeout: .seconds(300))
    let expected = "verify: samples=\(inputs.count) layers=\(compilation.plan.stages.count) "
    let isEqual =
      outcome.exitCode == 0 && outcome.standardOutput.contains(expected)
      && outcome.standardOutput.contains("differing=0")
    return (isEqual, outcome.standardOutput + outcome.standardError)
  }
}
