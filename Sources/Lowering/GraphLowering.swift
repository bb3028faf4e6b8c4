import BigInt
import Diagnostics
import GraphIR
import TernaryIR

/// Walks a graph once and gathers everything between two quantizers into one integer layer.
///
/// A value of the graph is the raw input, integers with a scale, or the pending result of a layer whose quantizer has
/// not been met yet. Any number of nodes may read it: each quantizer behind a pending layer closes it, and quantizers that
/// make the same integers of it close it once (`ClosedLayers`). Real arithmetic is exact throughout (`Rational`), rounding happens only inside `Requantization`.
struct GraphLowering {
  enum Meaning {
    case rawInput([InputQuantization.Step])
    /// real = scale · (q − zeroPoint)
    case integers(TernaryNetwork.TensorID, scale: Rational)
    case pending(PendingLayer)
    /// Behind a node that has been refused: not judged until a quantizer says what the values are.
    case failed
  }

  let graph: Graph
  var input: InputQuantization?
  var tensors: [Tensor] = []
  var layers: [Layer] = []
  var closed = ClosedLayers()
  private var meanings: [Graph.ValueID: Meaning] = [:]

  init(_ graph: Graph) {
    self.graph = graph
  }

  mutating func run() throws(ModelError) -> TernaryNetwork {
    meanings[graph.input] = .rawInput([])
    var problems: [Diagnostic] = []
    for node in graph.nodes {
      do throws(ModelError) {
        meanings[node.output] = try lower(node)
      } catch {
        problems += error.diagnostics
        if case .quantize(let quantizer) = node.operation {
          meanings[node.output] = try assumedIntegers(node, quantizer)
        } else {
          meanings[node.output] = .failed
        }
      }
    }
    guard problems.isEmpty else { throw ModelError(problems) }
    var outputs: [TernaryNetwork.TensorID] = []
    for output in graph.outputs {
      let tensor = try finish(output)
      guard !outputs.contains(tensor) else { throw ModelError(.sameOutput(graph[output].name)) }
      outputs.append(tensor)
    }
    guard let input else { throw ModelError(.inputNotQuantized(graph, .init())) }
    return TernaryNetwork(
      name: graph.name, input: input, tensors: tensors, layers: layers, inputTensor: .init(0), outputTensors: outputs)
  }

  /// What a value means that a node before has made.
  func meaning(of value: Graph.ValueID) -> Meaning { meanings[value] ?? .failed }

  /// What a quantizer behind a refused node gives, whatever stands in front of it; no network is made of it.
  private mutating func assumedIntegers(
    _ node: Graph.Node, _ quantizer: Quantizer
  ) throws(ModelError) -> Meaning {
    let unit = 1 << (quantizer.truncation?.shift ?? 0)
    let scale = quantizer.truncation?.outputScale ?? quantizer.scale
    tensors.append(
      Tensor(
        name: graph[node.output].name, shape: try shape(of: node), range: quantizer.minimum...quantizer.maximum,
        zeroPoint: quantizer.zeroPoint / unit, scale: Double(scale)))
    return .integers(.init(tensors.count - 1), scale: Rational(scale))
  }

  private mutating func lower(_ node: Graph.Node) throws(ModelError) -> Meaning {
    let hasFailed = node.inputs.contains { if case .failed = self.meaning(of: $0) { true } else { false } }
    if hasFailed {
      guard case .quantize(let quantizer) = node.operation else { return .failed }
      return try assumedIntegers(node, quantizer)
    }
    let meaning = meaning(of: node.inputs[0])
    return switch node.operation {
    case .quantize(let quantizer): try quantize(node, quantizer, meaning)
    case .convolution(let convolution): try convolve(node, convolution, meaning)
    case .dense(let dense): try multiply(node, dense, meaning)
    case .batchNormalization(let normalization):
      try apply(normalization.gamma.indices.map { normalization.channel($0) }, node, meaning)
    case .arithmetic(let arithmetic): try apply(arithmetic, node, meaning)
    case .relu: try clamp(node, lower: .zero, upper: nil, meaning)
    case .clip(let minimum, let maximum):
      try clamp(node, lower: minimum.map { Rational($0) }, upper: maximum.map { Rational($0) }, meaning)
    case .maxPool(let window): try maxPool(node, window, meaning)
    case .averagePool(let window): try averagePool(node, window, meaning)
    case .flatten: flatten(meaning)
    case .addition(let addition): try add(node, addition)
    case .concatenation: try concatenate(node)
    case .slice(let slice): try self.slice(node, slice)
    case .resize(let resize): try self.resize(node, resize, meaning)
    }
  }

  // MARK: Layers

