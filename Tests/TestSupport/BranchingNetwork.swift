import ReferenceInterpreter
import Sterna
import TernaryIR

extension RandomNetwork {
  /// A network whose layers read any tensors that are there: additions, concatenations, slices and resizes among
  /// convolutions and pools, several readers of a tensor, one or more outputs, some of which are read inside.
  package static func branching(seed: UInt64) -> TernaryNetwork {
    var builder = Builder(seed: seed)
    return builder.buildBranching()
  }
}

extension Builder {
  /// A tensor, and the values that it has on the samples.
  private typealias Point = (id: TernaryNetwork.TensorID, values: [[Int32]])

  mutating func buildBranching() -> TernaryNetwork {
    var points: [Point] = [(current, values)]
    let wanted = generator.pick(4...12)
    for _ in 0..<200 where network.layers.count < wanted {
      let before = network.layers.count
      // What has been made last is read most.
      go(to: generator.chance(60) ? points[points.count - 1] : generator.pick(points))
      addBranchingLayer(points)
      if network.layers.count > before { points.append((current, values)) }
    }
    let read = { [network] (id: TernaryNetwork.TensorID) in network.layers.contains { $0.inputs.contains(id) } }
    // Sums of pools are no outputs.
    for point in points where network[point.id].kind == .sum && !read(point.id) {
      go(to: point)
      addDense(isLast: generator.chance(50))
      points.append((current, values))
    }
    let made = points.filter { $0.id != network.inputTensor && network[$0.id].kind != .sum }.map(\.id)
    let isRead = { [network] (id: TernaryNetwork.TensorID) in network.layers.contains { $0.inputs.contains(id) } }
    network.outputTensors = made.filter { !isRead($0) || generator.chance(6) }
    return network
  }

  private mutating func go(to point: Point) { (current, values) = point }

  private mutating func addBranchingLayer(_ points: [Point]) {
    let shape = tensor.shape
    let isActivation = tensor.kind == .activation
    switch generator.pick(0...99) {
    case ..<25: addAddition(points)
    case ..<45: addConcatenation(points)
    case ..<55 where shape.channels > 1: addSlice()
    case ..<65 where shape.count <= 300: addResize()
    case ..<70 where isActivation && shape.height * shape.width > 1: addMaxPool()
    case ..<74 where isActivation && shape.height * shape.width > 1: addAveragePool(isGlobal: false, isLast: false)
    default: addConvolution(generator.pick([.any, .pointwise, .sameDepthwise, .sameDepthwise]), isLast: false)
    }
  }

  private mutating func addAddition(_ points: [Point]) {
    let (shape, first) = (tensor.shape, (current, values))
    let others = points.filter { network[$0.id].shape == shape && $0.id != current }
    guard !others.isEmpty else { return }
    var parts: [Point] = [first, generator.pick(others)]
    if generator.chance(15) { parts.append(generator.pick(others)) }
    let isEven = generator.chance(50)
    let multipliers = parts.map { _ in
      (isEven ? 1 : generator.pick(1...(generator.chance(20) ? 100_000 : 9))) * (generator.chance(15) ? -1 : 1)
    }
    let inputs = parts.map { network[$0.id] }
    guard let domain = Addition.accumulators(multipliers, inputs: inputs) else { return }
    let isPerChannel = generator.chance(25)
    let plane = shape.height * shape.width
    var observed = [Set<Int>](repeating: [], count: isPerChannel ? shape.channels : 1)
    for sample in values.indices {
      for place in 0..<shape.count {
        let sum = zip(parts, multipliers).reduce(0) { $0 + $1.1 * Int($1.0.values[sample][place]) }
        observed[isPerChannel ? place / plane : 0].insert(sum)
      }
    }
    let (requantizer, output) = requantize(
      observed.map { $0.sorted() }, observed.map { _ in domain }, shape, isLast: false, name: name("add"))
    append(
      Layer(
        name: output.name,
        kind: .add(Addition(multipliers: multipliers, accumulators: domain, requantizer: requantizer)),
        inputs: parts.map(\.id), output: nextID), output, of: parts.map(\.values))
  }

