package import Diagnostics
internal import SwiftProtobuf

extension ONNXModelProto {
  /// The model as a file. Deterministic: the schema has no maps.
  package func serialized() throws(ModelError) -> [UInt8] {
    do {
      return try serializedBytes()
    } catch {
      throw ModelError(
        Diagnostic(
          code: "internal-serialization", message: "the model cannot be written: \(error)",
          fix: "this is a defect of sterna; please report it together with the model"))
    }
  }
}
