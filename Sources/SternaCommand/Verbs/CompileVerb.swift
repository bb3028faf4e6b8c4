import ArgumentParser
import Sterna

struct CompileVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile", abstract: "Writes a model's C: NAME.h, NAME.c and the report NAME.json.")

  @OptionGroup var options: ModelOptions

  @Option(name: [.customShort("o"), .customLong("output")], help: "The folder to write to; made if need be.")
  var directory: String

  @Flag(help: "Also writes test_NAME.c, a cmocka program with golden vectors of every layer.")
  var tests = false

  @Option(help: "Writes what the output depends on, in make's syntax.")
  var depfile: String?

  func validate() throws {
    try requireNonempty(directory, "--output")
    try requireNonempty(depfile, "--depfile")
  }

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.compile()
      try requireOwnName(compilation)
      var files = OutputFiles()
      var artefacts = try compilation.artefacts()
      if tests { artefacts.append(compilation.testFile()) }
      let paths = artefacts.map { "\(directory)/\($0.name)" }
      for (path, artefact) in zip(paths, artefacts) { files.add(path, artefact.text) }
      if let depfile {
        let targets = paths.map(\.escapedForMake).joined(separator: " ")
        let model = options.model == "-" ? "" : " " + options.model.escapedForMake
        files.add(depfile, "\(targets):\(model)\n")
      }
      try files.write()
      for path in paths { try Console.result(path) }
      Console.say(compilation.summary)
    }
  }
}

extension CompileVerb {
  /// A name that comes from the model's file must not be another file's: `a-b.onnx` and `a_b.onnx` are both `a_b`. A name
  /// that the user has given is the user's to give again.
  private func requireOwnName(_ compilation: Compilation) throws {
    let path = "\(directory)/\(compilation.plan.name).json"
    guard options.name == nil, options.model != "-", let bytes = try? InputFile.read(path),
      let other = Report.modelFile(in: bytes), other != compilation.provenance.modelFile
    else { return }
    throw ValidationError(
      "\(path) is that of \(other), which has the same name as \(compilation.provenance.modelFile): "
        + "give one of them another with --name, or another folder with -o")
  }
}

extension String {
  /// Blanks and dollar signs as make reads them in a rule.
  fileprivate var escapedForMake: String {
    reduce(into: "") { text, character in
      if character == " " || character == "#" { text += "\\" }
      text += character == "$" ? "$$" : String(character)
    }
  }
}
