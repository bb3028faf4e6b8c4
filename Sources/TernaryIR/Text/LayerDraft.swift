import Diagnostics

/// A layer of the textual form while its lines are being read.
struct LayerDraft {
  enum Kind: String {
    case conv, dense, maxpool, avgpool, add, concat, slice, resize

    var hasWindow: Bool { self == .conv || self == .maxpool || self == .avgpool }
    var hasRequantizer: Bool { self == .conv || self == .dense || self == .avgpool || self == .add }

    /// What may follow the inputs on the layer's first line.
    var expected: String {
      switch self {
      case .conv: "kernel, stride, pad or groups"
      case .maxpool, .avgpool: "kernel, stride or pad"
      case .add: "factors"
      case .slice: "first or count"
      case .resize: "by"
      case .dense, .concat: "the line's end"
      }
    }
  }

  let kind: Kind
  let name: String
  let inputs: [TernaryNetwork.TensorID]
  /// Where the layer begins: errors that only its end reveals are reported there.
  let start: TextLine
  var window = Window(kernelHeight: 1, kernelWidth: 1)
  var groups = 1

  private var weights: [(values: [Int8], line: Int)] = []
  private var requantizer = RequantizerDraft()
  /// Of a concatenation, the requantizers of single inputs.
  private var parts: [Int: RequantizerDraft] = [:]
  private var part: Int?
  private var factors: [Int] = []
  private var first = 0
  private var count: Int?
  private var resize = Resize(rows: 1, columns: 1)
  private var accumulators: [ClosedRange<Int>]?
  var output = TensorDraft()

  /// - Parameters:
  ///   - previous: The input where the line names none.
  ///   - named: The tensors of a name.
  init(
    _ kind: Kind, _ line: inout TextLine, previous: TernaryNetwork.TensorID,
    named: (String) -> [TernaryNetwork.TensorID]
  ) throws(ModelError) {
    self.kind = kind
    start = line
    name = try line.string("the layer's name in quotes")
    var inputs: [TernaryNetwork.TensorID] = []
    while let id = try line.tensorID() { inputs.append(id) }
    if inputs.isEmpty, line.skip("of") {
      while line.isAtString {
        let before = line
        let ids = named(try line.string("a tensor's name in quotes"))
        guard ids.count == 1 else { throw before.error("\(ids.count) tensors have this name: expected one") }
        inputs.append(ids[0])
      }
    }
    self.inputs = inputs.isEmpty ? [previous] : inputs
    guard (kind == .add || kind == .concat) == (self.inputs.count > 1) else {
      throw line.error("\(self.inputs.count) inputs: expected \(self.inputs.count > 1 ? "one" : "two or more")")
    }
    var hasKernel = !kind.hasWindow
    while !line.isAtEnd {
      if kind.hasWindow, line.skip("kernel") {
        let extents = try line.extents("a kernel such as 3x3", counts: 2...2)
        (window.kernelHeight, window.kernelWidth) = (extents[0], extents[1])
        hasKernel = true
      } else if kind.hasWindow, line.skip("stride") {
        let extents = try line.extents("a stride such as 2x2", counts: 2...2)
        (window.strideHeight, window.strideWidth) = (extents[0], extents[1])
      } else if kind.hasWindow, line.skip("pad") {
        let expected = "padding: top left bottom right"
        func extent() throws(ModelError) -> Int {
          guard let extent = UInt16(exactly: try line.integer(expected)) else { throw line.error(expected: expected) }
          return Int(extent)
        }
        (window.top, window.left) = (try extent(), try extent())
        (window.bottom, window.right) = (try extent(), try extent())
      } else if kind == .conv, line.skip("groups") {
        groups = try line.integer()
        guard (1...Int(UInt16.max)).contains(groups) else { throw line.error("\(groups) groups: expected at least 1") }
      } else if kind == .add, line.skip("factors") {
        factors = try line.integers()
      } else if kind == .slice, line.skip("first") {
        first = try line.integer()
      } else if kind == .slice, line.skip("count") {
        count = try line.integer()
      } else if kind == .resize, line.skip("by") {
        let extents = try line.extents("factors such as 2x2", counts: 2...2)
        resize = Resize(rows: extents[0], columns: extents[1])
      } else {
        throw line.error(expected: kind.expected)
      }
    }
    guard hasKernel else { throw line.error("no kernel: expected for instance 'kernel 3x3'") }
  }

  // MARK: Lines

  /// One output channel's weights.
  mutating func addWeights(_ row: Substring, line: Int) throws(ModelError) {
    var values: [Int8] = []
    for (position, character) in row.enumerated() {
      switch character {
      case "+": values.append(1)
      case "-": values.append(-1)
      case "0": values.append(0)
      case let character where character.isWhitespace: break
      default: throw ModelError(.text(line, position + 1, "'\(character)' is no weight: expected +, - or 0"))
      }
    }
    weights.append((values, line))
  }

