import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import CEmission

@Suite struct EmissionTests {
  /// The layers of an emitted source, between its kernels and its public functions.
  private static func layers(_ source: String) throws -> String {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("/* ---- Layers") })
    let end = try #require(lines.firstIndex { $0.hasPrefix("/* ---- Network") })
    return lines[(start + 2)..<end].joined(separator: "\n")
  }

  /// What is printed for each kind of layer. `STERNA_RECORD=1 swift test` writes the files anew, for review.
  @Test(arguments: smallNetworks.map(\.name)) func layersAreAsRecorded(name: String) throws {
    let compilation = try compiled(small(name))
    try Self.expectRecorded(
      Self.layers(Emission.source(compilation.plan, compilation.provenance, compilation.selfTest)), name)
  }

  private static func expectRecorded(_ found: String, _ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["STERNA_RECORD"] != nil { try Data(found.utf8).write(to: file) }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    let difference = zip(
      found.split(separator: "\n", omittingEmptySubsequences: false),
      expected.split(separator: "\n", omittingEmptySubsequences: false)
    ).first { $0 != $1 }
    #expect(found == expected, "first difference: \(difference.map { "\($0.0) | \($0.1)" } ?? "the end")")
  }

  /// The forms of `--core host`: blocks and single channels, a pool, weights of a dense layer in bytes.
  @Test(arguments: ["pooled", "depthwise", "sums"]) func columnsAreAsRecorded(name: String) throws {
    let network = try name == "pooled" ? TernaryNetwork(parsing: pooledColumns) : small(name)
    let compilation = try compiled(network, core: .host)
    try Self.expectRecorded(
      Self.layers(Emission.source(compilation.plan, compilation.provenance, compilation.selfTest)), "host-\(name)")
  }

  /// Maps whose positions hold all channels, on a core that multiplies lanes and on one that does not.
  @Test(arguments: [Core.cortexM4, .cortexM0]) func pixelsAreAsRecorded(core: Core) throws {
    let options = PlanningOptions(name: "net", goal: .speed, core: core)
    let compilation = try Compilation(network: TernaryNetwork(parsing: keyword), options)
    #expect(compilation.plan.stages[0].hwc != nil)
    try Self.expectRecorded(
      Self.layers(Emission.source(compilation.plan, compilation.provenance, compilation.selfTest)),
      "keyword-\(core.rawValue)")
  }

  @Test func emissionIsDeterministic() throws {
    for seed: UInt64 in 1...20 {
      let network = RandomNetwork.make(seed: seed)
      for schedule in PlanningOptions.Schedule.allCases {
        let (first, second) = (
          try compiled(network, name: "net", schedule), try compiled(network, name: "net", schedule)
        )
        for (a, b) in zip(try first.artefacts(), try second.artefacts()) { #expect(a == b) }
        #expect(first.testFile() == second.testFile())
      }
    }
  }

  /// Text of a user's file may not leave the comment that quotes it, nor be more than ASCII.
  @Test func hostileTextStaysInItsComment() throws {
    var network = try small("convolution")
    network.layers[0].name = "*/ system(\"rm\"); /* \\\n ??/ \u{202E}漢"
    let compilation = try compiled(network)
    var provenance = compilation.provenance
    provenance.modelFile = "*/ \u{7}\n#include <evil>"
    let texts = [
      Emission.source(compilation.plan, provenance, compilation.selfTest),
      Emission.header(compilation.plan, provenance),
    ]
    for text in texts {
      #expect(text.utf8.allSatisfy { $0 == 10 || (32..<127).contains($0) })
      #expect(!text.contains("evil>") && !text.contains("??/"))
      // Comments open and close in turn.
      var rest = text[...]
      while let open = rest.range(of: "/*") {
        let close = try #require(rest[open.upperBound...].range(of: "*/"))
        #expect(!rest[..<open.lowerBound].contains("*/") && !rest[..<open.lowerBound].contains("system("))
        #expect(!rest[open.upperBound..<close.lowerBound].contains("/*"))
        rest = rest[close.upperBound...]
      }
    }
  }

  /// No line ends in blanks, none is wider than its limit but those of a table, and all end in a newline.
  @Test func linesAreTidy() throws {
    for seed: UInt64 in 1...10 {
      for (name, text) in try compiled(renamed(RandomNetwork.make(seed: seed))).artefacts() {
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
        for line in text.split(separator: "\n") where !name.hasSuffix(".json") {
          #expect(!line.hasSuffix(" ") && !line.contains("\t") && line.count <= 100, "\(name): \(line)")
        }
      }
    }
  }
}