  private mutating func convolve(
    _ node: Graph.Node, _ convolution: GraphIR.Convolution, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    let (source, scale) = try integers(meaning, of: node.inputs[0], before: node)
    let window = TernaryIR.Window(convolution.window)
    let tensor = tensors[source.index]
    if window.hasPadding, !tensor.grid.contains(tensor.zeroPoint) {
      throw ModelError(.paddingNotRepresentable(node.name, tensor))
    }
    let shape = try shape(of: node)
    return .pending(
      PendingLayer(
        name: node.name,
        operation: .convolution(
          weights: convolution.weights.values, groupChannels: tensor.shape.channels / convolution.groups,
          groups: convolution.groups, window: window),
        origin: .value(node.output), sources: [source], shape: shape,
        maps: maps(convolution.weights, convolution.bias, shape.channels, scale, tensor.zeroPoint)))
  }

  private mutating func multiply(_ node: Graph.Node, _ dense: GraphIR.Dense, _ meaning: Meaning) throws(ModelError)
    -> Meaning
  {
    let (source, scale) = try integers(meaning, of: node.inputs[0], before: node)
    let shape = try shape(of: node)
    return .pending(
      PendingLayer(
        name: node.name, operation: .dense(weights: dense.weights.values), origin: .value(node.output),
        sources: [source], shape: shape,
        maps: maps(dense.weights, dense.bias, shape.channels, scale, tensors[source.index].zeroPoint)))
  }

  /// `S · α · (a − Z · Σt) + bias` per output channel.
  private func maps(
    _ weights: TernaryWeights, _ bias: [ExactConstant]?, _ channels: Int, _ scale: Rational, _ zeroPoint: Int
  ) -> [AffineMap] {
    let taps = weights.values.count / channels
    return (0..<channels).map { c in
      let slope = scale * Rational(weights.scales[weights.scales.count == 1 ? 0 : c])
      let sum = weights.values[(c * taps)..<((c + 1) * taps)].reduce(0) { $0 + Int($1) }
      return AffineMap(
        slope: slope, offset: slope * Rational(-zeroPoint * sum) + (bias.map { $0[c].rational } ?? .zero))
    }
  }

  private mutating func maxPool(
    _ node: Graph.Node, _ window: GraphIR.Window, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    let shape = try shape(of: node)
    switch meaning {
    case .rawInput: throw ModelError(.inputNotQuantized(graph, .init(node: node.name)))
    case .integers(let source, let scale):
      return .integers(try move(source, .maxPool(TernaryIR.Window(window)), named: node.name), scale: scale)
    case .pending(var layer):
      if layer.maps.contains(where: { $0.signSincePool < 0 }), layer.maxPool != nil {
        throw ModelError(.decreasingAfterMaxPool(node.name, channel: 0))
      }
      for c in layer.maps.indices { layer.maps[c].signSincePool = 1 }
      layer.moves.append((node.name, .maxPool(TernaryIR.Window(window))))
      layer.outputShape = shape
      return .pending(layer)
    case .failed: return .failed
    }
  }

  private mutating func averagePool(
    _ node: Graph.Node, _ window: GraphIR.Window, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    var window = TernaryIR.Window(window)
    var meaning = meaning
    if case .pending(let layer) = meaning,
      let inner = layer.plainMean(zeroPoint: tensors[layer.source.index].zeroPoint),
      let whole = window.composed(behind: inner)
    {
      // A mean of means is the mean over both windows.
      window = whole
      meaning = .integers(layer.source, scale: layer.maps[0].slope * Rational(inner.kernelHeight * inner.kernelWidth))
    }
    let (source, scale) = try integers(meaning, of: node.inputs[0], before: node)
    let tensor = tensors[source.index]
    guard tensor.kind == .activation else {
      throw ModelError(.notQuantized(node.name, graph[node.inputs[0]].name, tensor.name, graph.framework))
    }
    if window.hasPadding, !tensor.grid.contains(tensor.zeroPoint) {
      throw ModelError(.paddingNotRepresentable(node.name, tensor))
    }
    let taps = window.kernelHeight * window.kernelWidth
    let slope = scale / Rational(taps)
    return .pending(
      PendingLayer(
        name: node.name, operation: .averagePool(window), origin: .value(node.output), sources: [source],
        shape: try shape(of: node),
        maps: [AffineMap(slope: slope, offset: slope * Rational(-taps * tensor.zeroPoint))]))
  }

  private mutating func flatten(_ meaning: Meaning) -> Meaning {
    guard case .pending(var layer) = meaning else { return meaning }
    layer.isFlattened = true
    return .pending(layer)
  }

