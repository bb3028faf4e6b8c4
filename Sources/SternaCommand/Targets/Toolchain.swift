import FoundationEssentials
import Subprocess
import Templates

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Compiles C for a target and runs the result there.
enum Toolchain {
  /// What emitted C promises to pass; `compile` output that does not is a bug of ours, so they are errors.
  static let warningFlags = [
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wcast-align",
    "-Wvla", "-Werror",
  ]

  struct Outcome: Sendable, Equatable {
    let exitCode: Int32
    let standardOutput: String
    let standardError: String
  }

  /// Compiles and links `sources` into an image and returns its path.
  ///
  /// The target's own files are written into `directory`, an absolute path, first. Relative sources and includes are
  /// relative to `directory`, so "verify_harness.c" among the sources is found there.
  ///
  /// - Parameter flags: for the compiler, after all others, such as `-fsanitize=address`.
  static func build(
    target: Target, optimization: Optimization, sources: [String], includes: [String] = [], defines: [String] = [],
    flags: [String] = [], into directory: String
  ) async throws -> String {
    let compiler = try find(target.compiler)
    try writeTargetFiles(into: directory)
    let image = "\(target.name)\(optimization.rawValue).elf"
    let outcome = try await run(
      compiler,
      arguments: [optimization.rawValue] + warningFlags + target.compileFlags + defines.map { "-D\($0)" }
        + (["."] + includes).map { "-I\($0)" } + flags + sources + target.runtimeSources + target.linkFlags
        + ["-L.", "-o", image],
      in: directory, timeout: .seconds(600))
    guard outcome.exitCode == 0 else {
      throw ToolchainError.compilationFailed(
        target: target.name, output: outcome.standardOutput + outcome.standardError)
    }
    return "\(directory)/\(image)"
  }

  /// Runs an image on its target, in the folder where it lies.
  ///
  /// - Parameters:
  ///   - arguments: `argv[1]...`; without spaces, at most 15, since semihosting hands over one line.
  ///   - countingInstructions: gives each instruction one nanosecond of the target's time, see semihosting.h.
  static func execute(
    target: Target, image: String, arguments: [String] = [], countingInstructions: Bool = false, timeout: Duration
  ) async throws -> Outcome {
    let path = FilePath(image)
    let directory = path.removingLastComponent().string
    guard let emulator = target.emulator else {
      return try await run(path, arguments: arguments, in: directory, timeout: timeout)
    }
    let words = [path.lastComponent?.string ?? image] + arguments
    return try await run(
      try find(emulator.tool),
      arguments: emulator.flags + (countingInstructions ? ["-icount", "shift=0"] : []) + [
        "-semihosting-config", "enable=on,target=native" + words.map { ",arg=\(doublingCommas($0))" }.joined(),
        "-kernel", image,
      ],
      in: directory, timeout: timeout)
  }

  /// A comma ends an option's value in QEMU unless it is doubled.
  private static func doublingCommas(_ word: String) -> String {
    word.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
  }

  /// The first program of that name in `PATH`.
  static func find(_ tool: Tool) throws(ToolchainError) -> FilePath {
    for directory in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
      let path = "\(directory)/\(tool.name)"
      if FileManager.default.isExecutableFile(atPath: path) { return FilePath(path) }
    }
    throw .missing(tool)
  }

  private static func writeTargetFiles(into directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (name, bytes) in TargetFiles.all {
      try Data(bytes).write(to: URL(filePath: "\(directory)/\(name)"))
    }
  }

  static func run(_ executable: FilePath, arguments: [String], in directory: String, timeout: Duration)
    async throws -> Outcome
  {
    try await withThrowingTaskGroup(of: Outcome.self) { group in
      group.addTask {
        let result = try await Subprocess.run(
          .path(executable), arguments: Arguments(arguments), workingDirectory: FilePath(directory),
          output: .string(limit: outputLimit), error: .string(limit: outputLimit))
        let exitCode: Int32 =
          switch result.terminationStatus {
          case .exited(let code): code
          case .signaled(let signal): 128 + signal  // as a shell reports it
          }
        return Outcome(
          exitCode: exitCode, standardOutput: result.standardOutput, standardError: result.standardError)
      }
      group.addTask {
        try await Task.sleep(for: timeout)
        throw ToolchainError.timedOut(command: executable.lastComponent?.string ?? "", after: timeout)
      }
      // Whichever comes first; the other is cancelled, which kills a process that still runs.
      defer { group.cancelAll() }
      guard let outcome = try await group.next() else { throw CancellationError() }
      return outcome
    }
  }

  /// A compiler that complains about every line of a large model stays below this.
  private static let outputLimit = 8 << 20
}

enum ToolchainError: Error, Equatable, CustomStringConvertible {
  case missing(Tool)
  case compilationFailed(target: String, output: String)
  case measurementFailed(target: String, output: String)
  case timedOut(command: String, after: Duration)

  var description: String {
    switch self {
    case .missing(let tool):
      "\(tool.name) not found: apt-get install \(tool.packages.joined(separator: " "))"
    case .compilationFailed(let target, let output):
      "the C compiler for \(target) rejected the code:\n\(output)"
    case .measurementFailed(let target, let output):
      "the program that measures on \(target) failed:\n\(output)"
    case .timedOut(let command, let after):
      "\(command) did not finish within \(after)"
    }
  }
}
