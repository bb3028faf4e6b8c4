import Diagnostics
import FoundationEssentials
import ModelBuilding
import ONNXFormat
import Testing

@Suite struct TensorDecodingTests {
  private func raw(_ type: ElementType, _ dims: [Int64], _ bytes: [UInt8]) -> ONNXTensorProto {
    var proto = ONNXTensorProto()
    proto.dataType = type.rawValue
    proto.dims = dims
    proto.rawData = Data(bytes)
    return proto
  }

  private func decoded(_ proto: ONNXTensorProto, folder: String? = nil) throws -> Tensor.Elements {
    try Tensor(decoding: proto, name: "t", folder: folder).elements
  }

  private func refusal(_ proto: ONNXTensorProto, folder: String? = nil) -> String? {
    do throws(Diagnostic) {
      _ = try Tensor(decoding: proto, name: "t", folder: folder)
      return nil
    } catch {
      return error.code
    }
  }

  @Test func readsRawNumbersOfEveryType() throws {
    #expect(try decoded(raw(.float, [2], [0, 0, 0x80, 0x3F, 0, 0, 0, 0x80])) == .floats([1, -0.0]))
    #expect(try decoded(raw(.float16, [1], [0x00, 0xC0])) == .floats([-2]))
    #expect(try decoded(raw(.bfloat16, [1], [0x80, 0xBF])) == .floats([-1]))
    #expect(try decoded(raw(.double, [1], [0, 0, 0, 0, 0, 0, 0xE0, 0x3F])) == .floats([0.5]))
    #expect(try decoded(raw(.int8, [2], [0xFF, 1])) == .integers([-1, 1]))
    #expect(try decoded(raw(.uint8, [1], [0xFF])) == .integers([255]))
    #expect(try decoded(raw(.int16, [1], [0xFE, 0xFF])) == .integers([-2]))
    #expect(try decoded(raw(.int32, [], [0xFF, 0xFF, 0xFF, 0xFF])) == .integers([-1]))
    #expect(try decoded(raw(.int64, [1], [0, 0, 0, 0, 0, 0, 0, 0x80])) == .integers([.min]))
  }

  /// The example of ONNX's specification for INT2: low bits first, the last byte padded.
  @Test func readsPackedIntegers() throws {
    #expect(try decoded(raw(.int2, [5], [0x53, 0x03])) == .integers([-1, 0, 1, 1, -1]))
    #expect(try decoded(raw(.uint2, [3], [0b10_01_11])) == .integers([3, 1, 2]))
    #expect(try decoded(raw(.int4, [3], [0x1F, 0x08])) == .integers([-1, 1, -8]))
    #expect(try decoded(raw(.uint4, [2], [0x1F])) == .integers([15, 1]))
    var typed = ONNXTensorProto()
    typed.dataType = ElementType.int2.rawValue
    typed.dims = [5]
    typed.int32Data = [0x53, 0x03]
    #expect(try decoded(typed) == .integers([-1, 0, 1, 1, -1]))
  }

  @Test func readsTypedFields() throws {
    var proto = ONNXTensorProto()
    proto.dataType = ElementType.int8.rawValue
    proto.dims = [3]
    proto.int32Data = [-1, 0, 1]
    #expect(try decoded(proto) == .integers([-1, 0, 1]))
    proto.int32Data = [-1, 0, 128]
    #expect(refusal(proto) == "tensor-data")
    proto.dataType = ElementType.float16.rawValue
    proto.int32Data = [0x3C00, 0xC000, 0]
    #expect(try decoded(proto) == .floats([1, -2, 0]))
  }

  @Test(
    arguments: [[4], [2], [-3], [1 << 31, 1 << 31], [.max, .max], [3, 0, 1 << 62, 1 << 62], [.min]] as [[Int64]])
  func refusesShapesThatTheDataDoesNotFill(dims: [Int64]) {
    #expect(refusal(raw(.int8, dims, [1, 2, 3])) != nil)
  }

  @Test func countsElementsUpToTheLimit() {
    let limit = Int64(ONNXLimits.tensorElements)
    #expect(Tensor.declaredElements(raw(.float, [limit / 16, 1, 16], [])) == ONNXLimits.tensorElements)
    #expect(refusal(raw(.float, [limit / 16, 1, 16], [])) == "tensor-data")
    #expect(Tensor.declaredElements(raw(.float, [limit + 1], [])) == 0)
    #expect(refusal(raw(.float, [limit + 1], [])) == "tensor-too-large")
  }

  @Test func refusesDataInTwoPlacesAndUnknownTypes() {
    var proto = raw(.float, [1], [0, 0, 0, 0])
    proto.floatData = [0]
    #expect(refusal(proto) == "tensor-data")
    proto = raw(.float, [1], [0, 0, 0, 0])
    proto.dataType = 8
    #expect(refusal(proto) == "element-type")
    #expect(refusal(raw(.double, [1], [0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F])) == "element-type")
  }

  // MARK: External data

  private func external(_ entries: [String: String], dims: [Int64] = [4]) -> ONNXTensorProto {
    var proto = ONNXTensorProto()
    proto.dataType = ElementType.uint8.rawValue
    proto.dims = dims
    proto.dataLocation = 1
    proto.externalData = entries.sorted { $0.key < $1.key }.map { key, value in
      var entry = ONNXStringStringEntryProto()
      entry.key = key
      entry.value = value
      return entry
    }
    return proto
  }

  private static let folder = Fixtures.path("models/edge")

  @Test func readsExternalDataAtItsOffset() throws {
    let file = Fixtures.model("edge/00_control_ok.onnx")
    let proto = external(["location": "00_control_ok.onnx", "offset": "16", "length": "4"])
    #expect(try decoded(proto, folder: Self.folder) == .integers(file[16..<20].map(Int64.init)))
  }

  @Test(arguments: [
    "../edge/00_control_ok.onnx", "/etc/passwd", "./00_control_ok.onnx", "a/../00_control_ok.onnx", "", "a//b",
    "a\u{0}",
  ])
  func refusesPathsThatLeaveTheFolder(location: String) {
    #expect(refusal(external(["location": location]), folder: Self.folder) == "external-data")
  }

  @Test func refusesExternalDataThatIsNotThere() {
    #expect(refusal(external(["location": "absent.bin"]), folder: Self.folder) == "external-data-missing")
    #expect(refusal(external(["location": "00_control_ok.onnx"])) == "external-data")
    for entries in [["offset": "99999999"], ["offset": "-1"], ["offset": "x"], ["length": "3"], ["offset": "2295"]] {
      let proto = external(entries.merging(["location": "00_control_ok.onnx"]) { $1 })
      #expect(refusal(proto, folder: Self.folder) == "external-data")
    }
    #expect(refusal(external(["location": "."]), folder: Self.folder) == "external-data")
  }

  @Test func refusesSymbolicLinks() throws {
    let folder = TemporaryFolder.make()
    defer { TemporaryFolder.remove(folder) }
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "/etc/passwd")
    #expect(refusal(external(["location": "link"]), folder: folder) == "external-data")
  }
}

/// A folder of its own for one test.
private enum TemporaryFolder {
  static func make() -> String {
    let path = FileManager.default.temporaryDirectory.path + "/sterna-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}
