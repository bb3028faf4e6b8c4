import FoundationEssentials
import Sterna
import Templates
import TestSupport
import Testing

/// The networks that Tests/mutation/run changes tokens of. It sets `STERNA_MUTATION_CORPUS` to the folder to write to.
@Suite struct MutationCorpusTests {
  @Test func corpusIsWritten() throws {
    guard let folder = ProcessInfo.processInfo.environment["STERNA_MUTATION_CORPUS"] else { return }
    for compilation in try FormCorpus.compilations.get() {
      for file in try compilation.artefacts() + [compilation.testFile()] where !file.name.hasSuffix(".json") {
        try Data(file.text.utf8).write(to: URL(filePath: "\(folder)/\(file.name)"))
      }
    }
  }
}