  // MARK: Real arithmetic on the way to the next quantizer

  private mutating func apply(
    _ arithmetic: Arithmetic, _ node: Graph.Node, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    if case .rawInput(let steps) = meaning {
      let constants = arithmetic.constants.map { Float($0.integer) * $0.scale }
      let step: InputQuantization.Step =
        switch arithmetic.kind {
        case .add: .add(constants)
        case .subtract: .subtract(constants)
        case .subtractFrom: .subtractFrom(constants)
        case .multiply: .multiply(constants)
        case .divide: .divide(constants)
        }
      return .rawInput(steps + [step])
    }
    if arithmetic.kind == .divide, arithmetic.constants.contains(where: { $0.rational.isZero }) {
      throw ModelError(.divisionByZero(node.name))
    }
    let affine = arithmetic.constants.map { constant -> (factor: Rational, term: Rational, isExact: Bool) in
      let value = constant.rational
      return switch arithmetic.kind {
      case .add: (.one, value, true)
      case .subtract: (.one, -value, true)
      case .subtractFrom: (-.one, value, true)
      case .multiply: (value, .zero, true)
      case .divide: (.one / value, .zero, true)
      }
    }
    return try apply(affine, node, meaning)
  }

  private mutating func apply(
    _ affine: [(factor: Rational, term: Rational, isExact: Bool)], _ node: Graph.Node, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    var layer = try pending(meaning, at: node)
    let isPerFeature = layer.isFlattened && layer.outputShape.height * layer.outputShape.width > 1
    guard affine.count == 1 || (affine.count == layer.shape.channels && !isPerFeature) else {
      throw ModelError(.perFeatureArithmetic(node.name, found: affine.count, expected: layer.shape.channels))
    }
    layer.apply(affine)
    return .pending(layer)
  }

  private mutating func clamp(
    _ node: Graph.Node, lower: Rational?, upper: Rational?, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    var layer = try pending(meaning, at: node)
    for c in layer.maps.indices { layer.maps[c].clamp(lower: lower, upper: upper) }
    return .pending(layer)
  }

  /// The value as a pending layer: integers become one that does nothing yet.
  func pending(_ meaning: Meaning, at node: Graph.Node) throws(ModelError) -> PendingLayer {
    switch meaning {
    case .pending(let layer): return layer
    case .rawInput: throw ModelError(.inputNotQuantized(graph, .init(node: node.name)))
    case .integers(let source, let scale):
      let tensor = tensors[source.index]
      return PendingLayer(
        name: node.name, operation: .identity, origin: .tensor(source), sources: [source], shape: tensor.shape,
        maps: [AffineMap(slope: scale, offset: scale * Rational(-tensor.zeroPoint))])
    case .failed: preconditionFailure("what stands behind a refused node is not lowered")
    }
  }

  // MARK: Quantizers

  private mutating func quantize(
    _ node: Graph.Node, _ quantizer: Quantizer, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    switch meaning {
    case .rawInput(let steps):
      return try quantizeInput(node, quantizer, steps)
    case .integers(let source, let scale):
      let tensor = tensors[source.index]
      let isSame =
        quantizer.truncation == nil && quantizer.zeroPoint == tensor.zeroPoint && Rational(quantizer.scale) == scale
        && quantizer.minimum <= tensor.range.lowerBound && tensor.range.upperBound <= quantizer.maximum
      if isSame { return meaning }
      return try close(pending(meaning, at: node), quantizer, node)
    case .pending(let layer):
      return try close(layer, quantizer, node)
    case .failed: return try assumedIntegers(node, quantizer)
    }
  }

  private mutating func quantizeInput(
    _ node: Graph.Node, _ quantizer: Quantizer, _ steps: [InputQuantization.Step]
  ) throws(ModelError) -> Meaning {
    guard quantizer.rounding == .halfEven, quantizer.truncation == nil else {
      throw ModelError(.inputRounding(node.name))
    }
    let value = graph[graph.input]
    let grid = quantizer.minimum...quantizer.maximum
    var found = InputQuantization(
      name: value.name, steps: steps, scale: quantizer.scale, zeroPoint: quantizer.zeroPoint,
      minimum: quantizer.minimum, maximum: quantizer.maximum,
      addsZeroPointAfterRounding: quantizer.zeroPointOrder == .afterRounding, isSigned: quantizer.isSigned)
    found.fileShape = graph.inputLayout?.fileShape ?? []
    found.isChannelsLast = graph.inputLayout?.isChannelsLast ?? false
    switch graph.inputElement {
    case .real: break
    case .uint8: found.element = .uint8
    case .int8: found.element = .int8
    }
    if let input {
      // A second branch from the input, with a quantizer of its own: the firmware takes one tensor.
      guard input == found else { throw ModelError(.inputQuantizedTwice(graph, node.name)) }
      return .integers(.init(0), scale: Rational(quantizer.scale))
    }
    input = found
    tensors.append(
      Tensor(
        name: value.name, shape: try shape(value.shape, node), range: grid, zeroPoint: quantizer.zeroPoint,
        scale: Rational(quantizer.scale).approximation))
    return .integers(.init(tensors.count - 1), scale: Rational(quantizer.scale))
  }

