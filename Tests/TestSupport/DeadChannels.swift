import Sterna
import TernaryIR

extension TernaryNetwork {
  /// The network after training has let channels die: some of every convolution and hidden dense layer have no weights
  /// left, some are saturated, and at some no weight looks.
  ///
  /// - Parameter entirely: Whether a layer, the last one perhaps, may lose all of its channels.
  package func withDeadChannels(seed: UInt64, entirely: Bool = false) -> TernaryNetwork {
    var generator = SplitMix64(seed: seed ^ 0xDEAD_C4A2_2E15_0001)
    var network = self
    for index in layers.indices where entirely || !outputTensors.contains(layers[index].output) {
      let channels = self[layers[index].output].shape.channels
      let percent = entirely && generator.chance(40) ? 100 : 30
      for channel in 0..<channels where generator.chance(percent) {
        switch generator.pick(0...2) {
        case 0: network.layers[index].clearWeights(ofOutput: channel)
        case 1: network.layers[index].saturate(channel, of: channels, atMaximum: generator.chance(50))
        default: network.ignore(channel, behind: index)
        }
      }
    }
    for index in network.layers.indices { network.updateRange(ofLayer: index) }
    return network
  }

  /// Clears the weights that the next layer has for a channel, where it has any for that channel alone.
  private mutating func ignore(_ channel: Int, behind index: Int) {
    guard index + 1 < layers.count, layers[index + 1].inputs == [layers[index].output] else { return }
    let shape = self[layers[index].output].shape
    switch layers[index + 1].kind {
    case .convolution(var convolution) where convolution.groups == 1:
      let plane = convolution.window.kernelHeight * convolution.window.kernelWidth
      for tap in convolution.weights.indices where tap % convolution.taps / plane == channel {
        convolution.weights[tap] = 0
      }
      layers[index + 1].kind = .convolution(convolution)
    case .dense(var dense):
      for tap in dense.weights.indices where tap % dense.taps / (shape.height * shape.width) == channel {
        dense.weights[tap] = 0
      }
      layers[index + 1].kind = .dense(dense)
    default: break
    }
  }

  /// Weights have changed: so have the accumulators, and the values that a saturated channel has.
  private mutating func updateRange(ofLayer index: Int) {
    let (source, target) = (self[layers[index].input], layers[index].output.index)
    let domains: [ClosedRange<Int>]
    switch layers[index].kind {
    case .convolution(var convolution):
      convolution.accumulators = Convolution.accumulators(
        convolution.weights, outputChannels: convolution.outputChannels, window: convolution.window, input: source)
      domains = convolution.accumulators
      layers[index].kind = .convolution(convolution)
    case .dense(var dense):
      dense.accumulators = Dense.accumulators(dense.weights, outputs: dense.outputs, input: source)
      domains = dense.accumulators
      layers[index].kind = .dense(dense)
    case .averagePool(var pool):
      pool.accumulators = AveragePool.accumulators(pool.window, input: source)
      domains = [pool.accumulators]
      if pool.requantizer == nil { tensors[target].range = pool.accumulators }
      layers[index].kind = .averagePool(pool)
    case .maxPool, .slice, .resize:
      tensors[target].range = source.range
      return
    case .add(var addition):
      let inputs = layers[index].inputs.map { self[$0] }
      // Ranges have become no wider.
      addition.accumulators =
        Addition.accumulators(addition.multipliers, inputs: inputs) ?? addition.accumulators
      domains = [ClosedRange<Int>](repeating: addition.accumulators, count: addition.requantizer.entries)
      layers[index].kind = .add(addition)
    case .concatenate(let concatenation):
      let ranges = zip(layers[index].inputs, concatenation.requantizers).map { input, requantizer in
        requantizer.map { Builder.range($0, [self[input].range]) } ?? self[input].range
      }
      tensors[target].range = (ranges.map(\.lowerBound).min() ?? 0)...(ranges.map(\.upperBound).max() ?? 0)
      return
    }
    guard let requantizer = layers[index].requantizer else { return }
    tensors[target].range = Builder.range(requantizer, domains)
  }
}

extension Layer {
  fileprivate mutating func clearWeights(ofOutput output: Int) {
    switch kind {
    case .convolution(var convolution):
      for tap in (output * convolution.taps)..<((output + 1) * convolution.taps) { convolution.weights[tap] = 0 }
      kind = .convolution(convolution)
    case .dense(var dense):
      for tap in (output * dense.taps)..<((output + 1) * dense.taps) { dense.weights[tap] = 0 }
      kind = .dense(dense)
    case .maxPool, .averagePool, .add, .concatenate, .slice, .resize: break
    }
  }

  /// Moves a channel's offset so far that every accumulator is clamped.
  fileprivate mutating func saturate(_ channel: Int, of channels: Int, atMaximum: Bool) {
    func saturated(_ requantizer: Requantizer) -> Requantizer {
      var result = requantizer.expanded(to: channels)
      let far = (atMaximum ? 1 : -1) << 50
      switch result.form {
      case .affine(let multipliers, var offsets, let shift):
        offsets[channel] = far
        result.form = .affine(multipliers: multipliers, offsets: offsets, shift: shift)
      case .affineHalfEven(let multipliers, var offsets, let shift):
        offsets[channel] = far
        result.form = .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
      case .thresholds(var lists):
        lists[channel] = lists[channel].map { _ in atMaximum ? -1 << 29 : 1 << 29 }
        result.form = .thresholds(lists)
      case .logits: break
      }
      return result
    }
    switch kind {
    case .convolution(var convolution):
      convolution.requantizer = saturated(convolution.requantizer)
      kind = .convolution(convolution)
    case .dense(var dense):
      dense.requantizer = saturated(dense.requantizer)
      kind = .dense(dense)
    case .maxPool, .averagePool, .add, .concatenate, .slice, .resize: break
    }
  }
}
