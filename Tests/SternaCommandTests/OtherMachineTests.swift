import FoundationEssentials
import Scheduling
import Sterna
import TestSupport
import Testing

@testable import SternaCommand

/// Networks of all forms where a word's most significant byte comes first, and where an int has 16 bits: the same values.
@Suite struct OtherMachineTests {
  @Test(arguments: [Target.s390x, .avr]) func everyFormEqualsInterpreter(on machine: Target) async throws {
    var networks = 0
    for compilation in try FormCorpus.compilations.get() {
      let plan = compilation.plan
      let inputs = randomInputs(for: compilation.network, count: 8, seed: 1)
      let count = try machine.fitting(inputs.count, bytesEach: plan.input.bytes + plan.expectedBytes)
      do {
        let outcome = try await RandomNetworkDifferentialTests.verify(
          compilation, inputs.suffix(count), machine, .standard, [])
        #expect(outcome.isEqual, "\(plan.name): \(outcome.text)")
        networks += 1
      } catch ToolchainError.doesNotFit {
        // An AVR has 16 KB of RAM.
      }
    }
    #expect(networks >= 10, "\(networks) networks")
  }

  /// Constants are read where they lie, on an AVR in its flash. Without probes, which keep compilers from some of what
  /// they do; all levels in turn.
  @Test(arguments: [Target.s390x, .avr]) func selfTestsPass(on machine: Target) async throws {
    let levels = Optimization.allCases
    var networks = 0
    for (number, compilation) in try FormCorpus.compilations.get().enumerated() {
      let level = levels[number % levels.count]
      let name = compilation.plan.name
      let folder = FileManager.default.temporaryDirectory.path + "/sterna-self-test-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let main = """
        #include "\(name).h"

        int main(int argc, char *argv[]);

        int main(int argc, char *argv[]) {
            static \(name)_state state;

            (void)argc;
            (void)argv;
            return \(name)_self_test(&state);
        }

        """
      // The one file that an AVR has.
      let files = try compilation.artefacts().map { ($0.name, $0.text) } + [("main.c", main), ("vectors.bin", "")]
      for (file, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(file)")) }
      do {
        let image = try await Toolchain.build(
          target: machine, optimization: level, sources: ["main.c", "\(name).c"], into: folder)
        let outcome = try await Toolchain.execute(target: machine, image: image, timeout: .seconds(300))
        #expect(outcome.exitCode == 0, "\(name), \(level): \(outcome)")
        networks += 1
      } catch ToolchainError.doesNotFit {
        // An AVR has 16 KB of RAM.
      }
    }
    #expect(networks >= 10, "\(networks) networks")
  }

  /// What simavr shows of a serial port.
  @Test func serialTextIsTakenApart() {
    let log = "\u{1B}[32mfirst line..\n\u{1B}[0m\u{1B}[32mexit 2.\n\u{1B}[0mLoaded 10 .text at address 0x0\n"
    let outcome = Toolchain.serialOutcome(log)
    #expect(outcome == Toolchain.Outcome(exitCode: 2, standardOutput: "first line.\n", standardError: ""))
    #expect(Toolchain.serialOutcome("\u{1B}[32mfirst.\n").exitCode == 70)
  }
}
