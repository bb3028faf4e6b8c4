import FoundationEssentials
import Testing

@testable import SternaCommand

/// The stand-in model of Fixtures/, built and run by the harness on every target.
@Suite struct ToolchainTests {
  static let targets = Target.names.flatMap(Target.named)

  @Test(arguments: targets) func standInIsVerified(on target: Target) async throws {
    let outcome = try await verifyStandIn(on: target)
    #expect(outcome.standardError == "")
    #expect(outcome.standardOutput == "verify: samples=5 layers=3 values=330 differing=0\n")
    #expect(outcome.exitCode == 0)
  }

  @Test(arguments: [Target.hostGCC, Target.hostClang], Optimization.allCases)
  func everyOptimizationIsVerified(on host: Target, optimization: Optimization) async throws {
    #expect(try await verifyStandIn(on: host, optimization: optimization).exitCode == 0)
  }

  @Test(arguments: [
    (1, "verify: sample 0, layer 0 'split': channel 1, row 2, column 5: expected 95, got 96\n"),
    (2, "verify: sample 0, layer 0 'split': row 3 was produced 0 times\n"),
    (3, "verify: sample 0, state: written behind it, guard byte 0\n"),
  ])
  func plantedFaultIsNamed(fault: Int, message: String) async throws {
    for target in [Target.hostGCC] + Target.named("cortex-m0") + [.riscv32, .s390x, .avr] {
      let outcome = try await verifyStandIn(on: target, defines: ["STANDIN_FAULT=\(fault)"])
      #expect(outcome.standardOutput.hasPrefix(message))
      #expect(outcome.exitCode == 2)
    }
  }

  @Test func unalignedAccessFaultsOnM0Only() async throws {
    let faulty = ["STANDIN_FAULT=4"]
    let m0 = try await verifyStandIn(on: Target.named("cortex-m0")[0], defines: faulty)
    #expect(m0.standardOutput.hasPrefix("fault: pc "))
    #expect(m0.exitCode == 70)
    #expect(try await verifyStandIn(on: Target.named("cortex-m3")[0], defines: faulty).exitCode != 70)
  }

  @Test(arguments: [Target.hostGCC, .hostClang]) func sanitizersGuardTheState(host: Target) async throws {
    let flags = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    #expect(try await verifyStandIn(on: host, flags: flags).exitCode == 0)
    let overrun = try await verifyStandIn(on: host, defines: ["STANDIN_FAULT=3"], flags: flags)
    #expect(overrun.standardError.contains("use-after-poison"))
  }

  /// 2000 and 2 000 000 instructions, more than SysTick's 24 bits of ticks at the end.
  @Test(arguments: targets.filter { $0.emulator?.interface == .semihosting })
  func instructionsAreCountedToATick(on target: Target) async throws {
    let directory = try TemporaryDirectory()
    let image = try await Toolchain.build(
      target: target, optimization: .standard, sources: [fixture("count_loop.c")], into: directory.path)
    let outcome = try await Toolchain.execute(
      target: target, image: image, countingInstructions: true, timeout: .seconds(600))
    let counts = outcome.standardOutput.split(separator: "\n").compactMap { Int($0) }
    let expected = [2000, 2_000_000, 800_000_000]
    try #require(counts.count == expected.count)
    for (count, expected) in zip(counts, expected) {
      // A tick is 50 instructions at most, the call about ten, an interrupt at the counter's wrap twenty.
      #expect(abs(count - expected) <= 100)
    }
  }

  @Test func missingToolNamesItsPackages() {
    let tool = Tool(name: "no-such-gcc", packages: ["gcc-no-such", "libc-no-such"])
    #expect(throws: ToolchainError.missing(tool)) { try Toolchain.find(tool) }
    #expect(
      ToolchainError.missing(tool).description
        == "no-such-gcc not found: apt-get install gcc-no-such libc-no-such")
  }

  @Test func compilerOutputIsKept() async throws {
    let directory = try TemporaryDirectory()
    try Data("int main(void) { int unused; return 0; }\n".utf8).write(to: directory.file("wrong.c"))
    let error = await #expect(throws: ToolchainError.self) {
      try await Toolchain.build(
        target: .hostGCC, optimization: .none, sources: ["wrong.c"], into: directory.path)
    }
    #expect(error?.description.contains("unused variable") == true)
  }

  @Test func hangingProgramIsStopped() async throws {
    let directory = try TemporaryDirectory()
    try Data("int main(void) { for (;;) { } }\n".utf8).write(to: directory.file("hang.c"))
    let target = Target.named("cortex-m3")[0]
    let image = try await Toolchain.build(
      target: target, optimization: .none, sources: ["hang.c"], into: directory.path)
    await #expect(throws: ToolchainError.timedOut(command: "qemu-system-arm", after: .seconds(1))) {
      try await Toolchain.execute(target: target, image: image, timeout: .seconds(1))
    }
  }

  private func verifyStandIn(
    on target: Target, optimization: Optimization = .standard, defines: [String] = [], flags: [String] = []
  ) async throws -> Toolchain.Outcome {
    let directory = try TemporaryDirectory()
    try Data(StandIn.vectors(samples: 5)).write(to: directory.file("vectors.bin"))
    let image = try await Toolchain.build(
      target: target, optimization: optimization, sources: [fixture("verify_standin.c"), "verify_harness.c"],
      includes: [fixture("")], defines: defines, flags: flags, into: directory.path)
    return try await Toolchain.execute(
      target: target, image: image, arguments: ["vectors.bin"], timeout: .seconds(600))
  }
}

func fixture(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
}

/// Removed with the value that names it.
private final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "sterna-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String) -> URL {
    URL(filePath: "\(path)/\(name)")
  }
}

extension Target: CustomTestStringConvertible {
  public var testDescription: String { name }
}
