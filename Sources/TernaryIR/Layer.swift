/// One step of the integer-only network.
package struct Layer: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case convolution(Convolution)
    case dense(Dense)
    case maxPool(Window)
    case averagePool(AveragePool)
  }

  /// The ONNX node that it comes from; unique.
  package var name: String
  package var kind: Kind
  package var inputs: [TernaryNetwork.TensorID]
  package var output: TernaryNetwork.TensorID

  package init(
    name: String, kind: Kind, inputs: [TernaryNetwork.TensorID], output: TernaryNetwork.TensorID
  ) {
    self.name = name
    self.kind = kind
    self.inputs = inputs
    self.output = output
  }

  package var input: TernaryNetwork.TensorID { inputs[0] }

  /// Requantizer of the layer's accumulators; nil of a max pool and of an average pool that keeps its exact sum.
  package var requantizer: Requantizer? {
    switch kind {
    case .convolution(let convolution): convolution.requantizer
    case .dense(let dense): dense.requantizer
    case .averagePool(let pool): pool.requantizer
    case .maxPool: nil
    }
  }
}

/// A window that slides over rows and columns; output row `oy` covers input rows from `oy · strideHeight − top`.
package struct Window: Sendable, Equatable {
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  package var top: Int
  package var left: Int
  package var bottom: Int
  package var right: Int

  package init(
    kernelHeight: Int, kernelWidth: Int, strideHeight: Int = 1, strideWidth: Int = 1, top: Int = 0, left: Int = 0,
    bottom: Int = 0, right: Int = 0
  ) {
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// Extents after the window has slid over `height × width`; nil where it does not fit once.
  package func outputSize(height: Int, width: Int) -> (height: Int, width: Int)? {
    let rows = height + top + bottom - kernelHeight
    let columns = width + left + right - kernelWidth
    guard rows >= 0, columns >= 0 else { return nil }
    return (rows / strideHeight + 1, columns / strideWidth + 1)
  }

  package var hasPadding: Bool { top > 0 || left > 0 || bottom > 0 || right > 0 }
}

/// `a[oc] = Σ t · q` over the window; a padded position holds the input's zero point.
package struct Convolution: Sendable, Equatable {
  /// −1, 0 or +1, in the order `[output channel][input channel of the group][ky][kx]`.
  package var weights: [Int8]
  package var outputChannels: Int
  /// Input channels that one output channel reads (1 for a depthwise convolution).
  package var groupChannels: Int
  package var groups: Int
  package var window: Window
  /// Reachable accumulators of each output channel.
  package var accumulators: [ClosedRange<Int>]
  package var requantizer: Requantizer

  package init(
    weights: [Int8], outputChannels: Int, groupChannels: Int, groups: Int, window: Window,
    accumulators: [ClosedRange<Int>], requantizer: Requantizer
  ) {
    self.weights = weights
    self.outputChannels = outputChannels
    self.groupChannels = groupChannels
    self.groups = groups
    self.window = window
    self.accumulators = accumulators
    self.requantizer = requantizer
  }

  /// Weights of one output channel.
  package var taps: Int { groupChannels * window.kernelHeight * window.kernelWidth }
  package var isDepthwise: Bool { groups > 1 && groupChannels == 1 }
}

/// `a[o] = Σ t · q` over the whole input, taken in the order `[channel][row][column]`.
package struct Dense: Sendable, Equatable {
  /// −1, 0 or +1, in the order `[output][channel][row][column]`.
  package var weights: [Int8]
  package var outputs: Int
  package var accumulators: [ClosedRange<Int>]
  package var requantizer: Requantizer

  package init(weights: [Int8], outputs: Int, accumulators: [ClosedRange<Int>], requantizer: Requantizer) {
    self.weights = weights
    self.outputs = outputs
    self.accumulators = accumulators
    self.requantizer = requantizer
  }

  package var taps: Int { weights.count / outputs }
}

/// `a = Σ q` over the window, per channel; a padded position holds the zero point.
package struct AveragePool: Sendable, Equatable {
  package var window: Window
  /// Reachable sums, the same for every channel.
  package var accumulators: ClosedRange<Int>
  /// nil: the output is the sum itself.
  package var requantizer: Requantizer?

  package init(window: Window, accumulators: ClosedRange<Int>, requantizer: Requantizer?) {
    self.window = window
    self.accumulators = accumulators
    self.requantizer = requantizer
  }
}

extension Layer {
  /// Weights as the network has them; nil of a layer that has none.
  package var ternaryWeights: [Int8]? {
    switch kind {
    case .convolution(let convolution): convolution.weights
    case .dense(let dense): dense.weights
    case .maxPool, .averagePool: nil
    }
  }
}
