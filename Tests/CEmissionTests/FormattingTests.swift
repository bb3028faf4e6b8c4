import FoundationEssentials
import Sterna
import TernaryIR
import TestSupport
import Testing

/// Emitted files are as clang-format would leave them, so that they do not change when a user formats the project.
@Suite(.enabled(if: Workshop.hasTool("clang-format"), "clang-format not found: apt-get install clang-format"))
struct FormattingTests {
  private static let style =
    "--style=file:"
    + URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../firmware/.clang-format").path

  @Test func emittedFilesAreStable() async throws {
    let workshop = try Workshop()
    var files: [String] = []
    func add(_ compilation: Compilation) throws {
      try workshop.write(compilation)
      files += ["\(compilation.plan.name).h", "\(compilation.plan.name).c", "test_\(compilation.plan.name).c"]
    }
    for compilation in try leanCompilations.get() + hwcCompilations.get() { try add(compilation) }
    for (name, _) in smallNetworks {
      try add(compiled(small(name), name: name))
      try add(compiled(small(name), name: "host_\(name)", core: .host))
    }
    try add(compiled(TernaryNetwork(parsing: pooledColumns), name: "host_pooled", core: .host))
    for seed in 31...50 {
      let network = RandomNetwork.make(seed: UInt64(seed))
      let name = seed % 3 == 0 ? "h\(seed)_a_name_of_thirty_letters" : "h\(seed)"
      try add(
        compiled(
          seed % 2 == 0 ? renamed(network) : network, name: String(name.prefix(30)), schedule(seed / 3), core: .host))
    }
    for seed in 1...30 {
      let network = RandomNetwork.make(seed: UInt64(seed))
      let name = seed % 3 == 0 ? "n\(seed)_a_name_of_thirty_letters" : "n\(seed)"
      try add(
        compiled(seed % 2 == 0 ? renamed(network) : network, name: String(name.prefix(30)), schedule(seed / 3)))
    }
    for file in files {
      let outcome = try await workshop.run(
        "clang-format", [Self.style, "--dry-run", "--Werror", "-ferror-limit=3", file])
      #expect(outcome.exitCode == 0, "\(outcome.output)")
    }
  }
}
