import Diagnostics
import FoundationEssentials
import ModelBuilding
import ONNXFormat
import Testing

@Suite struct ModelReaderTests {
  private func codes(_ bytes: [UInt8]) -> [String] {
    do throws(ModelError) {
      _ = try ONNXModelProto.parsing(bytes)
      return []
    } catch {
      return error.diagnostics.map(\.code)
    }
  }

  @Test func refusesWhatIsNoModel() {
    #expect(codes([]) == ["empty-file"])
    #expect(codes(Array("<!DOCTYPE html><html></html>".utf8)) == ["malformed-file"])
    #expect(codes([0x08, 0x08]) == ["no-graph"])
    #expect(codes([UInt8](repeating: 0, count: ONNXLimits.fileBytes + 1)) == ["file-too-large"])
  }

  @Test(
    arguments: [
      // A varint of 11 bytes; a length beyond the end; a length of 2^63; wire types 3, 4, 6, 7; field number 0.
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x3A, 0x05, 0x00],
      [0x3A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x3B], [0x3C], [0x3E], [0x3F], [0x02, 0x00],
      // A string that is no UTF-8; the graph's field as a number.
      [0x12, 0x02, 0xC3, 0x28], [0x3A, 0x04, 0x12, 0x02, 0xFF, 0xFF],
    ] as [[UInt8]])
  func refusesBrokenWireFormat(bytes: [UInt8]) {
    #expect(codes(bytes) == ["malformed-file"] || codes(bytes) == ["no-graph"])
  }

  @Test func skipsUnknownFields() throws {
    // Field 14 (metadata_props) and an unknown field 1000.
    let bytes = Fixtures.model("edge/00_control_ok.onnx") + [0x72, 0x02, 0x0A, 0x00, 0xC0, 0x3E, 0x01]
    #expect(codes(bytes).isEmpty)
  }

  @Test func readsPackedAndUnpackedLists() throws {
    // A tensor with dims [2, 3]: once unpacked, once packed.
    let unpacked = try ONNXTensorProto(serializedBytes: [0x08, 0x02, 0x08, 0x03] as [UInt8])
    let packed = try ONNXTensorProto(serializedBytes: [0x0A, 0x02, 0x02, 0x03] as [UInt8])
    #expect(unpacked.dims == [2, 3])
    #expect(packed.dims == [2, 3])
  }

  @Test func refusesFunctionsAndSparseInitializersTogether() {
    var model = ModelBuilder()
    model.output = model.node("Relu", ["x"])
    model.proto.functions = [Data()]
    model.proto.graph.sparseInitializer = [Data()]
    #expect(codes(model.bytes) == ["model-functions", "sparse-initializers"])
  }
}
