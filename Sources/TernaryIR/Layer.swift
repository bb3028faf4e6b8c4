/// One step of the integer-only network.
package struct Layer: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case convolution(Convolution)
    case dense(Dense)
    case maxPool(Window)
    case averagePool(AveragePool)
    case add(Addition)
    case concatenate(Concatenation)
    case slice(ChannelSlice)
    case resize(Resize)
  }

  /// The ONNX node that it comes from; unique.
  package var name: String
  package var kind: Kind
  /// One; of an addition or concatenation two or more.
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

  /// The first input, of most layers the only one.
  package var input: TernaryNetwork.TensorID { inputs[0] }

  /// Requantizer of the layer's accumulators; nil of what moves values only, and of an average pool that keeps its exact
  /// sum. A concatenation has one for each input, or none.
  package var requantizer: Requantizer? {
    switch kind {
    case .convolution(let convolution): convolution.requantizer
    case .dense(let dense): dense.requantizer
    case .averagePool(let pool): pool.requantizer
    case .add(let addition): addition.requantizer
    case .maxPool, .concatenate, .slice, .resize: nil
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

/// `a = Σ multipliers[i] · q_i`, element by element, over inputs of one shape, then the requantizer. Zero points are part of
/// its offset.
///
/// The multipliers are in the ratio of the inputs' scales where those are small integers (1 and 1 for equal scales), and `a`
/// is exact. Else they are fixed-point approximations and the requantizer is affine with multiplier 1: the pair is proven
/// for each combination of the inputs' values.
package struct Addition: Sendable, Equatable {
  /// One for each input, of either sign, not 0.
  package var multipliers: [Int]
  /// Bounds of `a`, and of each partial sum in any order. Within int32 but for scales of which no such form is exact.
  package var accumulators: ClosedRange<Int>
  /// One entry for all channels, or one for each.
  package var requantizer: Requantizer

  package init(multipliers: [Int], accumulators: ClosedRange<Int>, requantizer: Requantizer) {
    self.multipliers = multipliers
    self.accumulators = accumulators
    self.requantizer = requantizer
  }
}

/// The channels of all inputs, one input after the other; rows and columns are the same for all.
package struct Concatenation: Sendable, Equatable {
  /// One for each input: what makes its values the output's, with one entry for all of the input's channels or one for
  /// each. nil: they are already, with the output's zero point and grid.
  package var requantizers: [Requantizer?]

  package init(requantizers: [Requantizer?]) {
    self.requantizers = requantizers
  }
}

/// Channels `first ..< first + count` of the input.
package struct ChannelSlice: Sendable, Equatable {
  package var first: Int
  package var count: Int

  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }
}

/// `y[c][oy][ox] = x[c][oy / rows][ox / columns]`: each element `rows` times downwards and `columns` times to the right.
package struct Resize: Sendable, Equatable {
  package var rows: Int
  package var columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

extension Layer {
  /// Weights as the network has them; nil of a layer that has none.
  package var ternaryWeights: [Int8]? {
    switch kind {
    case .convolution(let convolution): convolution.weights
    case .dense(let dense): dense.weights
    case .maxPool, .averagePool, .add, .concatenate, .slice, .resize: nil
    }
  }
}
