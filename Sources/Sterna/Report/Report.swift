import FoundationEssentials
import Scheduling
import TernaryIR

/// The machine-readable report, `NAME.json`: what was compiled, what it costs, what was proven. The schema is versioned;
/// fields are added, never bent.
package struct Report: Codable, Sendable {
  package struct Model: Codable, Sendable {
    package var file: String
    package var sha256: String
  }

  package struct Memory: Codable, Sendable {
    package var stateBytes: Int
    package var lowerBoundBytes: Int
    /// Most bytes of stack beside the state, gcc at -O2 on the report's core, or on any; none for a host.
    package var stackBytes: Int?
    package var buffers: [Buffer]
  }

  package struct Proof: Codable, Sendable {
    /// Reachable (channel, accumulator) pairs.
    package var pairs: Int
    package var exceptions: Int
    package var largestShift: Int
    /// Layers that needed 64-bit arithmetic, or a list of thresholds, by name.
    package var layersIn64Bits: [String]
    package var layersByThresholds: [String]
  }

  package struct Layer: Codable, Sendable {
    package var name: String
    package var identifier: String
    package var kind: String
    package var input: [Int]
    package var output: [Int]
    /// Output channels of the trained layer that are not computed: they are the same for every input, or unused.
    package var foldedChannels: Int
    package var weights: Int
    package var zeros: Int
    /// Multiply-accumulates of the dense layer it stands for.
    package var macs: Int
    /// Additions that are left once zero weights are skipped.
    package var additions: Int
    /// Of one inference, and bytes of tables and of the layer's own code: estimates for the report's core.
    package var predictedInstructions: Int?
    package var predictedFlashBytes = 0
    package var accumulatorMinimum: Int?
    package var accumulatorMaximum: Int?
    package var requantizer: String?
    package var shift: Int?
    package var pairs: Int?
    package var ringRows: Int
    package var ringBytes: Int
  }

  /// What the C costs on a core, whichever it was made for: instructions predicted, bytes at most.
  package struct CoreFigures: Codable, Sendable {
    package var core: String
    package var predictedInstructions: Int
    package var flashBytes: Int
    package var stackBytes: Int

    /// Nothing for a host's C, whose loops are made for vectors.
    static func all(_ plan: FirmwarePlan) -> [CoreFigures] {
      guard plan.core != .host else { return [] }
      return Core.measured.map { core in
        CoreFigures(
          core: core.rawValue, predictedInstructions: CostEstimate(plan, core: core).instructions,
          flashBytes: FlashEstimate(plan, core: core).bytes, stackBytes: plan.stackBound(on: core) ?? 0)
      }
    }
  }

  package struct Output: Codable, Sendable {
    package var name: String
    /// Place of its first value in the array that a call writes.
    package var first: Int
    package var count: Int
    package var kind: String
    package var scale: Double
    package var zeroPoint: Int
    /// Bound on |integer · scale − real value|, in units of the scale.
    package var resolution: Double
  }

  package var schema = 1
  package var tool: String
  package var name: String
  package var model: Model
  package var options: String
  /// The same number stands in the C: files of two compilations do not belong together.
  package var buildID: UInt32
  /// The core that code was chosen and figures were estimated for.
  package var core: String
  /// Of one inference, everything included; an estimate. None for a host.
  package var predictedInstructions: Int?
  package var layers: [Layer]
  /// The first of `outputs`.
  package var output: Output
  package var outputs: [Output]
  package var memory: Memory
  package var flash: FlashEstimate
  /// What the same C costs on each core.
  package var cores: [CoreFigures]
  package var proof: Proof

  package init(_ compilation: Compilation) {
    let plan = compilation.plan
    tool = "sterna \(sternaVersion)"
    name = plan.name
    model = Model(file: compilation.provenance.modelFile, sha256: compilation.provenance.modelSHA256)
    options = compilation.provenance.options
    buildID = compilation.provenance.buildID
    core = plan.core.rawValue
    let cost = CostEstimate(plan)
    let isCounted = plan.core.hasInstructionCounts
    predictedInstructions = isCounted ? cost.instructions : nil
    layers = plan.contexts.map(Layer.init)
    for (index, bytes) in FlashEstimate.operations(plan).enumerated() {
      layers[index].predictedInstructions = isCounted ? cost.operations[index] : nil
      layers[index].predictedFlashBytes = bytes
    }
    outputs = plan.outputs.map(Output.init)
    output = outputs[0]
    memory = Memory(
      stateBytes: plan.stateBytes, lowerBoundBytes: plan.lowerBoundBytes, stackBytes: plan.stackBound(),
      buffers: plan.buffers)
    flash = plan.flash
    cores = CoreFigures.all(plan)
    proof = Proof(plan)
  }

  /// The name of the model's file in a report that was written before; nil where it is none.
  package static func modelFile(in json: [UInt8]) -> String? {
    struct Excerpt: Decodable {
      var model: Model
    }
    let file = try? JSONDecoder().decode(Excerpt.self, from: Data(json)).model.file
    return file == Sterna.Model.standardInput ? nil : file
  }

  /// Pretty-printed, keys in alphabetical order, so that equal reports are equal bytes.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }
}

