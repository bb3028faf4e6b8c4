import GraphIR
import Lowering
import ModelBuilding
import ONNXFormat
import ONNXImport
import ReferenceInterpreter
import Testing

/// Every row of `sterna operators`, in each spelling that exporters write: compiled, run, and every value compared with
/// an independent computation.
@Suite struct SpellingTests {
  struct Spelling: CustomStringConvertible, Sendable {
    var type: String
    var what: String
    var model: ModelBuilder
    var description: String { "\(type): \(what)" }
  }

  @Test(arguments: spellings)
  func computesWhatTheFileMeans(spelling: Spelling) throws {
    let types = spelling.model.nodes.map(\.opType)
    #expect(types.contains(spelling.type))
    try check(spelling.model)
  }

  @Test func everyRowHasSpellings() {
    let covered = Set(Self.spellings.map(\.type))
    #expect(ModelImporter.supportedOperators.map(\.type).filter { !covered.contains($0) } == [])
  }

  /// Runs the compiled network and the file on the same inputs.
  private func check(_ model: ModelBuilder) throws {
    let graph = try ModelImporter.importModel(bytes: model.bytes, folder: nil).graph
    let network = try Lowering.lower(graph)
    let input = network[network.inputTensor].shape
    let output = network[network.outputTensor]
    var random = SplitMix(seed: 7)
    for _ in 0..<3 {
      // Multiples of a 32nd: half of them are ties of the usual input quantizer.
      let isInteger = network.input.element != .real
      let limit = network.input.element == .uint8 ? 256 : 128
      let sample = (0..<input.count).map { _ -> Double in
        isInteger ? Double(random.below(limit)) : Double(random.below(512) - 256) / 32
      }
      var arranged = sample
      let plane = input.height * input.width
      if network.input.isChannelsLast {
        arranged = (0..<input.count).map { index -> Double in sample[index % plane * input.channels + index / plane] }
      }
      let integers = network.input.quantize(arranged.map { Float($0) }, channels: input.channels, plane: plane)
      let result = Interpreter(network).run(integers).output
      let expected = Evaluator.run(model, sample).values
      let real = result.map { (value: Int32) -> Double in (Double(value) - Double(output.zeroPoint)) * output.scale }
      #expect(real == expected)
    }
  }

  // MARK: Models

  private typealias Attributes = [String: ModelBuilder.Attribute]

  /// Input quantizer, `build`, output quantizer.
  private static func model(
    _ type: String, _ what: String, input: [Int64?] = [1, 2, 4, 4], opset: Int64 = 17, isSigned: Bool = true,
    output: Float = 0.25, _ build: (inout ModelBuilder, String) -> String
  ) -> Spelling {
    var model = ModelBuilder(input: input, opset: opset)
    let x = model.quant("x", scale: 0.0625, bits: 8, signed: isSigned)
    let result = build(&model, x)
    model.output = model.quant(result, scale: output, bits: 8, signed: true)
    return Spelling(type: type, what: what, model: model)
  }

  /// The operator at the end of the network, or in front of its first quantizer.
  private static func bare(
    _ type: String, _ what: String, input: [Int64?] = [1, 2, 4, 4], opset: Int64 = 17,
    _ build: (inout ModelBuilder) -> String
  ) -> Spelling {
    var model = ModelBuilder(input: input, opset: opset)
    model.output = build(&model)
    return Spelling(type: type, what: what, model: model)
  }

  /// A linear layer of three outputs over what `value` is flattened to.
  private static func dense(_ model: inout ModelBuilder, _ value: String, _ features: Int64) -> String {
    model.node("Gemm", [value, model.ternary([3, features])], ["transB": .int(1)])
  }

  private static func conv(_ model: inout ModelBuilder, _ value: String, channels: Int64 = 2) -> String {
    model.node("Conv", [value, model.ternary([3, channels, 1, 1])])
  }

  static let spellings: [Spelling] =
    quantizers + layers + arithmetic + joins + pools + shapes + constants + trailing

  /// A second branch: a layer with a quantizer of its own.
  private static func branch(_ model: inout ModelBuilder, _ x: String, scale: Float, bits: Float = 8) -> String {
    model.quant(
      model.node("Conv", [x, model.ternary([2, 2, 3, 3])], ["pads": .ints([1, 1, 1, 1])]), scale: scale, bits: bits,
      signed: true)
  }

