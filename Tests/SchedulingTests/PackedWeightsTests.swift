import FoundationEssentials
import TernaryIR
import Testing

@testable import Scheduling

@Suite struct PackedWeightsTests {
  /// Lines of the specification's table: a list of `+`, `-` and `0`, and its bytes in hexadecimal.
  private static func vectors() throws -> [(weights: String, bytes: [UInt8])] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Templates/kernels/WEIGHTS.md")
    return String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
      guard cells.count == 2, cells.allSatisfy({ $0.hasPrefix("`") && $0.hasSuffix("`") }) else { return nil }
      return (
        String(cells[0].dropFirst().dropLast()),
        cells[1].dropFirst().dropLast().split(separator: " ").compactMap { UInt8($0, radix: 16) }
      )
    }
  }

  @Test func meetsTheSpecificationsVectors() throws {
    let vectors = try Self.vectors()
    #expect(vectors.count == 12)
    for (weights, bytes) in vectors {
      #expect(PackedWeights.pack(weights.map { $0 == "+" ? 1 : $0 == "-" ? -1 : 0 as Int8 }) == bytes, "\(weights)")
    }
    #expect(PackedWeights.pack([] as [Int8]) == [])
  }

  @Test func everyChannelStartsOnAByte() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 3x1x1 range 0...3
        conv "c" kernel 1x1
          weights
            +0-
            --0
          affine clamp 0...9
        """)
    let stage = try Scheduler.plan(network, PlanningOptions(name: "net")).stages[0]
    #expect(stage.variant.tables(stage)[0].rows == [[0x31], [0x0f]])
  }

  /// The ring holds rows as they arrive, all channels of a row after one another.
  @Test func denseWeightsFollowTheRing() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 2x2x2 range 0...3
        dense "d"
          weights
            +0-+ 0---
          logits
        """)
    let stage = try Scheduler.plan(network, PlanningOptions(name: "net")).stages[0]
    #expect(stage.variant.tables(stage)[0].rows == [[0xc1, 0xf7]])
  }
}
