import Diagnostics
import GraphIR
import TernaryIR

// Where branches meet and part: additions, concatenations, slices; and resizes, which U-shaped networks have in front of
// them.
extension GraphLowering {
  // MARK: Additions

  mutating func add(_ node: Graph.Node, _ addition: GraphIR.Addition) throws(ModelError) -> Meaning {
    var sources: [TernaryNetwork.TensorID] = []
    var scales: [Rational] = []
    var offset = Rational.zero
    for (value, sign) in zip(node.inputs, addition.signs) {
      let summand = try summand(value, node)
      for (source, scale) in summand.terms {
        let signed = sign < 0 ? -scale : scale
        if let known = sources.firstIndex(of: source) {
          scales[known] = scales[known] + signed
        } else {
          sources.append(source)
          scales.append(signed)
        }
      }
      offset = sign < 0 ? offset - summand.offset : offset + summand.offset
    }
    let shape = tensors[sources[0].index].shape
    for source in sources where tensors[source.index].shape != shape {
      throw ModelError(.flattenedBranch(node.name, tensors[source.index].name, graph.framework))
    }
    // x − x adds nothing.
    let left = sources.indices.filter { !scales[$0].isZero }
    var layer: PendingLayer
    if left.count < 2 {
      let only = left.first ?? 0
      layer = PendingLayer(
        name: node.name, operation: .identity, origin: .tensor(sources[only]), sources: [sources[only]], shape: shape,
        maps: [AffineMap(slope: scales[only], offset: offset)])
    } else {
      layer = PendingLayer(
        name: node.name, operation: .addition(scales: left.map { scales[$0] }), origin: .value(node.output),
        sources: left.map { sources[$0] }, shape: shape, maps: [AffineMap(slope: .one, offset: offset)])
    }
    layer.isFlattened = isFlattened(node.output, shape)
    return .pending(layer)
  }

  /// What a value adds: `Σ scale · q + offset`. Of a sum that nothing has quantized since, its own terms.
  private mutating func summand(
    _ value: Graph.ValueID, _ node: Graph.Node
  ) throws(ModelError) -> (terms: [(source: TernaryNetwork.TensorID, scale: Rational)], offset: Rational) {
    if case .pending(let layer) = meaning(of: value), layer.maps.count == 1, layer.maps[0].isLinear,
      layer.moves.isEmpty
    {
      let map = layer.maps[0]
      switch layer.operation {
      case .identity: return ([(layer.source, map.slope)], map.offset)
      case .addition(let scales):
        return (zip(layer.sources, scales).map { ($0, $1 * map.slope) }, map.offset)
      case .convolution, .dense, .averagePool, .concatenation: break
      }
    }
    if case .pending(let layer) = meaning(of: value), layer.hasWeights {
      throw ModelError(
        .unquantizedOperand(node.name, graph[value].name, layer.name, isConcatenation: false, graph.framework))
    }
    let (source, scale) = try integers(meaning(of: value), of: value, before: node)
    return ([(source, scale)], scale * Rational(-tensors[source.index].zeroPoint))
  }

  /// The layer that an addition becomes at its quantizer, and the range of its output.
  func addition(
    _ layer: PendingLayer, _ scales: [Rational], _ quantizer: Quantizer
  ) throws(ModelError) -> (Layer.Kind, ClosedRange<Int>) {
    if let channel = layer.maps.firstIndex(where: { $0.slope.isNegative }) {
      throw ModelError(.mixedSigns(layer.name, channel: channel))
    }
    let inputs = layer.sources.map { tensors[$0.index] }
    let location = Diagnostic.Location(node: layer.name)
    let isConstant = layer.maps.allSatisfy(\.slope.isZero)
    let ratio = isConstant ? IntegerRatio(scales.map { _ in .one }) : IntegerRatio(scales)
    func exact(upTo limit: Int) throws(ModelError) -> (Layer.Kind, ClosedRange<Int>)? {
      guard let ratio, ratio.multipliers.allSatisfy({ abs($0) <= limit }),
        let accumulators = TernaryIR.Addition.accumulators(ratio.multipliers, inputs: inputs), accumulators.fitsInt32
      else { return nil }
      var maps = layer.maps
      for c in maps.indices { maps[c].slope = maps[c].slope * ratio.unit }
      let found = try Requantization(
        maps: maps, domains: maps.map { _ in accumulators }, quantizer: quantizer, location: location)
      return (
        .add(
          TernaryIR.Addition(multipliers: ratio.multipliers, accumulators: accumulators, requantizer: found.requantizer)
        ),
        found.range
      )
    }
    if let found = try exact(upTo: IntegerRatio.small) { return found }
    var search: AdditionSearch?
    if inputs.count == 2, layer.maps.count == 1 {
      search = AdditionSearch(layer.maps[0], scales, inputs, quantizer, location)
    }
    if let found = try search?.find(isWide: false) { return (.add(found.addition), found.range) }
    // A larger sum is still exact; its products need 64 bits, perhaps.
    if let found = try exact(upTo: Int(Int32.max)) { return found }
    if let found = try search?.find(isWide: true) { return (.add(found.addition), found.range) }
    throw ModelError(.inexactAddition(layer.name, count: inputs.count, graph.framework))
  }

