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
    /// `Σ scale · q` over the sources, element by element, a real number: how it becomes an integer accumulator depends on
    /// the quantizer. No source stands twice, and no scale is 0.
    case addition(scales: [Rational])
    /// The channels of all parts: the accumulators are the parts' integers, or those of the layers that make them. `maps`
    /// has an entry for each channel.
    case concatenation([Part])
  }

  /// What a concatenation joins.
  enum Part {
    case integers(TernaryNetwork.TensorID)
    /// A layer that the quantizer behind the concatenation closes.
    case pending(PendingLayer)
  }

  /// What a layer computes before anything is done with it: two that have one origin are made of one accumulator.
  enum Origin: Hashable {
    /// The graph's value.
    case value(Graph.ValueID)
    /// Integers, as `identity` takes them.
    case tensor(TernaryNetwork.TensorID)
  }

  /// What moves values without changing any, between the accumulators and the quantizer.
  enum Move: Equatable {
    /// It commutes with a requantizer that does not decrease.
    case maxPool(TernaryIR.Window)
    case resize(TernaryIR.Resize)

    /// nil where a window does not fit.
    func outputShape(_ shape: Shape) -> Shape? {
      switch self {
      case .maxPool(let window):
        window.outputSize(height: shape.height, width: shape.width).map { Shape(shape.channels, $0.height, $0.width) }
      case .resize(let resize): Shape(shape.channels, shape.height * resize.rows, shape.width * resize.columns)
      }
    }
  }

  var name: String
  var operation: Operation
  var origin: Origin
  /// Whether a second layer of its kind takes memory for the file's weights, and work for all taps.
  let hasWeights: Bool
  /// One; of an addition or concatenation at least two.
  var sources: [TernaryNetwork.TensorID]
  /// Extents of the accumulators.
  var shape: Shape
  /// What each channel's accumulator means: one for all channels alike, or one per channel.
  var maps: [AffineMap]
  var moves: [(name: String, move: Move)] = []
  /// Extents behind the moves.
  var outputShape: Shape
  /// Whether channels have been flattened into features.
  var isFlattened = false

  init(
    name: String, operation: Operation, origin: Origin, sources: [TernaryNetwork.TensorID], shape: Shape,
    maps: [AffineMap]
  ) {
    self.name = name
    self.operation = operation
    self.origin = origin
    switch operation {
    case .convolution, .dense: hasWeights = true
    case .averagePool, .identity, .addition, .concatenation: hasWeights = false
    }
    self.sources = sources
    self.shape = shape
    self.maps = maps
    outputShape = shape
  }

  var source: TernaryNetwork.TensorID { sources[0] }

  /// The first max pool among the moves.
  var maxPool: String? {
    moves.first { if case .maxPool = $0.move { true } else { false } }?.name
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
    case .addition(let scales):
      // Sums are negated as a whole, if no channel is against it.
      if maps.allSatisfy({ $0.slope.isNegative || $0.slope.isZero }) {
        layer.operation = .addition(scales: scales.map { -$0 })
        for c in layer.maps.indices { layer.maps[c].negateAccumulator() }
      }
    case .convolution, .dense, .concatenation: break
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
    case .averagePool, .identity, .addition, .concatenation: break
    }
  }

  /// Reachable accumulators: per channel, or a single range for a pool. Bounds every partial sum in any order as well. None
  /// of an addition or concatenation, which decide when they are closed.
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
      case .identity, .addition, .concatenation: []
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
