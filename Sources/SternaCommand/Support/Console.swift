import FoundationEssentials
import Sterna

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Results go to stdout, talk to stderr; colour and progress only where a person looks on.
enum Console {
  static func say(_ text: String) {
    _ = FileHandleOutput.standardError.write(text + "\n")
  }

  /// - Throws: where the result does not arrive, as on a full disk. Who closes a pipe has seen enough.
  static func result(_ text: String) throws(OutputFilesError) {
    let code = FileHandleOutput.standardOutput.write(text + "\n")
    if code != 0, code != EPIPE { throw OutputFilesError("standard output", .system(String(cString: strerror(code)))) }
  }

  static let isTerminal = isatty(2) == 1
  static let usesColor = isatty(2) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// One line that is overwritten; nothing unless stderr is a terminal.
  static func progress(_ text: String) {
    if isTerminal { _ = FileHandleOutput.standardError.write("\r\u{1B}[K" + text) }
  }

  static func endProgress() {
    if isTerminal { _ = FileHandleOutput.standardError.write("\r\u{1B}[K") }
  }
}

/// Unbuffered writing to a file descriptor.
private struct FileHandleOutput {
  let descriptor: Int32
  static let standardOutput = FileHandleOutput(descriptor: 1)
  static let standardError = FileHandleOutput(descriptor: 2)

  /// - Returns: The system's number of the error that ended it; 0 for none.
  func write(_ text: String) -> Int32 {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { DescriptorWrite.call(descriptor, $0.baseAddress, $0.count) }
      if written <= 0 {
        if errno == EINTR { continue }
        return errno
      }
      bytes = bytes.dropFirst(written)
    }
    return 0
  }
}

private enum DescriptorWrite {
  static func call(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, base, count)
  }
}
