import Scheduling
import Sterna
import TernaryIR

/// A few random networks in whose C every form of layers and every kernel occurs.
package enum FormCorpus {
  /// Of each kind of random network, those whose C has functions that no earlier one has.
  package static let compilations = Result { try make() }

  private static func make() throws -> [Compilation] {
    var corpus: [Compilation] = []
    var known: Set<String> = []
    for seed in 0..<240 as Range<UInt64> {
      let compilation = try candidate(seed)
      // Small ones: the functions are the same everywhere.
      guard compilation.plan.expectedValueBytes < 6000 else { continue }
      let functions = Set(functionNames(of: try compilation.artefacts().first { $0.name.hasSuffix(".c") }?.text ?? ""))
      if functions.isSubset(of: known) { continue }
      known.formUnion(functions)
      corpus.append(compilation)
    }
    return corpus
  }

  private static func candidate(_ seed: UInt64) throws -> Compilation {
    let schedules = PlanningOptions.Schedule.allCases
    let round = Int(seed / 6)
    var options = PlanningOptions(name: "net\(seed)", schedule: schedules[round % schedules.count])
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
      options.core = [.cortexM4, .cortexM0, .riscv32][round % 3]
      return try Compilation(network: RandomNetwork.pooledKeyword(seed: seed), options)
    case 3:
      options.goal = .speed
      options.core = .allCases[round % Core.allCases.count]
      let network = RandomNetwork.separable(seed: seed)
      let most = try Scheduler.plan(network, options).stateBytes
      options.ram = most - most * (round % 5) / 10
      if (try? Scheduler.plan(network, options)) == nil { options.ram = nil }
      return try Compilation(network: network, options)
    default: return try Compilation(network: RandomNetwork.make(seed: seed, isWide: seed % 12 == 4), options)
    }
  }

  /// Of kernels and of layers, the latter without their layer's name and the numbers of blocks.
  package static func functionNames(of source: String) -> [String] {
    source.split(separator: "\n").filter { $0.hasPrefix("static ") && $0.hasSuffix("{") && $0.contains("(") }.map {
      line in
      let name = line.prefix { $0 != "(" }.split(whereSeparator: { $0 == " " || $0 == "*" }).last ?? ""
      let parts = name.split(separator: "_")
      guard let first = parts.first, first.last?.isNumber == true, parts.count > 1 else { return String(name) }
      return parts.dropFirst().joined(separator: "_").filter { !$0.isNumber }
    }
  }
}

extension FirmwarePlan {
  /// All values of all layers of a sample.
  fileprivate var expectedValueBytes: Int {
    stages.reduce(0) { $0 + $1.outputShape.count * $1.output.storage.elementBytes }
  }
}
