import Diagnostics
import GraphIR
import TernaryIR

// Sums of activations, as residual networks have them.
extension GraphLowering {
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
}

// MARK: - Diagnostics

extension Diagnostic {
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
}
