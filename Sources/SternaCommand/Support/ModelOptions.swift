import ArgumentParser
import Diagnostics
import Scheduling
import Sterna
import TernaryIR

/// The model and what the planner is asked: shared by all verbs that compile.
struct ModelOptions: ParsableArguments {
  @Argument(help: "The model, a QONNX or QCDQ .onnx file; - reads it from the standard input.")
  var model: String

  @Option(help: "The C identifier that all symbols begin with; the file's stem unless given.")
  var name: String?

  @Option(
    help:
      "How the network is cut into segments: auto takes the least RAM of all cuts for the code that --optimize and --core choose."
  )
  var schedule: PlanningOptions.Schedule = .auto

  @Option(
    help:
      "What comes first: size packs weights into two bits each, speed makes them code, as far as --flash allows; on a host they are code in either case."
  )
  var optimize: PlanningOptions.Goal = .size

  @Option(
    help:
      "The core that kernels are chosen for; the C runs on all of them. host: loops that C compilers for 64-bit processors vectorize."
  )
  var core: Core = .generic

  @Flag(
    inversion: .prefixedNo,
    help: "Whether max pools are fused into the convolutions before them; without, every layer's rows can be compared.")
  var fuse = true

  @Option(
    help: "Most bytes of state, such as 4096 or 4K (also 4KB, 4KiB); the call is refused where that is impossible.",
    transform: byteCount)
  var ram: Int?

  @Option(
    help:
      "Most bytes of code and tables, as estimated for --core; with --optimize speed, layers whose code is beyond pack.",
    transform: byteCount)
  var flash: Int?

  func validate() throws {
    if model.isEmpty { throw ValidationError("the model is an empty path: expected a file, or - for standard input") }
    if let name, let problem = ModelName.problem(name) { throw ValidationError("--name '\(name)' \(problem)") }
    if let ram, ram <= 0 { throw ValidationError("--ram must be positive") }
    if let flash, flash <= 0 { throw ValidationError("--flash must be positive") }
  }

  /// The model's name as diagnostics show it.
  var shownName: String { model == "-" ? "<stdin>" : model }

  func compile() throws -> Compilation {
    let model = Model(bytes: try InputFile.read(model), path: model)
    let options = PlanningOptions(
      name: name ?? model.defaultName, schedule: schedule, goal: optimize, core: core, fusesPools: fuse, ram: ram,
      flash: flash)
    let compilation = try Compilation(model, options)
    tellWarnings(of: compilation)
    for option in compilation.idleOptions() {
      Console.say("\(shownName): note: \(option) changes nothing: without it, the C is the same")
    }
    return compilation
  }

  /// For verbs that run the network only: what firmware may cost does not matter to them.
  func interpret() throws -> Compilation {
    let model = Model(bytes: try InputFile.read(model), path: model)
    let compilation = try Compilation(model, PlanningOptions(name: name ?? model.defaultName, fusesPools: fuse))
    tellWarnings(of: compilation)
    let idle = [
      (schedule != .auto, "--schedule"), (optimize != .size, "--optimize"), (core != .generic, "--core"),
      (ram != nil, "--ram"), (flash != nil, "--flash"),
    ].filter(\.0).map(\.1)
    if !idle.isEmpty {
      Console.say("\(shownName): note: \(idle.joined(separator: ", ")): for firmware, not for this verb")
    }
    return compilation
  }

  private func tellWarnings(of compilation: Compilation) {
    for warning in compilation.warnings {
      Console.say(warning.rendered(file: shownName, color: Console.usesColor))
    }
  }
}

/// A number of bytes with or without a unit: K, KB and KiB are 1024, M, MB and MiB 1024 times as much.
@Sendable private func byteCount(_ text: String) throws -> Int {
  let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "-" }
  let factor: Int? =
    switch text.dropFirst(digits.count).uppercased() {
    case "", "B": 1
    case "K", "KB", "KIB": 1 << 10
    case "M", "MB", "MIB": 1 << 20
    default: nil
    }
  let problem = ValidationError("'\(text)' is no number of bytes: expected one such as 4096, 4K or 1M")
  guard let number = Int(digits), let factor else { throw problem }
  let (count, overflow) = number.multipliedReportingOverflow(by: factor)
  guard !overflow else { throw problem }
  return count
}

extension PlanningOptions.Schedule: ExpressibleByArgument {}
extension PlanningOptions.Goal: ExpressibleByArgument {}
extension Core: ExpressibleByArgument {}

/// A path that something is written to. An empty one, as of an unset variable in a script, would mean the root folder.
func requireNonempty(_ path: String?, _ option: String) throws {
  if path?.isEmpty ?? false { throw ValidationError("\(option) is empty: expected a path") }
}

/// Reads a user's array.
func readArray(_ path: String) throws -> NPY {
  let bytes = try InputFile.read(path)
  do {
    return try NPY(parsing: bytes)
  } catch {
    throw NPYFailure(path: path, error: error)
  }
}

/// Reads a user's samples and tells where they are not what the model takes.
func readSamples(_ path: String, for compilation: Compilation) throws -> [[Int32]] {
  let input = compilation.plan.input
  let samples = try Samples(readArray(path), path: path, input: input)
  if samples.saturation > 0.9 {
    Console.say(
      "\(path): warning: \(percent(samples.saturation)) of the values lie outside the range that the model's input quantizer "
        + "takes, \(input.quantization.rangeText): expected samples scaled as those that the model was trained on")
  }
  return samples.integers
}

extension InputQuantization {
  /// Of float values, or where arithmetic stands in front of the quantizer, of what it gives.
  fileprivate var rangeText: String {
    let low = Float(minimum - zeroPoint) * scale
    let high = Float(maximum - zeroPoint) * scale
    return "\(low) to \(high)" + (steps.isEmpty ? "" : " behind the arithmetic in front of it")
  }
}
