#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The committed model files under `Tests/Fixtures/models`.
package enum Fixtures {
  /// An absolute path inside `Tests/Fixtures`.
  package static func path(_ relative: String, file: String = #filePath) -> String {
    let tests = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    return "\(tests)/Fixtures/\(relative)"
  }

  /// The bytes of a file under `Tests/Fixtures/models`, as in `har/pot_qonnx_ts.onnx`; empty if there is none.
  package static func model(_ relative: String) -> [UInt8] {
    guard let stream = fopen(path("models/\(relative)"), "rb") else { return [] }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }
}
