import Diagnostics
import FoundationEssentials
import GraphIR
import Lowering
import ModelBuilding
import ONNXFormat
import ONNXImport
import Testing

/// Every message that the way from file to network can give, each with a small model that raises it: what is wrong, what was
/// expected, how to mend it.
@Suite struct DiagnosticCorpusTests {
  private static func diagnostics(_ bytes: [UInt8]) -> [Diagnostic] {
    do throws(ModelError) {
      let imported = try ModelImporter.importModel(bytes: bytes, folder: nil)
      _ = try Lowering.lower(imported.graph)
      return imported.warnings
    } catch {
      return error.diagnostics
    }
  }

  /// Codes that no small file can raise, and why.
  private static let unreachable = [
    "broken-graph": "a defect of the importer", "internal-no-exact-requantizer": "a defect of the search",
    "internal-serialization": "a defect of the writer", "window-too-large": "found by shape inference before",
    "unsupported-rank": "found by shape inference before", "division-by-zero": "found at import before",
    "padding-not-representable": "a zero point outside the grid is refused at import",
    "accumulator-too-wide": "needs eight million weights; LoweringTests has it",
    "per-feature-arithmetic": "constants that differ within a channel are refused at import",
    "external-data-missing": "needs a folder; EdgeFileTests has it",
    "undecidable-rounding": "needs a made-up variance; LoweringTests has it",
  ]

  @Test(arguments: corpus.indices)
  func raisesItsMessageAlone(index: Int) {
    let (code, bytes) = Self.corpus[index]
    let found = Self.diagnostics(bytes)
    #expect(found.map(\.code) == [code], "\(found.map(\.message))")
    for diagnostic in found {
      #expect(!(diagnostic.fix ?? "").isEmpty)
      #expect(!diagnostic.message.isEmpty)
      // A file as a whole has no place; all else names its node or tensor.
      let isWhole = [
        "empty-file", "malformed-file", "no-graph", "opset", "inputs", "outputs", "long-name", "no-layers",
        "unnamed-initializer", "model-functions", "sparse-initializers", "file-too-large",
      ].contains(code)
      #expect(isWhole || diagnostic.location.node != nil || diagnostic.location.tensor != nil)
    }
  }

  @Test func everyCodeOfTheSourcesOccurs() throws {
    var codes = Set<String>()
    for module in ["ONNXFormat", "ONNXImport", "GraphIR", "Lowering"] {
      let folder = Fixtures.path("../../Sources/\(module)")
      for file in try FileManager.default.contentsOfDirectory(atPath: folder)
      where file.hasSuffix(".swift") && !file.hasSuffix(".pb.swift") {
        let source = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
        for part in source.split(separator: "code: \"").dropFirst() { codes.insert(String(part.prefix { $0 != "\"" })) }
        // Nobody is left without advice.
        #expect(count("code: \"", in: source) <= count("fix: ", in: source), "\(file): a diagnostic without a fix")
      }
    }
    let raised = Set(Self.corpus.map(\.code))
    #expect(codes.subtracting(raised).subtracting(Self.unreachable.keys).sorted() == [])
    #expect(raised.subtracting(codes).sorted() == [])
  }

  private func count(_ part: String, in text: String) -> Int {
    text.split(separator: part, omittingEmptySubsequences: false).count - 1
  }

  /// What stands in the file decides the advice: no Brevitas for who wrote it with Keras.
  @Test(arguments: ["tf2onnx", "keras2onnx"])
  func adviceIsForWhoWroteTheFile(producer: String) throws {
    let codes: Set = [
      "unquantized-activation", "weights-not-ternary", "quantizer-scale", "input-not-quantized", "binary-activation",
      "activation-not-quantized", "wide-mean", "one-dimensional", "product-of-activations", "activation-width",
      "average-pool-partial",
      "training-mode", "weights-scale-axis", "average-pool-padding", "cycle", "subgraph",
    ]
    var seen = Set<String>()
    for (code, bytes) in Self.corpus where codes.contains(code) {
      var proto = try ONNXModelProto.parsing(bytes)
      proto.producerName = producer
      for diagnostic in Self.diagnostics(try proto.serialized()) {
        let fix = diagnostic.fix ?? ""
        seen.insert(code)
        for word in ["nn.", "QuantIdentity", "QuantReLU", "Brevitas", "model.eval", "forward()", "AvgPool2d"] {
          #expect(!fix.contains(word), "\(code): \(fix)")
        }
      }
    }
    #expect(seen == codes)
  }

