#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads a user's file whole.
package enum InputFile {
  /// More than any network for a microcontroller, less than what would exhaust a laptop.
  package static let defaultLimit = 256 << 20

  /// - Parameters:
  ///   - path: `-` stands for standard input.
  ///   - limit: Most bytes to accept.
  package static func read(_ path: String, limit: Int = defaultLimit) throws(InputFileError) -> [UInt8] {
    var descriptor = STDIN_FILENO
    if path != "-" {
      // Opening a directory succeeds and reading it fails with a riddle, so it is asked for first.
      if SystemCalls.kind(of: path) == .directory { throw InputFileError(path: path, reason: .directory) }
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw InputFileError(path: path, reason: .opening(errno)) }
    }
    defer { if path != "-" { close(descriptor) } }
    guard let bytes = SystemCalls.readAll(descriptor, limit: limit) else {
      throw InputFileError(path: path, reason: .opening(errno))
    }
    guard bytes.count <= limit else { throw InputFileError(path: path, reason: .tooLarge(limit: limit)) }
    return bytes
  }
}

/// Why a file could not be read.
package struct InputFileError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case missing
    case directory
    case permission
    case tooLarge(limit: Int)
    /// Anything else, in the system's words.
    case system(String)
  }

  /// As the user gave it.
  package var path: String
  package var reason: Reason

  package init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  package var description: String {
    let name = path == "-" ? "standard input" : path
    return switch reason {
    case .missing: "\(name): there is no such file"
    case .directory: "\(name): is a directory: expected a file"
    case .permission: "\(name): may not be read: permission denied"
    case .tooLarge(let limit): "\(name): is larger than \(limit) bytes, the most that is read"
    case .system(let message): "\(name): can not be read: \(message)"
    }
  }
}

extension InputFileError.Reason {
  fileprivate static func opening(_ code: Int32) -> Self {
    switch code {
    case ENOENT, ENOTDIR: .missing
    case EACCES, EPERM: .permission
    case EISDIR: .directory
    default: .system(SystemCalls.reason(code))
    }
  }
}
