import Diagnostics
import GraphIR
import TernaryIR

extension GraphLowering {
  /// The layer that a pending one of one input becomes.
  func kind(
    _ layer: PendingLayer, _ domains: [ClosedRange<Int>], _ requantizer: Requantizer?
  ) -> Layer.Kind {
    switch (layer.operation, requantizer) {
    case (.convolution(let weights, let groupChannels, let groups, let window), let requantizer?):
      .convolution(
        TernaryIR.Convolution(
          weights: weights, outputChannels: layer.shape.channels, groupChannels: groupChannels, groups: groups,
          window: window, accumulators: domains, requantizer: requantizer))
    case (.dense(let weights), let requantizer?):
      .dense(
        TernaryIR.Dense(
          weights: weights, outputs: layer.shape.channels, accumulators: domains, requantizer: requantizer))
    case (.averagePool(let window), let requantizer):
      .averagePool(AveragePool(window: window, accumulators: domains[0], requantizer: requantizer))
    case (_, nil), (.identity, _), (.addition, _), (.concatenation, _):
      preconditionFailure("only an average pool may go without a requantizer, and identities have been normalized")
    }
  }

  /// Adds the layer that a pending one has become, unless it is there already.
  mutating func append(
    _ kind: Layer.Kind, of layer: PendingLayer, _ tensor: Tensor
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    if let known = closed.output(layer.origin, kind, tensor, tensors) { return known }
    guard !layer.hasWeights || closed.isNew(layer.origin) else {
      throw ModelError(.branchBeforeQuantizer(layer.name, tensor.name, graph.framework))
    }
    tensors.append(tensor)
    let output = TernaryNetwork.TensorID(tensors.count - 1)
    let name = closed.uniqueName(layer.name)
    layers.append(Layer(name: name, kind: kind, inputs: layer.sources, output: output))
    closed.add(layer.origin, kind, output)
    return output
  }
}
