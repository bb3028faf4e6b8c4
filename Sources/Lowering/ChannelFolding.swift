import Diagnostics
import TernaryIR

/// A network without the channels that firmware need not compute.
package struct ReducedNetwork: Sendable, Equatable {
  package var network: TernaryNetwork
  /// Of each tensor, the channels that are left, ascending, as the whole network numbers them.
  package var kept: [[Int]]

  /// The values of a tensor's kept channels.
  ///
  /// - Parameter values: Of all channels, `[channel][row][column]`.
  package func select<Value>(_ values: [Value], of tensor: TernaryNetwork.TensorID) -> [Value] {
    let shape = network[tensor].shape
    let plane = shape.height * shape.width
    guard values.count > kept[tensor.index].count * plane else { return values }
    return kept[tensor.index].flatMap { values[($0 * plane)..<(($0 + 1) * plane)] }
  }
}

/// Leaves channels out: those that are the same for every input, whose share of the accumulators behind them moves into
/// the requantizers there, and those that no weight looks at. Pruned and trained-away channels are common; each takes its
/// part of rings, tables and work with it.
///
/// Every channel that is kept has the values that it had. The channels of the input and the outputs are all kept, and those
/// of the tensors that an addition, concatenation or slice reads or makes. What several layers read keeps the channels that
/// one of them needs.
package struct DeadChannelElimination {
  private var network: TernaryNetwork
  /// Of each tensor, the value of each channel that has but one.
  private var constants: [[Int?]]

  /// - Throws: `ModelError` where the result is malformed, which is a defect of this pass.
  package static func fold(_ network: TernaryNetwork) throws(ModelError) -> ReducedNetwork {
    var reduced = ReducedNetwork(network: network, kept: network.tensors.map { Array(0..<$0.shape.channels) })
    while true {
      var folding = DeadChannelElimination(network: reduced.network, constants: [])
      folding.findConstants()
      let kept = folding.keptChannels()
      // What looks at a channel that is left out may be needed no longer itself.
      if kept.elementsEqual(reduced.network.tensors, by: { $0.count == $1.shape.channels }) { break }
      reduced.network = folding.reduced(to: kept)
      reduced.kept = zip(reduced.kept, kept).map { before, now in now.map { before[$0] } }
    }
    let problems = reduced.network.problems()
    guard problems.isEmpty else { throw ModelError(problems) }
    return reduced
  }

  // MARK: Constants

  /// Finds the channels that have one value, and takes the weights from them.
  private mutating func findConstants() {
    constants = network.tensors.map { [Int?](repeating: nil, count: $0.shape.channels) }
    for index in network.layers.indices {
      let layer = network.layers[index]
      let source = network[layer.input]
      let values = constants[layer.input.index]
      switch layer.kind {
      case .convolution(var convolution):
        let found = (0..<convolution.outputChannels).map { channel in
          convolution.requantizer.constant(of: channel, over: sums(convolution, channel, source, values))
        }
        convolution.requantizer.fix(found)
        for case (let channel, .some) in found.enumerated() {
          for tap in 0..<convolution.taps { convolution.weights[channel * convolution.taps + tap] = 0 }
        }
        constants[layer.output.index] = found
        network.layers[index].kind = .convolution(convolution)
      case .dense(let dense) where !network.outputTensors.contains(layer.output):
        constants[layer.output.index] = (0..<dense.outputs).map { output in
          dense.requantizer.constant(of: output, over: sums(dense, output, source, values))
        }
      case .dense: break
      case .maxPool, .resize: constants[layer.output.index] = values
      case .slice(let slice):
        constants[layer.output.index] = Array(values[slice.first..<(slice.first + slice.count)])
      case .add, .concatenate: break
      case .averagePool(let pool):
        let taps = pool.window.kernelHeight * pool.window.kernelWidth
        constants[layer.output.index] = values.map { value in
          guard let value, isUniform(value, source, pool.window) else { return nil }
          return pool.requantizer.map { RequantizerEntry($0, channel: 0)(taps * value) } ?? taps * value
        }
      }
    }
  }

  /// Whether a window over a constant channel sees that value at every place.
  private func isUniform(_ value: Int, _ tensor: Tensor, _ window: Window) -> Bool {
    !window.hasPadding || value == tensor.zeroPoint
  }

  /// Bounds of an output channel's accumulators.
  private func sums(
    _ convolution: Convolution, _ channel: Int, _ source: Tensor, _ values: [Int?]
  ) -> ClosedRange<Int> {
    let first = channel / (convolution.outputChannels / convolution.groups) * convolution.groupChannels
    let taps = convolution.taps / convolution.groupChannels
    return sum(
      (0..<convolution.groupChannels).map { place in
        let start = channel * convolution.taps + place * taps
        let weights = convolution.weights[start..<(start + taps)]
        guard let value = values[first + place], isUniform(value, source, convolution.window) else {
          return reachableAccumulators(weights, source.range(paddedBy: convolution.window))
        }
        return weights.total(times: value)
      })
  }

  private func sums(_ dense: Dense, _ output: Int, _ source: Tensor, _ values: [Int?]) -> ClosedRange<Int> {
    sum(
      values.indices.map { channel in
        let weights = dense.weights(output, channel, source.shape)
        return values[channel].map(weights.total) ?? reachableAccumulators(weights, source.range)
      })
  }

  private func sum(_ ranges: [ClosedRange<Int>]) -> ClosedRange<Int> {
    ranges.reduce(0...0) { ($0.lowerBound + $1.lowerBound)...($0.upperBound + $1.upperBound) }
  }

  // MARK: Choice

  /// Of each tensor, the channels to keep: at least one.
  private func keptChannels() -> [[Int]] {
    var isNeeded = network.tensors.map { [Bool](repeating: false, count: $0.shape.channels) }
    func keepAll(_ tensors: [TernaryNetwork.TensorID]) {
      for tensor in tensors { isNeeded[tensor.index] = isNeeded[tensor.index].map { _ in true } }
    }
    keepAll(network.outputTensors + [network.inputTensor])
    for layer in network.layers where layer.joinsOrSlices { keepAll(layer.inputs + [layer.output]) }
    for layer in network.layers.reversed() where !layer.joinsOrSlices {
      for channel in isNeeded[layer.input.index].indices
      where needs(layer, channel, isNeeded[layer.output.index]) {
        isNeeded[layer.input.index][channel] = true
      }
    }
    var kept = isNeeded.map { flags in flags.indices.filter { flags[$0] } }
    for layer in network.layers where !layer.joinsOrSlices {
      let target = network[layer.output].shape.channels
      if let perChannel = layer.outputsPerChannel {
        // Such a layer has all outputs of an input channel, or none.
        kept[layer.output.index] = kept[layer.input.index].flatMap { ($0 * perChannel)..<(($0 + 1) * perChannel) }
      } else if layer.isGrouped {
        kept[layer.output.index] = Array(0..<target)
      } else if kept[layer.output.index].isEmpty {
        kept[layer.output.index] = [0]
      }
    }
    return kept
  }

  /// Whether a layer has to see a channel of its input.
  private func needs(_ layer: Layer, _ channel: Int, _ isNeeded: [Bool]) -> Bool {
    let source = network[layer.input]
    let value = constants[layer.input.index][channel]
    if let perChannel = layer.outputsPerChannel {
      return isNeeded[(channel * perChannel)..<((channel + 1) * perChannel)].contains(true)
    }
    switch layer.kind {
    case .convolution(let convolution):
      if layer.isGrouped { return true }
      if let value, isUniform(value, source, convolution.window) { return false }
      return (0..<convolution.outputChannels).contains { convolution.weights($0, channel).contains { $0 != 0 } }
    case .dense(let dense):
      if value != nil { return false }
      return (0..<dense.outputs).contains { dense.weights($0, channel, source.shape).contains { $0 != 0 } }
    case .maxPool, .averagePool, .resize, .add, .concatenate, .slice: return true
    }
  }

  // MARK: Reduction

  /// The network with only these channels.
  private func reduced(to kept: [[Int]]) -> TernaryNetwork {
    var reduced = network
    for index in reduced.tensors.indices { reduced.tensors[index].shape.channels = kept[index].count }
    for (index, layer) in network.layers.enumerated() {
      let (inputs, outputs) = (kept[layer.input.index], kept[layer.output.index])
      let (source, target) = (network[layer.input], reduced[layer.input])
      let values = constants[layer.input.index]
      let leftOut = Set(values.indices).subtracting(inputs).sorted()
      switch layer.kind {
      case .convolution(var convolution):
        if layer.outputsPerChannel != nil {
          convolution.weights = outputs.flatMap { convolution.weights(ofOutput: $0) }
          convolution.groups = inputs.count
        } else if !layer.isGrouped {
          let moved = outputs.map { output in
            leftOut.reduce(0) { $0 + convolution.weights(output, $1).total * (values[$1] ?? 0) }
          }
          convolution.weights = outputs.flatMap { output in inputs.flatMap { convolution.weights(output, $0) } }
          convolution.groupChannels = inputs.count
          convolution.requantizer.select(outputs, of: convolution.outputChannels, movedBy: moved)
        }
        if layer.outputsPerChannel != nil {
          convolution.requantizer.select(outputs, of: convolution.outputChannels, movedBy: outputs.map { _ in 0 })
        }
        convolution.outputChannels = outputs.count
        convolution.accumulators = Convolution.accumulators(
          convolution.weights, outputChannels: outputs.count, window: convolution.window, input: target)
        reduced.layers[index].kind = .convolution(convolution)
      case .dense(var dense):
        let moved = outputs.map { output in
          leftOut.reduce(0) { $0 + dense.weights(output, $1, source.shape).total * (values[$1] ?? 0) }
        }
        dense.requantizer.select(outputs, of: dense.outputs, movedBy: moved)
        dense.weights = outputs.flatMap { output in inputs.flatMap { dense.weights(output, $0, source.shape) } }
        dense.outputs = outputs.count
        dense.accumulators = Dense.accumulators(dense.weights, outputs: outputs.count, input: target)
        reduced.layers[index].kind = .dense(dense)
      case .maxPool, .averagePool, .add, .concatenate, .slice, .resize: break
      }
    }
    return reduced
  }
}