extension Report.Output {
  init(_ output: OutputPlan) {
    self.init(
      name: output.tensor.name, first: output.first, count: output.count, kind: output.tensor.kind.rawValue,
      scale: output.tensor.scale, zeroPoint: output.tensor.zeroPoint, resolution: output.resolution)
  }
}

extension Report.Proof {
  init(_ plan: FirmwarePlan) {
    let proofs = plan.contexts.compactMap { $0.layer.requantizer?.proof }
    pairs = proofs.reduce(0) { $0 + $1.pairs }
    exceptions = proofs.reduce(0) { $0 + $1.exceptions }
    largestShift = plan.contexts.compactMap { $0.layer.requantizer?.shift }.max() ?? 0
    layersIn64Bits = plan.contexts.filter { $0.variant.epilogue.map { !$0.fits32 } ?? false }.map(\.layer.name)
    layersByThresholds = plan.contexts.filter {
      if case .thresholds = $0.layer.requantizer?.form { true } else { false }
    }.map(\.layer.name)
  }
}

extension Report.Layer {
  init(_ stage: Context) {
    name = stage.layer.name
    identifier = stage.name
    input = [stage.input.shape.channels, stage.input.shape.height, stage.input.shape.width]
    output = [stage.output.shape.channels, stage.output.shape.height, stage.output.shape.width]
    foldedChannels = stage.operation.deadChannels
    ringRows = stage.input.slots
    ringBytes = stage.input.bytes
    weights = 0
    zeros = 0
    macs = 0
    additions = 0
    switch stage.layer.kind {
    case .convolution(let convolution):
      kind = convolution.isDepthwise ? "depthwise convolution" : "convolution"
      weights = convolution.weights.count
      zeros = convolution.weights.count { $0 == 0 }
    case .dense(let dense):
      kind = "dense"
      weights = dense.weights.count
      zeros = dense.weights.count { $0 == 0 }
    case .maxPool: kind = "max pool"
    case .averagePool: kind = "average pool"
    case .add: kind = "addition"
    case .concatenate: kind = "concatenation"
    case .slice: kind = "slice"
    case .resize: kind = "resize"
    }
    if stage.variant.geometry.isPooled { kind += " + max pool" }
    let positions = stage.variant.geometry.sums.height * stage.variant.geometry.sums.width
    macs = weights * positions
    additions = (weights - zeros) * positions
    if let accumulators = stage.variant.accumulators {
      accumulatorMinimum = accumulators.lowerBound
      accumulatorMaximum = accumulators.upperBound
    }
    if let found = stage.layer.requantizer {
      requantizer =
        switch found.form {
        case .affine: "affine"
        case .affineHalfEven: "affine, half to even"
        case .thresholds: "thresholds"
        case .logits: "logits"
        }
      shift = found.shift
      pairs = found.proof.pairs
    }
  }
}
