import Diagnostics

extension TernaryNetwork {
  /// Reads the textual form: what `text` prints, or a network written by hand with much of it left out.
  ///
  ///     network "tiny"
  ///     input 1x4x4 range 0...15
  ///     conv "edge" kernel 3x3 stride 2x2 pad 1 1 0 0      # top left bottom right
  ///       weights
  ///         +0- +0- +0-
  ///         000 0+0 000
  ///       affine shift 2 clamp 0...7
  ///       multipliers 1 3
  ///       offsets 2 0
  ///     dense "classes"
  ///       weights
  ///         ++++ 0000
  ///         0-0- +++-
  ///       logits
  ///
  /// Statements, a line each; `[ ]` may be left out, indentation and `#` comments mean nothing:
  ///
  ///     network NAME
  ///     [quantize NAME [scale F] [zero I] [range R] [signed | unsigned] [zero-after-rounding]]
  ///       [step (add | subtract | subtract-from | multiply | divide) F] …
  ///     input TENSOR
  ///     [tensor TENSOR] …                      tensors that no layer makes
  ///     LAYER …
  ///     [result %I …]                          the last layer's output
  ///
  ///     LAYER   = conv    NAME [INPUTS] kernel HxW [stride HxW] [pad TOP LEFT BOTTOM RIGHT] [groups I]
  ///             | dense   NAME [INPUTS]
  ///             | maxpool NAME [INPUTS] kernel HxW [stride HxW] [pad …]
  ///             | avgpool NAME [INPUTS] kernel HxW [stride HxW] [pad …]
  ///             | add     NAME INPUTS [factors I …]          1 for each input; else the multipliers of the sum
  ///             | concat  NAME INPUTS
  ///             | slice   NAME [INPUTS] [first I] count I    channels
  ///             | resize  NAME [INPUTS] by HxW               how often rows and columns are repeated
  ///       weights                              then a line of `+`, `-` and `0` for each output channel
  ///       affine [shift I] clamp R  |  half-even [shift I] clamp R  |  thresholds clamp R  |  logits [clamp R]
  ///       [multipliers I …]  [offsets I …]     one for all channels, or one for each; 1 and 0
  ///       [at I …]                             the thresholds: a line for all channels, or one for each
  ///       [part I]                             the lines behind it tell of that input of a concatenation
  ///       [accumulators R …]                   computed from weights and input range
  ///       [proof [pairs I] [exceptions I] [resolution F]]
  ///       [output TENSOR]
  ///     INPUTS  = %I … | of NAME …                                           tensors by number, or by name
  ///     TENSOR  = [%I] [NAME] [activation | sum | logits] [CxHxW] [range R] [grid R] [zero I] [scale F]
  ///
  /// `NAME` is in double quotes, `R` is `LOW...HIGH`, `%I` is a tensor's number. A layer reads the tensor before it and
  /// makes the next; its output's shape, kind and range follow from it. The grid follows from the range, which an
  /// input must have. An average pool without a requantizer makes sums.
  ///
  /// - Throws: one error with line and column. What the verifier checks (`problems()`) is not checked here.
  package init(parsing text: String) throws(ModelError) {
    var parser = Parser()
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      try parser.read(line, number)
    }
    self = try parser.finish(number)
  }
}

private struct Parser {
  var name: String?
  var quantization: InputQuantization?
  var inputTensor: TernaryNetwork.TensorID?
  var tensors: [Int: Tensor] = [:]
  var layers: [Layer] = []
  var results: [TernaryNetwork.TensorID] = []
  /// The layer that is being read, and whether its weights are.
  var draft: LayerDraft?
  var isInWeights = false

  mutating func read(_ text: Substring, _ number: Int) throws(ModelError) {
    let isWeights = text.first { !$0.isWhitespace }.map { "+-0".contains($0) } ?? false
    if isWeights, isInWeights {
      try draft?.addWeights(text.prefix { $0 != "#" }, line: number)
      return
    }
    var line = try TextLine(text, number: number)
    if line.isAtEnd { return }
    let start = line
    let keyword = try line.word("a statement")
    switch keyword {
    case "network":
      guard name == nil else { throw start.error("a second 'network'") }
      name = try line.string("the network's name in quotes")
      try line.requireEnd()
    case "quantize": try readQuantization(&line, start)
    case "step": try readStep(&line, start)
    case "input":
      guard inputTensor == nil else { throw start.error("a second 'input'") }
      inputTensor = try readTensor(&line, "input", start)
    case "tensor":
      _ = try readTensor(&line, "tensor", start)
    case "result":
      try finishLayer()
      results = []
      repeat {
        guard let id = try line.tensorID() else { throw line.error(expected: "a tensor such as %0") }
        guard tensors[id.index] != nil else { throw start.error("there is no tensor %\(id.index)") }
        results.append(id)
      } while !line.isAtEnd
    case let keyword:
      if let kind = LayerDraft.Kind(rawValue: keyword) {
        try finishLayer()
        guard let previous = layers.last?.output ?? inputTensor else { throw start.error("a layer before 'input'") }
        let tensors = tensors
        draft = try LayerDraft(kind, &line, previous: previous) { name in
          tensors.keys.filter { tensors[$0]?.name == name }.sorted().map { .init($0) }
        }
        isInWeights = false
      } else if draft != nil {
        try draft?.read(keyword, &line)
        isInWeights = keyword == "weights"
      } else {
        throw start.error(
          expected:
            "network, quantize, input, tensor, conv, dense, maxpool, avgpool, add, concat, slice, resize or result")
      }
    }
  }

