import ReferenceInterpreter
import Scheduling
import TernaryIR

/// Accumulators that seeded sample inputs really reach, layer by layer.
struct Observations: Sendable {
  struct Layer: Sendable {
    /// How often each accumulator of levels occurred.
    var counts: [Int: Int]
    var range: ClosedRange<Int>
  }

  let samples: Int
  /// One for each stage; nil where it has no sums.
  let layers: [Layer?]

  /// Most multiply-accumulates that the interpreter may take, so that a page of a large network is soon there.
  private static let limit = 400_000_000
  private static let seed: UInt64 = 1
  /// The first samples of the generator are flat extremes, which say little about a distribution.
  private static let skipped = 4

  init(_ network: TernaryNetwork, _ plan: FirmwarePlan, wanted: Int) {
    let cost = plan.contexts.reduce(0) { sum, stage in
      sum + stage.variant.geometry.sums.height * stage.variant.geometry.sums.width
        * (stage.layer.ternaryWeights?.count ?? 0)
    }
    samples = min(wanted, Self.limit / max(2 * cost, 1))
    guard samples > 0 else {
      layers = plan.contexts.map { _ in nil }
      return
    }
    let inputs = SampleInputs.make(for: plan.input, count: Self.skipped + samples, seed: Self.seed)
    let probes = plan.contexts.map { Probe($0, network) }
    var counts = [[Int: Int]](repeating: [:], count: probes.count)
    for input in inputs.dropFirst(Self.skipped) {
      var values = [network.inputTensor: input]
      let results = Interpreter(network).run(input).layers
      for (layer, result) in zip(network.layers, results) { values[layer.output] = result }
      for (index, probe) in probes.enumerated() {
        guard let probe, let source = values[plan.contexts[index].layer.input] else { continue }
        probe.count(source, into: &counts[index])
      }
    }
    layers = counts.map { counts in
      guard let low = counts.keys.min(), let high = counts.keys.max() else { return nil }
      return Layer(counts: counts, range: low...high)
    }
  }
}

/// One layer that hands out its accumulators: its requantizer is replaced by one that changes nothing.
private struct Probe {
  let interpreter: Interpreter
  /// Accumulators of levels minus those of integers, for each channel (or one for all).
  let shifts: [Int]
  let plane: Int

  /// nil where the layer has no sums, or sums that the interpreter's results can not hold.
  init?(_ stage: Context, _ network: TernaryNetwork) {
    let identity = Requantizer(
      form: .logits(multipliers: [1], offsets: [0]), minimum: Int(Int32.min), maximum: Int(Int32.max))
    var layer = stage.layer
    let ranges: [ClosedRange<Int>]
    let weightSums: [Int]
    switch stage.layer.kind {
    case .convolution(var convolution):
      ranges = convolution.accumulators
      weightSums = Self.sums(convolution.weights, convolution.taps)
      convolution.requantizer = identity
      layer.kind = .convolution(convolution)
    case .dense(var dense):
      ranges = dense.accumulators
      weightSums = Self.sums(dense.weights, dense.taps)
      dense.requantizer = identity
      layer.kind = .dense(dense)
    case .averagePool(var pool):
      ranges = [pool.accumulators]
      weightSums = [pool.window.kernelHeight * pool.window.kernelWidth]
      if pool.requantizer != nil { pool.requantizer = identity }
      layer.kind = .averagePool(pool)
    case .maxPool, .add, .concatenate, .slice, .resize: return nil
    }
    guard ranges.allSatisfy({ Int32(exactly: $0.lowerBound) != nil && Int32(exactly: $0.upperBound) != nil }) else {
      return nil
    }
    var probe = network
    probe.layers = [layer]
    probe.inputTensor = layer.input
    probe.outputTensor = layer.output
    interpreter = Interpreter(probe)
    shifts = weightSums.map { -$0 * stage.input.storage.base }
    plane = stage.variant.geometry.sums.height * stage.variant.geometry.sums.width
  }

  func count(_ input: [Int32], into counts: inout [Int: Int]) {
    for (index, value) in interpreter.run(input).output.enumerated() {
      counts[Int(value) + shifts[shifts.count == 1 ? 0 : index / plane], default: 0] += 1
    }
  }

  private static func sums(_ weights: [Int8], _ taps: Int) -> [Int] {
    stride(from: 0, to: weights.count, by: taps).map { weights[$0..<($0 + taps)].reduce(0) { $0 + Int($1) } }
  }
}
