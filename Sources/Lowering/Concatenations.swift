import Diagnostics
import GraphIR
import TernaryIR

// Branches whose channels are joined.
extension GraphLowering {
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

// MARK: - Diagnostics

extension Diagnostic {
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
}
