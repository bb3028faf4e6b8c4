import FoundationEssentials
import Sterna
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A folder for emitted files and the programs that are run on them; removed with the value.
final class Workshop: Sendable {
  let path: String

  /// What emitted C promises to pass.
  static let warnings = [
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wcast-align",
    "-Wvla", "-Werror",
  ]

  struct Outcome: Sendable {
    var exitCode: Int32
    var output: String
  }

  struct MissingTool: Error, CustomStringConvertible {
    var tool: String
    var description: String { "\(tool) not found: apt-get install \(Workshop.packages[tool] ?? tool)" }
  }

  private static let packages = [
    "arm-none-eabi-gcc": "gcc-arm-none-eabi", "arm-none-eabi-nm": "gcc-arm-none-eabi", "nm": "binutils",
    "avr-gcc": "gcc-avr avr-libc", "avr-size": "binutils-avr",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf", "clang": "clang",
  ]

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "sterna-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
  }

  /// `NAME.h`, `NAME.c` and `test_NAME.c`.
  func write(_ compilation: Compilation) throws {
    for (name, text) in try compilation.artefacts() where !name.hasSuffix(".json") { try write(name, text) }
    let test = compilation.testFile()
    try write(test.name, test.text)
  }

  static func hasTool(_ tool: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
    }
  }

  /// Runs a program of `PATH`, or of this folder where the name begins with `./`.
  @discardableResult
  func run(_ tool: String, _ arguments: [String] = []) async throws -> Outcome {
    let isOwn = tool.hasPrefix("./")
    guard isOwn || Self.hasTool(tool) else { throw MissingTool(tool: tool) }
    let result = try await Subprocess.run(
      isOwn ? .path(FilePath("\(path)/\(tool.dropFirst(2))")) : .name(tool), arguments: Arguments(arguments),
      workingDirectory: FilePath(path), output: .string(limit: 8 << 20), error: .string(limit: 8 << 20))
    let exitCode: Int32 =
      switch result.terminationStatus {
      case .exited(let code): code
      case .signaled(let signal): 128 + signal
      }
    return Outcome(exitCode: exitCode, output: result.standardOutput + result.standardError)
  }
}
