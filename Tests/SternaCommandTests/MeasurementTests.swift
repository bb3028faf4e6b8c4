import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// What is said of flash, state and stack against what a linker and an emulator make of the C.
@Suite struct MeasurementTests {
  private static let networks: [(name: String, network: TernaryNetwork)] =
    [503, 511, 524].map { ("random\($0)", RandomNetwork.make(seed: $0)) }
    + [("keyword", RandomNetwork.keyword(seed: 2)), ("pooled", RandomNetwork.pooledKeyword(seed: 3))]

  /// Compiles for a core, calls with a folder that holds the C.
  private static func compiled(
    _ network: TernaryNetwork, _ options: PlanningOptions, _ body: (Compilation, String) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/sterna-measure-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let compilation = try Compilation(network: network, options)
    for (name, text) in try compilation.artefacts() {
      try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }
    try await body(compilation, folder)
  }

  /// C made for no core is measured on each.
  @Test(arguments: ["cortex-m0", "cortex-m4", "riscv32"], PlanningOptions.Goal.allCases)
  func nothingIsBeyondWhatIsSaid(name: String, goal: PlanningOptions.Goal) async throws {
    let target = try #require(Target.named(name).first)
    var ratios: [Double] = []
    for (title, network) in Self.networks {
      for core in [Core.generic, try #require(Core(rawValue: name))] {
        let options = PlanningOptions(name: "net", goal: goal, core: core)
        try await Self.compiled(network, options) { compilation, folder in
          let plan = compilation.plan
          let found = try await Toolchain.measure(target: target, optimization: .standard, name: "net", in: folder)
          let stack = try #require(plan.stackBound())
          #expect(found.state == plan.stateBytes)
          #expect(found.flash <= plan.flash.bytes, "\(title) for \(core)")
          #expect(found.stack <= stack, "\(title) for \(core)")
          ratios.append(Double(stack) / Double(found.stack))
        }
      }
    }
    // A bound that says too much is of no use either.
    #expect(ratios.sorted()[ratios.count / 2] <= 3.1, "\(ratios)")
  }
}