  mutating func finish(_ number: Int) throws(ModelError) -> TernaryNetwork {
    try finishLayer()
    func missing(_ statement: String) -> ModelError { ModelError(.text(number, 1, "no '\(statement)'")) }
    guard let name else { throw missing("network") }
    guard let inputTensor, let input = tensors[inputTensor.index] else { throw missing("input") }
    if results.isEmpty, let last = layers.last { results = [last.output] }
    guard !results.isEmpty else { throw ModelError(.text(number, 1, "no layer")) }
    var list: [Tensor] = []
    for index in 0..<tensors.count {
      guard let tensor = tensors[index] else { throw ModelError(.text(number, 1, "tensor %\(index) is never made")) }
      list.append(tensor)
    }
    let quantization =
      quantization
      ?? InputQuantization(
        name: input.name, scale: Float(input.scale), zeroPoint: input.zeroPoint, minimum: input.grid.lowerBound,
        maximum: input.grid.upperBound, isSigned: input.grid.lowerBound < 0)
    return TernaryNetwork(
      name: name, input: quantization, tensors: list, layers: layers, inputTensor: inputTensor, outputTensors: results)
  }

  // MARK: Statements

  private mutating func readQuantization(_ line: inout TextLine, _ start: TextLine) throws(ModelError) {
    guard quantization == nil else { throw start.error("a second 'quantize'") }
    var read = InputQuantization(name: try line.string("the input's name in quotes"))
    var isSigned: Bool?
    while !line.isAtEnd {
      if line.skip("scale") {
        read.scale = try line.float()
      } else if line.skip("zero") {
        read.zeroPoint = try line.integer()
      } else if line.skip("range") {
        let range = try line.range()
        (read.minimum, read.maximum) = (range.lowerBound, range.upperBound)
      } else if line.skip("signed") {
        isSigned = true
      } else if line.skip("unsigned") {
        isSigned = false
      } else if line.skip("zero-after-rounding") {
        read.addsZeroPointAfterRounding = true
      } else if line.skip("shape") {
        read.fileShape = try line.extents("a shape such as 8x8x3", counts: 1...3)
      } else if line.skip("channels-last") {
        read.isChannelsLast = true
      } else if line.skip("from") {
        let before = line
        guard let element = InputQuantization.Element(rawValue: try line.word("uint8 or int8")) else {
          throw before.error(expected: "uint8 or int8")
        }
        read.element = element
      } else {
        throw line.error(
          expected: "scale, zero, range, signed, unsigned, zero-after-rounding, shape, channels-last or from")
      }
    }
    read.isSigned = isSigned ?? (read.minimum < 0)
    quantization = read
  }

  private mutating func readStep(_ line: inout TextLine, _ start: TextLine) throws(ModelError) {
    guard quantization != nil else { throw start.error("a step before 'quantize'") }
    let expected = "add, subtract, subtract-from, multiply or divide"
    let before = line
    let kind = try line.word(expected)
    guard ["add", "subtract", "subtract-from", "multiply", "divide"].contains(kind) else {
      throw before.error(expected: expected)
    }
    var constants = [try line.float()]
    while !line.isAtEnd { constants.append(try line.float()) }
    let step: InputQuantization.Step =
      switch kind {
      case "add": .add(constants)
      case "subtract": .subtract(constants)
      case "subtract-from": .subtractFrom(constants)
      case "multiply": .multiply(constants)
      default: .divide(constants)
      }
    quantization?.steps.append(step)
    try line.requireEnd()
  }

  private mutating func readTensor(
    _ line: inout TextLine, _ name: String, _ start: TextLine
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    var tensor = TensorDraft()
    try tensor.read(&line)
    return try add(try tensor.tensor(named: quantization?.name ?? name, start), tensor.id, start)
  }

  private mutating func finishLayer() throws(ModelError) {
    guard let draft else { return }
    self.draft = nil
    isInWeights = false
    var sources: [Tensor] = []
    for id in draft.inputs {
      guard let source = tensors[id.index] else { throw draft.start.error("there is no tensor %\(id.index)") }
      sources.append(source)
    }
    let id = draft.output.id ?? nextID
    let (layer, tensor) = try draft.finish(sources: sources, output: id)
    layers.append(layer)
    _ = try add(tensor, id, draft.start)
  }

  private mutating func add(
    _ tensor: Tensor, _ id: TernaryNetwork.TensorID?, _ line: TextLine
  ) throws(ModelError) -> TernaryNetwork.TensorID {
    let id = id ?? nextID
    guard tensors.updateValue(tensor, forKey: id.index) == nil else {
      throw line.error("tensor %\(id.index) exists already")
    }
    return id
  }

  private var nextID: TernaryNetwork.TensorID {
    var index = 0
    while tensors[index] != nil { index += 1 }
    return .init(index)
  }
}
