import CEmission
import Diagnostics
import FirmwarePlanning
import Lowering
import ONNXImport
import ReferenceInterpreter
import TernaryIR

/// The tool's version, in provenance and `--version`.
package let sternaVersion = "0.1.0"

extension FoldedNetwork {
  /// The plan, which knows how many channels of the whole network each stage lacks.
  fileprivate func plan(of whole: TernaryNetwork, _ options: PlanningOptions) throws(ModelError) -> FirmwarePlan {
    var plan = try Planner.plan(network, options)
    for index in plan.stages.indices {
      let output = network.layers[plan.stages[index].layers.upperBound].output
      plan.stages[index].foldedChannels = whole[output].shape.channels - network[output].shape.channels
    }
    return plan
  }
}

/// One model on its way from bytes to C.
package struct Compilation: Sendable {
  /// As trained.
  package var network: TernaryNetwork
  /// What the firmware computes of it.
  package var folded: FoldedNetwork
  package var plan: FirmwarePlan
  private let options: PlanningOptions
  package var provenance: Provenance
  /// What the file's owner should know although it compiles.
  package var warnings: [Diagnostic]
  package var selfTest: SelfTest

  /// Imports, lowers, plans.
  ///
  /// - Parameters:
  ///   - model: The file as read.
  ///   - options: Planning options; `name` must be a C identifier.
  /// - Throws: `ModelError` with everything that is wrong.
  package init(_ model: Model, _ options: PlanningOptions) throws(ModelError) {
    let imported = try ModelImporter.importModel(bytes: model.bytes, folder: model.folder)
    try self.init(
      network: Lowering.lower(imported.graph), options, modelFile: model.fileName,
      modelSHA256: SHA256.hexadecimal(model.bytes))
    warnings = imported.warnings
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
    folded = try ChannelFolding.fold(network)
    plan = try folded.plan(of: network, options)
    provenance = Provenance(
      toolVersion: sternaVersion, modelFile: modelFile, modelSHA256: modelSHA256, options: options.commandLine)
    warnings = []
    let sample = SelfTest.sample(for: plan)
    selfTest = SelfTest(output: Interpreter(network).run(sample).output)
  }

  /// `NAME.h`, `NAME.c` and `NAME.json`; file names without a folder.
  package func artefacts() throws -> [(name: String, text: String)] {
    [
      ("\(plan.name).h", Emission.header(plan, provenance)),
      ("\(plan.name).c", Emission.source(plan, provenance, selfTest)),
      ("\(plan.name).json", try Report(self).json()),
    ]
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
          Choice(goal: goal, plan: isChosen ? plan : try folded.plan(of: network, other), isChosen: isChosen))
      }
    }
    return choices
  }

  /// A file name and the extents of every layer's output, fused pools included, in the interpreter's order.
  package var layerFiles: [(name: String, shape: Shape)] {
    plan.stages.flatMap { stage in
      stage.layers.map { index in
        let isFusedPool = index > stage.layers.lowerBound
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

  /// Without folders.
  package var fileName: String {
    path == "-" ? "standard input" : String(path.split(separator: "/").last ?? "model")
  }

  /// Where external data would lie; nil for the standard input.
  package var folder: String? {
    guard path != "-" else { return nil }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  /// A C identifier from the file's stem: `2-conv net.onnx` becomes `model_2_conv_net`.
  package var defaultName: String {
    guard path != "-" else { return "model" }
    let stem = fileName.split(separator: ".").first.map(String.init) ?? "model"
    let name = String(stem.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }).lowercased()
    return name.first.map { $0.isLetter } ?? false ? name : "model_" + name.drop { $0 == "_" }
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

  /// Whether a name may begin all symbols of emitted C: a C identifier of at most 30 lower- or upper-case letters,
  /// digits and underscores that is not reserved.
  package static func isValidName(_ name: String) -> Bool {
    guard let first = name.first, first.isASCII, first.isLetter, name.count <= 30 else { return false }
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { return false }
    return ![
      "int", "char", "float", "double", "void", "main", "static", "struct", "union", "verify", "memory", "checksum",
    ]
    .contains(name)
  }
}