  /// One of the lines that may follow the layer's first.
  mutating func read(_ keyword: String, _ line: inout TextLine) throws(ModelError) {
    switch keyword {
    case "weights" where kind == .conv || kind == .dense: break
    case "accumulators" where kind.hasRequantizer:
      var ranges = accumulators ?? []
      // Sums of two activations alone may be wider than int32.
      while !line.isAtEnd { ranges.append(try kind == .add ? line.wideRange() : line.range()) }
      accumulators = ranges
    case "part" where kind == .concat:
      let position = try line.integer()
      guard inputs.indices.contains(position), parts[position] == nil else {
        throw line.error("part \(position): expected each of 0 to \(inputs.count - 1) at most once")
      }
      (part, parts[position]) = (position, RequantizerDraft())
    case "output":
      try output.read(&line)
    default:
      var isRead = false
      if let part {
        isRead = try parts[part]?.read(keyword, &line) ?? false
      } else if kind.hasRequantizer {
        isRead = try requantizer.read(keyword, &line)
      }
      guard isRead else {
        throw ModelError(.text(line.number, 1, "'\(keyword)' has no place in a \(kind.rawValue) layer"))
      }
    }
    try line.requireEnd()
  }

  // MARK: Result

  /// The layer and its output tensor.
  ///
  /// - Parameter sources: The inputs' tensors, at least one.
  func finish(sources: [Tensor], output id: TernaryNetwork.TensorID) throws(ModelError) -> (Layer, Tensor) {
    let input = sources[0]
    let kind: Layer.Kind
    var output = output
    switch self.kind {
    case .conv:
      guard input.shape.channels % groups == 0 else {
        throw start.error("\(groups) groups do not divide \(input.shape.channels) input channels")
      }
      let groupChannels = input.shape.channels / groups
      let flat = try flatWeights(taps: groupChannels * window.kernelHeight * window.kernelWidth)
      let accumulators =
        accumulators
        ?? Convolution.accumulators(flat, outputChannels: weights.count, window: window, input: input)
      let requantizer = try requantizer.required(accumulators, start)
      kind = .convolution(
        Convolution(
          weights: flat, outputChannels: weights.count, groupChannels: groupChannels, groups: groups, window: window,
          accumulators: accumulators, requantizer: requantizer))
      if output.shape == nil { output.shape = try windowShape(input, weights.count) }
    case .dense:
      let flat = try flatWeights(taps: input.shape.count)
      let accumulators = accumulators ?? Dense.accumulators(flat, outputs: weights.count, input: input)
      let requantizer = try requantizer.required(accumulators, start)
      kind = .dense(
        Dense(weights: flat, outputs: weights.count, accumulators: accumulators, requantizer: requantizer))
      output.shape = output.shape ?? Shape(weights.count)
    case .maxpool:
      kind = .maxPool(window)
      if output.shape == nil { output.shape = try windowShape(input, input.shape.channels) }
      output.inherit(input)
    case .avgpool:
      let ranges = accumulators ?? [AveragePool.accumulators(window, input: input)]
      guard ranges.count == 1 else { throw start.error("\(ranges.count) accumulator ranges: expected one") }
      let requantizer = try requantizer.finish(ranges, start)
      kind = .averagePool(AveragePool(window: window, accumulators: ranges[0], requantizer: requantizer))
      if output.shape == nil { output.shape = try windowShape(input, input.shape.channels) }
      if requantizer == nil {
        output.kind = output.kind ?? .sum
        output.range = output.range ?? ranges[0]
        output.zeroPoint = output.zeroPoint ?? window.kernelHeight * window.kernelWidth * input.zeroPoint
      }
    case .add:
      let factors = factors.isEmpty ? sources.map { _ in 1 } : factors
      guard factors.count == sources.count else {
        throw start.error("\(factors.count) factors for \(sources.count) inputs: expected as many")
      }
      guard let ranges = accumulators ?? Addition.accumulators(factors, inputs: sources).map({ [$0] }) else {
        throw start.error("a sum leaves 64 bits")
      }
      guard ranges.count == 1 else { throw start.error("\(ranges.count) accumulator ranges: expected one") }
      kind = .add(
        Addition(
          multipliers: factors, accumulators: ranges[0], requantizer: try requantizer.required(ranges, start)))
      output.shape = output.shape ?? input.shape
    case .concat:
      var requantizers: [Requantizer?] = []
      for (position, source) in sources.enumerated() {
        requantizers.append(try parts[position]?.required([source.range], start))
      }
      kind = .concatenate(Concatenation(requantizers: requantizers))
      if output.shape == nil {
        let channels = sources.reduce(0) { $0 + $1.shape.channels }
        output.shape = Shape(channels, input.shape.height, input.shape.width)
      }
      // What a requantizer puts out, and the values of the inputs that have none.
      let ranges = zip(sources, requantizers).map { source, requantizer in
        requantizer.map { $0.minimum...$0.maximum } ?? source.range
      }
      let whole = ranges.reduce(ranges[0]) {
        min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound)
      }
      output.range = output.range ?? whole
      if let position = requantizers.firstIndex(where: { $0 == nil }) { output.inherit(sources[position]) }
    case .slice:
      guard let count else { throw start.error("no count: expected for instance 'first 0 count 8'") }
      guard (0...Int(UInt16.max)).contains(first), (1...Int(UInt16.max)).contains(count) else {
        throw start.error("\(count) channels from \(first) on: expected numbers from 0 to 65535")
      }
      kind = .slice(ChannelSlice(first: first, count: count))
      output.shape = output.shape ?? Shape(count, input.shape.height, input.shape.width)
      output.kind = output.kind ?? input.kind
      output.inherit(input)
    case .resize:
      kind = .resize(resize)
      // Each factor is below 2^16, and so are the extents of what has been read.
      let (height, width) = (input.shape.height * resize.rows, input.shape.width * resize.columns)
      guard max(height, width) <= Int(UInt16.max) else {
        throw start.error("\(height)x\(width) rows and columns: expected at most 65535")
      }
      output.shape = output.shape ?? Shape(input.shape.channels, height, width)
      output.kind = output.kind ?? input.kind
      output.inherit(input)
    }
    let layer = Layer(name: name, kind: kind, inputs: inputs, output: id)
    if let requantizer = layer.requantizer {
      if case .logits = requantizer.form { output.kind = output.kind ?? .logits }
      output.range = output.range ?? requantizer.minimum...requantizer.maximum
    }
    return (layer, try output.tensor(named: name, start))
  }

  private func windowShape(_ input: Tensor, _ channels: Int) throws(ModelError) -> Shape {
    guard let size = window.outputSize(height: input.shape.height, width: input.shape.width) else {
      throw start.error("the window does not fit into \(input.shape)")
    }
    return Shape(channels, size.height, size.width)
  }

  private func flatWeights(taps: Int) throws(ModelError) -> [Int8] {
    guard !weights.isEmpty else { throw start.error("the layer has no weights") }
    for row in weights where row.values.count != taps {
      throw ModelError(.text(row.line, 1, "\(row.values.count) weights: expected \(taps)"))
    }
    return weights.flatMap(\.values)
  }
}

