import ReferenceInterpreter
import Scheduling
import TernaryIR
import TestSupport
import Testing

/// What makes the random networks worth comparing with: they are well formed, alive and of all kinds.
@Suite struct RandomNetworkTests {
  private static let seeds: [UInt64] = Array(1...200)
  private static let networks = seeds.map { RandomNetwork.make(seed: $0) }

  @Test func areWellFormedAndCanBePlanned() {
    for (seed, network) in zip(Self.seeds, Self.networks) {
      #expect(network.problems().isEmpty, "seed \(seed): \(network.problems().map(\.message))")
      do {
        let plan = try Scheduler.plan(network, PlanningOptions(name: "net"))
        #expect(plan.problems().isEmpty, "seed \(seed): \(plan.problems().map(\.message))")
      } catch {
        Issue.record("seed \(seed): \(error.diagnostics.map(\.message))")
      }
    }
  }

  @Test func areTheSameForASeed() {
    for seed: UInt64 in [1, 77] { #expect(RandomNetwork.make(seed: seed) == RandomNetwork.make(seed: seed)) }
    #expect(RandomNetwork.make(seed: 1) != RandomNetwork.make(seed: 2))
  }

  @Test func surviveTheTextualForm() throws {
    for network in Self.networks { #expect(try TernaryNetwork(parsing: network.text) == network) }
  }

  /// Every value lies in its tensor's range, and at least 90 % of all channels take three or more values (two where one
  /// bit has no more) over fresh inputs, which calibration has not seen.
  @Test func areAliveAndHonest() {
    var channels = 0
    var alive = 0
    for (seed, network) in zip(Self.seeds, Self.networks) {
      let interpreter = Interpreter(network)
      var seen = network.layers.map { [Set<Int32>](repeating: [], count: network[$0.output].shape.channels) }
      for input in randomInputs(for: network, count: 20, seed: seed &+ 1000) {
        for (index, values) in interpreter.run(input).layers.enumerated() {
          let plane = values.count / seen[index].count
          for channel in seen[index].indices {
            seen[index][channel].formUnion(values[(channel * plane)..<((channel + 1) * plane)])
          }
        }
      }
      for (layer, sets) in zip(network.layers, seen) {
        let tensor = network[layer.output]
        #expect(
          sets.joined().allSatisfy { tensor.range.contains(Int($0)) },
          "seed \(seed), \(layer.name): a value outside \(tensor.range)")
        channels += sets.count
        alive += sets.count { $0.count >= min(3, tensor.grid.count) }
      }
    }
    print("\(channels) channels, \(alive * 1000 / channels) per mille alive")
    #expect(alive * 10 >= channels * 9, "\(alive) of \(channels) channels live")
  }

  /// Inputs begin with the extremes.
  @Test func inputsHoldTheExtremes() {
    let network = Self.networks[0]
    let tensor = network[network.inputTensor]
    let inputs = randomInputs(for: network, count: 8, seed: 1)
    #expect(inputs.count == 8)
    #expect(inputs.allSatisfy { $0.count == tensor.shape.count })
    #expect(Set(inputs[0]) == [Int32(tensor.range.lowerBound)])
    #expect(Set(inputs[1]) == [Int32(tensor.range.upperBound)])
    #expect(Set(inputs.joined()).isSubset(of: Set(tensor.range.map(Int32.init))))
  }

  /// Each feature that the compiler has a case for occurs in several of the networks.
  @Test func coverEverything() {
    var counts: [String: Int] = [:]
    for network in Self.networks {
      var seen: Set<String> = ["\(min(network.layers.count, 9)) layers"]
      for layer in network.layers {
        let input = network[layer.input]
        let output = network[layer.output]
        var windows: [Window] = []
        switch layer.kind {
        case .convolution(let convolution):
          seen.insert("convolution on \(input.kind)")
          seen.insert(convolution.isDepthwise ? "depthwise" : convolution.groups > 1 ? "grouped" : "dense channels")
          seen.insert("kernel height \(convolution.window.kernelHeight)")
          seen.insert("kernel width \(convolution.window.kernelWidth)")
          seen.insert("stride \(convolution.window.strideHeight)")
          windows = [convolution.window]
          if convolution.window.hasPadding { seen.insert(input.zeroPoint == 0 ? "zeros around" : "zero points around") }
          if input.zeroPoint & 1 != 0 { seen.insert("odd zero point") }
        case .dense:
          seen.insert("dense on \(input.kind)")
          seen.insert(layer.output == network.outputTensor ? "dense last" : "dense inside")
        case .maxPool(let window):
          seen.insert(window.hasPadding ? "max pool, padded" : "max pool")
          windows = [window]
        case .averagePool(let pool):
          seen.insert("average pool to \(output.kind)")
          if pool.window.hasPadding { seen.insert("average pool, padded") }
          windows = [pool.window]
        case .add, .concatenate, .slice, .resize: break
        }
        for window in windows {
          if window.kernelHeight != window.kernelWidth { seen.insert("not square") }
          if window.top != window.bottom || window.left != window.right { seen.insert("asymmetric padding") }
          if window.strideHeight < window.kernelHeight, window.kernelHeight > 1 { seen.insert("overlap") }
          if window.strideHeight > window.kernelHeight { seen.insert("gaps") }
        }
        if let requantizer = layer.requantizer {
          let place = if case .averagePool = layer.kind { "pool" } else { "layer" }
          switch requantizer.form {
          case .affine(let multipliers, _, let shift):
            seen.insert("\(place): affine")
            if shift > 24 { seen.insert("large shift") }
            if multipliers.contains(where: { $0 > 1 << 24 }) { seen.insert("large multiplier") }
          case .affineHalfEven: seen.insert("\(place): half-even")
          case .thresholds: seen.insert("\(place): thresholds")
          case .logits: seen.insert("\(place): logits")
          }
        }
        if output.kind == .activation {
          seen.insert("\((output.grid.count).bitWidth - (output.grid.count - 1).leadingZeroBitCount) bits")
          seen.insert(output.grid.lowerBound < 0 ? "signed" : "unsigned")
        }
        if output.shape.width == 1, input.shape.width == 1, input.shape.height > 1 { seen.insert("column") }
      }
      let result = network[network.outputTensor]
      seen.insert("\(result.kind) \(result.shape.height * result.shape.width > 1 ? "map" : "vector") out")
      for feature in seen { counts[feature, default: 0] += 1 }
    }
    let wanted =
      (1...8).flatMap { ["\($0) layers", "\($0) bits"] }
      + (1...7).flatMap { ["kernel height \($0)", "kernel width \($0)"] }
      + (1...3).map { "stride \($0)" }
      + [
        "convolution on activation", "convolution on sum", "dense on activation", "dense on sum", "dense inside",
        "dense last", "depthwise", "grouped", "dense channels", "zeros around", "zero points around", "odd zero point",
        "max pool", "max pool, padded", "average pool, padded", "average pool to sum", "average pool to activation",
        "average pool to logits", "not square", "asymmetric padding", "overlap", "gaps", "layer: affine",
        "layer: half-even", "layer: thresholds", "layer: logits", "pool: affine", "pool: half-even", "pool: thresholds",
        "pool: logits", "large shift", "large multiplier", "signed", "unsigned", "column", "logits map out",
        "logits vector out", "activation map out", "activation vector out",
      ]
    for feature in wanted { #expect(counts[feature, default: 0] >= 3, "\(feature)") }
  }
}
