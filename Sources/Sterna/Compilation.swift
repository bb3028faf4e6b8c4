import CEmission
import Diagnostics
import GraphIR
import Lowering
import ONNXImport
import ReferenceInterpreter
import Scheduling
import TernaryIR

/// The tool's version, in provenance and `--version`.
package let sternaVersion = "0.1.0"

extension ReducedNetwork {
  /// The plan, which knows how many channels of the whole network each stage lacks.
  fileprivate func plan(of whole: TernaryNetwork, _ options: PlanningOptions) throws(ModelError) -> FirmwarePlan {
    var plan = try Scheduler.plan(network, options)
    for index in plan.operations.indices {
      let output = plan.operations[index].tensor
      plan.operations[index].deadChannels = whole[output].shape.channels - network[output].shape.channels
    }
    return plan
  }
}

/// One model on its way from bytes to C.
package struct Compilation: Sendable {
  /// As trained.
  package var network: TernaryNetwork
  /// What the firmware computes of it.
  package var reduced: ReducedNetwork
  package var plan: FirmwarePlan
  private let options: PlanningOptions
  package var provenance: Provenance
  /// What the file's owner should know although it compiles.
  package var warnings: [Diagnostic]
  /// What the model's file does behind the network's output, and no firmware does.
  package var trailing: TrailingNode? { trailings[0] }
  /// The same for each output.
  package var trailings: [TrailingNode?]
  package var selfTest: SelfTest

  /// Imports, lowers, plans.
  ///
  /// - Parameters:
  ///   - model: The file as read.
  ///   - options: Planning options; `name` must be a C identifier.
  /// - Throws: `ModelError` with everything that is wrong.
  package init(_ model: Model, _ options: PlanningOptions) throws(ModelError) {
    let imported = try model.recognizing { () throws(ModelError) in
      try ModelImporter.importModel(bytes: model.bytes, folder: model.folder)
    }
    try self.init(
      network: Lowering.lower(imported.graph), options, modelFile: model.fileName,
      modelSHA256: SHA256.hexadecimal(model.bytes))
    warnings = imported.warnings
    trailings = imported.graph.trailings
  }

  /// Plans a network that did not come from a model file; its provenance is its own text.
  package init(network: TernaryNetwork, _ options: PlanningOptions) throws(ModelError) {
    try self.init(
      network: network, options, modelFile: "network", modelSHA256: SHA256.hexadecimal(Array(network.text.utf8)))
  }

  private init(
    network: TernaryNetwork, _ options: PlanningOptions, modelFile: String, modelSHA256: String
  ) throws(ModelError) {
    self.network = network
    self.options = options
    reduced = try DeadChannelElimination.fold(network)
    plan = try reduced.plan(of: network, options)
    provenance = Provenance(
      toolVersion: sternaVersion, modelFile: modelFile, modelSHA256: modelSHA256, options: options.commandLine)
    warnings = []
    trailings = network.outputTensors.map { _ in nil }
    let sample = SelfTest.sample(for: plan)
    selfTest = SelfTest(output: Interpreter(network).run(sample).allOutputs)
    provenance.buildID = buildID
  }

  /// `NAME.h`, `NAME.c` and `NAME.json`; file names without a folder.
  package func artefacts() throws -> [(name: String, text: String)] {
    [
      ("\(plan.name).h", Emission.header(plan, provenance)),
      ("\(plan.name).c", Emission.source(plan, provenance, selfTest)),
      ("\(plan.name).json", try Report(self).json()),
    ]
  }

  /// A digest of what is emitted, whatever the model's file is called: the same code has the same, on every machine.
  private var buildID: UInt32 {
    var provenance = provenance
    provenance.modelFile = ""
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for text in [Emission.header(plan, provenance), Emission.source(plan, provenance, selfTest)] {
      // FNV-1a: enough to tell files apart by mistake, and quick on megabytes.
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }
}

extension Compilation {
  /// A plan for each goal and schedule, without budgets: what they alone would give. The chosen one stands as it is, since
  /// a budget may have changed it.
  package func choices() throws(ModelError) -> [Choice] {
    var choices: [Choice] = []
    for goal in PlanningOptions.Goal.allCases {
      for schedule in PlanningOptions.Schedule.allCases {
        var other = options
        (other.goal, other.schedule, other.ram, other.flash) = (goal, schedule, nil, nil)
        let isChosen = goal == options.goal && schedule == options.schedule
        choices.append(
          Choice(goal: goal, plan: isChosen ? plan : try reduced.plan(of: network, other), isChosen: isChosen))
      }
    }
    return choices
  }

  /// The options that were given and change nothing: without each alone, the C is the same.
  package func idleOptions() -> [String] {
    let usual = PlanningOptions(name: options.name)
    var without: [(String, PlanningOptions)] = []
    if options.goal != usual.goal {
      without.append(("--optimize \(options.goal.rawValue)", options))
      without[without.count - 1].1.goal = usual.goal
    }
    if options.schedule != usual.schedule {
      without.append(("--schedule \(options.schedule.rawValue)", options))
      without[without.count - 1].1.schedule = usual.schedule
    }
    if options.fusesPools != usual.fusesPools {
      without.append(("--no-fuse", options))
      without[without.count - 1].1.fusesPools = usual.fusesPools
    }
    guard !without.isEmpty else { return [] }
    let source = Emission.source(plan, provenance, selfTest)
    return without.compactMap { option, other in
      // Where there is no plan without the option, it is what makes one.
      guard let plan = try? reduced.plan(of: network, other) else { return nil }
      return Emission.source(plan, provenance, selfTest) == source ? option : nil
    }
  }

  /// A file name and the extents of every layer's output, fused pools included, in the interpreter's order.
  package var layerFiles: [(name: String, shape: Shape)] {
    plan.contexts.flatMap { stage in
      stage.operation.layers.map { index in
        let isFusedPool = index > stage.operation.layers.lowerBound
        return (isFusedPool ? "\(stage.name)_pool" : stage.name, network[network.layers[index].output].shape)
      }
    }
  }
}

/// A model file as read, before anything is known of it.
package struct Model: Sendable {
  package var bytes: [UInt8]
  /// As the user typed it; `-` is the standard input.
  package var path: String

  package init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  static let standardInput = "standard input"

  /// Without folders.
  package var fileName: String {
    path == "-" ? Self.standardInput : String(path.split(separator: "/").last ?? "model")
  }

  /// Where external data would lie; nil for the standard input.
  package var folder: String? {
    guard path != "-" else { return nil }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }
}

extension PlanningOptions {
  /// The options that change the output, as one would type them.
  package var commandLine: String {
    var words = ["--name \(name)", "--schedule \(schedule.rawValue)"]
    if goal != .size { words.append("--optimize \(goal.rawValue)") }
    if core != .generic { words.append("--core \(core.rawValue)") }
    if !fusesPools { words.append("--no-fuse") }
    if let ram { words.append("--ram \(ram)") }
    if let flash { words.append("--flash \(flash)") }
    return words.joined(separator: " ")
  }
}
