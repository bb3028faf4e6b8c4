import FoundationEssentials
import Sterna
import TestSupport
import Testing

/// The cmocka programs that `compile --tests` writes: they pass, and they notice.
@Suite struct EmittedTestsTests {
  private static func build(_ name: String, in workshop: Workshop) async throws {
    let outcome = try await workshop.run(
      "gcc", Workshop.warnings + ["-fsanitize=address,undefined", "test_\(name).c", "-lcmocka", "-o", "test_\(name)"])
    #expect(outcome.exitCode == 0, "\(outcome.output.prefix(2000))")
  }

  @Test func emittedTestsPass() async throws {
    let workshop = try Workshop()
    var compilations = try smallNetworks.map { try compiled(small($0.name), name: $0.name) }
    compilations += try (1...12).map { seed in
      let network = RandomNetwork.make(seed: UInt64(700 + seed))
      return try compiled(seed % 2 == 0 ? renamed(network) : network, name: "net\(seed)", schedule(seed))
    }
    compilations += try leanCompilations.get() + hwcCompilations.get()
    #expect(compilations.contains { $0.plan.stages.contains { $0.input.columnTile != nil } }, "none has tiles")
    #expect(compilations.count { $0.plan.stages.contains { $0.hwc != nil } } >= 8)
    for compilation in compilations {
      let name = compilation.plan.name
      try workshop.write(compilation)
      try await Self.build(name, in: workshop)
      let outcome = try await workshop.run("./test_\(name)")
      #expect(outcome.exitCode == 0, "\(name): \(outcome.output.prefix(2000))")
      #expect(outcome.output.contains("tests passed") || outcome.output.contains("[  PASSED  ]"))
    }
  }

  /// A weight that changes sign: which layer, channel, row and column, what was expected and what came.
  @Test(arguments: [
    ("convolution", "edge_weights", "layer 0 'edge', channel 0, row 1, column 2: expected 2, got 0"),
    ("sums", "classes_weights", "layer 1 'classes', channel 0, row 0, column 0"),
  ])
  func plantedFaultIsNamed(kind: String, table: String, place: String) async throws {
    let workshop = try Workshop()
    let compilation = try compiled(small(kind))
    try workshop.write(compilation)
    let source = try #require(try compilation.artefacts().first { $0.name == "net.c" }?.text)
    // The lowest weight of the first byte is +1 in both; make it −1.
    var lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let row = try #require(lines.firstIndex { $0.contains("\(table)[") }) + 1
    let byte = try #require(lines[row].range(of: "0x"))
    let digits = lines[row][byte.upperBound...].prefix(2)
    let value = try #require(UInt8(digits, radix: 16))
    #expect(value & 3 == 1)
    let spoilt = String(value | 2, radix: 16)
    lines[row].replaceSubrange(
      byte.upperBound..<digits.endIndex, with: spoilt.count == 1 ? "0" + spoilt : spoilt)
    try workshop.write("net.c", lines.joined(separator: "\n"))

    try await Self.build("net", in: workshop)
    let outcome = try await workshop.run("./test_net")
    #expect(outcome.exitCode != 0)
    #expect(outcome.output.contains(place), "\(outcome.output)")
    #expect(outcome.output.contains(": expected ") && outcome.output.contains(", got "))
    // The built-in checksum sees it as well: 1 is a damaged table.
    #expect(outcome.output.contains("0x1 != 0"))
  }
}
