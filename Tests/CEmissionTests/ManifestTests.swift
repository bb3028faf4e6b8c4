import FoundationEssentials
import ModelBuilding
import Scheduling
import Sterna
import Synchronization
import Templates
import TernaryIR
import TestSupport
import Testing

@testable import CEmission

/// Digests of all that is emitted for some thousand compilations: what a change to planner or emitter does to any of them
/// shows here. `Tests/manifest.sh` compares all of them, and shows what has become of the files; other runs compare a few.
@Suite struct ManifestTests {
  private static let environment = ProcessInfo.processInfo.environment
  /// The committed digests, a line each: digest, key.
  private static let path = Fixtures.path("../manifest/manifest.txt")

  /// Kernels that no plan has, but their own tests.
  private static let unplanned: Set<Kernel> = [.sumTapsSwar2, .maxPoolRowSwar2]

  @Test func emittedFilesAreAsRecorded() async throws {
    let text = (try? String(contentsOfFile: Self.path, encoding: .utf8)) ?? ""
    let recorded = Dictionary(
      text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }.map { (String($0[1]), String($0[0])) },
      uniquingKeysWith: { first, _ in first })
    let all = try await ManifestEntry.all()
    let only = Self.environment["STERNA_MANIFEST_ONLY"].map { Set($0.split(separator: "\n").map(String.init)) }
    if let only {
      _ = await Self.digests(of: all.filter { only.contains($0.key) }, countsForms: false)
      return
    }
    if let file = Self.environment["STERNA_MANIFEST"] {
      // Those that were refused when it was written are no part of it: a refusal takes long.
      let entries = Self.environment["STERNA_MANIFEST_NEW"] != nil ? all : all.filter { recorded[$0.key] != nil }
      let found = await Self.digests(of: entries, countsForms: true)
      let lines = entries.compactMap { entry in found.digests[entry.key].map { "\($0) \(entry.key)\n" } }.joined()
      try Data(lines.utf8).write(to: URL(filePath: file))
      for form in LayerForm.allCases where found.forms[form.rawValue, default: 0] < 3 {
        print("only \(found.forms[form.rawValue, default: 0]) times: \(form.rawValue)")
      }
      for kernel in Kernel.allCases where !Self.unplanned.contains(kernel) && found.forms["\(kernel)", default: 0] < 3 {
        print("only \(found.forms["\(kernel)", default: 0]) times: \(kernel)")
      }
      return
    }
    let entries = all.filter { recorded[$0.key] != nil }
    #expect(recorded.count > 1000 && recorded.count == entries.count, "Tests/manifest.sh --update")
    let chosen = entries.indices.filter { $0 % 16 == 0 }.map { entries[$0] }
    let found = await Self.digests(of: chosen, countsForms: false)
    let changed = chosen.filter { found.digests[$0.key] != recorded[$0.key] }.map(\.key)
    #expect(changed.isEmpty, "\(changed.count) of \(chosen.count) differ, see Tests/manifest.sh: \(changed.prefix(5))")
  }

  private struct Findings: Sendable {
    /// Of the compilations that are not refused.
    var digests: [String: String] = [:]
    /// Compilations that have a form, and those that have a kernel.
    var forms: [String: Int] = [:]
  }

  /// What two tasks share.
  private final class Shared: Sendable {
    private let state = Mutex(Findings())
    var findings: Findings { state.withLock { $0 } }

    func add(_ key: String, _ digest: String?, _ forms: Set<String>) {
      state.withLock { state in
        if let digest { state.digests[key] = digest }
        for form in forms { state.forms[form, default: 0] += 1 }
      }
    }
  }

  private static func digests(of entries: [ManifestEntry], countsForms: Bool) async -> Findings {
    let shared = Shared()
    await concurrently(entries) { entry in
      let (digest, forms) = emitted(entry, countsForms: countsForms)
      shared.add(entry.key, digest, forms)
    }
    return shared.findings
  }

  /// The digest of an entry's files, and what occurs in them; nil where it is refused.
  private static func emitted(_ entry: ManifestEntry, countsForms: Bool) -> (String?, Set<String>) {
    do {
      let compilation = try entry.compile()
      let files = try compilation.artefacts() + [compilation.testFile()]
      if let folder = environment["STERNA_MANIFEST_FILES"] {
        let own = "\(folder)/\(entry.key.replacing(" ", with: "_").replacing("/", with: "_"))"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(own)/\(name)")) }
      }
      var forms: Set<String> = []
      if countsForms {
        forms = Set(compilation.plan.stages.map { LayerForm($0).rawValue })
        forms.formUnion(
          SourcePrinter(compilation.plan, compilation.provenance, compilation.selfTest).kernels.map { "\($0)" })
      }
      return (SHA256.hexadecimal(Array(files.map { "\($0.name)\n\($0.text)" }.joined().utf8)), forms)
    } catch {
      return (nil, [])
    }
  }
}

