import Diagnostics

/// A layer of the textual form while its lines are being read.
struct LayerDraft {
  enum Kind: String {
    case conv, dense, maxpool, avgpool
  }

  enum Form: String {
    case affine
    case halfEven = "half-even"
    case thresholds, logits
  }

  let kind: Kind
  let name: String
  let inputs: [TernaryNetwork.TensorID]
  /// Where the layer begins: errors that only its end reveals are reported there.
  let start: TextLine
  var window = Window(kernelHeight: 1, kernelWidth: 1)
  var groups = 1

  private var weights: [(values: [Int8], line: Int)] = []
  private var form: Form?
  private var shift = 0
  private var clamp: ClosedRange<Int>?
  private var multipliers: [Int] = []
  private var offsets: [Int] = []
  private var thresholds: [[Int]] = []
  private var proof = Requantizer.Proof()
  private var accumulators: [ClosedRange<Int>]?
  var output = TensorDraft()

  /// - Parameter previous: The input where the line names none.
  init(_ kind: Kind, _ line: inout TextLine, previous: TernaryNetwork.TensorID) throws(ModelError) {
    self.kind = kind
    start = line
    name = try line.string("the layer's name in quotes")
    var inputs: [TernaryNetwork.TensorID] = []
    while let id = try line.tensorID() { inputs.append(id) }
    self.inputs = inputs.isEmpty ? [previous] : inputs
    var hasKernel = kind == .dense
    while !line.isAtEnd {
      if kind != .dense, line.skip("kernel") {
        let extents = try line.extents("a kernel such as 3x3", counts: 2...2)
        (window.kernelHeight, window.kernelWidth) = (extents[0], extents[1])
        hasKernel = true
      } else if kind != .dense, line.skip("stride") {
        let extents = try line.extents("a stride such as 2x2", counts: 2...2)
        (window.strideHeight, window.strideWidth) = (extents[0], extents[1])
      } else if kind != .dense, line.skip("pad") {
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
      } else {
        throw line.error(
          expected: kind == .dense
            ? "the line's end" : kind == .conv ? "kernel, stride, pad or groups" : "kernel, stride or pad")
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
    case "accumulators" where kind != .maxpool:
      var ranges = accumulators ?? []
      while !line.isAtEnd { ranges.append(try line.range()) }
      accumulators = ranges
    case "multipliers": multipliers += try line.integers()
    case "offsets": offsets += try line.integers()
    case "at": thresholds.append(try line.integers())
    case "proof":
      while !line.isAtEnd {
        if line.skip("pairs") {
          proof.pairs = try line.integer()
        } else if line.skip("exceptions") {
          proof.exceptions = try line.integer()
        } else if line.skip("resolution") {
          proof.resolution = try line.double()
        } else {
          throw line.error(expected: "pairs, exceptions or resolution")
        }
      }
    case "output":
      try output.read(&line)
    default:
      guard kind != .maxpool, let form = Form(rawValue: keyword) else {
        throw ModelError(.text(line.number, 1, "'\(keyword)' has no place in a \(kind.rawValue) layer"))
      }
      guard self.form == nil else { throw ModelError(.text(line.number, 1, "a second requantizer")) }
      self.form = form
      while !line.isAtEnd {
        if line.skip("clamp") {
          clamp = try line.range()
        } else if form == .affine || form == .halfEven, line.skip("shift") {
          shift = try line.integer()
          guard (0...31).contains(shift) else { throw line.error("shift \(shift): expected 0 to 31") }
        } else {
          throw line.error(expected: form == .affine || form == .halfEven ? "shift or clamp" : "clamp")
        }
      }
    }
    try line.requireEnd()
  }

  // MARK: Result

  /// The layer and its output tensor.
  func finish(input: Tensor, output id: TernaryNetwork.TensorID) throws(ModelError) -> (Layer, Tensor) {
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
      guard let requantizer = try requantizer(accumulators) else { throw start.error("the layer has no requantizer") }
      kind = .convolution(
        Convolution(
          weights: flat, outputChannels: weights.count, groupChannels: groupChannels, groups: groups, window: window,
          accumulators: accumulators, requantizer: requantizer))
      if output.shape == nil { output.shape = try windowShape(input, weights.count) }
    case .dense:
      let flat = try flatWeights(taps: input.shape.count)
      let accumulators = accumulators ?? Dense.accumulators(flat, outputs: weights.count, input: input)
      guard let requantizer = try requantizer(accumulators) else { throw start.error("the layer has no requantizer") }
      kind = .dense(
        Dense(weights: flat, outputs: weights.count, accumulators: accumulators, requantizer: requantizer))
      output.shape = output.shape ?? Shape(weights.count)
    case .maxpool:
      kind = .maxPool(window)
      if output.shape == nil { output.shape = try windowShape(input, input.shape.channels) }
      output.range = output.range ?? input.range
      output.grid = output.grid ?? input.grid
      output.zeroPoint = output.zeroPoint ?? input.zeroPoint
      output.scale = output.scale ?? input.scale
    case .avgpool:
      let ranges = accumulators ?? [AveragePool.accumulators(window, input: input)]
      guard ranges.count == 1 else { throw start.error("\(ranges.count) accumulator ranges: expected one") }
      let requantizer = try requantizer(ranges)
      kind = .averagePool(AveragePool(window: window, accumulators: ranges[0], requantizer: requantizer))
      if output.shape == nil { output.shape = try windowShape(input, input.shape.channels) }
      if requantizer == nil {
        output.kind = output.kind ?? .sum
        output.range = output.range ?? ranges[0]
        output.zeroPoint = output.zeroPoint ?? window.kernelHeight * window.kernelWidth * input.zeroPoint
      }
    }
    let layer = Layer(name: name, kind: kind, inputs: inputs, output: id)
    if let requantizer = layer.requantizer {
      if form == .logits { output.kind = output.kind ?? .logits }
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

  private func requantizer(_ accumulators: [ClosedRange<Int>]) throws(ModelError) -> Requantizer? {
    guard let form else { return nil }
    if form == .thresholds {
      guard let clamp else { throw start.error("thresholds need 'clamp'") }
      guard !thresholds.isEmpty, thresholds.allSatisfy({ $0.count == clamp.count - 1 }) else {
        throw start.error("thresholds: expected lines 'at' with \(clamp.count - 1) each, for clamp \(clamp)")
      }
      return Requantizer(
        form: .thresholds(thresholds), minimum: clamp.lowerBound, maximum: clamp.upperBound, proof: proof)
    }
    let multipliers = multipliers.isEmpty ? [1] : multipliers
    let offsets = offsets.isEmpty ? [Int](repeating: 0, count: multipliers.count) : offsets
    guard multipliers.count == offsets.count else {
      throw start.error("\(multipliers.count) multipliers and \(offsets.count) offsets: expected as many")
    }
    let result: Requantizer.Form =
      switch form {
      case .affine: .affine(multipliers: multipliers, offsets: offsets, shift: shift)
      case .halfEven: .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
      case .logits, .thresholds: .logits(multipliers: multipliers, offsets: offsets)
      }
    var clamp = clamp
    if clamp == nil { clamp = try logitsRange(multipliers, offsets, accumulators) }
    guard let clamp else {
      throw start.error("\(form.rawValue) needs 'clamp'")
    }
    return Requantizer(form: result, minimum: clamp.lowerBound, maximum: clamp.upperBound, proof: proof)
  }

  /// Every value that the logits can have.
  private func logitsRange(
    _ multipliers: [Int], _ offsets: [Int], _ accumulators: [ClosedRange<Int>]
  ) throws(ModelError) -> ClosedRange<Int>? {
    guard form == .logits else { return nil }
    var values: [Int] = []
    for (channel, range) in accumulators.enumerated() {
      let entry = multipliers.count == 1 ? 0 : channel
      guard multipliers.indices.contains(entry) else {
        throw start.error("\(multipliers.count) multipliers for \(accumulators.count) channels")
      }
      for end in [range.lowerBound, range.upperBound] {
        let (product, overflow) = end.multipliedReportingOverflow(by: multipliers[entry])
        let (value, carry) = product.addingReportingOverflow(offsets[entry])
        guard !overflow, !carry, Int32(exactly: value) != nil else { throw start.error("a logit leaves int32") }
        values.append(value)
      }
    }
    guard let low = values.min(), let high = values.max() else { return nil }
    return low...high
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
