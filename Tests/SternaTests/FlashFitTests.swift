import FoundationEssentials
import ModelBuilding
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

/// Writes the networks that `Tests/bench/fit.py` measures; a maintainer's tool, not a test.
@Suite struct FlashFitTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let folder = environment["STERNA_FIT"]

  /// A line for each network and core: the folder of its C, its name, the core, bytes of tables, features.
  private struct Writer {
    let folder: String
    /// Of the names of those to write.
    let prefix: String
    var files = OutputFiles()
    var lines: [String] = []

    mutating func put(_ network: TernaryNetwork, _ options: PlanningOptions) throws {
      guard options.name.hasPrefix(prefix) else { return }
      // Cores whose C is the same share a folder; it is compiled for each.
      var written: [String: String] = [:]
      var measured: [Core: String] = [:]
      // What is made for no core is measured on each.
      for (core, made) in Core.measured.map({ ($0, $0) }) + Core.measured.map({ ($0, Core.generic) }) {
        var options = options
        options.core = made
        // A budget that is met on one core need not be on another.
        if options.ram != nil || options.flash != nil, (try? Scheduler.plan(network, options)) == nil { continue }
        let compilation = try Compilation(network: network, options)
        let plan = compilation.plan
        let artefacts = try compilation.artefacts().filter { !$0.name.hasSuffix(".json") }
        let text = artefacts.first { $0.name.hasSuffix(".c") }?.text ?? ""
        if made == .generic, measured[core] == text { continue }
        if made != .generic { measured[core] = text }
        let place = written[text] ?? "\(plan.name)_\(written.count)"
        if written.updateValue(place, forKey: text) == nil {
          for artefact in artefacts { files.add("\(folder)/\(place)/\(artefact.name)", artefact.text) }
        }
        let features =
          CodeFeature.counts(plan).map { "code.\($0.key.rawValue)=\($0.value)" }.sorted()
          + work(plan).map { "work.\($0.key.rawValue)=\($0.value)" }.sorted()
          + StackFeature.counts(plan).map { "stack.\($0.key.rawValue)=\($0.value)" }.sorted()
        lines.append(
          "\(place) \(plan.name) \(core.rawValue) \(FlashEstimate.tables(plan)) " + features.joined(separator: " "))
      }
    }

    /// Weights as code in less and less RAM, as long as the budgets are met by other forms of code.
    mutating func putLeaner(_ network: TernaryNetwork, _ name: String) throws {
      var options = PlanningOptions(name: "\(name)_lean0", goal: .speed)
      for step in 1...5 {
        options.ram = try Scheduler.plan(network, options).stateBytes * 5 / 6
        options.name = "\(name)_lean\(step)"
        guard let plan = try? Scheduler.plan(network, options), plan.stages.contains(where: \.isUnrolled)
        else {
          return
        }
        try put(network, options)
      }
    }

    private func work(_ plan: FirmwarePlan) -> WorkFeature.Counts {
      plan.contexts.reduce(into: WorkFeature.network(plan)) { counts, context in
        counts.merge(WorkFeature.operation(context), uniquingKeysWith: +)
      }
    }
  }

  @Test(.enabled(if: folder != nil, "only for Tests/bench/fit.py")) func writeNetworks() throws {
    var writer = Writer(folder: try #require(Self.folder), prefix: Self.environment["STERNA_FIT_PREFIX"] ?? "")
    let schedules = PlanningOptions.Schedule.allCases
    let goals = PlanningOptions.Goal.allCases
    for seed in 0..<70 as Range<UInt64> {
      let options = PlanningOptions(
        name: "net\(seed)", schedule: schedules[Int(seed % 3)], goal: seed % 5 < 2 ? .size : .speed,
        fusesPools: seed % 4 != 0, usesLanes: seed % 7 != 0)
      try writer.put(RandomNetwork.make(seed: seed), options)
    }
    // Sums of parts, and whole maps.
    for seed in 0..<12 as Range<UInt64> {
      try writer.put(RandomNetwork.make(seed: seed, isWide: true), PlanningOptions(name: "wide\(seed)"))
      try writer.put(RandomNetwork.keyword(seed: seed), PlanningOptions(name: "keyword\(seed)", ram: 1 << 20))
    }
    // Maps whose positions hold all channels.
    for seed in 0..<40 as Range<UInt64> {
      try writer.put(
        RandomNetwork.pooledKeyword(seed: seed),
        PlanningOptions(name: "pooled\(seed)", schedule: seed % 5 == 0 ? .stream : .auto, goal: .speed))
    }
    let models = ["max2_pc_qonnx_ts", "const_pt_qcdq_ts", "act4_qonnx_ts", "floatpool_outq_qonnx_ts", "pot_qonnx_ts"]
    for (index, model) in models.enumerated() {
      let network = try Self.network(Fixtures.model("har/\(model).onnx"))
      for goal in goals {
        for schedule in [PlanningOptions.Schedule.auto, .stream] {
          try writer.put(
            network,
            PlanningOptions(name: "har\(index)\(goal.rawValue)\(schedule.rawValue)", schedule: schedule, goal: goal))
        }
      }
      try writer.put(network, PlanningOptions(name: "har\(index)bytes", usesLanes: false))
      // Words of four columns, where they are.
      try writer.put(network, PlanningOptions(name: "har\(index)swar4", goal: .speed, ram: 6200))
      if index == 0 { try writer.putLeaner(network, "har\(index)") }
    }
    // The networks of the benchmark, unpacked by the script.
    let named = (Self.environment["STERNA_FIT_MODELS"] ?? "").split(separator: ":").map(String.init)
    for path in named {
      let network = try Self.network(Array(Data(contentsOf: URL(filePath: path))))
      let name = path.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? "model"
      for goal in goals { try writer.put(network, PlanningOptions(name: "\(name)_\(goal.rawValue)", goal: goal)) }
      switch name {
      case "radar":
        try writer.put(network, PlanningOptions(name: "radar_quads", goal: .speed, ram: 6144))
        for ram in [6144, 5000, 4300, 3482, 3300] {
          try writer.put(
            network, PlanningOptions(name: "radar_stream\(ram)", schedule: .stream, goal: .speed, ram: ram))
        }
        try writer.putLeaner(network, name)
      case "ds_cnn":
        for (name, ram) in [("rows", 20_000), ("lean", 5800), ("least", 5120)] {
          try writer.put(network, PlanningOptions(name: "ds_cnn_\(name)", goal: .speed, ram: ram))
        }
        try writer.put(network, PlanningOptions(name: "ds_cnn_small", goal: .speed, flash: 36_500))
      default: try writer.put(network, PlanningOptions(name: "\(name)_lean", ram: 20480))
      }
    }
    writer.files.add("\(writer.folder)/features.txt", writer.lines.joined(separator: "\n") + "\n")
    try writer.files.write()
  }

  private static func network(_ bytes: [UInt8]) throws -> TernaryNetwork {
    try Compilation(Model(bytes: bytes, path: "model.onnx"), PlanningOptions(name: "model")).reduced.network
  }
}
