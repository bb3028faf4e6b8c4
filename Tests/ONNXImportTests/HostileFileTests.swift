import Diagnostics
import FoundationEssentials
import ModelBuilding
import ONNXFormat
import ONNXImport
import Testing

/// Files that nobody should trust: the only promise is an answer, soon and without a trap.
@Suite struct HostileFileTests {
  @Test func survivesTruncationAtEveryByte() {
    let bytes = Fixtures.model("edge/00_control_ok.onnx")
    for length in 0..<bytes.count {
      // A cut between two top-level fields leaves a well-formed, smaller file; anything else must be refused.
      if case .failure(let error) = outcome(Array(bytes[..<length])) { #expect(!error.diagnostics.isEmpty) }
    }
  }

  @Test(arguments: ["edge/00_control_ok", "edge/30_qcdq_int8_clip", "har/twn_pt_biasint8_qonnx_ts"])
  func survivesMutation(name: String) {
    let original = Fixtures.model("\(name).onnx")
    #expect(!original.isEmpty)
    var random = SplitMix(seed: 2026)
    let runs = original.count < 4096 ? 1500 : 150
    for _ in 0..<runs {
      var bytes = original
      for _ in 0...random.below(4) { mutate(&bytes, &random) }
      _ = outcome(bytes)
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    guard !bytes.isEmpty else { return }
    let position = random.below(bytes.count)
    switch random.below(6) {
    case 0: bytes[position] ^= UInt8(1 << random.below(8))
    case 1: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
    case 2: bytes.insert(UInt8(random.below(256)), at: position)
    case 3: bytes.remove(at: position)
    case 4: bytes.removeSubrange(position..<min(bytes.count, position + random.below(64)))
    default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + random.below(64))], at: position)
    }
  }

  @Test func answersAMillionTinySubmessagesQuickly() {
    // Field 7 (graph) of 8 MB that holds empty nodes only.
    let count = 4_000_000
    var bytes: [UInt8] = [0x3A]
    var length = count * 2
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    bytes.append(UInt8(length))
    for _ in 0..<count { bytes += [0x0A, 0x00] }
    expectRefusal(bytes, "malformed-file")
  }

  /// In quadratic time it would not end.
  @Test func longChainsTakeLinearTime() throws {
    var model = ModelBuilder()
    var value = model.quant("x")
    for _ in 0..<100_000 { value = model.node("Relu", [value]) }
    model.output = value
    let bytes = model.bytes
    let graph = try ModelImporter.importModel(bytes: bytes, folder: nil).graph
    #expect(graph.nodes.count == 100_001)
  }

  @Test(arguments: ["a\nb", "\"quoted\"", "*/ int x; /*", "\u{0}", "\u{202E}evil", String(repeating: "n", count: 4000)])
  func acceptsOddNames(name: String) throws {
    var model = ModelBuilder()
    let quantized = model.quant("x")
    model.output = model.node("Relu", [quantized], name: name, output: name + "!")
    let graph = try ModelImporter.importModel(bytes: model.bytes, folder: nil).graph
    #expect(graph.nodes[1].name == name)
    #expect(graph.description.split(separator: "\n").count == 5)
  }

  @Test func refusesNamesWithoutMeasure() {
    var model = ModelBuilder()
    model.output = model.node("Relu", ["x"], name: String(repeating: "n", count: 5000))
    expectRefusal(model.bytes, "long-name")
  }

  @Test func memoryIsNotClaimedByRepeatedUse() {
    // One constant of a million elements, transposed a thousand times.
    var model = ModelBuilder(input: [1, 1024])
    var weights = model.floats([Float](repeating: 1, count: 1 << 20), [1024, 1024])
    for _ in 0..<1000 { weights = model.node("Transpose", [weights]) }
    model.output = model.node("MatMul", [model.quant("x"), weights])
    expectRefusal(model.bytes, "too-many-constants")
  }

  /// Two tensors, each within the limit, that together are not; neither has any data.
  @Test func declaredElementsAreCountedTogether() {
    var model = ModelBuilder()
    var value = model.quant("x")
    for _ in 0..<2 {
      var tensor = ModelBuilder.tensor(floats: [], [3000, 3000])
      tensor.rawData = Data([0])
      value = model.node("Add", [value, model.add(tensor)])
    }
    model.output = value
    guard case .failure(let error) = outcome(model.bytes) else {
      Issue.record("the model was accepted")
      return
    }
    #expect(error.diagnostics.map(\.code) == ["tensor-data", "too-many-constants"])
  }

  /// What a file really holds may be decoded, clipped, dequantized, checked and ternarized, however much it is.
  @Test func workGrowsWithTheDataInTheFile() throws {
    var model = ModelBuilder(input: [1, 2048])
    var tensor = ONNXTensorProto()
    tensor.dims = [2048, 2048]
    tensor.dataType = ElementType.int8.rawValue
    tensor.rawData = Data(repeating: 1, count: 2048 * 2048)
    let bounds = [Int64(-1), 1].map { model.integers([$0], [], type: .int8) }
    let clipped = model.node("Clip", [model.add(tensor)] + bounds)
    let weights = model.node("DequantizeLinear", [clipped, model.scalar(0.5)])
    model.output = model.node("MatMul", [model.quant("x"), weights])
    _ = try ModelImporter.importModel(bytes: model.bytes, folder: nil)
  }

  @Test func broadcastingConstantsIsPaidBeforehand() {
    var model = ModelBuilder()
    let column = model.floats([Float](repeating: 1, count: 65536), [65536, 1])
    let row = model.floats([Float](repeating: 1, count: 65536), [1, 65536])
    let square = model.node("Mul", [column, row])
    model.output = model.node("Add", [model.quant("x"), square])
    expectRefusal(model.bytes, "too-many-constants")
  }

  @Test func emptyTensorsWithHugeExtentsDoNotOverflow() {
    var model = ModelBuilder()
    let empty = model.floats([], [0, 1 << 62, 1 << 62])
    let flat = model.node("Flatten", [empty], ["axis": .int(1)])
    model.output = model.node("Add", [model.quant("x"), flat])
    expectRefusal(model.bytes, "tensor-too-large")

    model = ModelBuilder()
    let list = model.integers([0, 1 << 62, 1 << 62], [3], type: .int64)
    let reshaped = model.node("Reshape", [model.floats([], [0]), list], ["allowzero": .int(1)])
    model.output = model.node("Add", [model.quant("x"), model.node("Transpose", [reshaped])])
    expectRefusal(model.bytes, "reshape")
  }
}

/// Expects a refusal that has exactly one kind of problem.
func expectRefusal(_ bytes: [UInt8], _ code: String, sourceLocation: SourceLocation = #_sourceLocation) {
  guard case .failure(let error) = outcome(bytes) else {
    Issue.record("the model was accepted", sourceLocation: sourceLocation)
    return
  }
  #expect(Set(error.diagnostics.map(\.code)) == [code], sourceLocation: sourceLocation)
}

/// A small generator whose numbers are the same everywhere (SplitMix64).
struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 0 ..< bound.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
