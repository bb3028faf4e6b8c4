import Diagnostics
import GraphIR
import TernaryIR

/// A layer whose integers are known up to the accumulator, and whose way to the next quantizer is still being read.
struct PendingLayer {
  enum Operation {
    case convolution(weights: [Int8], groupChannels: Int, groups: Int, window: TernaryIR.Window)
    case dense(weights: [Int8])
    case averagePool(TernaryIR.Window)
    /// The input itself: a BatchNorm, Relu or second quantizer without a layer before it.
    case identity
  }

  var name: String
  var operation: Operation
  var source: TernaryNetwork.TensorID
  /// Extents of the accumulators.
  var shape: Shape
  /// What each channel's accumulator means: one for all channels alike, or one per channel.
  var maps: [AffineMap]
  /// Max pools between the accumulators and the quantizer: they commute with a non-decreasing requantizer.
  var pools: [(name: String, window: TernaryIR.Window)] = []
  /// Extents behind the pools.
  var outputShape: Shape
  /// Whether channels have been flattened into features.
  var isFlattened = false

  init(
    name: String, operation: Operation, source: TernaryNetwork.TensorID, shape: Shape, maps: [AffineMap]
  ) {
    self.name = name
    self.operation = operation
    self.source = source
    self.shape = shape
    self.maps = maps
    outputShape = shape
  }

  /// Composes one factor and term for all channels, or one for each.
  mutating func apply(_ affine: [(factor: Rational, term: Rational, isExact: Bool)]) {
    if affine.count > 1, maps.count == 1 {
      maps = [AffineMap](repeating: maps[0], count: affine.count)
    }
    for c in maps.indices {
      let (factor, term, isExact) = affine[affine.count == 1 ? 0 : c]
      maps[c].apply(factor: factor, term: term)
      if !isExact { maps[c].isApproximate = true }
    }
  }
}

extension PendingLayer {
  /// The same layer with slopes that are not negative: a channel with a negative one has its weights negated, a constant
  /// channel has them dropped. An average pool with differing channels becomes the depthwise convolution that it is.
  func normalized() -> PendingLayer {
    var layer = self
    switch operation {
    case .identity:
      layer.becomeDepthwise(TernaryIR.Window(kernelHeight: 1, kernelWidth: 1))
    case .averagePool(let window):
      guard maps.count > 1 || maps[0].slope.isNegative || maps[0].slope.isZero else { return self }
      layer.becomeDepthwise(window)
    case .convolution, .dense: break
    }
    layer.normalizeSigns()
    return layer
  }

  private mutating func becomeDepthwise(_ window: TernaryIR.Window) {
    if maps.count == 1 { maps = [AffineMap](repeating: maps[0], count: shape.channels) }
    let taps = window.kernelHeight * window.kernelWidth
    operation = .convolution(
      weights: [Int8](repeating: 1, count: shape.channels * taps), groupChannels: 1, groups: shape.channels,
      window: window)
  }

  private mutating func normalizeSigns() {
    func normalize(_ weights: inout [Int8]) {
      let taps = weights.count / maps.count
      for c in maps.indices where maps[c].slope.isNegative || maps[c].slope.isZero {
        let sign: Int8 = maps[c].slope.isZero ? 0 : -1
        for tap in (c * taps)..<((c + 1) * taps) { weights[tap] *= sign }
        if sign < 0 { maps[c].negateAccumulator() }
      }
    }
    switch operation {
    case .convolution(var weights, let groupChannels, let groups, let window):
      normalize(&weights)
      operation = .convolution(weights: weights, groupChannels: groupChannels, groups: groups, window: window)
    case .dense(var weights):
      normalize(&weights)
      operation = .dense(weights: weights)
    case .averagePool, .identity: break
    }
  }

  /// Reachable accumulators: per channel, or a single range for a pool. Bounds every partial sum in any order as well.
  ///
  /// - Throws: where a channel can leave int32.
  func accumulators(of input: Tensor) throws(ModelError) -> [ClosedRange<Int>] {
    let result: [ClosedRange<Int>] =
      switch operation {
      case .convolution(let weights, _, _, let window):
        TernaryIR.Convolution.accumulators(
          weights, outputChannels: shape.channels, window: window, input: input)
      case .dense(let weights): TernaryIR.Dense.accumulators(weights, outputs: shape.channels, input: input)
      case .averagePool(let window): [AveragePool.accumulators(window, input: input)]
      case .identity: []
      }
    for (channel, range) in result.enumerated()
    where range.lowerBound <= Int(Int32.min) || range.upperBound >= Int(Int32.max) {
      throw ModelError(.accumulatorTooWide(name, channel: channel, range))
    }
    return result
  }
}

extension Diagnostic {
  fileprivate static func accumulatorTooWide(_ name: String, channel: Int, _ range: ClosedRange<Int>) -> Diagnostic {
    Diagnostic(
      code: "accumulator-too-wide", location: .init(node: name),
      message:
        "output channel \(channel) can reach accumulators from \(range.lowerBound) to \(range.upperBound): expected "
        + "less than 2^31 in magnitude",
      fix: "use fewer input features or a narrower activation (bit_width) before this layer")
  }
}
