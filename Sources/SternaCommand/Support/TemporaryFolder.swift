import FoundationEssentials
import Sterna

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A new folder for what only one job needs.
struct TemporaryFolder: Sendable {
  /// Absolute.
  let path: String

  init() throws(OutputFilesError) {
    let parent = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    guard let resolved = realpath(parent, nil) else { throw Self.error(parent) }
    defer { free(resolved) }
    var template = Array("\(String(cString: resolved))/sterna-verify-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Self.error(parent) }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  func write(_ name: String, _ bytes: [UInt8]) throws(OutputFilesError) {
    do {
      try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    } catch {
      throw OutputFilesError("\(path)/\(name)", .system("\(error)"))
    }
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Of the system call that has just failed.
  private static func error(_ parent: String) -> OutputFilesError {
    OutputFilesError(
      parent,
      .system("\(String(cString: strerror(errno))): expected a folder for temporary files, which TMPDIR names"))
  }
}
