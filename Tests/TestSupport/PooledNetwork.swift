import Sterna
import TernaryIR

extension TernaryNetwork {
  /// The network up to its last convolution that a max pool can follow, with such a pool: windows that neither overlap nor
  /// leave the map, as fusion wants them. Random networks hardly have any. Nil where there is no such convolution.
  package func withMaxPool(seed: UInt64) -> TernaryNetwork? {
    var generator = SplitMix64(seed: seed ^ 0x9001_9001_9001_9001)
    let index = layers.lastIndex { layer in
      guard case .convolution = layer.kind else { return false }
      let tensor = self[layer.output]
      return tensor.kind != .logits && min(tensor.shape.height, tensor.shape.width) > 1
    }
    guard let index else { return nil }
    var network = self
    network.layers.removeSubrange((index + 1)...)
    var output = self[layers[index].output]
    let height = generator.pick([1, 2, 2, 3].filter { $0 <= output.shape.height })
    let width = generator.pick([1, 2, 2, 3].filter { $0 <= output.shape.width })
    let window = Window(kernelHeight: height, kernelWidth: width, strideHeight: height, strideWidth: width)
    guard let size = window.outputSize(height: output.shape.height, width: output.shape.width) else { return nil }
    output.name = "pooled"
    output.shape = Shape(output.shape.channels, size.height, size.width)
    network.tensors.append(output)
    network.outputTensor = TensorID(network.tensors.count - 1)
    network.layers.append(
      Layer(name: "pool", kind: .maxPool(window), inputs: [layers[index].output], output: network.outputTensor))
    return network
  }
}