  /// An addition behind which no quantizer stands, at the network's end.
  func unquantizedAddition(
    _ layer: PendingLayer, _ scales: [Rational]
  ) throws(ModelError) -> (addition: TernaryIR.Addition, scale: Double, range: ClosedRange<Int>) {
    let inputs = layer.sources.map { tensors[$0.index] }
    let location = Diagnostic.Location(node: layer.name)
    if let ratio = IntegerRatio(scales), ratio.multipliers.allSatisfy({ abs($0) <= IntegerRatio.small }),
      let accumulators = TernaryIR.Addition.accumulators(ratio.multipliers, inputs: inputs), accumulators.fitsInt32
    {
      var maps = layer.maps
      for c in maps.indices { maps[c].slope = maps[c].slope * ratio.unit }
      let logits = try Logits(maps: maps, domains: maps.map { _ in accumulators }, location: location)
      return (
        TernaryIR.Addition(multipliers: ratio.multipliers, accumulators: accumulators, requantizer: logits.requantizer),
        logits.scale, logits.range
      )
    }
    guard layer.maps.count == 1 else {
      throw ModelError(.inexactAddition(layer.name, count: inputs.count, graph.framework))
    }
    return try Logits.sum(layer.maps[0], scales, inputs, location)
  }

  // MARK: Concatenations

  mutating func concatenate(_ node: Graph.Node) throws(ModelError) -> Meaning {
    var parts: [PendingLayer.Part] = []
    var sources: [TernaryNetwork.TensorID] = []
    var maps: [AffineMap] = []
    var shape = Shape(0)
    for value in node.inputs {
      let part: Shape
      if let layer = openPart(value) {
        part = layer.outputShape
        parts.append(.pending(layer))
        sources.append(layer.source)
        maps += layer.maps.count == 1 ? [AffineMap](repeating: layer.maps[0], count: part.channels) : layer.maps
      } else {
        let (source, scale) = try integers(meaning(of: value), of: value, before: node)
        let tensor = tensors[source.index]
        part = tensor.shape
        parts.append(.integers(source))
        sources.append(source)
        let map = AffineMap(slope: scale, offset: scale * Rational(-tensor.zeroPoint))
        maps += [AffineMap](repeating: map, count: part.channels)
      }
      guard !isFlattened(value, part) else {
        throw ModelError(.flattenedBranch(node.name, graph[value].name, graph.framework))
      }
      shape = Shape(shape.channels + part.channels, part.height, part.width)
    }
    return .pending(
      PendingLayer(
        name: node.name, operation: .concatenation(parts), origin: .value(node.output), sources: sources, shape: shape,
        maps: maps))
  }

  /// A layer that is still open where its channels are joined with others.
  private func openPart(_ value: Graph.ValueID) -> PendingLayer? {
    guard case .pending(let layer) = meaning(of: value) else { return nil }
    switch layer.operation {
    case .convolution, .dense, .addition, .averagePool: return layer
    // Integers that nothing has changed are joined as they are.
    case .identity:
      let source = tensors[layer.source.index]
      let isPlain = layer.maps.count == 1 && layer.maps[0].isPlain(zeroPoint: source.zeroPoint, over: source.range)
      return isPlain && layer.maps[0].slope > .zero ? nil : layer
    case .concatenation(let parts):
      var trial = self
      let isOneGrid = (try? trial.settled(layer, parts, before: nil)) != nil
      return isOneGrid ? nil : layer
    }
  }

