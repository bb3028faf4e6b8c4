import FoundationEssentials
import ModelBuilding
import Testing

/// Untrusted bytes must never reach an instruction that traps; this keeps the constructs that do out of the sources.
@Suite struct SourceRulesTests {
  private static let forbidden = [
    "try!", "as!", "precondition", "fatalError", "uniqueKeysWithValues", "load(as:", "assertionFailure", "unsafe",
    "import Foundation\n",
  ]

  @Test(arguments: ["ONNXFormat", "ONNXImport", "GraphIR"])
  func modulesThatReadFilesDoNotTrap(module: String) throws {
    let folder = Fixtures.path("../../Sources/\(module)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      $0.hasSuffix(".swift") && !$0.hasSuffix(".pb.swift")
    }
    #expect(!files.isEmpty)
    for file in files {
      let source = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      for word in Self.forbidden { #expect(!source.contains(word), "\(file): \(word)") }
      // A forced unwrap: an exclamation mark right behind a name or bracket, other than in `!=`.
      let characters = Array(source)
      for (index, character) in characters.enumerated().dropFirst().dropLast() where character == "!" {
        let before = characters[index - 1]
        let isForced = (before.isLetter || before.isNumber || ")]".contains(before)) && characters[index + 1] != "="
        #expect(!isForced, "\(file): a forced unwrap")
      }
    }
  }
}
