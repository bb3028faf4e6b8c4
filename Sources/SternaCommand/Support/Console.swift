import FoundationEssentials

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
    FileHandleOutput.standardError.write(text + "\n")
  }

  static func result(_ text: String) {
    FileHandleOutput.standardOutput.write(text + "\n")
  }

  static let isTerminal = isatty(2) == 1
  static let usesColor = isatty(2) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// One line that is overwritten; nothing unless stderr is a terminal.
  static func progress(_ text: String) {
    if isTerminal { FileHandleOutput.standardError.write("\r\u{1B}[K" + text) }
  }

  static func endProgress() {
    if isTerminal { FileHandleOutput.standardError.write("\r\u{1B}[K") }
  }
}

/// Unbuffered writing to a file descriptor; a closed pipe ends the talk, not the program.
private struct FileHandleOutput {
  let descriptor: Int32
  static let standardOutput = FileHandleOutput(descriptor: 1)
  static let standardError = FileHandleOutput(descriptor: 2)

  func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { DescriptorWrite.call(descriptor, $0.baseAddress, $0.count) }
      if written <= 0 { return }
      bytes = bytes.dropFirst(written)
    }
  }
}

private enum DescriptorWrite {
  static func call(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, base, count)
  }
}