  /// The layer that a concatenation becomes at its quantizer, what it reads, and the range of its output.
  ///
  /// - Parameter target: The output, but for shape and range.
  mutating func concatenation(
    _ layer: PendingLayer, _ parts: [PendingLayer.Part], _ quantizer: Quantizer, _ target: Tensor
  ) throws(ModelError) -> (sources: [TernaryNetwork.TensorID], kind: Layer.Kind, range: ClosedRange<Int>) {
    var sources: [TernaryNetwork.TensorID] = []
    var requantizers: [Requantizer?] = []
    var ranges: [ClosedRange<Int>] = []
    var first = 0
    for part in parts {
      let channels: Int
      switch part {
      case .integers(let source): channels = tensors[source.index].shape.channels
      case .pending(let open): channels = open.outputShape.channels
      }
      let maps = Array(layer.maps[first..<(first + channels)])
      first += channels
      var source: TernaryNetwork.TensorID
      var requantizer: Requantizer?
      switch part {
      case .pending(var open):
        // A single map serves as long as nothing has told the channels apart.
        open.maps = open.maps.count == 1 && maps.allSatisfy { $0 == maps[0] } ? [maps[0]] : maps
        source = try close(open, quantizer, target)
      case .integers(let id) where maps.contains { $0.slope.isNegative }:
        // What decreases is a layer of its own.
        let open = PendingLayer(
          name: layer.name, operation: .identity, origin: .tensor(id), sources: [id], shape: tensors[id.index].shape,
          maps: maps)
        source = try close(open, quantizer, target)
      case .integers(let id):
        source = id
        requantizer = try self.requantizer(maps, tensors[id.index], quantizer, target, at: .init(node: layer.name))
      }
      sources.append(source)
      requantizers.append(requantizer)
      let range = tensors[source.index].range
      ranges.append(requantizer.map { $0.outputs(over: range) } ?? range)
    }
    return (sources, .concatenate(Concatenation(requantizers: requantizers)), ranges.hull)
  }

  /// What brings integers to the grid of the concatenation's output; nil where they are its integers already.
  private func requantizer(
    _ maps: [AffineMap], _ part: Tensor, _ quantizer: Quantizer, _ target: Tensor, at location: Diagnostic.Location
  ) throws(ModelError) -> Requantizer? {
    let maps = maps.allSatisfy { $0 == maps[0] } ? [maps[0]] : maps
    let found = try Requantization(
      maps: maps, domains: maps.map { _ in part.range }, quantizer: quantizer, location: location
    ).requantizer
    let isSame =
      part.kind == .activation && part.grid == target.grid && part.zeroPoint == target.zeroPoint
      && found.isIdentity(over: part.range)
    return isSame ? nil : found
  }

  /// A concatenation of integers that lie on one grid: it needs no quantizer.
  ///
  /// - Parameter node: What reads it; nil for the network's end.
  mutating func settled(
    _ layer: PendingLayer, _ parts: [PendingLayer.Part], before node: Graph.Node?
  ) throws(ModelError) -> (TernaryNetwork.TensorID, scale: Rational) {
    for part in parts {
      guard case .pending(let open) = part else { continue }
      throw ModelError(
        .unquantizedOperand(layer.name, open.name, open.name, isConcatenation: true, graph.framework))
    }
    let inputs = layer.sources.map { tensors[$0.index] }
    let (zeroPoint, scale) = (inputs[0].zeroPoint, layer.maps[0].slope)
    let grid = inputs.map(\.grid).hull
    var isOneGrid = grid.count <= 256 && !scale.isZero && (layer.maxPool == nil || scale > .zero)
    var first = 0
    for input in inputs {
      let maps = layer.maps[first..<(first + input.shape.channels)]
      first += input.shape.channels
      let isPlain = maps.allSatisfy { $0.slope == scale && $0.isPlain(zeroPoint: zeroPoint, over: input.range) }
      isOneGrid = isOneGrid && isPlain && input.kind == .activation && input.zeroPoint == zeroPoint
    }
    guard isOneGrid else {
      throw ModelError(.unequalGrids(layer.name, reader: node?.name, inputs, graph.framework))
    }
    let requantizers = inputs.map { input -> Requantizer? in
      if input.grid == grid { return nil }
      // The same integers, which the wider grid may store otherwise.
      return Requantizer(
        form: .affine(multipliers: [1], offsets: [0], shift: 0), minimum: grid.lowerBound, maximum: grid.upperBound,
        proof: .init(pairs: input.range.count, exceptions: 0))
    }
    var name = layer.name
    if case .value(let value) = layer.origin { name = graph[value].name }
    let tensor = Tensor(
      name: name, shape: layer.shape, range: inputs.map(\.range).hull, grid: grid, zeroPoint: zeroPoint,
      scale: scale.approximation)
    return (try append(.concatenate(Concatenation(requantizers: requantizers)), of: layer, tensor), scale)
  }

  // MARK: Slices and resizes

  mutating func slice(_ node: Graph.Node, _ slice: GraphIR.ChannelSlice) throws(ModelError) -> Meaning {
    let value = node.inputs[0]
    let (source, scale) = try integers(meaning(of: value), of: value, before: node)
    var tensor = tensors[source.index]
    guard !isFlattened(value, tensor.shape) else {
      throw ModelError(.flattenedBranch(node.name, tensor.name, graph.framework))
    }
    (tensor.name, tensor.shape.channels) = (graph[node.output].name, slice.count)
    let layer = PendingLayer(
      name: node.name, operation: .identity, origin: .tensor(source), sources: [source], shape: tensor.shape, maps: [])
    let kind = Layer.Kind.slice(TernaryIR.ChannelSlice(first: slice.first, count: slice.count))
    return .integers(try append(kind, of: layer, tensor), scale: scale)
  }