/// A compilation of the manifest.
struct ManifestEntry: Sendable {
  var key: String
  private var source: Source
  private var options: PlanningOptions

  private enum Source: Sendable {
    case network(@Sendable () -> TernaryNetwork)
    case model(Model)
  }

  private init(_ name: String, _ source: Source, _ options: PlanningOptions) {
    self.source = source
    self.options = options
    self.options.name = "net"
    key = "\(name) \(self.options.commandLine.dropFirst("--name net ".count))"
  }

  func compile() throws -> Compilation {
    switch source {
    case .network(let make): try Compilation(network: make(), options)
    case .model(let model): try Compilation(model, options)
    }
  }

  static func all() async throws -> [ManifestEntry] {
    try trained() + small() + random() + corners() + graphs() + (await large())
  }

  /// Trained networks: goals × cores × budgets; schedules, and pools by themselves.
  private static func trained() throws -> [ManifestEntry] {
    let names = [
      "act4_qonnx_ts", "const_pt_qcdq_ts", "floatpool_outq_qonnx_ts", "max2_pc_qcdq_ts", "pot_qonnx_ts",
      "twn_pc_qcdq_ts",
      "twn_pc_qonnx_ts", "twn_pt_biasint8_qonnx_ts",
    ]
    var entries: [ManifestEntry] = []
    for name in names {
      let model = Source.model(Model(bytes: Fixtures.model("har/\(name).onnx"), path: "\(name).onnx"))
      func add(_ options: PlanningOptions) { entries.append(ManifestEntry(name, model, options)) }
      for goal in PlanningOptions.Goal.allCases {
        for core in Core.allCases {
          add(PlanningOptions(name: "", goal: goal, core: core))
          for ram in [9000, 6500, 5400] { add(PlanningOptions(name: "", goal: goal, core: core, ram: ram)) }
          add(PlanningOptions(name: "", goal: goal, core: core, flash: 16_000))
        }
        for schedule in [PlanningOptions.Schedule.frame, .stream] {
          add(PlanningOptions(name: "", schedule: schedule, goal: goal))
        }
        add(PlanningOptions(name: "", goal: goal, fusesPools: false))
      }
    }
    return entries
  }

