import GraphIR
import Lowering
import ModelBuilding
import ONNXImport
import ReferenceInterpreter
import Sterna
import TernaryIR
import Testing

/// Branching networks, end to end on the interpreter, against what other executors computed for the very same files:
/// `models/graphs` (`Tests/vectors/record_graphs.py`).
@Suite struct GraphVectorTests {
  private func network(_ path: String) throws -> TernaryNetwork {
    try Lowering.lower(ModelImporter.importModel(bytes: Fixtures.model("\(path).onnx"), folder: nil).graph)
  }

  private func numbers(_ path: String) throws -> [Double] {
    try NPY(parsing: InputFile.read(Fixtures.path("models/\(path).npy"))).doubles
  }

  /// The interpreter's outputs for recorded inputs, each `[sample][element]`, in real numbers.
  private func outputs(_ network: TernaryNetwork, _ inputs: [Double]) -> [[Double]] {
    let shape = network[network.inputTensor].shape
    var found = [[Double]](repeating: [], count: network.outputTensors.count)
    for start in stride(from: 0, to: inputs.count, by: shape.count) {
      let sample = inputs[start..<(start + shape.count)].map { Float($0) }
      let integers = network.input.quantize(sample, channels: shape.channels, plane: shape.height * shape.width)
      for (index, values) in Interpreter(network).run(integers).outputs.enumerated() {
        found[index] += network[network.outputTensors[index]].real(values)
      }
    }
    return found
  }

  /// Executors compute in float32: one value in a thousand may fall to the other side of a tie, and what it moves of an
  /// output is little.
  private func compare(
    _ found: [Double], _ recorded: [Double], _ output: Tensor, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.count == recorded.count, sourceLocation: sourceLocation)
    let range = (recorded.max() ?? 0) - (recorded.min() ?? 0)
    let step = output.kind == .logits ? 0.002 * range : output.scale
    let errors = zip(found, recorded).map { abs($0 - $1) }
    #expect(
      errors.allSatisfy { $0 <= 1.001 * step }, "\(errors.max() ?? 0) of \(range)", sourceLocation: sourceLocation)
    let differing = errors.count { $0 > 1e-5 * range }
    #expect(differing <= errors.count / 100, "\(differing) of \(errors.count) differ", sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    ("residual", ["conv", "add", "dense"]), ("ushape", ["conv", "max", "concat", "resize"]),
    ("heads", ["conv", "concat", "slice", "dense"]),
  ])
  func isWhatOthersCompute(model: String, kinds: [String]) throws {
    let network = try network("graphs/\(model)")
    #expect(Set(network.layers.map(\.shortKind)).isSuperset(of: kinds))
    let found = outputs(network, try numbers("graphs/\(model).in"))
    for (index, values) in found.enumerated() {
      compare(values, try numbers("graphs/\(model).out\(index)"), network[network.outputTensors[index]])
    }
  }

  /// No two scales that meet in an addition or concatenation are in a simple ratio.
  @Test func sumsAreFixedPoint() throws {
    for layer in try network("graphs/residual").layers {
      guard case .add(let addition) = layer.kind else { continue }
      #expect(addition.multipliers.allSatisfy { abs($0) > 16 })
      #expect(addition.requantizer.proof.exceptions == 0)
    }
    for layer in try network("graphs/ushape").layers {
      guard case .concatenate(let concatenation) = layer.kind else { continue }
      #expect(concatenation.requantizers.contains { $0 != nil })
    }
    // Several outputs keep the file's order.
    let heads = try network("graphs/heads")
    #expect(heads.outputTensors.map { heads[$0].kind } == [.logits, .activation])
  }
}

extension Layer {
  fileprivate var shortKind: String {
    switch kind {
    case .convolution: "conv"
    case .dense: "dense"
    case .maxPool: "max"
    case .averagePool: "pool"
    case .add: "add"
    case .concatenate: "concat"
    case .slice: "slice"
    case .resize: "resize"
    }
  }
}