  mutating func resize(
    _ node: Graph.Node, _ resize: GraphIR.Resize, _ meaning: Meaning
  ) throws(ModelError) -> Meaning {
    let move = PendingLayer.Move.resize(TernaryIR.Resize(rows: resize.rows, columns: resize.columns))
    switch meaning {
    case .rawInput: throw ModelError(.inputNotQuantized(graph, .init(node: node.name)))
    case .integers(let source, let scale):
      return .integers(try self.move(source, move, named: node.name), scale: scale)
    case .pending(var layer):
      layer.moves.append((node.name, move))
      layer.outputShape = try shape(of: node)
      return .pending(layer)
    case .failed: return .failed
    }
  }

  /// Whether a value of the graph is a vector and its integers, of this shape, are not.
  private func isFlattened(_ value: Graph.ValueID, _ shape: Shape) -> Bool {
    graph[value].shape.count == 1 && shape.height * shape.width > 1
  }
}

extension Requantizer {
  /// Whether it changes no integer of a range.
  fileprivate func isIdentity(over range: ClosedRange<Int>) -> Bool {
    (0..<entries).allSatisfy { entry in
      let function = RequantizerEntry(self, channel: entry)
      return range.allSatisfy { function($0) == $0 }
    }
  }

  /// All that a range of accumulators becomes; no form decreases.
  fileprivate func outputs(over range: ClosedRange<Int>) -> ClosedRange<Int> {
    (0..<entries).map { entry in
      let function = RequantizerEntry(self, channel: entry)
      return function(range.lowerBound)...function(range.upperBound)
    }.hull
  }
}

extension [ClosedRange<Int>] {
  /// The range from the least to the greatest of all; of at least one.
  var hull: ClosedRange<Int> {
    reduce(self[0]) { Swift.min($0.lowerBound, $1.lowerBound)...Swift.max($0.upperBound, $1.upperBound) }
  }
}

extension ClosedRange<Int> {
  /// Whether int32 holds all, with room for one more at either end.
  var fitsInt32: Bool { lowerBound > Int(Int32.min) && upperBound < Int(Int32.max) }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func unquantizedOperand(
    _ node: String, _ tensor: String, _ producer: String, isConcatenation: Bool, _ framework: Framework
  ) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node, tensor: tensor),
      message: "the \(isConcatenation ? "concatenation" : "addition") reads the un-quantized result of '\(producer)': "
        + "expected a quantizer between the two",
      fix: framework.quantizeOperands(isConcatenation: isConcatenation))
  }

  fileprivate static func mixedSigns(_ node: String, channel: Int) -> Diagnostic {
    Diagnostic(
      code: "negative-scale-behind-addition", location: .init(node: node),
      message:
        "channel \(channel) of the sum is multiplied by a negative number before the next quantizer, others by positive "
        + "ones: expected one sign for all",
      fix: "put a QuantIdentity between the addition and the BatchNorm, or keep gamma positive")
  }

  fileprivate static func inexactAddition(_ node: String, count: Int, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "inexact-addition", location: .init(node: node),
      message:
        "no integer form equals this sum of \(count) activations, whose scales are in no simple ratio: expected "
        + "two operands with a quantizer directly behind, or scales in the ratio of small whole numbers",
      fix: framework == .pytorch
        ? "let one QuantIdentity quantize all operands of the addition, so that they have one scale"
        : framework.quantizeOperands(isConcatenation: false))
  }

  fileprivate static func unequalGrids(
    _ node: String, reader: String?, _ parts: [TernaryIR.Tensor], _ framework: Framework
  ) -> Diagnostic {
    let grids = parts.prefix(4).map { "'\($0.name)': scale \(Float($0.scale)), zero point \($0.zeroPoint)" }
    return Diagnostic(
      code: "unequal-grids", location: .init(node: node),
      message: "the concatenation joins integers on different grids (\(grids.joined(separator: "; "))"
        + "\(parts.count > 4 ? "; …" : "")) and nothing quantizes them before "
        + "\(reader.map { "'\($0)' reads them" } ?? "the network's end"): expected one grid, or a quantizer behind it",
      fix: framework.quantizeOperands(isConcatenation: true))
  }

  fileprivate static func flattenedBranch(_ node: String, _ tensor: String, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "flattened-branch", location: .init(node: node, tensor: tensor),
      message:
        "the node joins, adds or takes parts of a map that has been flattened: expected it in front of the flatten",
      fix: framework == .keras
        ? "join, add and slice in front of Flatten()" : "join, add and slice in front of torch.flatten")
  }
}
