import Diagnostics
import ONNXFormat
import Testing

@Suite struct ModelReaderTests {
  @Test func refusesAnEmptyFile() {
    #expect(throws: ModelError.self) { try ONNXModelProto.parsing([]) }
  }
}
