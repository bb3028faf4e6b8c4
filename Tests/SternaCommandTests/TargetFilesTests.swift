import FoundationEssentials
import Subprocess
import Templates
import Testing

private let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

@Suite struct TargetFilesTests {
  /// A new file must be listed in TargetFiles.swift by hand.
  @Test func everyFileTravelsInTheTool() throws {
    let directory = "\(checkout)/Templates/targets"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(Set(names) == Set(TargetFiles.all.keys))
    for name in names {
      #expect(try Data(contentsOf: URL(filePath: "\(directory)/\(name)")) == Data(TargetFiles.all[name] ?? []))
    }
  }

  /// The stand-in is small enough to know its figures: a few hundred instructions, 72 bytes of state.
  @Test func benchMeasuresTheStandIn() async throws {
    let result = try await run(
      .name("sh"),
      arguments: [
        "\(checkout)/Tests/bench/count_instructions", "\(checkout)/Tests/SternaCommandTests/Fixtures", "standin",
        "cortex-m4", "riscv32",
      ],
      output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
    #expect(result.standardError == "")
    let rows = result.standardOutput.split(separator: "\n").map { $0.split(separator: " ") }
    try #require(rows.map(\.count) == [5, 5, 5])
    #expect(rows.map { $0[0] } == ["core", "cortex-m4", "riscv32"])
    for row in rows.dropFirst() {
      let figures = row.dropFirst().compactMap { Int($0) }
      try #require(figures.count == 4)
      #expect((300...800).contains(figures[0]))
      #expect((100...500).contains(figures[1]))
      #expect(figures[2] == 72)
      #expect((8...128).contains(figures[3]))
    }
  }
}
