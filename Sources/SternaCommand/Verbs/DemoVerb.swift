import ArgumentParser
import Sterna

struct DemoVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Compiles the built-in radar model and runs its samples.")

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "A folder for the C, the model and the samples; nothing is written unless given.")
  var directory: String?

  func validate() throws { try requireNonempty(directory, "--output") }

  func run() async throws {
    try await reporting("har.onnx") {
      let demonstration = try Demonstration()
      try Console.result(demonstration.introduction + "\n")
      try Console.result(demonstration.predictions() + "\n")
      try Console.result(demonstration.costs + "\n")
      guard let directory else {
        try Console.result("Next: sterna demo -o demo    (writes har.h, har.c, the model and the samples to demo/)")
        return
      }
      var files = OutputFiles()
      let compilation = demonstration.compilation
      let artefacts =
        try compilation.artefacts() + [compilation.testFile(), demonstration.sampleHeader()]
      for artefact in artefacts { files.add("\(directory)/\(artefact.name)", artefact.text) }
      for file in BuiltInModel.files { files.add("\(directory)/\(file.name)", file.bytes) }
      try files.write()
      let names = artefacts.map(\.name) + BuiltInModel.files.map(\.name)
      try Console.result("Written to \(directory): " + names.joined(separator: ", "))
      try Console.result(
        "Next: sterna verify \(directory)/har.onnx --target cortex-m0    (runs the C on an emulated core)")
    }
  }
}
