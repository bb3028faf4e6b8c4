import TernaryIR

/// A layer, or a convolution and the max pool behind it, that is to be computed.
struct Site {
  enum Kind {
    /// A layer that looks at windows of one tensor.
    case window(Draft)
    /// Rows of several tensors, added up.
    case add(multipliers: [Int], Epilogue)
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
    let outputs = Set([network.outputTensor.index])
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
    guard let source = tensors[inputs[0]] else { return }
    let draft = Scheduler.stage(index, network, source.storage, &names)
    add(
      Site(
        name: draft.name, layer: layer, layers: index...index, inputs: inputs, output: layer.output.index,
        kind: .window(draft), geometry: draft.geometry, outputStorage: draft.output), network[layer.output])
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
