import FirmwarePlanning
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

  /// What simavr shows of a serial port.
  @Test func serialTextIsTakenApart() {
    let log = "\u{1B}[32mfirst line..\n\u{1B}[0m\u{1B}[32mexit 2.\n\u{1B}[0mLoaded 10 .text at address 0x0\n"
    let outcome = Toolchain.serialOutcome(log)
    #expect(outcome == Toolchain.Outcome(exitCode: 2, standardOutput: "first line.\n", standardError: ""))
    #expect(Toolchain.serialOutcome("\u{1B}[32mfirst.\n").exitCode == 70)
  }
}
