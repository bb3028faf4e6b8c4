import ArgumentParser
import Diagnostics
import FirmwarePlanning
import Sterna

/// The model and what the planner is asked: shared by all verbs that compile.
struct ModelOptions: ParsableArguments {
  @Argument(help: "The model, a QONNX or QCDQ .onnx file; - reads it from the standard input.")
  var model: String

  @Option(help: "The C identifier that all symbols begin with; the file's stem unless given.")
  var name: String?

  @Option(help: "Where the network is cut into segments: auto takes the least RAM.")
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

  @Option(help: "Most bytes of state; the call is refused where that is impossible.")
  var ram: Int?

  @Option(
    help:
      "Most bytes of code and tables, as estimated for --core; with --optimize speed, layers whose code is beyond pack."
  )
  var flash: Int?

  func validate() throws {
    if model.isEmpty { throw ValidationError("the model is an empty path: expected a file, or - for standard input") }
    if let name, !PlanningOptions.isValidName(name) {
      throw ValidationError(
        "--name '\(name)' can not begin C symbols: expected a letter, then letters, digits or _, 30 at most")
    }
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
    for warning in compilation.warnings {
      Console.say(warning.rendered(file: shownName, color: Console.usesColor))
    }
    return compilation
  }
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
