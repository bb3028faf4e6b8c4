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
  /// Bytes of vectors that an image can hold, where it can not read files; nil: it reads vectors.bin.
  var vectorBytes: Int? = nil

  /// How many of `count` samples can be verified at a time, of so many bytes of vectors each.
  func fitting(_ count: Int, bytesEach: Int) throws(ToolchainError) -> Int {
    guard let vectorBytes else { return count }
    let fitting = min(count, vectorBytes / bytesEach)
    if fitting == 0 {
      throw .doesNotFit(target: name, what: "\(bytesEach) bytes of vectors of one sample, \(vectorBytes) at most")
    }
    return fitting
  }

  struct Emulator: Sendable {
    let tool: Tool
    let flags: [String]
    let interface: Interface
  }

  /// How a program in an emulator is given its arguments, and how it gives text and an exit status back.
  enum Interface: Sendable {
    /// QEMU's emulated boards: by traps, see semihosting.c.
    case semihosting
    /// QEMU runs a program of Linux: as any process.
    case process
    /// simavr: no arguments, no files, no status. Text comes through a serial port, see simavr.c.
    case serial
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
