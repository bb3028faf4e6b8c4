import FoundationEssentials
import Sterna
import Templates

/// Objects of what every program on a target is linked with, kept in a folder: whoever verifies a hundred networks compiles
/// the harness once for each target and level.
///
/// A file's name holds the hash of all the target files and of the flags, so that programs of several versions and several
/// processes at a time may share a folder.
enum RuntimeObjects {
  /// Where the tool keeps them: the environment's `STERNA_OBJECTS`. Nil: every program is compiled as a whole.
  static var folder: String? { ProcessInfo.processInfo.environment["STERNA_OBJECTS"] }

  /// Whether a source is the same for every network; where vectors lie in flash, one of the target's own holds those.
  static func isShared(_ source: String, on target: Target) -> Bool {
    target.vectorBytes == nil && (source == "verify_harness.c" || target.runtimeSources.contains(source))
  }

  private static let files = SHA256.hexadecimal(
    TargetFiles.all.sorted { $0.key < $1.key }.flatMap { Array($0.key.utf8) + $0.value })

  /// - Parameters:
  ///   - source: One for which `isShared` holds.
  ///   - flags: All that the compiler gets, but for folders.
  ///   - directory: Holds the target's files.
  /// - Returns: The object's path in `folder`, compiled unless it is there.
  static func object(
    of source: String, _ target: Target, flags: [String], from directory: String, in folder: String
  ) async throws -> String {
    let hash = SHA256.hexadecimal(Array((flags + [files]).joined(separator: "\0").utf8))
    let object = "\(folder)/\(target.name)-\(source)-\(hash.prefix(16)).o"
    let manager = FileManager.default
    if manager.fileExists(atPath: object) { return object }
    try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let made = "\(folder)/\(UUID().uuidString).o"
    let outcome = try await Toolchain.run(
      Toolchain.find(target.compiler), arguments: flags + ["-I.", "-c", source, "-o", made], in: directory,
      timeout: .seconds(600))
    guard outcome.exitCode == 0 else {
      throw ToolchainError.compilationFailed(
        target: target.name, output: outcome.standardOutput + outcome.standardError)
    }
    // Another process may have been first: it made the same.
    do { try manager.moveItem(atPath: made, toPath: object) } catch { try? manager.removeItem(atPath: made) }
    guard manager.fileExists(atPath: object) else {
      throw ToolchainError.unwritable(path: object, reason: "the object did not get there")
    }
    return object
  }
}
