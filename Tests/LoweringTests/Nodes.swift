import Diagnostics
import GraphIR
import Lowering
import ReferenceInterpreter
import TernaryIR
import Testing

// Nodes for small graphs, and what is checked of a graph as a whole.

/// The input's scale is 0.5 throughout.
func input(zeroPoint: Int, _ grid: ClosedRange<Int>) -> GraphIR.Operation {
  quantize(0.5, grid, zeroPoint: zeroPoint)
}

func quantize(
  _ scale: Float, _ grid: ClosedRange<Int>, zeroPoint: Int = 0, order: Quantizer.ZeroPointOrder = .beforeRounding
) -> GraphIR.Operation {
  .quantize(
    Quantizer(
      scale: scale, zeroPoint: zeroPoint, minimum: grid.lowerBound, maximum: grid.upperBound, zeroPointOrder: order,
      isSigned: grid.lowerBound < 0))
}

func padded(_ kernel: Int) -> GraphIR.Window {
  let margin = kernel / 2
  return GraphIR.Window(
    kernel: (kernel, kernel), padding: Padding(top: margin, left: margin, bottom: margin, right: margin))
}

/// A pattern without symmetries.
func pattern(_ count: Int) -> [Int8] { (0..<count).map { Int8(($0 * $0 + $0 / 3) % 3) - 1 } }

func conv(
  _ outputs: Int, _ groupChannels: Int, _ window: GraphIR.Window, scales: [Float] = [0.25], bias: [Float]? = nil,
  groups: Int = 1
) -> GraphIR.Operation {
  let count = outputs * groupChannels * window.kernelHeight * window.kernelWidth
  return .convolution(
    GraphIR.Convolution(
      weights: TernaryWeights(
        name: "w", values: pattern(count), shape: [outputs, groupChannels, window.kernelHeight, window.kernelWidth],
        scales: scales),
      bias: bias.map { $0.map { ExactConstant(scale: $0) } }, window: window, groups: groups))
}

func dense(_ outputs: Int, _ inputs: Int, scales: [Float] = [0.25], bias: [Float]? = nil) -> GraphIR.Operation {
  .dense(
    GraphIR.Dense(
      weights: TernaryWeights(name: "w", values: pattern(outputs * inputs), shape: [outputs, inputs], scales: scales),
      bias: bias.map { $0.map { ExactConstant(scale: $0) } }))
}

/// With variances whose roots are exact.
func normalize(gamma: [Float], beta: [Float], mean: [Float]) -> GraphIR.Operation {
  .batchNormalization(
    BatchNormalization(
      gamma: gamma, beta: beta, mean: mean, variance: [Float](repeating: 4, count: gamma.count), epsilon: 0))
}

// MARK: Checks

func samples(_ size: Int, _ range: ClosedRange<Int>, seed: UInt64, count: Int) -> [[Int32]] {
  var generator = Generator(state: seed)
  return (0..<count).map { index in
    (0..<size).map { _ in
      Int32(index == 0 ? range.lowerBound : index == 1 ? range.upperBound : generator.pick(range))
    }
  }
}

/// Lowers a chain and compares the integers with the graph's real values on random samples: exactly, or for logits
/// within the resolution that they claim.
///
/// - Parameter isLively: Whether the outputs must take several values.
@discardableResult
func check(
  _ chain: Chain, samples count: Int = 40, isLively: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) throws -> TernaryNetwork {
  let network = try Lowering.lower(chain.graph)
  #expect(network.problems().isEmpty, sourceLocation: sourceLocation)
  let interpreter = Interpreter(network)
  let source = network[network.inputTensor]
  #expect(network.outputTensors.count == chain.graph.outputs.count, sourceLocation: sourceLocation)
  var distinct: Set<Int32> = []
  for sample in samples(source.shape.count, source.range, seed: 5, count: count) {
    let real = sample.map { source.scale * Double(Int($0) - source.zeroPoint) }
    let expected = Reference.outputs(chain.graph, real)
    let run = interpreter.run(sample)
    distinct.formUnion(run.outputs.flatMap { $0 })
    for (layer, values) in zip(network.layers, run.layers) {
      let range = network[layer.output].range
      #expect(values.allSatisfy { range.contains(Int($0)) }, "\(layer.name)", sourceLocation: sourceLocation)
    }
    for (output, (integers, expected)) in zip(network.outputTensors, zip(run.outputs, expected)) {
      let result = network[output]
      let requantizer = network.layers.first { $0.output == output }?.requantizer
      let resolution = result.kind == .logits ? requantizer?.proof.resolution ?? 0 : 0
      guard integers.count == expected.count else {
        Issue.record("\(integers.count) outputs, expected \(expected.count)", sourceLocation: sourceLocation)
        return network
      }
      for (q, x) in zip(integers, expected) {
        let error = abs(result.scale * Double(Int(q) - result.zeroPoint) - x)
        // Inexact constants leave Double's own noise.
        let noise = resolution > 0 ? 1e-12 * max(abs(x), 1) : 0
        #expect(error <= resolution * result.scale + noise, "\(q) for \(x)", sourceLocation: sourceLocation)
      }
    }
  }
  #expect(distinct.count > 2 || !isLively, "the outputs say nothing", sourceLocation: sourceLocation)
  return network
}

func expect(code: String, _ chain: Chain, sourceLocation: SourceLocation = #_sourceLocation) {
  do {
    _ = try Lowering.lower(chain.graph)
    Issue.record("lowered: expected \(code)", sourceLocation: sourceLocation)
  } catch {
    #expect(error.diagnostics.map(\.code) == [code], sourceLocation: sourceLocation)
  }
}
