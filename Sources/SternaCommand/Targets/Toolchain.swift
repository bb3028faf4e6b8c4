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
  /// - Parameters:
  ///   - flags: for the compiler, after all others, such as `-fsanitize=address`.
  ///   - objects: a folder for objects of what is the same for every network, see `RuntimeObjects`.
  static func build(
    target: Target, optimization: Optimization, sources: [String], includes: [String] = [], defines: [String] = [],
    flags: [String] = [], into directory: String, objects: String? = RuntimeObjects.folder
  ) async throws -> String {
    let compiler = try find(target.compiler)
    try writeTargetFiles(into: directory)
    let image = "\(target.name)\(optimization.rawValue).elf"
    let options = [optimization.rawValue] + warningFlags + target.compileFlags + defines.map { "-D\($0)" } + flags
    var inputs: [String] = []
    for source in sources + target.runtimeSources {
      if let objects, RuntimeObjects.isShared(source, on: target) {
        inputs.append(
          try await RuntimeObjects.object(of: source, target, flags: options, from: directory, in: objects))
      } else {
        inputs.append(source)
      }
    }
    let outcome = try await run(
      compiler,
      arguments: options + (["."] + includes).map { "-I\($0)" } + inputs + target.linkFlags + ["-L.", "-o", image],
      in: directory, timeout: .seconds(600))
    guard outcome.exitCode == 0 else {
      let output = outcome.standardOutput + outcome.standardError
      if let line = output.split(separator: "\n").first(where: Self.saysTooLarge) {
        throw ToolchainError.doesNotFit(target: target.name, what: String(line))
      }
      throw ToolchainError.compilationFailed(target: target.name, output: output)
    }
    return "\(directory)/\(image)"
  }

  private static func saysTooLarge(_ line: Substring) -> Bool {
    ["overflowed by", "is not within region", "will not fit in region"].contains(where: line.contains)
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
    let tool = try find(emulator.tool)
    switch emulator.interface {
    case .semihosting:
      let words = [path.lastComponent?.string ?? image] + arguments
      return try await run(
        tool,
        arguments: emulator.flags + (countingInstructions ? ["-icount", "shift=0"] : []) + [
          "-semihosting-config", "enable=on,target=native" + words.map { ",arg=\(doublingCommas($0))" }.joined(),
          "-kernel", image,
        ],
        in: directory, timeout: timeout)
    case .process:
      return try await run(tool, arguments: emulator.flags + [image] + arguments, in: directory, timeout: timeout)
    case .serial:
      let outcome = try await run(tool, arguments: emulator.flags + [image], in: directory, timeout: timeout)
      return serialOutcome(outcome.standardOutput + outcome.standardError)
    }
  }

  /// The text of a program in simavr, which shows each line in green, its end as a dot; the last one is the exit status.
  static func serialOutcome(_ log: String) -> Outcome {
    let lines = log.split(separator: "\n").compactMap { line in
      line.range(of: "\u{1B}[32m").map { line[$0.upperBound...].dropLast() }
    }
    let prefix = "exit "
    guard let last = lines.last, last.hasPrefix(prefix), let status = Int32(last.dropFirst(prefix.count)) else {
      return Outcome(exitCode: 70, standardOutput: lines.joined(separator: "\n"), standardError: log)
    }
    return Outcome(
      exitCode: status, standardOutput: lines.dropLast().map { $0 + "\n" }.joined(), standardError: "")
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

  static func writeTargetFiles(into directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (name, bytes) in TargetFiles.all {
      do {
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(name)"))
      } catch {
        throw ToolchainError.unwritable(path: "\(directory)/\(name)", reason: "\(error)")
      }
    }
  }

  static func run(_ executable: FilePath, arguments: [String], in directory: String, timeout: Duration)
    async throws -> Outcome
  {
    try await withThrowingTaskGroup(of: Outcome.self) { group in
      group.addTask {
        // A group of its own, so that what a compiler has started ends with it.
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
          .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(5))
        ]
        let result = try await Subprocess.run(
          .path(executable), arguments: Arguments(arguments),
          // What a compiler leaves when it is killed goes with the folder.
          environment: .inherit.updating(["TMPDIR": directory]), workingDirectory: FilePath(directory),
          platformOptions: options, output: .string(limit: outputLimit), error: .string(limit: outputLimit))
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
  /// The program or its data are too large for the target's memory.
  case doesNotFit(target: String, what: String)
  case measurementFailed(target: String, output: String)
  case timedOut(command: String, after: Duration)
  case unwritable(path: String, reason: String)

  var description: String {
    switch self {
    case .missing(let tool):
      "\(tool.name) not found: apt-get install \(tool.packages.joined(separator: " "))"
    case .compilationFailed(let target, let output):
      "the C compiler for \(target) rejected the code:\n\(output)"
    case .doesNotFit(let target, let what):
      "the memory of \(target) is too small for this network: \(what)"
    case .measurementFailed(let target, let output):
      "the program that measures on \(target) failed:\n\(output)"
    case .timedOut(let command, let after):
      "\(command) did not finish within \(after)"
    case .unwritable(let path, let reason):
      "\(path): can not be written: \(reason)"
    }
  }
}
