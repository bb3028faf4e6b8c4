import FirmwarePlanning
import FoundationEssentials
import Sterna
import TernaryIR
import TestSupport
import Testing

/// The networks that Tests/mutation/run changes tokens of. It sets `STERNA_MUTATION_CORPUS` to the folder to write to.
@Suite struct MutationCorpusTests {
  /// Of each kind of random network, the first whose plan shows something new.
  private static let corpus = Result {
    var found: [Compilation] = []
    var kernels: Set<String> = []
    for seed in 0..<240 as Range<UInt64> {
      let compilation = try candidate(seed, name: "net\(seed)")
      let plan = compilation.plan
      // Mutants of large files take long, and mutants are the same everywhere.
      guard plan.expectedBytes < 6000 else { continue }
      let new = Set(try compilation.artefacts()[1].text.functionNames).subtracting(kernels)
      if new.isEmpty { continue }
      kernels.formUnion(new)
      found.append(compilation)
    }
    return (found, kernels)
  }

  private static func candidate(_ seed: UInt64, name: String) throws -> Compilation {
    var options = PlanningOptions(name: name, schedule: schedule(Int(seed / 6)))
    options.fusesPools = seed % 4 != 3
    switch seed % 6 {
    case 0:
      options.core = .host
      return try Compilation(network: RandomNetwork.make(seed: seed), options)
    case 1:
      options.ram = 1 << 20
      return try Compilation(network: RandomNetwork.keyword(seed: seed), options)
    case 2:
      options.goal = .speed
      options.schedule = .auto
      options.core = [.cortexM4, .cortexM0, .riscv32][Int(seed / 6 % 3)]
      return try Compilation(network: RandomNetwork.pooledKeyword(seed: seed), options)
    case 3:
      options.goal = .speed
      options.core = .allCases[Int(seed / 6) % Core.allCases.count]
      let network = RandomNetwork.separable(seed: seed)
      let most = try Planner.plan(network, options).stateBytes
      options.ram = most - most * Int(seed / 6 % 5) / 10
      if (try? Planner.plan(network, options)) == nil { options.ram = nil }
      return try Compilation(network: network, options)
    default: return try Compilation(network: RandomNetwork.make(seed: seed, isWide: seed % 12 == 4), options)
    }
  }

  @Test func corpusIsWritten() throws {
    let (corpus, functions) = try Self.corpus.get()
    print("\(corpus.count) networks, \(functions.count) functions: \(functions.sorted())")
    guard let folder = ProcessInfo.processInfo.environment["STERNA_MUTATION_CORPUS"] else { return }
    for compilation in corpus {
      let files = try compilation.artefacts() + [compilation.testFile()]
      for file in files where !file.name.hasSuffix(".json") {
        try Data(file.text.utf8).write(to: URL(filePath: "\(folder)/\(file.name)"))
      }
    }
  }
}

extension String {
  /// Of kernels and of layers, the latter without their layer's name and number.
  fileprivate var functionNames: [String] {
    split(separator: "\n").filter { $0.hasPrefix("static ") && $0.hasSuffix("{") && $0.contains("(") }.compactMap {
      line in
      let name = line.prefix { $0 != "(" }.split(whereSeparator: { $0 == " " || $0 == "*" }).last ?? ""
      let parts = name.split(separator: "_")
      guard let first = parts.first, first.last?.isNumber == true, parts.count > 1 else { return String(name) }
      return parts.dropFirst().joined(separator: "_").filter { !$0.isNumber }
    }
  }
}