  /// Ends a pending layer at its quantizer.
  private mutating func close(
    _ open: PendingLayer, _ quantizer: Quantizer, _ node: Graph.Node
  ) throws(ModelError) -> Meaning {
    var zeroPoint = quantizer.zeroPoint
    var scale = quantizer.scale
    if let truncation = quantizer.truncation {
      guard zeroPoint % (1 << truncation.shift) == 0 else { throw ModelError(.truncatedZeroPoint(node.name)) }
      zeroPoint /= 1 << truncation.shift
      scale = truncation.outputScale
    }
    let target = Tensor(
      name: graph[node.output].name, shape: Shape(1), range: 0...0, grid: quantizer.minimum...quantizer.maximum,
      zeroPoint: zeroPoint, scale: Rational(scale).approximation)
    return .integers(try close(open, quantizer, target), scale: Rational(scale))
  }

  /// Ends a pending layer.
  ///
  /// - Parameter target: What it makes, but for shape and range.
  mutating func close(
    _ open: PendingLayer, _ quantizer: Quantizer, _ target: Tensor
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    if let pool = open.maxPool, let c = open.maps.firstIndex(where: { $0.signSincePool < 0 }) {
      throw ModelError(.decreasingAfterMaxPool(pool, channel: c))
    }
    var layer = open.normalized()
    var tensor = target
    tensor.shape = layer.shape
    let kind: Layer.Kind
    switch layer.operation {
    case .addition(let scales):
      (kind, tensor.range) = try addition(layer, scales, quantizer)
    case .concatenation(let parts):
      (layer.sources, kind, tensor.range) = try concatenation(layer, parts, quantizer, target)
    default:
      let domains = try layer.accumulators(of: tensors[layer.source.index])
      let requantization = try Requantization(
        maps: layer.maps, domains: domains, quantizer: quantizer, location: .init(node: layer.name))
      kind = self.kind(layer, domains, requantization.requantizer)
      tensor.range = requantization.range
    }
    return try move(try append(kind, of: layer, tensor), layer.moves)
  }

  /// The integers that a layer is to read. An average pool without a quantizer hands over its exact sum.
  mutating func integers(
    _ meaning: Meaning, of value: Graph.ValueID, before node: Graph.Node
  ) throws(ModelError) -> (TernaryNetwork.TensorID, scale: Rational) {
    switch meaning {
    case .rawInput: throw ModelError(.inputNotQuantized(graph, .init(node: node.name)))
    case .integers(let id, let scale): return (id, scale)
    case .pending(let layer):
      let problem = ModelError(.notQuantized(node.name, graph[value].name, layer.name, graph.framework))
      if case .concatenation(let parts) = layer.operation {
        let (id, scale) = try settled(layer, parts, before: node)
        return (try move(id, layer.moves), scale)
      }
      guard layer.maps.count == 1 else { throw problem }
      let source = tensors[layer.source.index]
      let map = layer.maps[0]
      if case .identity = layer.operation {
        // Factors alone: the same integers on a grid of another scale. A maximum of them needs a positive one.
        let isPlain = map.isPlain(zeroPoint: source.zeroPoint, over: source.range)
        guard isPlain, !map.slope.isZero, layer.maxPool == nil || map.slope > .zero else { throw problem }
        return (try move(layer.source, layer.moves), map.slope)
      }
      guard case .averagePool(let window) = layer.operation, layer.moves.isEmpty else { throw problem }
      let domain = try layer.accumulators(of: source)[0]
      let taps = window.kernelHeight * window.kernelWidth
      let zeroPoint = taps * source.zeroPoint
      // A Relu that cannot bite and nothing else may stand behind such a pool.
      let isPlain = map.isPlain(zeroPoint: zeroPoint, over: domain)
      // Sums are stored in 16 bits, as sums of levels: at most 255 each, and one more than the grid's last where its
      // base is rounded to an even number.
      guard isPlain, map.slope > .zero, source.kind == .activation else { throw problem }
      guard taps * min(255, source.grid.count) < 1 << 16 else {
        throw ModelError(.wideMean(node.name, graph[value].name, layer.name, taps: taps, graph.framework))
      }
      let tensor = Tensor(
        name: layer.name, shape: layer.shape, kind: .sum, range: domain, zeroPoint: zeroPoint,
        scale: map.slope.approximation)
      return (try append(kind(layer, [domain], nil), of: layer, tensor), map.slope)
    case .failed: preconditionFailure("what stands behind a refused node is not lowered")
    }
  }

