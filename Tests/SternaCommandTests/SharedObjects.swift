import FoundationEssentials

@testable import SternaCommand

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What every verification links with, compiled once for a target and flags: compilation is what these tests wait for.
actor SharedObjects {
  static let shared = SharedObjects()

  private struct Key: Hashable {
    var target: String
    var flags: [String]
  }

  private static let folder: String = {
    let folder = FileManager.default.temporaryDirectory.path + "/sterna-objects-\(UUID().uuidString)"
    atexit { try? FileManager.default.removeItem(atPath: SharedObjects.folder) }
    return folder
  }()

  private var made: [Key: Task<[String], any Error>] = [:]

  /// Paths of the objects of the harness and of the target's own files.
  ///
  /// - Parameter flags: for the compiler, the level of optimization among them.
  func objects(_ target: Target, _ flags: [String]) async throws -> [String] {
    let key = Key(target: target.name, flags: flags)
    if let known = made[key] { return try await known.value }
    let folder = "\(Self.folder)/\(made.count)"
    let task = Task {
      try Toolchain.writeTargetFiles(into: folder)
      let compiler = try Toolchain.find(target.compiler)
      var objects: [String] = []
      for source in ["verify_harness.c"] + target.runtimeSources {
        let object = "\(folder)/\(source).o"
        let outcome = try await Toolchain.run(
          compiler,
          arguments: Toolchain.warningFlags + target.compileFlags + flags + ["-I.", "-c", source, "-o", object],
          in: folder, timeout: .seconds(600))
        guard outcome.exitCode == 0 else {
          throw ToolchainError.compilationFailed(target: target.name, output: outcome.standardError)
        }
        objects.append(object)
      }
      return objects
    }
    made[key] = task
    return try await task.value
  }
}