/// A tensor of the textual form, with what the text leaves to be inferred.
struct TensorDraft {
  var id: TernaryNetwork.TensorID?
  var name: String?
  var kind: Tensor.Kind?
  var shape: Shape?
  var range: ClosedRange<Int>?
  var grid: ClosedRange<Int>?
  var zeroPoint: Int?
  var scale: Double?

  /// Takes what the text leaves out from the tensor whose values these are.
  mutating func inherit(_ input: Tensor) {
    range = range ?? input.range
    grid = grid ?? input.grid
    zeroPoint = zeroPoint ?? input.zeroPoint
    scale = scale ?? input.scale
  }

  mutating func read(_ line: inout TextLine) throws(ModelError) {
    id = try line.tensorID()
    while !line.isAtEnd {
      if line.skip("range") {
        range = try line.range()
      } else if line.skip("grid") {
        grid = try line.range()
      } else if line.skip("zero") {
        guard let value = Int32(exactly: try line.integer()) else { throw line.error("the zero point leaves int32") }
        zeroPoint = Int(value)
      } else if line.skip("scale") {
        scale = try line.double()
      } else if name == nil, let string = try? line.string("") {
        name = string
      } else if kind == nil, line.skip(Tensor.Kind.activation.rawValue) {
        kind = .activation
      } else if kind == nil, line.skip(Tensor.Kind.sum.rawValue) {
        kind = .sum
      } else if kind == nil, line.skip(Tensor.Kind.logits.rawValue) {
        kind = .logits
      } else if shape == nil, let extents = try? line.shape() {
        shape = extents
      } else {
        throw line.error(expected: "a name, kind, shape, range, grid, zero or scale")
      }
    }
  }

  /// - Parameter name: Where the text gives none.
  func tensor(named name: String, _ line: TextLine) throws(ModelError) -> Tensor {
    guard let shape else { throw line.error("the tensor has no shape") }
    guard let range = range ?? grid else { throw line.error("the tensor has no range") }
    return Tensor(
      name: self.name ?? name, shape: shape, kind: kind ?? .activation, range: range, grid: grid,
      zeroPoint: zeroPoint ?? 0, scale: scale ?? 1)
  }
}
