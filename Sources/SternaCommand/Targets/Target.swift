/// What emitted C is compiled for and run on: the host with one of its compilers, or an emulated core.
struct Target: Sendable {
  let name: String
  let compiler: Tool
  let compileFlags: [String]
  let linkFlags: [String]
  /// Files of `TargetFiles` that every program on this target is linked with.
  let runtimeSources: [String]
  /// Nil: the program runs by itself.
  let emulator: Emulator?

  struct Emulator: Sendable {
    let tool: Tool
    let flags: [String]
  }
}

/// A program that must be installed, and how to get it.
struct Tool: Sendable, Equatable {
  let name: String
  /// Debian's and Ubuntu's names.
  let packages: [String]
}

enum Optimization: String, Sendable, CaseIterable {
  case none = "-O0"
  case standard = "-O2"
  case aggressive = "-O3"
  case size = "-Os"
}
