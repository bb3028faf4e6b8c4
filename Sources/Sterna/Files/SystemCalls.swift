#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few POSIX calls that the file types need, retried when a signal interrupts them.
enum SystemCalls {
  /// What the system says about the error that has just occurred.
  static func reason(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
  }

  /// Reads until the end of file, or until more than `limit` bytes have come.
  ///
  /// - Returns: The bytes, more than `limit` of them where the file is larger; nil with `errno` set on an error.
  static func readAll(_ descriptor: Int32, limit: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= limit {
      let count = chunk.withUnsafeMutableBytes { buffer in
        read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      bytes += chunk[..<count]
    }
    return bytes
  }

  /// Writes everything, however often the system takes only a part.
  ///
  /// - Returns: Whether it succeeded; `errno` is set where not.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
        return write(descriptor, rest.baseAddress, rest.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        return false
      }
      start += count
    }
    return true
  }

  enum FileKind {
    case missing, regular, directory
    /// A terminal, a pipe, `/dev/null`: written in place, never replaced.
    case special
  }

  /// What a path leads to, symbolic links followed.
  static func kind(of path: String) -> FileKind {
    var status = stat()
    guard stat(path, &status) == 0 else { return .missing }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .regular
    case S_IFDIR: return .directory
    default: return .special
    }
  }
}
