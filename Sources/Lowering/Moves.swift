import Diagnostics
import GraphIR
import TernaryIR

// What moves integers without changing any: pools of maxima, resizes, slices.
extension GraphLowering {
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

  mutating func move(
    _ source: TernaryNetwork.TensorID, _ moves: [(name: String, move: PendingLayer.Move)]
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    var output = source
    for (name, move) in moves { output = try self.move(output, move, named: name) }
    return output
  }

  mutating func move(
    _ source: TernaryNetwork.TensorID, _ move: PendingLayer.Move, named name: String
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    var tensor = tensors[source.index]
    guard let shape = move.outputShape(tensor.shape) else { throw ModelError(.windowDoesNotFit(name)) }
    (tensor.name, tensor.shape) = (name, shape)
    let kind: Layer.Kind =
      switch move {
      case .maxPool(let window): .maxPool(window)
      case .resize(let resize): .resize(resize)
      }
    return try append(
      kind,
      of: PendingLayer(
        name: name, operation: .identity, origin: .tensor(source), sources: [source], shape: shape, maps: []), tensor)
  }

  /// Whether a value of the graph is a vector and its integers, of this shape, are not.
  func isFlattened(_ value: Graph.ValueID, _ shape: Shape) -> Bool {
    graph[value].shape.count == 1 && shape.height * shape.width > 1
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