  private static let joins: [Spelling] = [
    model("Add", "residual, one scale") { $0.node("Add", [$1, branch(&$0, $1, scale: 0.0625)]) },
    model("Add", "residual, scales 1 to 4, ReLU behind") {
      $0.node("Relu", [$0.node("Add", [branch(&$0, $1, scale: 0.25), $1])])
    },
    model("Add", "residual, scales 3 to 2, zero point") {
      $0.node("Add", [$0.quant($1, scale: 0.09375, zeroPoint: 5, bits: 6), $1])
    },
    model("Add", "of three, without a quantizer between") {
      let sum = $0.node("Add", [$1, branch(&$0, $1, scale: 0.125)])
      return $0.node("Add", [sum, branch(&$0, $1, scale: 0.5, bits: 4)])
    },
    model("Add", "of half a sum") {
      let sum = $0.node("Add", [$1, branch(&$0, $1, scale: 0.125)])
      return $0.node("Add", [branch(&$0, $1, scale: 0.5, bits: 4), $0.node("Mul", [sum, $0.scalar(0.5)])])
    },
    model("Add", "of a tensor and itself, of a mean and a mean") {
      let mean = $0.quant($0.node("GlobalAveragePool", [$1]), scale: 0.0625, signed: true)
      return $0.node("Add", [$0.node("GlobalAveragePool", [$1]), $0.node("Add", [mean, mean])])
    },
    model("Add", "BatchNormalization and a max pool behind it") {
      let sum = $0.node("Add", [$1, branch(&$0, $1, scale: 0.0625)])
      let normalized = $0.node(
        "BatchNormalization",
        [
          sum, $0.floats([1, 0.5], [2]), $0.floats([0.25, -1], [2]), $0.floats([0.5, 0], [2]), $0.floats([4, 1], [2]),
        ], ["epsilon": .float(0)])
      return $0.node("MaxPool", [normalized], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    },
    model("Add", "features, flattened in both branches") {
      let other = branch(&$0, $1, scale: 0.125)
      return $0.node("Add", [$0.node("Flatten", [$1]), $0.node("Flatten", [other])])
    },
    bare("Add", "at the network's end") {
      let x = $0.quant("x", scale: 0.0625, signed: true)
      return $0.node("Add", [x, branch(&$0, x, scale: 0.25)])
    },
    bare("Add", "equal quantizers in both branches") {
      let first = $0.node("Relu", [conv(&$0, $0.quant("x", scale: 0.0625, signed: true))])
      let left = $0.node("Conv", [$0.quant(first, scale: 0.25), $0.ternary([3, 3, 1, 1])])
      let sum = $0.node("Add", [$0.quant(left, scale: 0.25), $0.quant(first, scale: 0.25)])
      return $0.quant(sum, scale: 0.5)
    },
    model("Sub", "of two activations") { $0.node("Sub", [branch(&$0, $1, scale: 0.125), $1]) },
    model("Sub", "of the first from the second, clipped") {
      $0.node("Clip", [$0.node("Sub", [$1, branch(&$0, $1, scale: 0.125)]), $0.scalar(-1), $0.scalar(2.5)])
    },
    model("Sum", "of three") {
      $0.node("Sum", [$1, branch(&$0, $1, scale: 0.125), branch(&$0, $1, scale: 0.25)])
    },
    model("Sum", "of one") { conv(&$0, $0.node("Sum", [$1])) },
    model("Concat", "of channels on one grid, read by a layer") {
      conv(&$0, $0.node("Concat", [$1, branch(&$0, $1, scale: 0.0625)], ["axis": .int(1)]), channels: 4)
    },
    model("Concat", "of channels on different grids") {
      $0.node(
        "Concat", [$1, branch(&$0, $1, scale: 0.125), $0.quant($1, scale: 0.5, zeroPoint: 3)], ["axis": .int(-3)])
    },
    model("Concat", "of a tensor and itself, on grids of different ranges") {
      let narrow = $0.quant($1, scale: 0.0625, bits: 4, signed: true)
      return conv(&$0, $0.node("Concat", [$1, narrow, $1], ["axis": .int(1)]), channels: 6)
    },
    model("Concat", "of layers, a sum and a quantized map, with one quantizer behind all") {
      let relu = $0.node("Relu", [conv(&$0, $1)])
      let pool = $0.node(
        "MaxPool", [conv(&$0, $1)], ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])])
      let sum = $0.node("Add", [$1, branch(&$0, $1, scale: 0.125)])
      return $0.node("Concat", [relu, $1, pool, sum], ["axis": .int(1)])
    },
    model("Concat", "BatchNormalization with a negative gamma behind it") {
      let joined = $0.node("Concat", [$1, branch(&$0, $1, scale: 0.125), conv(&$0, $1)], ["axis": .int(1)])
      let gamma: [Float] = [1, -0.5, 0.25, 2, -1, 0, 1]
      return $0.node(
        "BatchNormalization",
        [
          joined, $0.floats(gamma, [7]), $0.floats(gamma, [7]), $0.floats([0, 1, 0, 0.5, 0, 0, 1], [7]),
          $0.floats([1, 4, 1, 1, 4, 1, 1], [7]),
        ], ["epsilon": .float(0)])
    },
    model("Concat", "of means' features") {
      let left = $0.quant($0.node("GlobalAveragePool", [$1]), scale: 0.0625, signed: true)
      let right = $0.quant($0.node("GlobalMaxPool", [$1]), scale: 0.0625, signed: true)
      let features = [$0.node("Flatten", [left]), $0.node("Flatten", [right])]
      return dense(&$0, $0.node("Concat", features, ["axis": .int(-1)]), 4)
    },
    bare("Split", "a part at the network's end", opset: 13) {
      halves(&$0, $0.quant("x", scale: 0.0625, signed: true), ["axis": .int(1)]).1
    },
    bare("Concat", "at the network's end") {
      let x = $0.quant("x", scale: 0.0625, signed: true)
      return $0.node("Concat", [x, branch(&$0, x, scale: 0.0625)], ["axis": .int(1)])
    },
    model("Split", "attribute, both parts used", opset: 11) {
      let parts = halves(&$0, $1, ["axis": .int(1), "split": .ints([1, 1])])
      let layer = $0.node("Conv", [parts.0, $0.ternary([1, 1, 1, 1])])
      return $0.node("Add", [$0.quant(layer, scale: 0.25, signed: true), parts.1])
    },
    model("Split", "equal parts", opset: 13) {
      let parts = halves(&$0, $1, ["axis": .int(-3)])
      return $0.node("Concat", [parts.1, $1, parts.0], ["axis": .int(1)])
    },
    model("Split", "num_outputs, of features", input: [1, 5], opset: 18) {
      let parts = halves(&$0, $1, ["axis": .int(1), "num_outputs": .int(2)])
      return $0.node("Gemm", [parts.1, $0.ternary([3, 2])], ["transB": .int(1)])
    },
    model("Split", "of rows", opset: 13) {
      let parts = halves(&$0, $1, ["axis": .int(2)])
      return conv(&$0, parts.1)
    },
    model("Slice", "channels, for two branches") {
      let one = $0.integers([1], [1], type: .int64)
      let part = $0.node("Slice", [$1, one, $0.integers([.max], [1], type: .int64), one])
      let layer = $0.node("Conv", [part, $0.ternary([1, 1, 1, 1])])
      return $0.node("Sub", [$0.quant(layer, scale: 0.125, signed: true), part])
    },
    model("Resize", "scales, as torch writes them") {
      conv(&$0, $0.node("Resize", [$1, "", $0.floats([1, 1, 2, 3], [4])], nearest))
    },
    model("Resize", "sizes, ONNX's own modes") {
      $0.node("Resize", [$1, "", "", $0.integers([1, 2, 8, 4], [4], type: .int64)])
    },
    model("Resize", "in front of the quantizer", opset: 18) {
      $0.node(
        "Resize", [conv(&$0, $1), "", $0.floats([2, 2], [2])],
        nearest.merging(["axes": .ints([2, 3])]) { first, _ in first })
    },
    model("Resize", "opset 10", opset: 10) { $0.node("Resize", [$1, $0.floats([1, 1, 2, 2], [4])]) },
    model("Upsample", "an input", opset: 9) { conv(&$0, $0.node("Upsample", [$1, $0.floats([1, 1, 2, 2], [4])])) },
  ]

  private static let nearest: [String: ModelBuilder.Attribute] = [
    "mode": .string("nearest"), "nearest_mode": .string("floor"),
    "coordinate_transformation_mode": .string("asymmetric"),
  ]

  private static func halves(
    _ model: inout ModelBuilder, _ x: String, _ attributes: [String: ModelBuilder.Attribute]
  ) -> (String, String) {
    let first = model.node("Split", [x], outputs: 2, attributes)
    return (first, model.nodes[model.nodes.count - 1].output[1])
  }

  private static let quantizers: [Spelling] = [
    model("Quant", "unsigned, zero point") { $0.quant(conv(&$0, $1), scale: 0.5, zeroPoint: 3, bits: 4) },
    model("Quant", "floor") { $0.quant(conv(&$0, $1), scale: 0.5, bits: 5, signed: true, rounding: "FLOOR") },
    model("Quant", "ceil, lower case") { $0.quant(conv(&$0, $1), scale: 0.5, bits: 5, signed: true, rounding: "ceil") },
    model("Quant", "one bit, unsigned") { $0.quant(conv(&$0, $1), scale: 0.5, bits: 1) },
    model("Quant", "ternary activations") { $0.quant(conv(&$0, $1), scale: 0.5, bits: 2, signed: true, narrow: true) },
    model("Quant", "parameters as [1] and [1, 1, 1, 1]") {
      $0.node(
        "Quant",
        [conv(&$0, $1), $0.floats([0.5], [1, 1, 1, 1]), $0.floats([0], [1]), $0.integers([6], [1], type: .int64)],
        domain: "onnx.brevitas", ["signed": .int(1)])
    },
    model("BipolarQuant", "weights") {
      $0.node(
        "Conv",
        [
          $1,
          $0.node(
            "BipolarQuant", [$0.floats([1, -2, 0, 3], [2, 2, 1, 1]), $0.scalar(0.5)], domain: "finn.custom_op.general"),
        ])
    },
    model("Trunc", "six inputs") {
      let pool = $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
      return $0.node(
        "Trunc", [pool, $0.scalar(0.015625), $0.scalar(0), $0.scalar(10), $0.scalar(0.0625), $0.scalar(8)],
        domain: ModelBuilder.quantDomain, ["rounding_mode": .string("round"), "signed": .int(1)])
    },
    model("Trunc", "six inputs, floor") {
      let pool = $0.node("GlobalAveragePool", [$1])
      return $0.node(
        "Trunc", [pool, $0.scalar(0.00390625), $0.scalar(0), $0.scalar(12), $0.scalar(0.0625), $0.scalar(8)],
        domain: ModelBuilder.quantDomain, ["rounding_mode": .string("FLOOR"), "signed": .int(1)])
    },
    model("Trunc", "five inputs behind AveragePool and Mul", isSigned: false) {
      let pool = $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
      let sum = $0.node("Mul", [pool, $0.scalar(4)])
      return $0.node(
        "Trunc", [sum, $0.scalar(0.0625), $0.scalar(0), $0.scalar(10), $0.scalar(8)], domain: "onnx.brevitas",
        ["rounding_mode": .string("FLOOR")])
    },
    model("Trunc", "five inputs behind AveragePool and Mul, signed") {
      let pool = $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
      let sum = $0.node("Mul", [$0.floats([4], [1]), pool])
      return $0.node(
        "Trunc", [sum, $0.scalar(0.0625), $0.scalar(0), $0.scalar(10), $0.scalar(8)], domain: ModelBuilder.quantDomain)
    },
    model("Trunc", "five inputs behind a quantizer", isSigned: false) {
      $0.node(
        "Trunc", [$1, $0.scalar(0.0625), $0.scalar(0), $0.scalar(8), $0.scalar(4)], domain: ModelBuilder.quantDomain)
    },
    model("Trunc", "five inputs behind AveragePool", isSigned: false) {
      let pool = $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
      return $0.node(
        "Trunc", [pool, $0.scalar(0.0625), $0.scalar(0), $0.scalar(8), $0.scalar(6)], domain: ModelBuilder.quantDomain)
    },
    model("QuantizeLinear", "uint8 with a zero point, Clip, DequantizeLinear") {
      let zero = $0.integers([37], [], type: .uint8)
      let codes = $0.node("QuantizeLinear", [conv(&$0, $1), $0.scalar(0.5), zero])
      let bounds = [zero, $0.integers([52], [], type: .uint8)]
      return $0.node("DequantizeLinear", [$0.node("Clip", [codes] + bounds), $0.scalar(0.5), zero])
    },
    model("QuantizeLinear", "no zero point; reshaped in between") {
      let codes = $0.node("QuantizeLinear", [conv(&$0, $1), $0.floats([0.5], [1])])
      return $0.node("DequantizeLinear", [$0.node("Flatten", [codes]), $0.scalar(0.5)])
    },
    model("DequantizeLinear", "weights per channel, axis 0; int32 bias") {
      let weights = $0.node(
        "DequantizeLinear",
        [
          $0.integers([1, 0, -1, 1], [2, 2, 1, 1], type: .int8), $0.floats([0.5, 2], [2]),
          $0.integers([0, 0], [2], type: .int8),
        ],
        ["axis": .int(0)])
      let bias = $0.node("DequantizeLinear", [$0.integers([7, -9], [2], type: .int32), $0.scalar(0.03125)])
      return $0.node("Conv", [$1, weights, bias])
    },
    model("DequantizeLinear", "negative axis, transposed", input: [1, 4]) {
      let weights = $0.node(
        "DequantizeLinear",
        [$0.integers([1, 0, -1, 1, 1, -1, 0, 1], [4, 2], type: .int8), $0.floats([0.5, 1], [2])],
        ["axis": .int(-1)])
      return $0.node("MatMul", [$1, weights])
    },
  ]

  private static let layers: [Spelling] = [
    model("Conv", "same padding") {
      $0.node("Conv", [$1, $0.ternary([3, 2, 3, 3]), $0.floats([1, -2, 0.5], [3])], ["pads": .ints([1, 1, 1, 1])])
    },
    model("Conv", "stride beyond the kernel, kernel_shape left out") {
      $0.node("Conv", [$1, $0.ternary([3, 2, 1, 1])], ["strides": .ints([2, 3])])
    },
    model("Conv", "SAME_UPPER") {
      $0.node("Conv", [$1, $0.ternary([3, 2, 2, 2])], ["auto_pad": .string("SAME_UPPER"), "strides": .ints([2, 1])])
    },
    model("Conv", "SAME_LOWER") {
      $0.node("Conv", [$1, $0.ternary([3, 2, 2, 2])], ["auto_pad": .string("SAME_LOWER"), "strides": .ints([2, 1])])
    },
    model("Conv", "dilations and groups") {
      $0.node(
        "Conv", [$1, $0.ternary([4, 1, 2, 2])],
        ["dilations": .ints([2, 1]), "group": .int(2), "pads": .ints([0, 1, 2, 0])])
    },
    model("Conv", "plain floats of three levels") {
      $0.node("Conv", [$1, $0.floats([0.5, 0, -2, 2], [2, 2, 1, 1])])
    },
    model("Gemm", "transB, bias", input: [1, 8]) {
      $0.node("Gemm", [$1, $0.ternary([3, 8]), $0.floats([1, 0.5, -2], [3])], ["transB": .int(1)])
    },
    model("Gemm", "weights [in, out], bias [1, C]", input: [1, 8]) {
      $0.node("Gemm", [$1, $0.ternary([8, 3]), $0.floats([1, 0.5, -2], [1, 3])])
    },
    model("Gemm", "alpha and beta", input: [1, 8]) {
      $0.node(
        "Gemm", [$1, $0.ternary([8, 3]), $0.floats([1, 0.5, -2], [3])], ["alpha": .float(0.5), "beta": .float(-2)])
    },
    model("Gemm", "alpha negative", input: [1, 8]) {
      $0.node("Gemm", [$1, $0.ternary([8, 3]), $0.scalar(0.5)], ["alpha": .float(-0.25)])
    },
    model("Gemm", "beta 0", input: [1, 8]) {
      $0.node("Gemm", [$1, $0.ternary([8, 3]), $0.floats([1, 0.5, -2], [3])], ["beta": .float(0)])
    },
    model("MatMul", "bias as Add", input: [1, 8]) {
      $0.node("Add", [$0.node("MatMul", [$1, $0.ternary([8, 3])]), $0.floats([1, 0.5, -2], [3])])
    },
    model("MatMul", "transposed weights; an extra axis", input: [1, 8]) {
      let weights = $0.node("Transpose", [$0.ternary([3, 8])], ["perm": .ints([1, 0])])
      let row = $0.node("Unsqueeze", [$1, $0.integers([1], [1], type: .int64)])
      return $0.node("Squeeze", [$0.node("MatMul", [row, weights]), $0.integers([1], [1], type: .int64)])
    },
    model("BatchNormalization", "maps") { normalization(&$0, conv(&$0, $1)) },
    model("BatchNormalization", "features", input: [1, 8]) { normalization(&$0, dense(&$0, $1, 8)) },
    model("BatchNormalization", "behind a quantizer") {
      normalization(&$0, $0.quant(conv(&$0, $1), scale: 0.5, bits: 6))
    },
    model("BatchNormalization", "behind a flatten of single elements") {
      normalization(&$0, $0.node("Flatten", [$0.node("GlobalMaxPool", [$0.quant(conv(&$0, $1), scale: 0.5)])]))
    },
    model("Relu", "behind a layer") { $0.node("Relu", [conv(&$0, $1)]) },
    model("Relu", "between quantizer and layer") { conv(&$0, $0.node("Relu", [$1])) },
    model("Relu", "between quantizer, maximum, mean and layer") {
      let maximum = $0.node("MaxPool", [$0.node("Relu", [$1])], ["kernel_shape": .ints([2, 2])])
      return conv(&$0, $0.node("GlobalAveragePool", [$0.node("MaxPool", [maximum], ["kernel_shape": .ints([2, 2])])]))
    },
    model("Clip", "inputs") { $0.node("Clip", [conv(&$0, $1), $0.scalar(-1), $0.scalar(6)]) },
    model("Clip", "attributes", opset: 10) { $0.node("Clip", [conv(&$0, $1)], ["min": .float(0), "max": .float(6)]) },
    model("Clip", "no minimum") { $0.node("Clip", [conv(&$0, $1), "", $0.scalar(2)]) },
    model("Clip", "on the grid, between quantizer and layer") {
      conv(&$0, $0.node("Clip", [$1, $0.scalar(-1), $0.scalar(1.5)]))
    },
    model("Pad", "pads as input, into the convolution") {
      let pad = $0.node("Pad", [$1, $0.integers([0, 0, 1, 0, 0, 0, 2, 1], [8], type: .int64), $0.scalar(0)])
      return $0.node("Conv", [pad, $0.ternary([3, 2, 2, 2])], ["pads": .ints([0, 1, 0, 0])])
    },
    model("Pad", "pads as attribute", opset: 10) {
      let pad = $0.node("Pad", [$1], ["pads": .ints([0, 0, 1, 1, 0, 0, 1, 1]), "mode": .string("constant")])
      return $0.node("Conv", [pad, $0.ternary([3, 2, 3, 3])])
    },
    model("Pad", "axes", opset: 18) {
      let pad = $0.node(
        "Pad", [$1, $0.integers([1, 0, 0, 2], [4], type: .int64), "", $0.integers([-2, -1], [2], type: .int64)])
      return $0.node("Conv", [pad, $0.ternary([3, 2, 2, 2])])
    },
    model("Pad", "into a mean") {
      let pad = $0.node("Pad", [$1, $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64)])
      return $0.node("AveragePool", [pad], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    },
    model("Pad", "into a maximum") {
      let pad = $0.node("Pad", [$1, $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64)])
      return $0.node("MaxPool", [pad], ["kernel_shape": .ints([2, 2])])
    },
    model("Pad", "flattened") {
      let pad = $0.node("Pad", [$1, $0.integers([0, 0, 1, 0, 0, 0, 0, 0], [8], type: .int64)])
      return dense(&$0, $0.node("Flatten", [pad]), 40)
    },
    model("Pad", "negative") {
      let pad = $0.node("Pad", [$1, $0.integers([0, 0, -1, 0, 0, 0, 0, -2], [8], type: .int64)])
      return $0.node("Conv", [pad, $0.ternary([3, 2, 2, 2])])
    },
    bare("Pad", "in front of the input's quantizer") {
      let pad = $0.node("Pad", ["x", $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64)])
      let x = $0.quant(pad, scale: 0.0625, zeroPoint: 3, bits: 8)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 2, 3, 3])]), scale: 0.25, bits: 8, signed: true)
    },
  ]

  private static func normalization(_ model: inout ModelBuilder, _ value: String) -> String {
    // Roots that are exact.
    let parameters: [[Float]] = [[1, -0.5, 0.25], [0.5, 0, -1], [1, 0.25, 0], [4, 1, 0.25]]
    return model.node(
      "BatchNormalization", [value] + parameters.map { model.floats($0, [3]) }, ["epsilon": .float(0)])
  }

  private static let arithmetic: [Spelling] = ["Add", "Sub", "Mul", "Div"].flatMap(withConstant) + otherArithmetic

  private static func withConstant(_ type: String) -> [Spelling] {
    [
      model(type, "a scalar") { $0.node(type, [conv(&$0, $1), $0.scalar(0.5)]) },
      model(type, "a scalar of rank 4") { $0.node(type, [conv(&$0, $1), $0.floats([-2], [1, 1, 1, 1])]) },
      model(type, "per channel [1, C, 1, 1]") {
        $0.node(type, [conv(&$0, $1), $0.floats([0.5, 2, -4], [1, 3, 1, 1])])
      },
      model(type, "per channel [C, 1, 1]") { $0.node(type, [conv(&$0, $1), $0.floats([0.5, 2, -4], [3, 1, 1])]) },
      model(type, "per feature [C]", input: [1, 8]) {
        $0.node(type, [dense(&$0, $1, 8), $0.floats([0.5, 2, -4], [3])])
      },
      bare(type, "a scalar in front of the first quantizer") {
        let x = $0.quant($0.node(type, ["x", $0.scalar(0.5)]), scale: 0.0625, bits: 8, signed: true)
        return $0.quant(conv(&$0, x), scale: 0.25, bits: 8, signed: true)
      },
      bare(type, "per channel in front of the first quantizer") {
        let shifted = $0.node(type, ["x", $0.floats([0.5, 2], [1, 2, 1, 1])])
        let x = $0.quant(shifted, scale: 0.0625, bits: 8, signed: true)
        return $0.quant(conv(&$0, x), scale: 0.25, bits: 8, signed: true)
      },
    ]
  }

  private static let otherArithmetic: [Spelling] = [
    model("Sub", "from a constant") { $0.node("Sub", [$0.scalar(1), conv(&$0, $1)]) },
    model("Add", "constant first") { $0.node("Add", [$0.floats([1, 2, 3], [1, 3, 1, 1]), conv(&$0, $1)]) },
    model("Mul", "between quantizer and layer") { conv(&$0, $0.node("Mul", [$1, $0.scalar(0.5)])) },
    model("Mul", "negative, between quantizer and layer") { conv(&$0, $0.node("Mul", [$1, $0.scalar(-0.5)])) },
    model("Div", "between quantizer, maximum and layer") {
      let half = $0.node("Div", [$1, $0.scalar(2)])
      return conv(&$0, $0.node("MaxPool", [half], ["kernel_shape": .ints([2, 2])]))
    },
    model("Neg", "behind a layer") { $0.node("Neg", [conv(&$0, $1)]) },
    model("Neg", "of constants") { $0.node("Add", [conv(&$0, $1), $0.node("Neg", [$0.scalar(1)])]) },
  ]

  private static let pools: [Spelling] = [
    model("MaxPool", "plain") {
      $0.node("MaxPool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    },
    model("MaxPool", "all attributes of dynamo, second output unused", output: 0.125) {
      $0.node(
        "MaxPool", [$1], outputs: 2,
        [
          "kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]), "ceil_mode": .int(0),
          "dilations": .ints([1, 1]), "storage_order": .int(0), "auto_pad": .string("NOTSET"),
        ])
    },
    model("MaxPool", "ceil_mode") {
      $0.node("MaxPool", [$1], ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "ceil_mode": .int(1)])
    },
    model("MaxPool", "SAME_UPPER") {
      $0.node(
        "MaxPool", [$1], ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "auto_pad": .string("SAME_UPPER")])
    },
    model("MaxPool", "the whole map, as adaptive_max_pool2d(x, 1) is traced") {
      $0.node(
        "MaxPool", [$1], ["kernel_shape": .ints([4, 4]), "strides": .ints([4, 4]), "pads": .ints([0, 0, 0, 0])])
    },
    model("AveragePool", "plain") {
      $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    },
    model("AveragePool", "counted padding") {
      $0.node(
        "AveragePool", [$1],
        [
          "kernel_shape": .ints([2, 4]), "strides": .ints([2, 1]), "pads": .ints([1, 1, 1, 2]),
          "count_include_pad": .int(1),
        ])
    },
    model("AveragePool", "of means") {
      let mean = $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 1]), "strides": .ints([2, 1])])
      return $0.node("AveragePool", [mean], ["kernel_shape": .ints([2, 2])])
    },
    model("AveragePool", "without a quantizer in front of a layer") {
      conv(&$0, $0.node("AveragePool", [$1], ["kernel_shape": .ints([2, 2])]))
    },
    model("GlobalAveragePool", "to a layer") { conv(&$0, $0.node("GlobalAveragePool", [$1])) },
    model("GlobalMaxPool", "to a layer") { conv(&$0, $0.node("GlobalMaxPool", [$1])) },
    model("GlobalMaxPool", "of accumulators") { $0.node("GlobalMaxPool", [conv(&$0, $1)]) },
    model("ReduceMean", "attributes") { $0.node("ReduceMean", [$1], ["axes": .ints([2, 3])]) },
    model("ReduceMean", "negative, no keepdims") {
      dense(&$0, $0.node("ReduceMean", [$1], ["axes": .ints([-1, -2]), "keepdims": .int(0)]), 2)
    },
    model("ReduceMean", "opset 18: an input", opset: 18) {
      $0.node(
        "ReduceMean", [$1, $0.integers([2, 3], [2], type: .int64)],
        ["keepdims": .int(0), "noop_with_empty_axes": .int(0)])
    },
    model("ReduceMean", "x.mean(3).mean(2)") {
      let rows = $0.node("ReduceMean", [$1], ["axes": .ints([3]), "keepdims": .int(0)])
      return $0.node("ReduceMean", [rows], ["axes": .ints([2]), "keepdims": .int(0)])
    },
    model("ReduceMean", "x.mean(2).mean(2), to a layer") {
      let rows = $0.node("ReduceMean", [$1], ["axes": .ints([2]), "keepdims": .int(0)])
      return dense(&$0, $0.node("ReduceMean", [rows], ["axes": .ints([2]), "keepdims": .int(0)]), 2)
    },
    model("ReduceMean", "behind a transposition to channels last") {
      let last = $0.node("Transpose", [$1], ["perm": .ints([0, 2, 3, 1])])
      return dense(&$0, $0.node("ReduceMean", [last], ["axes": .ints([1, 2]), "keepdims": .int(0)]), 2)
    },
    model("ReduceMax", "attributes, as x.amax((2, 3))") {
      $0.node("ReduceMax", [$1], ["axes": .ints([2, 3]), "keepdims": .int(0)])
    },
    model("ReduceMax", "opset 18, as adaptive_max_pool2d(x, 1) by dynamo", opset: 18) {
      $0.node("ReduceMax", [$1, $0.integers([-2, -1], [2], type: .int64)], ["keepdims": .int(1)])
    },
    model("ReduceMax", "x.amax(3).amax(2)") {
      let rows = $0.node("ReduceMax", [$1], ["axes": .ints([3]), "keepdims": .int(0)])
      return dense(&$0, $0.node("ReduceMax", [rows], ["axes": .ints([2]), "keepdims": .int(0)]), 2)
    },
  ]

  private static let shapes: [Spelling] = [
    model("Flatten", "axis 1") { dense(&$0, $0.node("Flatten", [$1]), 32) },
    model("Flatten", "negative axis") { dense(&$0, $0.node("Flatten", [$1], ["axis": .int(-3)]), 32) },
    model("Flatten", "axis 0") { dense(&$0, $0.node("Flatten", [$1], ["axis": .int(0)]), 32) },
    model("Reshape", "[1, N]") { dense(&$0, $0.node("Reshape", [$1, $0.integers([1, 32], [2], type: .int64)]), 32) },
    model("Reshape", "[0, -1]") { dense(&$0, $0.node("Reshape", [$1, $0.integers([0, -1], [2], type: .int64)]), 32) },
    model("Reshape", "[-1, N], allowzero") {
      dense(&$0, $0.node("Reshape", [$1, $0.integers([-1, 32], [2], type: .int64)], ["allowzero": .int(1)]), 32)
    },
    model("Reshape", "in two steps") {
      let half = $0.node("Reshape", [$1, $0.integers([1, 2, 16], [3], type: .int64)])
      return dense(&$0, $0.node("Reshape", [half, $0.integers([1, -1], [2], type: .int64)]), 32)
    },
    bare("Reshape", "a flat input to an image", input: [1, 32]) {
      let x = $0.quant(
        $0.node("Reshape", ["x", $0.integers([1, 2, 4, 4], [4], type: .int64)]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 2, 3, 3])]), scale: 0.25, bits: 8, signed: true)
    },
    bare("Reshape", "Keras: a flat input to channels last", input: [1, 32]) {
      let image = $0.node("Reshape", ["x", $0.integers([-1, 4, 4, 2], [4], type: .int64)])
      let x = $0.quant(
        $0.node("Transpose", [image], ["perm": .ints([0, 3, 1, 2])]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 2, 3, 3])]), scale: 0.25, bits: 8, signed: true)
    },
    model("Reshape", "a channel shuffle", input: [1, 4, 3, 3]) {
      let groups = $0.node("Reshape", [$1, $0.integers([1, 2, 2, 3, 3], [5], type: .int64)])
      let turned = $0.node("Transpose", [groups], ["perm": .ints([0, 2, 1, 3, 4])])
      let shuffled = $0.node("Reshape", [turned, $0.integers([1, 4, 3, 3], [4], type: .int64)])
      return $0.node("Conv", [shuffled, $0.ternary([4, 1, 2, 2])], ["group": .int(4)])
    },
    model("Squeeze", "both axes") {
      dense(&$0, $0.node("Squeeze", [$0.node("GlobalMaxPool", [$1])], ["axes": .ints([2, 3])]), 2)
    },
    model("Squeeze", "squeeze(3).squeeze(2), opset 11", opset: 11) {
      let pool = $0.node("GlobalMaxPool", [$1])
      return dense(&$0, $0.node("Squeeze", [$0.node("Squeeze", [pool], ["axes": .ints([3])])], ["axes": .ints([2])]), 2)
    },
    model("Squeeze", "squeeze(-1).squeeze(-1), opset 13") {
      let pool = $0.node("GlobalMaxPool", [$1])
      let last = $0.integers([-1], [1], type: .int64)
      return dense(&$0, $0.node("Squeeze", [$0.node("Squeeze", [pool, last]), last]), 2)
    },
    model("Squeeze", "of the batch as well, and back") {
      let all = $0.node("Squeeze", [$0.node("GlobalMaxPool", [$1])])
      return dense(&$0, $0.node("Unsqueeze", [all, $0.integers([0], [1], type: .int64)]), 2)
    },
    bare("Unsqueeze", "a 1-D input as a row", input: [1, 2, 16]) {
      let x = $0.quant(
        $0.node("Unsqueeze", ["x", $0.integers([2], [1], type: .int64)]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 2, 1, 5])]), scale: 0.25, bits: 8, signed: true)
    },
    bare("Unsqueeze", "a 1-D input as a column, attribute", input: [1, 2, 16], opset: 11) {
      let x = $0.quant($0.node("Unsqueeze", ["x"], ["axes": .ints([-1])]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 2, 5, 1])]), scale: 0.25, bits: 8, signed: true)
    },
    bare("Transpose", "channels last at the input", input: [1, 4, 5, 3]) {
      let x = $0.quant(
        $0.node("Transpose", ["x"], ["perm": .ints([0, 3, 1, 2])]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant($0.node("Conv", [x, $0.ternary([3, 3, 3, 3])]), scale: 0.25, bits: 8, signed: true)
    },
    model("Transpose", "channels last behind the first quantizer", input: [1, 4, 5, 3]) {
      conv(&$0, $0.node("Transpose", [$1], ["perm": .ints([0, 3, 1, 2])]), channels: 3)
    },
    bare("Transpose", "channels last, normalized per channel", input: [1, 4, 5, 2]) {
      let shifted = $0.node("Sub", ["x", $0.floats([0.5, -1], [2])])
      let x = $0.quant(
        $0.node("Transpose", [shifted], ["perm": .ints([0, 3, 1, 2])]), scale: 0.0625, bits: 8, signed: true)
      return $0.quant(conv(&$0, x), scale: 0.25, bits: 8, signed: true)
    },
    model("Transpose", "Keras' flatten") {
      let last = $0.node("Transpose", [$1], ["perm": .ints([0, 2, 3, 1])])
      return dense(&$0, $0.node("Reshape", [last, $0.integers([1, 32], [2], type: .int64)]), 32)
    },
    model("Transpose", "a bias in channels last, and back") {
      let last = $0.node("Transpose", [conv(&$0, $1)], ["perm": .ints([0, 2, 3, 1])])
      let biased = $0.node("Relu", [$0.node("Add", [last, $0.floats([1, 0.5, -1], [3])])])
      return $0.node("Transpose", [biased], ["perm": .ints([0, 3, 1, 2])])
    },
    model("Shape", "Shape, Gather, Unsqueeze, Concat, Reshape") {
      let batch = $0.node("Gather", [$0.node("Shape", [$1]), $0.integers([0], [], type: .int64)], ["axis": .int(0)])
      let list = $0.node("Unsqueeze", [batch, $0.integers([0], [1], type: .int64)])
      let rest = $0.node("Constant", [], ["value_ints": .ints([-1])])
      return dense(&$0, $0.node("Reshape", [$1, $0.node("Concat", [list, rest], ["axis": .int(0)])]), 32)
    },
    model("Gather", "from a shape") {
      let batch = $0.node("Gather", [$0.node("Shape", [$1]), $0.integers([0], [1], type: .int64)])
      let rest = $0.integers([32], [1], type: .int64)
      return dense(&$0, $0.node("Reshape", [$1, $0.node("Concat", [batch, rest], ["axis": .int(-1)])]), 32)
    },
    model("Gather", "the last row of each channel") {
      let row = $0.node("Gather", [$1, $0.integers([-1], [], type: .int64)], ["axis": .int(2)])
      return dense(&$0, $0.node("Flatten", [row]), 8)
    },
    model("Gather", "channels in another order") {
      conv(&$0, $0.node("Gather", [$1, $0.integers([1, 0], [2], type: .int64)], ["axis": .int(1)]))
    },
    model("Slice", "x[:, :, 1:3, 1:3], one axis at a time") {
      let one = $0.integers([1], [1], type: .int64)
      let three = $0.integers([3], [1], type: .int64)
      let rows = $0.node("Slice", [$1, one, three, $0.integers([2], [1], type: .int64), one])
      return conv(&$0, $0.node("Slice", [rows, one, three, $0.integers([3], [1], type: .int64), one]))
    },
    model("Slice", "every second row, a channel") {
      var inputs = [$1]
      for values in [[0, 1], [.max, 2], [2, 1], [2, 1]] as [[Int64]] {
        inputs.append($0.integers(values, [2], type: .int64))
      }
      return conv(&$0, $0.node("Slice", inputs), channels: 1)
    },
    model("Slice", "attributes, flattened", opset: 9) {
      let part = $0.node("Slice", [$1], ["starts": .ints([1]), "ends": .ints([-1]), "axes": .ints([3])])
      return dense(&$0, $0.node("Flatten", [part]), 16)
    },
    model("Concat", "pads as older PyTorch writes them") { model, x in
      // torch.nn.functional.pad: [left, right, top, bottom], turned round by a transposition.
      let zeros = model.node(
        "ConstantOfShape", [model.integers([4], [1], type: .int64)],
        ["value": .tensor(ModelBuilder.tensor(integers: [0], [1]))])
      let list = model.node("Concat", [model.integers([1, 0, 0, 2], [4], type: .int64), zeros], ["axis": .int(0)])
      let pairs = model.node("Reshape", [list, model.integers([-1, 2], [2], type: .int64)])
      let turned = model.node(
        "Slice",
        [pairs] + [-1, .min + 1, 0, -1].map { model.integers([$0], [1], type: .int64) })
      let pads = model.node(
        "Cast",
        [
          model.node(
            "Reshape",
            [model.node("Transpose", [turned], ["perm": .ints([1, 0])]), model.integers([-1], [1], type: .int64)])
        ], ["to": .int(7)])
      return model.node("Conv", [model.node("Pad", [x, pads]), model.ternary([3, 2, 3, 3])])
    },
    model("ConstantOfShape", "as a bias") {
      let ones = $0.node(
        "ConstantOfShape", [$0.integers([3], [1], type: .int64)],
        ["value": .tensor(ModelBuilder.tensor(floats: [0.5], [1]))])
      return $0.node("Conv", [$1, $0.ternary([3, 2, 1, 1]), ones])
    },
  ]

  private static let constants: [Spelling] =
    [
      model("Identity", "of an activation and of weights") {
        $0.node("Conv", [$0.node("Identity", [$1]), $0.node("Identity", [$0.ternary([3, 2, 1, 1])])])
      },
      model("Dropout", "attribute", opset: 11) { conv(&$0, $0.node("Dropout", [$1], ["ratio": .float(0.5)])) },
      model("Dropout", "inputs, mask unused") {
        conv(&$0, $0.node("Dropout", [$1, $0.scalar(0.5)], outputs: 2))
      },
      model("Cast", "float to float") { conv(&$0, $0.node("Cast", [$1], ["to": .int(1)])) },
      model("Constant", "value, value_float") {
        let half = $0.node("Constant", [], ["value": .tensor(ModelBuilder.tensor(floats: [0.5], []))])
        let two = $0.node("Constant", [], ["value_float": .float(2)])
        return $0.node("Mul", [$0.node("Add", [conv(&$0, $1), half]), two])
      },
      model("Constant", "value_floats, value_int") {
        let list = $0.node("Constant", [], ["value_floats": .floats([0.5])])
        let bits = $0.node("Constant", [], ["value_int": .int(4)])
        return $0.node(
          "Quant", [$0.node("Add", [conv(&$0, $1), list]), $0.scalar(0.5), $0.scalar(0), bits],
          domain: ModelBuilder.quantDomain)
      },
      model("Pow", "a power-of-two scale") {
        let scale = $0.node("Pow", [$0.scalar(2), $0.scalar(-2)])
        return $0.node(
          "Quant", [conv(&$0, $1), scale, $0.scalar(0), $0.scalar(5)], domain: ModelBuilder.quantDomain,
          ["signed": .int(1)])
      },
      model("Sqrt", "a normalization by hand") {
        let root = $0.node("Sqrt", [$0.node("Add", [$0.floats([4, 16, 1], [1, 3, 1, 1]), $0.scalar(0)])])
        return $0.node("Div", [conv(&$0, $1), root])
      },
      model("Ceil", "of a bit width") {
        $0.node(
          "Quant", [conv(&$0, $1), $0.scalar(0.5), $0.scalar(0), $0.node("Ceil", [$0.scalar(4.5)])],
          domain: ModelBuilder.quantDomain)
      },
      model("Floor", "of a bit width") {
        $0.node(
          "Quant", [conv(&$0, $1), $0.scalar(0.5), $0.scalar(0), $0.node("Floor", [$0.scalar(5.5)])],
          domain: ModelBuilder.quantDomain)
      },
      model("Round", "of a zero point") {
        $0.node(
          "Quant", [conv(&$0, $1), $0.scalar(0.5), $0.node("Round", [$0.scalar(2.5)]), $0.scalar(4)],
          domain: ModelBuilder.quantDomain, ["signed": .int(0)])
      },
    ] + integerInputs

  private static let integerInputs: [Spelling] = [ElementType.uint8, .int8].map { (type: ElementType) -> Spelling in
    var model = ModelBuilder(input: [1, 2, 4, 4])
    model.proto.graph.input[0].type.tensorType.elemType = type.rawValue
    let real = model.node("Div", [model.node("Cast", ["x"], ["to": .int(1)]), model.scalar(32)])
    let x = model.quant(real, scale: 0.0625, bits: 8, signed: true)
    model.output = model.quant(conv(&model, x), scale: 0.25, bits: 8, signed: true)
    return Spelling(type: "Cast", what: "of a \(type) input", model: model)
  }

  /// The values in front of the last node are the outputs.
  private static let trailing: [Spelling] = ["Softmax", "LogSoftmax", "Sigmoid", "ArgMax", "TopK"].flatMap {
    (type: String) -> [Spelling] in
    [[], ["Squeeze"], ["Cast", "Identity"]].map { (behind: [String]) -> Spelling in
      bare(type, "last, then \(behind)", input: [1, 8]) {
        let logits = dense(&$0, $0.quant("x", scale: 0.0625, bits: 8, signed: true), 8)
        let axis: Attributes = type == "Sigmoid" ? [:] : ["axis": .int(type == "ArgMax" ? 1 : -1)]
        let inputs = type == "TopK" ? [logits, $0.integers([1], [1], type: .int64)] : [logits]
        var value = $0.node(type, inputs, outputs: type == "TopK" ? 2 : 1, axis)
        for next in behind { value = $0.node(next, [value], next == "Cast" ? ["to": .int(1)] : [:]) }
        return value
      }
    }
  }
}
