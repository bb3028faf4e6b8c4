import TernaryIR

/// A layer, or a convolution and the max pool behind it, that is to be computed.
struct Site {
  enum Kind {
    /// A layer that looks at windows of one tensor.
    case window(Draft)
    /// Rows of several tensors, added up.
    case add(multipliers: [Int], Epilogue)
    /// Rows of several tensors behind one another, some of them requantized.
    case concatenate([Epilogue?])
    case slice(first: Int)
    case resize(Resize)
  }

  /// C identifier.
  var name: String
  var layer: Layer
  /// The network's layers that it stands for.
  var layers: ClosedRange<Int>
  /// Of tensors of the network.
  var inputs: [Int]
  var output: Int
  var kind: Kind
  var geometry: Geometry
  var outputStorage: Storage
}

/// What is known of a tensor before anything is laid out.
struct SiteTensor {
  var shape: Shape
  var storage: Storage
  /// Code of the zero point, which is what windows are padded with.
  var zeroCode: Int
  var producer: Int?
  var consumers: [Int] = []
  var isOutput = false
}

/// The network as what is to be computed.
struct SiteGraph {
  var sites: [Site] = []
  /// By their numbers in the network.
  var tensors: [Int: SiteTensor] = [:]
  var input: Int

  init(_ network: TernaryNetwork, _ options: PlanningOptions) {
    input = network.inputTensor.index
    let source = network[network.inputTensor]
    let storage = Storage(source)
    tensors[input] = SiteTensor(shape: source.shape, storage: storage, zeroCode: source.zeroPoint - storage.base)
    var names = Names(reserved: [options.name])
    var readers: [Int: Int] = [:]
    for layer in network.layers { for input in layer.inputs { readers[input.index, default: 0] += 1 } }
    let outputs = Set(network.outputTensors.map(\.index))
    for index in network.layers.indices {
      let layer = network.layers[index]
      let from = layer.inputs[0].index
      if options.fusesPools, let last = sites.last, last.output == from, readers[from] == 1, !outputs.contains(from),
        case .window(let draft) = last.kind, let pooled = Scheduler.fused(draft, network, poolAt: index)
      {
        tensors[from] = nil
        replace(sites.count - 1, pooled, layer, network[layer.output])
      } else {
        append(index, network, &names)
      }
      tensors[layer.output.index]?.isOutput = outputs.contains(layer.output.index)
    }
  }

  private mutating func append(_ index: Int, _ network: TernaryNetwork, _ names: inout Names) {
    let layer = network.layers[index]
    let inputs = layer.inputs.map(\.index)
    let sources = inputs.compactMap { tensors[$0] }
    let target = network[layer.output]
    guard let source = sources.first, sources.count == inputs.count else { return }
    if let kind = Self.kind(layer, sources, Storage(target), target.range) {
      let geometry = Geometry(
        input: source.shape, window: Window(kernelHeight: 1, kernelWidth: 1), sums: target.shape, pool: .none,
        output: target.shape)
      // What is moved as it is keeps its codes.
      let isMoved = if case .slice = kind { true } else if case .resize = kind { true } else { false }
      add(
        Site(
          name: names.identifier(for: layer.name, index: index + 1), layer: layer, layers: index...index,
          inputs: inputs, output: layer.output.index, kind: kind, geometry: geometry,
          outputStorage: isMoved ? source.storage : Storage(target)), target)
      return
    }
    let draft = Scheduler.stage(index, network, source.storage, &names)
    add(
      Site(
        name: draft.name, layer: layer, layers: index...index, inputs: inputs, output: layer.output.index,
        kind: .window(draft), geometry: draft.geometry, outputStorage: draft.output), network[layer.output])
  }

  /// What a layer is that looks at no windows; nil: it does.
  private static func kind(
    _ layer: Layer, _ sources: [SiteTensor], _ output: Storage, _ range: ClosedRange<Int>
  ) -> Site.Kind? {
    switch layer.kind {
    case .convolution, .dense, .maxPool, .averagePool: return nil
    case .slice(let slice): return .slice(first: slice.first)
    case .resize(let resize): return .resize(resize)
    case .add(let addition):
      let terms = zip(addition.multipliers, sources.map(\.storage))
      let least = terms.reduce(0) { $0 + min(0, $1.0) * $1.1.maximumCode }
      let most = terms.reduce(0) { $0 + max(0, $1.0) * $1.1.maximumCode }
      return .add(
        multipliers: addition.multipliers,
        Epilogue(
          addition.requantizer, shifts: [terms.reduce(0) { $0 + $1.0 * $1.1.base }], accumulators: [least...most],
          to: output, range: range))
    case .concatenate(let concatenation):
      return .concatenate(
        zip(concatenation.requantizers, sources).map { requantizer, source -> Epilogue? in
          let storage = source.storage
          if let requantizer {
            return Epilogue(
              requantizer, shifts: [storage.base], accumulators: [0...storage.maximumCode], to: output, range: range)
          }
          // Equal integers may be stored as other codes.
          if storage.base == output.base { return nil }
          return Epilogue(
            Requantizer(
              form: .affine(multipliers: [1], offsets: [0], shift: 0), minimum: range.lowerBound, maximum: range.upperBound),
            shifts: [storage.base], accumulators: [0...storage.maximumCode], to: output, range: range)
        })
    }
  }

  private mutating func add(_ site: Site, _ target: Tensor) {
    for input in site.inputs { tensors[input]?.consumers.append(sites.count) }
    tensors[site.output] = SiteTensor(
      shape: target.shape, storage: site.outputStorage, zeroCode: target.zeroPoint - site.outputStorage.base,
      producer: sites.count)
    sites.append(site)
  }

  private mutating func replace(_ index: Int, _ draft: Draft, _ pool: Layer, _ target: Tensor) {
    sites[index].kind = .window(draft)
    sites[index].geometry = draft.geometry
    sites[index].layers = draft.layers
    sites[index].output = pool.output.index
    tensors[pool.output.index] = SiteTensor(
      shape: draft.outputShape, storage: draft.output, zeroCode: target.zeroPoint - draft.output.base, producer: index)
  }
}