  @Test func adviceFitsWhatStandsThere() {
    func fix(_ build: (inout ModelBuilder, String) -> String) -> String {
      Self.diagnostics(model(input: [1, 2, 8, 8], build).bytes).map { "\($0.message) \($0.fix ?? "")" }.joined(
        separator: "\n")
    }
    #expect(fix { $0.node("QLinearConv", [$1]) }.contains("export QDQ"))
    #expect(fix { $0.node("ConvInteger", [$1]) }.contains("export QDQ"))
    #expect(fix { $0.node("QLinearMatMul", [$1]) }.contains("export QDQ"))
    let oneDimensional = Self.diagnostics(
      model(input: [1, 2, 32]) { $0.node("Conv", [$1, $0.ternary([2, 2, 3])], ["kernel_shape": .ints([3])]) }.bytes)
    #expect(oneDimensional.map(\.code) == ["one-dimensional"])
    #expect(oneDimensional.allSatisfy { $0.message.contains("1-D") && $0.fix?.contains("(1, k)") == true })
    for type in ["Gather", "Slice", "Unsqueeze"] {
      let text = fix { $0.node(type, [$1, $1], ["axes": .ints([9])]) }
      #expect(!text.contains("parameter or buffer") && !text.isEmpty)
    }
    #expect(fix { $0.node("MultiThreshold", [$1], domain: "finn.custom_op.general") }.contains("before FINN"))
    #expect(fix { $0.node("SequenceConstruct", [$1]) }.contains("one tensor"))
    #expect(
      fix {
        $0.node(
          "Conv", [$0.node("Relu", [$0.node("Conv", [$1, $0.ternary([2, 2, 1, 1])])]), $0.ternary([2, 2, 1, 1])])
      }
      .contains("QuantReLU"))
  }

  // MARK: The corpus

  private static func one(
    _ code: String, input: [Int64?] = [1, 2, 8, 8], opset: Int64 = 17, _ build: (inout ModelBuilder, String) -> String
  ) -> (code: String, bytes: [UInt8]) {
    var model = ModelBuilder(input: input, opset: opset)
    let x = model.quant("x")
    model.output = build(&model, x)
    return (code, model.bytes)
  }

  /// Starts, ends and axes of a slice of all channels but the first.
  private static func places(_ model: inout ModelBuilder) -> [String] {
    [1, 3, 1].map { model.integers([$0], [1], type: .int64) }
  }

  /// A sound model, changed as a whole.
  private static func changed(_ code: String, _ change: (inout ModelBuilder) -> Void) -> (code: String, bytes: [UInt8])
  {
    var model = ModelBuilder(input: [1, 2, 8, 8])
    model.output = conv(&model, model.quant("x"))
    change(&model)
    return (code, model.bytes)
  }

  private static func conv(_ model: inout ModelBuilder, _ value: String) -> String {
    model.node("Conv", [value, model.ternary([2, 2, 1, 1])])
  }

  private static func tensor(_ change: (inout ONNXTensorProto) -> Void) -> ONNXTensorProto {
    var tensor = ModelBuilder.tensor(floats: [1, 0, -1, 1], [2, 2, 1, 1])
    change(&tensor)
    return tensor
  }

  private static func weights(_ code: String, _ change: (inout ONNXTensorProto) -> Void) -> (
    code: String, bytes: [UInt8]
  ) {
    one(code) { $0.node("Conv", [$1, $0.add(tensor(change))]) }
  }

  static let corpus: [(code: String, bytes: [UInt8])] = files + quantizers + layers + others + lowering

  private static let files: [(code: String, bytes: [UInt8])] = [
    ("empty-file", []), ("malformed-file", [0xFF, 1, 2]), ("no-graph", [8, 9]),
    ("file-too-large", [UInt8](repeating: 0, count: (64 << 20) + 1)),
    changed("model-functions") { $0.proto.functions = [.init([10, 1, 65])] },
    changed("sparse-initializers") { $0.proto.graph.sparseInitializer = [.init()] },
    changed("opset") { $0.proto.opsetImport = [] }, changed("opset") { $0.proto.opsetImport[0].version = 7 },
    changed("long-name") { $0.proto.graph.name = String(repeating: "n", count: 5000) },
    changed("unnamed-initializer") { $0.initializers.append(ONNXTensorProto()) },
    changed("duplicate-name") { $0.node("Relu", ["x"], output: "x") },
    changed("inputs") { $0.proto.graph.input = [] },
    changed("outputs") { $0.proto.graph.output.append($0.proto.graph.output[0]) },
    changed("outputs") { $0.output = "x" },
    changed("input-type") { $0.proto.graph.input[0].type.tensorType.elemType = 7 },
    changed("input-type") { $0.proto.graph.input[0].type.tensorType.elemType = 10 },
    changed("undefined-tensor") { $0.output = "nowhere" },
    one("input-shape", input: [2, 2, 8, 8]) { conv(&$0, $1) }, one("input-shape", input: [8]) { conv(&$0, $1) },
    one("input-shape", input: [1, 2, 8, 8, 8]) { conv(&$0, $1) },
    one("input-shape", input: [1, 2, nil, 8]) { conv(&$0, $1) },
    one("cycle") { $0.node("Relu", [$0.node("Add", [$1, "later"], output: "earlier")], output: "later") },
    one("subgraph") { $0.node("If", [$1], ["then_branch": .graph]) },
    weights("element-type") { $0.dataType = 8 }, weights("tensor-rank") { $0.dims = [Int64](repeating: 1, count: 9) },
    weights("tensor-shape") { $0.dims = [-1, 2, 1, 1] },
    weights("tensor-too-large") { $0.dims = [1 << 20, 1 << 20, 1, 1] },
    weights("tensor-data") { $0.dims = [3, 2, 1, 1] },
    weights("external-data") {
      $0.dataLocation = 1
      $0.floatData = []
    },
    weights("tensor-data") { $0.rawData = .init([0]) },
    weights("external-data") {
      $0.floatData = []
      $0.dataLocation = 1
      $0.externalData = [
        .with {
          $0.key = "location"
          $0.value = "../weights"
        }
      ]
    },
  ]

  private static let quantizers: [(code: String, bytes: [UInt8])] = [
    one("quantizer-scale") { $0.quant(conv(&$0, $1), scale: .infinity) },
    one("quantizer-scale") {
      $0.node(
        "Quant", [conv(&$0, $1), $0.floats([1, 2], [1, 2, 1, 1]), $0.scalar(0), $0.scalar(8)], domain: "onnx.brevitas")
    },
    one("quantizer-parameter") { $0.quant(conv(&$0, $1), zeroPoint: 2.5) },
    one("quantizer-parameter") { $0.quant(conv(&$0, $1), bits: 9) },
    one("zero-point") { $0.quant(conv(&$0, $1), zeroPoint: -3) },
    one("rounding-mode") { $0.quant(conv(&$0, $1), rounding: "UP") },
    one("binary-activation") { $0.quant(conv(&$0, $1), bits: 1, signed: true) },
    one("empty-grid") { $0.quant(conv(&$0, $1), bits: 1, narrow: true) },
    one("activation-width") {
      let parameters = [$0.scalar(1), $0.integers([0], [], type: .int16)]
      return $0.node("DequantizeLinear", [$0.node("QuantizeLinear", [$1] + parameters)] + parameters)
    },
    one("blocked-quantization") { $0.node("QuantizeLinear", [$1, $0.scalar(1)], ["block_size": .int(32)]) },
    one("element-type") { $0.node("QuantizeLinear", [$1, $0.scalar(1), $0.integers([0], [], type: .int32)]) },
    one("unequal-scales") {
      $0.node("DequantizeLinear", [$0.node("QuantizeLinear", [$1, $0.scalar(1)]), $0.scalar(2)])
    },
    one("expected-integers") { $0.node("DequantizeLinear", [$1, $0.scalar(1)]) },
    one("integer-activation") { $0.node("Relu", [$0.node("QuantizeLinear", [$1, $0.scalar(1)])]) },
    one("outputs") { $0.node("QuantizeLinear", [$1, $0.scalar(1)]) },
    one("trunc") { $0.node("Trunc", [$1, $0.scalar(1)], domain: "onnx.brevitas") },
    one("trunc") {
      $0.node(
        "Trunc", [conv(&$0, $1), $0.scalar(0.05), $0.scalar(0), $0.scalar(10), $0.scalar(8)], domain: "onnx.brevitas")
    },
    one("trunc") {
      $0.node("Trunc", [$1, $0.scalar(0.05), $0.scalar(0), $0.scalar(4), $0.scalar(8)], domain: "onnx.brevitas")
    },
    one("trunc") {
      $0.node("Trunc", [$1, $0.scalar(0.05), $0.scalar(0), $0.scalar(5), $0.scalar(4)], domain: "onnx.brevitas")
    },
    one("truncated-zero-point") {
      $0.node(
        "Trunc", [$1, $0.scalar(0.05), $0.scalar(3), $0.scalar(8), $0.scalar(0.1), $0.scalar(8)],
        domain: "onnx.brevitas",
        ["signed": .int(0)])
    },
    one("expected-constant") { $0.node("Quant", [$1, $1, $0.scalar(0), $0.scalar(8)], domain: "onnx.brevitas") },
    one("missing-input") { $0.node("Quant", [$1, $0.scalar(1)], domain: "onnx.brevitas") },
    one("attribute") {
      $0.node(
        "Quant", [$1, $0.scalar(1), $0.scalar(0), $0.scalar(8)], domain: "onnx.brevitas", ["signed": .string("yes")])
    },
  ]

  private static let layers: [(code: String, bytes: [UInt8])] = [
    one("weights-not-ternary") { $0.node("Conv", [$1, $0.floats([1, 2, 3, 4], [2, 2, 1, 1])]) },
    one("weights-not-ternary") {
      $0.node("Conv", [$1, $0.quant($0.floats([1, 2, 3, 4], [2, 2, 1, 1]), scale: 1, bits: 4)])
    },
    one("weights-without-scale") { $0.node("Conv", [$1, $0.integers([1, 0, 1, 0], [2, 2, 1, 1], type: .int8)]) },
    one("weights-scale-axis") {
      $0.node(
        "Conv",
        [
          $1,
          $0.node(
            "DequantizeLinear", [$0.integers([1, 0, 1, 0], [2, 2, 1, 1], type: .int8), $0.floats([1, 2], [2])]),
        ])
    },
    one("not-finite") {
      $0.node("Conv", [$1, $0.quant($0.floats([.nan, 0, 0, 0], [2, 2, 1, 1]), bits: 2, signed: true)])
    },
    one("bias-shape") { $0.node("Conv", [$1, $0.ternary([2, 2, 1, 1]), $0.floats([1, 2, 3], [3])]) },
    one("bias-without-scale") {
      $0.node("Conv", [$1, $0.ternary([2, 2, 1, 1]), $0.integers([1, 2], [2], type: .int32)])
    },
    one("unquantized-activation") { conv(&$0, $0.node("Relu", [conv(&$0, $1)])) },
    one("shape") { $0.node("Conv", [$1, $0.ternary([2, 2, 9, 9])]) },
    one("shape") { conv(&$0, $0.node("Flatten", [$1])) }, one("shape") { $0.node("Gemm", [$1, $0.ternary([2, 2])]) },
    one("one-dimensional", input: [1, 2, 32]) { $0.node("Conv", [$1, $0.ternary([2, 2, 3])]) },
    one("one-dimensional", input: [1, 6, 10]) { $0.node("MatMul", [$1, $0.ternary([10, 3])]) },
    one("constant-input") {
      let constant = $0.ternary([2, 2])
      return $1.isEmpty ? $1 : $0.node("MaxPool", [constant], ["kernel_shape": .ints([2, 2])])
    },
    one("expected-constant") { $0.node("MatMul", [$0.node("Flatten", [$1]), $1]) },
    one("attribute", input: [1, 4]) { $0.node("Gemm", [$1, $0.ternary([4, 2])], ["transA": .int(1)]) },
    one("layout") { conv(&$0, $0.node("Transpose", [$0.quant(conv(&$0, $1))], ["perm": .ints([0, 1, 3, 2])])) },
    one("repeated-feature", input: [1, 4]) {
      let twice = $0.node("Gather", [$1, $0.integers([1, 1], [2], type: .int64)], ["axis": .int(1)])
      return $0.node("MatMul", [twice, $0.floats([1, 1], [2, 1])])
    },
    one("variance", input: [1, 2]) { model, x in
      model.node("BatchNormalization", [x] + (0..<4).map { _ in model.floats([-1, 1], [2]) })
    },
    one("not-finite", input: [1, 2]) { model, x in
      model.node("BatchNormalization", [x] + (0..<4).map { _ in model.floats([.infinity, 1], [2]) })
    },
    one("normalized-axis") { model, x in
      model.node(
        "BatchNormalization",
        [model.node("Flatten", [x])] + (0..<4).map { _ in model.floats((0..<128).map { Float($0) }, [128]) })
    },
    one("attribute") { model, x in
      model.node(
        "BatchNormalization", [x] + (0..<4).map { _ in model.floats([1, 1], [2]) }, ["training_mode": .int(1)])
    },
  ]

  private static let others: [(code: String, bytes: [UInt8])] = [
    one("unsupported-operator") { $0.node("Erf", [$1]) }, one("unsupported-operator") { $0.node("Ceil", [$1]) },
    one("unsupported-operator") { $0.node("Relu", [$0.node("Softmax", [$1])]) },
    one("unsupported-operator") {
      $0.quant($1, scale: 1).isEmpty ? $1 : $0.node("Mul", [$1, $0.node("Erf", [$0.scalar(1)])])
    },
    one("concatenation-axis") { $0.node("Concat", [$1, $1], ["axis": .int(2)]) },
    one("concatenation-axis") { $0.node("Concat", [$1, $0.node("Flatten", [$1])], ["axis": .int(1)]) },
    one("constant-input") { $0.node("Concat", [$1, $0.integers([1], [1], type: .int64)], ["axis": .int(1)]) },
    one("operand-shapes") {
      $0.node("Concat", [$1, $0.node("GlobalMaxPool", [$1])], ["axis": .int(1)])
    },
    one("operand-shapes") { $0.node("Add", [$1, $0.node("GlobalMaxPool", [$1])]) },
    one("unquantized-activation") { $0.node("Add", [$1, conv(&$0, $1)]) },
    one("activation-not-quantized") { $0.node("Concat", [conv(&$0, $1), $1], ["axis": .int(1)]) },
    one("unquantized-activation") {
      $0.node("Conv", [$0.node("Concat", [conv(&$0, $1), $1], ["axis": .int(1)]), $0.ternary([1, 4, 1, 1])])
    },
    changed("input-not-quantized") { $0.output = $0.quant($0.node("Concat", ["x", $0.output], ["axis": .int(1)])) },
    one("unquantized-activation") { $0.node("Add", [$1, "x"]) },
    one("unquantized-activation") {
      conv(&$0, $0.node("Slice", [$0.node("Concat", [$1, $0.quant($1, scale: 0.5)], ["axis": .int(1)])] + places(&$0)))
    },
    one("layout") {
      let turned = $0.node("Transpose", [$1], ["perm": .ints([0, 1, 3, 2])])
      return $0.node("Add", [$1, turned])
    },
    one("operands") { $1.isEmpty ? $1 : $0.node("Sum", []) },
    one("layout", input: [1, 8, 8]) { $0.node("Sub", [$1, $0.node("Transpose", [$1], ["perm": .ints([0, 2, 1])])]) },
    one("product-of-activations") { $0.node("Mul", [$1, $0.node("Relu", [$1])]) },
    one("resize-mode") { $0.node("Resize", [$1, "", $0.floats([1, 1, 2, 2], [4])], ["mode": .string("linear")]) },
    one("resize-mode") {
      $0.node("Resize", [$1, "", $0.floats([1, 1, 2, 2], [4])], ["nearest_mode": .string("ceil")])
    },
    one("resize-mode") {
      $0.node(
        "Resize", [$1, "", $0.floats([1, 1, 3, 3], [4])],
        ["coordinate_transformation_mode": .string("align_corners")])
    },
    one("resize-factors") { $0.node("Resize", [$1, "", $0.floats([1, 1, 1.5, 2], [4])]) },
    one("resize-factors") { $0.node("Resize", [$1, "", $0.floats([1, 2, 1, 1], [4])]) },
    one("resize-factors") { $0.node("Resize", [$1, "", $0.floats([1, 1, .nan, .infinity], [4])]) },
    one("resize-factors") { $0.node("Resize", [$1, "", "", $0.integers([1, 2, 12, .min], [4], type: .int64)]) },
    one("resize-factors") { $0.node("Resize", [$1]) },
    one("shape") { $0.node("Resize", [$1, "", $0.floats([1, 1, 4096, 4096], [4])]) },
    one("split", opset: 13) { $0.node("Split", [$1], outputs: 3, ["axis": .int(1)]) },
    one("split", opset: 13) {
      $0.node("Split", [$1, $0.integers([1, 2], [2], type: .int64)], outputs: 2, ["axis": .int(1)])
    },
    one("split", opset: 13) {
      $0.node("Split", [$1, $0.integers([.max, .max], [2], type: .int64)], outputs: 2, ["axis": .int(1)])
    },
    one("split", opset: 11) { $0.node("Split", [$1], outputs: 2, ["axis": .int(4), "split": .ints([1, 1])]) },
    one("divided-constant") { $0.node("Div", [$0.scalar(1), $1]) },
    one("constant-shape") { $0.node("Add", [$1, $0.floats((0..<64).map { Float($0) }, [1, 1, 8, 8])]) },
    one("not-finite") { $0.node("Div", [$1, $0.scalar(0)]) },
    one("operands") { $0.node("Add", [$1, $0.node("Add", [$0.floats([1, 2], [2]), $0.floats([1, 2, 3], [3])])]) },
    one("exponent") { $0.node("Mul", [$1, $0.node("Pow", [$0.scalar(3), $0.scalar(3)])]) },
    one("clip-bounds") { $0.node("Clip", [$1, $0.scalar(2), $0.scalar(1)]) },
    one("cast") { $0.node("Cast", [$1], ["to": .int(10)]) },
    one("cast") { $0.node("Mul", [$1, $0.node("Cast", [$0.scalar(0.5)], ["to": .int(10)])]) },
    one("training-mode") { $0.node("Dropout", [$1, $0.scalar(0.5), $0.integers([1], [], type: .bool)]) },
    one("second-output") {
      $0.node("MaxPool", [$1], outputs: 2, ["kernel_shape": .ints([2, 2])])
      return $0.node("Relu", [$0.nodes[$0.nodes.count - 1].output[1]])
    },
    one("reduce-axes") { $0.node("ReduceMean", [$1], ["axes": .ints([1])]) },
    one("average-pool-partial") {
      $0.node("AveragePool", [$1], ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "ceil_mode": .int(1)])
    },
    one("average-pool-padding") {
      $0.node("AveragePool", [$1], ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])])
    },
    one("attribute") { $0.node("MaxPool", [$1], ["kernel_shape": .ints([2, 2]), "dilations": .ints([2, 2])]) },
    one("pad-mode") {
      $0.node("Pad", [$1, $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64)], ["mode": .string("reflect")])
    },
    one("pad-value") { $0.node("Pad", [$1, $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64), $0.scalar(1)]) },
    one("pads") { $0.node("Pad", [$1, $0.integers([0, 1, 0, 0, 0, 0, 0, 0], [8], type: .int64)]) },
    one("padded-activation") {
      let pad = $0.node("Pad", [conv(&$0, $1), $0.integers([0, 0, 1, 1, 0, 0, 1, 1], [8], type: .int64)])
      return $0.node("MaxPool", [pad], ["kernel_shape": .ints([2, 2])])
    },
    one("reshape") { $0.node("Reshape", [$1, $0.integers([1, 65], [2], type: .int64)]) },
    one("axes") { $0.node("Squeeze", [$1, $0.integers([7], [1], type: .int64)]) },
    one("places") { $0.node("Gather", [$1, $0.integers([9], [1], type: .int64)], ["axis": .int(1)]) },
    one("places") {
      $0.node(
        "Slice",
        [
          $1, $0.integers([9], [1], type: .int64), $0.integers([10], [1], type: .int64),
          $0.integers([1], [1], type: .int64),
        ])
    },
    one("constant-expression") {
      $0.node("Add", [$1, $0.node("Concat", [$0.floats([1], [1]), $0.floats([1], [1])], ["axis": .int(0)])])
    },
    one("outputs") { $0.node("Transpose", [$1], ["perm": .ints([0, 2, 3, 1])]) },
    one("trailing-axis", input: [1, 4]) {
      $0.node("Softmax", [$0.node("MatMul", [$1, $0.ternary([4, 2])])], ["axis": .int(0)])
    },
    one("trailing-count", input: [1, 4]) {
      $0.node(
        "TopK", [$0.node("MatMul", [$1, $0.ternary([4, 2])]), $0.integers([3], [1], type: .int64)], outputs: 2,
        ["axis": .int(1)])
    },
    one("dropped-node", input: [1, 4]) { $0.node("Softmax", [$0.node("MatMul", [$1, $0.ternary([4, 2])])]) },
    one("too-many-constants") {
      var value = $0.floats([1], [1])
      for _ in 0..<2 {
        value = $0.node("Add", [value, $0.node("ConstantOfShape", [$0.integers([4096, 4096], [2], type: .int64)])])
      }
      return $0.node("Add", [$1, value])
    },
  ]

  private static let lowering: [(code: String, bytes: [UInt8])] = [
    changed("input-not-quantized") { $0.output = $0.quant($0.node("Relu", ["x"])) },
    changed("no-layers") { $0.output = $0.quant("x") },
    changed("input-rounding") { $0.output = conv(&$0, $0.quant("x", rounding: "FLOOR")) },
    one("activation-not-quantized") {
      $0.quant($0.node("AveragePool", [conv(&$0, $1)], ["kernel_shape": .ints([2, 2])]))
    },
    one("activation-not-quantized") { $0.node("MaxPool", [conv(&$0, $1)], ["kernel_shape": .ints([2, 2])]) },
    one("wide-mean", input: [1, 2, 32, 32]) { conv(&$0, $0.node("GlobalAveragePool", [$1])) },
    one("max-pool-before-negative-scale") {
      let pool = $0.node("MaxPool", [conv(&$0, $1)], ["kernel_shape": .ints([2, 2])])
      return $0.quant($0.node("Mul", [pool, $0.scalar(-1)]))
    },
    one("unquantized-output-clamp") { $0.node("Relu", [conv(&$0, $1)]) },
    one("input-quantized-twice") { $0.node("Add", [$1, $0.quant("x", scale: 0.5)]) },
    one("branch-before-quantizer") {
      let layer = conv(&$0, $1)
      return $0.quant($0.node("Add", [$0.quant(layer), $0.quant(layer, scale: 0.5)]))
    },
    changed("branch-before-quantizer") {
      // An output as it is, that is quantized inside.
      let second = conv(&$0, $0.quant($0.output))
      $0.proto.graph.output.append($0.proto.graph.output[0])
      $0.proto.graph.output[1].name = second
    },
    changed("outputs") {
      $0.proto.graph.output.append($0.proto.graph.output[0])
      $0.proto.graph.output[1].name = $0.node("Softmax", [$0.node("Identity", [$0.output])])
    },
    changed("outputs") {
      let twice = [$0.quant($0.output), $0.quant($0.output)]
      $0.output = twice[0]
      $0.proto.graph.output.append($0.proto.graph.output[0])
      $0.proto.graph.output[1].name = twice[1]
    },
    changed("unsupported-operator") {
      // The softmax is an output and a gate.
      let softmax = $0.node("Softmax", [$0.output])
      let gate = $0.quant(softmax)
      $0.proto.graph.output[0].name = softmax
      $0.proto.graph.output.append($0.proto.graph.output[0])
      $0.proto.graph.output[1].name = gate
    },
    one("unequal-grids") { $0.node("Concat", [$1, $0.quant($1, scale: 0.5)], ["axis": .int(1)]) },
    one("flattened-branch") {
      let flat = $0.node("Flatten", [$1])
      return $0.node("Concat", [flat, flat], ["axis": .int(1)])
    },
    one("negative-scale-behind-addition") {
      let sum = $0.node("Add", [$1, $0.quant($1, scale: 0.1)])
      return $0.quant($0.node("Mul", [sum, $0.floats([1, -1], [1, 2, 1, 1])]))
    },
    one("inexact-addition") {
      let sum = $0.node("Sum", [$1, $0.quant($1, scale: 0.0123), $0.quant($1, scale: 0.777)])
      return $0.quant(sum)
    },
    one("unquantized-output-clamp") { $0.node("Relu", [$0.node("Sub", [$1, $0.quant($1, scale: 0.0123)])]) },
    one("logits-out-of-range") { $0.node("Mul", [conv(&$0, $1), $0.floats([3e38, 2e38], [1, 2, 1, 1])]) },
  ]
}
