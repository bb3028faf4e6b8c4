import ArgumentParser
import Sterna

struct InspectVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Tells layers, ranges, the requantizers' proof, RAM and flash, before anything is compiled.")

  @OptionGroup var options: ModelOptions

  @Flag(help: "Prints the report as JSON.")
  var json = false

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.compile()
      try Console.result(json ? String(try Report(compilation).json().dropLast()) : try compilation.inspection())
    }
  }
}