extension Layer {
  /// Outputs of each input channel, where a layer looks at none but that: 1 of a pool.
  fileprivate var outputsPerChannel: Int? {
    switch kind {
    case .convolution(let convolution):
      convolution.groups > 1 && convolution.groupChannels == 1 ? convolution.outputChannels / convolution.groups : nil
    case .dense, .add, .concatenate, .slice: nil
    case .maxPool, .averagePool, .resize: 1
    }
  }

  /// A layer whose inputs and output keep all channels.
  fileprivate var joinsOrSlices: Bool {
    switch kind {
    case .add, .concatenate, .slice: true
    case .convolution, .dense, .maxPool, .averagePool, .resize: false
    }
  }

  /// A convolution whose groups have several channels each: they would have to stay equally large.
  fileprivate var isGrouped: Bool {
    if case .convolution(let convolution) = kind {
      convolution.groups > 1 && convolution.groupChannels > 1
    } else {
      false
    }
  }
}

extension Convolution {
  fileprivate func weights(ofOutput output: Int) -> ArraySlice<Int8> {
    weights[(output * taps)..<((output + 1) * taps)]
  }

  /// Of an output channel over an input channel of its group.
  fileprivate func weights(_ output: Int, _ channel: Int) -> ArraySlice<Int8> {
    let count = taps / groupChannels
    let start = output * taps + channel * count
    return weights[start..<(start + count)]
  }
}

