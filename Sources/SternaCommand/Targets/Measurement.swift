import Sterna

/// What a linker and a run make of a model on an emulated core, compiled as users compile it, without the tests' probes.
struct Measurement: Sendable, Equatable {
  /// Code and constants that `NAME_run` reaches.
  var flash: Int
  var state: Int
  /// Deepest use of `NAME_run`, on noise.
  var stack: Int
  var instructions: Int
}

extension Target {
  /// Whether a run tells instructions and stack: see measure.c.
  var isMeasured: Bool { emulator != nil && runtimeSources.contains("measure.c") }
}

extension Toolchain {
  /// Compiles `NAME.c` in a folder that holds it, weighs it and runs it once.
  static func measure(
    target: Target, optimization: Optimization, name: String, in directory: String
  ) async throws -> Measurement {
    let flash = try await weigh(target: target, optimization: optimization, name: name, in: directory)
    let upper = name.uppercased()
    let image = try await build(
      target: target, optimization: optimization, sources: ["measure_main.c", "\(name).c"],
      defines: [
        "MODEL_STATE=\(name)_state", "MODEL_RUN=\(name)_run", "MODEL_SELF_TEST=\(name)_self_test",
        "MODEL_INPUT_SIGNED=\(upper)_INPUT_SIGNED", "MODEL_INPUT_BYTES=\(upper)_INPUT_BYTES",
        "MODEL_OUTPUT_COUNT=\(upper)_OUTPUT_COUNT", "MODEL_STATE_BYTES=\(upper)_STATE_BYTES",
      ], flags: ["-include", "\(name).h"], into: directory)
    let outcome = try await execute(target: target, image: image, countingInstructions: true, timeout: .seconds(3600))
    let figures = outcome.standardOutput.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard outcome.exitCode == 0, figures.count == 3 else {
      throw ToolchainError.measurementFailed(
        target: target.name, output: outcome.standardOutput + outcome.standardError)
    }
    return Measurement(flash: flash, state: figures[1], stack: figures[2], instructions: figures[0])
  }

  /// Bytes of the object's sections that `NAME_run` reaches: a partial link drops the others, as an application's does.
  private static func weigh(
    target: Target, optimization: Optimization, name: String, in directory: String
  ) async throws -> Int {
    // The C library's specs name a linker script, which a partial link must not have.
    let flags = target.compileFlags.filter { !$0.hasPrefix("--specs=") }
    try await call(
      target, target.compiler, [optimization.rawValue] + target.compileFlags + ["-c", "\(name).c", "-o", "\(name).o"],
      in: directory)
    try await call(
      target, target.compiler,
      flags + ["-r", "-nostdlib", "-Wl,--gc-sections", "-Wl,-u,\(name)_run", "\(name).o", "-o", "kept.o"], in: directory
    )
    let size = Tool(name: target.compiler.name.dropLast("gcc".count) + "size", packages: target.compiler.packages)
    let lines = try await call(target, size, ["kept.o"], in: directory).split(separator: "\n")
    // Text, data, bss.
    let bytes = lines.last?.split(whereSeparator: \.isWhitespace).prefix(2).compactMap { Int($0) } ?? []
    return bytes.reduce(0, +)
  }

  @discardableResult
  private static func call(_ target: Target, _ tool: Tool, _ arguments: [String], in directory: String) async throws
    -> String
  {
    let outcome = try await run(find(tool), arguments: arguments, in: directory, timeout: .seconds(600))
    guard outcome.exitCode == 0 else {
      throw ToolchainError.compilationFailed(
        target: target.name, output: outcome.standardOutput + outcome.standardError)
    }
    return outcome.standardOutput
  }
}
