#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes a set of files, all of them or none.
///
/// Everything is written to temporary files beside the targets first and renamed at the end. If anything fails, even the
/// last rename, the files that were there before are there again, and directories that were made for the occasion
/// are gone. A target that is no regular file, such as `/dev/null` or a pipe, is written in place after the others.
package struct OutputFiles: Sendable {
  private var files: [(path: String, bytes: [UInt8])] = []

  package init() {}

  /// Adds a file. Its directory is made when it is written, if it is missing.
  package mutating func add(_ path: String, _ bytes: [UInt8]) {
    files.append((path, bytes))
  }

  package mutating func add(_ path: String, _ text: String) {
    add(path, Array(text.utf8))
  }

  /// Writes what has been added.
  package func write() throws(OutputFilesError) {
    var transaction = Transaction()
    do {
      for file in files { try transaction.stage(file.path, file.bytes) }
      try transaction.replace()
    } catch {
      transaction.undo()
      throw error
    }
    transaction.finish()
  }
}

/// Why nothing was written.
package struct OutputFilesError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    /// The target is a directory.
    case directory
    /// Two of the files have this path.
    case duplicate
    case permission
    /// Anything else, in the system's words.
    case system(String)
  }

  package var path: String
  package var reason: Reason

  package init(_ path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// Of the system call that has just failed.
  fileprivate init(_ path: String) {
    let code = errno
    self.init(path, code == EACCES || code == EPERM ? .permission : .system(SystemCalls.reason(code)))
  }

  package var description: String {
    switch reason {
    case .directory: "\(path): is a directory: expected a place for a file"
    case .duplicate: "\(path): two outputs have this path"
    case .permission: "\(path): may not be written: permission denied"
    case .system(let message): "\(path): can not be written: \(message)"
    }
  }
}

/// What has been done so far, and how to take it back.
private struct Transaction {
  struct Staged {
    /// As the caller gave it, for messages.
    var path: String
    /// With symbolic links resolved, so that a rename replaces the file and not the link.
    var target: String
    var temporary: String
    /// A second name of the old file, from the moment of its replacement on.
    var backup: String?
    var isReplaced = false
  }

  var staged: [Staged] = []
  var inPlace: [(path: String, bytes: [UInt8])] = []
  var directories: [String] = []

  /// Writes `bytes` beside `path`.
  mutating func stage(_ path: String, _ bytes: [UInt8]) throws(OutputFilesError) {
    switch SystemCalls.kind(of: path) {
    case .directory: throw OutputFilesError(path, .directory)
    case .special:
      inPlace.append((path, bytes))
      return
    case .missing, .regular: break
    }
    try makeDirectory(Self.parent(of: path), for: path)
    let target = Self.resolved(path)
    guard !staged.contains(where: { $0.target == target }) else { throw OutputFilesError(path, .duplicate) }
    guard let (temporary, descriptor) = Self.create(beside: target) else { throw OutputFilesError(path) }
    staged.append(Staged(path: path, target: target, temporary: temporary))
    guard SystemCalls.writeAll(bytes, to: descriptor) else {
      let error = OutputFilesError(path)
      close(descriptor)
      throw error
    }
    // A full disk may be reported only here.
    guard close(descriptor) == 0 else { throw OutputFilesError(path) }
  }

  /// Puts every temporary file in its place.
  mutating func replace() throws(OutputFilesError) {
    for index in staged.indices {
      let file = staged[index]
      if SystemCalls.kind(of: file.target) == .regular {
        let backup = file.temporary + ".old"
        // A file system without hard links leaves the target missing for an instant.
        guard link(file.target, backup) == 0 || rename(file.target, backup) == 0 else {
          throw OutputFilesError(file.path)
        }
        staged[index].backup = backup
      }
      guard rename(file.temporary, file.target) == 0 else { throw OutputFilesError(file.path) }
      staged[index].isReplaced = true
    }
    for (path, bytes) in inPlace {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw OutputFilesError(path) }
      defer { close(descriptor) }
      guard SystemCalls.writeAll(bytes, to: descriptor) else { throw OutputFilesError(path) }
    }
  }

  /// Takes everything back.
  func undo() {
    for file in staged.reversed() {
      if let backup = file.backup {
        // Where both are the same file still, rename does nothing, hence the removal.
        rename(backup, file.target)
        unlink(backup)
      } else if file.isReplaced {
        unlink(file.target)
      }
      unlink(file.temporary)
    }
    for directory in directories.reversed() { rmdir(directory) }
  }

  /// Removes what only `undo` needed.
  func finish() {
    for file in staged {
      if let backup = file.backup { unlink(backup) }
    }
  }

  /// Makes a directory and all above it that are missing.
  private mutating func makeDirectory(_ directory: String, for path: String) throws(OutputFilesError) {
    guard SystemCalls.kind(of: directory) == .missing else { return }
    let parent = Self.parent(of: directory)
    if parent != directory { try makeDirectory(parent, for: path) }
    // Another process may have made it in the meantime; then it is not ours to remove.
    if mkdir(directory, 0o777) == 0 {
      directories.append(directory)
    } else if errno != EEXIST {
      throw OutputFilesError(path)
    }
  }

  private static func parent(of path: String) -> String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    while parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    parts.removeLast()
    if parts.isEmpty { return path.hasPrefix("/") ? "/" : "." }
    return parts == [""] ? "/" : parts.joined(separator: "/")
  }

  private static func resolved(_ path: String) -> String {
    guard let pointer = realpath(path, nil) else {
      // Not there yet: its directory is, and two spellings of one place must be seen as one.
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard let directory = realpath(parent(of: path), nil) else { return path }
      defer { free(directory) }
      return String(cString: directory) + "/" + name
    }
    defer { free(pointer) }
    return String(cString: pointer)
  }

  /// An empty new file with a name of its own; nil with `errno` set.
  private static func create(beside target: String) -> (path: String, descriptor: Int32)? {
    var number = 0
    while true {
      let path = "\(target).\(getpid())-\(number).tmp"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (path, descriptor) }
      guard errno == EEXIST, number < 1000 else { return nil }
      number += 1
    }
  }
}