  /// Small files after what exporters write: cores in turn.
  private static func small() throws -> [ManifestEntry] {
    var entries: [ManifestEntry] = []
    for folder in ["cases", "edge"] {
      let files = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path("models/\(folder)"))
      for (number, file) in files.filter({ $0.hasSuffix(".onnx") }).sorted().enumerated() {
        let model = Model(bytes: Fixtures.model("\(folder)/\(file)"), path: file)
        for (index, goal) in PlanningOptions.Goal.allCases.enumerated() {
          let core = Core.allCases[(number + 4 * index) % Core.allCases.count]
          entries.append(
            ManifestEntry(
              "\(folder)/\(file.dropLast(5))", .model(model), PlanningOptions(name: "", goal: goal, core: core)))
        }
      }
    }
    return entries
  }

  /// Networks that branch: goals, cores and schedules in turn.
  private static func graphs() -> [ManifestEntry] {
    (0..<60 as Range<UInt64>).map { seed in
      ManifestEntry(
        "graph/\(seed)", .network { RandomNetwork.branching(seed: seed) },
        PlanningOptions(
          name: "", schedule: schedule(Int(seed)), goal: .allCases[Int(seed / 3 % 2)],
          core: .allCases[Int(seed) % Core.allCases.count]))
    }
  }

  /// Every kind of random network, in turn with goals, cores, schedules and rungs of a ladder of budgets.
  private static func random() throws -> [ManifestEntry] {
    try (0..<300 as Range<UInt64>).flatMap { seed in
      let network: @Sendable () -> TernaryNetwork = {
        switch seed % 6 {
        case 0: RandomNetwork.make(seed: seed, isWide: seed % 24 == 0)
        case 1: RandomNetwork.separable(seed: seed)
        case 2: RandomNetwork.keyword(seed: seed)
        case 3: RandomNetwork.pooledKeyword(seed: seed)
        case 4: RandomNetwork.corner(seed: seed)
        default: RandomNetwork.make(seed: seed).withDeadChannels(seed: seed)
        }
      }
      let round = Int(seed / 6)
      let isLean = seed % 6 == 1 || seed % 6 == 3
      var options = PlanningOptions(
        name: "", schedule: isLean ? .auto : .allCases[round % 3], goal: isLean || round % 2 == 0 ? .speed : .size,
        core: .allCases[(Int(seed) + round) % Core.allCases.count], fusesPools: round % 5 != 4)
      // Whole maps need room.
      if seed % 6 == 2, options.goal == .size { options.ram = 1 << 20 }
      guard options.goal == .speed else { return [ManifestEntry("random/\(seed)", .network(network), options)] }
      var rungs = [options]
      let plan = try Scheduler.plan(network(), options)
      for share in [80, 60] {
        options.ram = plan.stateBytes * share / 100 / 4 * 4
        rungs.append(options)
      }
      options.ram = nil
      options.flash = plan.flash.bytes * 3 / 4
      rungs.append(options)
      rungs = rungs.filter { (try? Scheduler.plan(network(), $0)) != nil }
      return rungs.map { ManifestEntry("random/\(seed)", .network(network), $0) }
    }
  }

  /// Pools of every kind behind packed weights, limits of accumulators in vectors.
  private static func corners() -> [ManifestEntry] {
    (1000..<1140 as Range<UInt64>).map { seed in
      let options =
        seed % 2 == 0
        ? PlanningOptions(name: "", goal: .speed, core: .host) : PlanningOptions(name: "", schedule: .stream)
      return ManifestEntry("corner/\(seed)", .network { RandomNetwork.corner(seed: seed) }, options)
    }
  }

  /// MLPerf Tiny's keyword spotting and person detection.
  private static func large() async throws -> [ManifestEntry] {
    let workshop = try Workshop()
    var entries: [ManifestEntry] = []
    for name in ["ds_cnn", "mobilenet"] {
      try Data(contentsOf: URL(filePath: Fixtures.path("../bench/\(name).onnx.gz")))
        .write(to: URL(filePath: "\(workshop.path)/\(name).onnx.gz"))
      try await workshop.run("gunzip", ["\(name).onnx.gz"])
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(workshop.path)/\(name).onnx")))
      let model = Source.model(Model(bytes: bytes, path: "\(name).onnx"))
      for goal in PlanningOptions.Goal.allCases {
        guard name == "ds_cnn" else {
          entries.append(ManifestEntry(name, model, PlanningOptions(name: "", goal: goal, core: .cortexM4)))
          continue
        }
        for core in [Core.generic, .cortexM0, .cortexM4] {
          for ram in [nil, 26_000, 16_000, 9000] {
            entries.append(ManifestEntry(name, model, PlanningOptions(name: "", goal: goal, core: core, ram: ram)))
          }
        }
      }
    }
    return entries
  }
}