extension Dense {
  /// Of an output over an input channel.
  fileprivate func weights(_ output: Int, _ channel: Int, _ shape: Shape) -> ArraySlice<Int8> {
    let plane = shape.height * shape.width
    let start = output * taps + channel * plane
    return weights[start..<(start + plane)]
  }
}

extension ArraySlice<Int8> {
  fileprivate var total: Int { reduce(0) { $0 + Int($1) } }
  fileprivate func total(times value: Int) -> ClosedRange<Int> { (total * value)...(total * value) }
}

extension Requantizer {
  /// What all accumulators of a range become, if that is one value. The form does not decrease.
  fileprivate func constant(of channel: Int, over range: ClosedRange<Int>) -> Int? {
    if case .logits = form { return nil }
    let entry = RequantizerEntry(self, channel: entries == 1 ? 0 : channel)
    let least = entry(range.lowerBound)
    return least == entry(range.upperBound) ? least : nil
  }

  /// Gives channels their constants whatever the accumulator.
  fileprivate mutating func fix(_ constants: [Int?]) {
    guard constants.contains(where: { $0 != nil }) else { return }
    self = expanded(to: constants.count)
    for case (let channel, let value?) in constants.enumerated() {
      switch form {
      case .affine(var multipliers, var offsets, let shift):
        (multipliers[channel], offsets[channel]) = (0, value << shift)
        form = .affine(multipliers: multipliers, offsets: offsets, shift: shift)
      case .affineHalfEven(var multipliers, var offsets, let shift):
        (multipliers[channel], offsets[channel]) = (0, value << shift)
        form = .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
      case .thresholds(var lists):
        // Without weights the only accumulator is 0.
        lists[channel] = lists[channel].indices.map { $0 < value - minimum ? 0 : 1 }
        form = .thresholds(lists)
      case .logits: break
      }
    }
  }

  /// Leaves the entries of `channels`, for accumulators that lack `moved` each.
  fileprivate mutating func select(_ channels: [Int], of count: Int, movedBy moved: [Int]) {
    if entries == 1, moved.allSatisfy({ $0 == 0 }) { return }
    let all = expanded(to: count)
    func selected(_ multipliers: [Int], _ offsets: [Int]) -> (multipliers: [Int], offsets: [Int]) {
      (channels.map { multipliers[$0] }, zip(channels, moved).map { offsets[$0] + multipliers[$0] * $1 })
    }
    switch all.form {
    case .affine(let multipliers, let offsets, let shift):
      let (multipliers, offsets) = selected(multipliers, offsets)
      form = .affine(multipliers: multipliers, offsets: offsets, shift: shift)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      let (multipliers, offsets) = selected(multipliers, offsets)
      form = .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
    case .thresholds(let lists):
      form = .thresholds(zip(channels, moved).map { channel, moved in lists[channel].map { $0 - moved } })
    case .logits(let multipliers, let offsets):
      let (multipliers, offsets) = selected(multipliers, offsets)
      form = .logits(multipliers: multipliers, offsets: offsets)
    }
  }
}