  private mutating func finish(_ output: Graph.ValueID) throws(ModelError) -> TernaryNetwork.TensorID {
    switch meaning(of: output) {
    case .rawInput: throw ModelError(.inputNotQuantized(graph, .init()))
    case .integers(let id, _):
      guard id != .init(0) else { throw ModelError(.noLayers()) }
      return id
    case .pending(let open):
      if case .concatenation(let parts) = open.operation {
        // It is what its inputs are: nothing has to be computed.
        let (id, _) = try settled(open, parts, before: nil)
        return try move(id, open.moves)
      }
      guard open.moves.isEmpty else { throw ModelError(.moveWithoutQuantizer(open.moves[0].name, graph.framework)) }
      let layer = open.normalized()
      var tensor = Tensor(name: graph[output].name, shape: layer.shape, kind: .logits, range: 0...0)
      if case .addition(let scales) = layer.operation {
        let sum = try unquantizedAddition(layer, scales)
        (tensor.range, tensor.grid, tensor.scale) = (sum.range, sum.range, sum.scale)
        return try append(.add(sum.addition), of: layer, tensor)
      }
      let domains = try layer.accumulators(of: tensors[layer.source.index])
      let logits = try Logits(maps: layer.maps, domains: domains, location: .init(node: layer.name))
      (tensor.range, tensor.grid, tensor.scale) = (logits.range, logits.range, logits.scale)
      return try append(kind(layer, domains, logits.requantizer), of: layer, tensor)
    case .failed: preconditionFailure("a network with problems has been refused")
    }
  }

  func shape(of node: Graph.Node) throws(ModelError) -> Shape {
    try shape(graph[node.output].shape, node)
  }

  private func shape(_ extents: [Int], _ node: Graph.Node) throws(ModelError) -> Shape {
    switch extents.count {
    case 1: return Shape(extents[0])
    case 3: return Shape(extents[0], extents[1], extents[2])
    default: throw ModelError(.unsupportedRank(node.name, extents))
    }
  }
}

extension AffineMap {
  /// Whether the map is `slope · (a − zeroPoint)` for every `a` of a domain: no term, and no bound that cuts values off.
  func isPlain(zeroPoint: Int, over domain: ClosedRange<Int>) -> Bool {
    let ends = [domain.lowerBound, domain.upperBound].map { slope * Rational($0) + offset }
    return offset == slope * Rational(-zeroPoint)
      && !(lower.map { bound in ends.contains { $0 < bound } } ?? false)
      && !(upper.map { bound in ends.contains { bound < $0 } } ?? false)
  }
}

extension PendingLayer {
  /// The window of a pool behind which nothing has happened but factors.
  fileprivate func plainMean(zeroPoint: Int) -> TernaryIR.Window? {
    guard case .averagePool(let window) = operation, maps.count == 1, moves.isEmpty, !window.hasPadding,
      maps[0].lower == nil, maps[0].upper == nil,
      maps[0].offset == maps[0].slope * Rational(-zeroPoint * window.kernelHeight * window.kernelWidth)
    else { return nil }
    return window
  }
}

extension TernaryIR.Window {
  /// The one window that has the mean of this one over means of `inner`; nil where elements would count several times.
  fileprivate func composed(behind inner: TernaryIR.Window) -> TernaryIR.Window? {
    guard !hasPadding, kernelHeight == 1 || inner.strideHeight == inner.kernelHeight,
      kernelWidth == 1 || inner.strideWidth == inner.kernelWidth
    else { return nil }
    var whole = self
    whole.kernelHeight = (kernelHeight - 1) * inner.strideHeight + inner.kernelHeight
    whole.kernelWidth = (kernelWidth - 1) * inner.strideWidth + inner.kernelWidth
    whole.strideHeight = strideHeight * inner.strideHeight
    whole.strideWidth = strideWidth * inner.strideWidth
    return whole
  }

  fileprivate init(_ window: GraphIR.Window) {
    self.init(
      kernelHeight: window.kernelHeight, kernelWidth: window.kernelWidth, strideHeight: window.strideHeight,
      strideWidth: window.strideWidth, top: window.padding.top, left: window.padding.left,
      bottom: window.padding.bottom, right: window.padding.right)
  }
}