  private mutating func addConcatenation(_ points: [Point]) {
    let shape = tensor.shape
    let others = points.filter {
      network[$0.id].shape.height == shape.height && network[$0.id].shape.width == shape.width
    }
    var parts: [Point] = [(current, values)]
    for _ in 0..<generator.pick([1, 1, 2]) { parts.append(generator.pick(others)) }
    let inputs = parts.map { network[$0.id] }
    let channels = inputs.reduce(0) { $0 + $1.shape.channels }
    guard channels <= 40, channels * shape.height * shape.width <= 1500 else { return }
    // The grid of one of them, so that it needs no requantizer, or another.
    var output = inputs[0]
    if inputs[0].kind != .activation || generator.chance(30) {
      let grid = Self.grid(&generator, atLeast: 2)
      output = Tensor(
        name: "", shape: shape, range: grid, zeroPoint: Self.zeroPoint(grid, &generator, mayLieOutside: false),
        scale: Double(generator.pick(1...1000)) / 4096)
    }
    output.name = name("concat")
    output.shape.channels = channels
    var requantizers: [Requantizer?] = []
    var ranges: [ClosedRange<Int>] = []
    for (part, input) in zip(parts, inputs) {
      if input.kind == .activation, input.grid == output.grid, input.zeroPoint == output.zeroPoint {
        requantizers.append(nil)
        ranges.append(input.range)
        continue
      }
      let codes = Set(part.values.joined().map { Int($0) }).sorted()
      var (requantizer, _) = requantize([codes], [input.range], input.shape, isLast: false, name: output.name)
      // What it makes is brought to the output's grid.
      let span = max(1, (codes.last ?? 1) - (codes.first ?? 0))
      let slope = Double(output.grid.count) * (0.5 + generator.unit()) / Double(span)
      let multiplier = Int((slope * 256).rounded(.up))
      requantizer.form = .affine(
        multipliers: [multiplier], offsets: [(output.grid.lowerBound << 8) - multiplier * (codes.first ?? 0)], shift: 8)
      (requantizer.minimum, requantizer.maximum) = (output.grid.lowerBound, output.grid.upperBound)
      requantizers.append(requantizer)
      ranges.append(Self.range(requantizer, [input.range]))
    }
    output.range = (ranges.map(\.lowerBound).min() ?? 0)...(ranges.map(\.upperBound).max() ?? 0)
    append(
      Layer(
        name: output.name, kind: .concatenate(Concatenation(requantizers: requantizers)), inputs: parts.map(\.id),
        output: nextID), output, of: parts.map(\.values))
  }

  private mutating func addSlice() {
    var output = tensor
    let first = generator.pick(0...(output.shape.channels - 1))
    let count = generator.pick(1...(output.shape.channels - first))
    (output.name, output.shape.channels) = (name("slice"), count)
    append(
      Layer(
        name: output.name, kind: .slice(ChannelSlice(first: first, count: count)), inputs: [current], output: nextID),
      output)
  }

  private mutating func addResize() {
    var output = tensor
    let resize = generator.pick([
      Resize(rows: 2, columns: 2), Resize(rows: 2, columns: 2), Resize(rows: 1, columns: 3),
      Resize(rows: 3, columns: 1),
    ])
    output.name = name("resize")
    (output.shape.height, output.shape.width) = (output.shape.height * resize.rows, output.shape.width * resize.columns)
    append(Layer(name: output.name, kind: .resize(resize), inputs: [current], output: nextID), output)
  }

  /// Appends a layer of several inputs, whose values on the samples are given.
  private mutating func append(_ layer: Layer, _ output: Tensor, of inputs: [[[Int32]]]) {
    network.tensors.append(output)
    network.layers.append(layer)
    let interpreter = Interpreter(network)
    values = values.indices.map { sample in interpreter.execute(layer, inputs.map { $0[sample] }) }
    current = layer.output
  }
}
