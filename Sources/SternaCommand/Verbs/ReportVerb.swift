import ArgumentParser
import Sterna

struct ReportVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes one HTML page with pictures: memory over time, layers, weights, accumulators, budgets.")

  @OptionGroup var options: ModelOptions

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The page to write; - writes it to the standard output.")
  var output: String

  func validate() throws { try requireNonempty(output, "--output") }

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.compile()
      let page = try ReportPage(compilation, budgets: .init(ram: options.ram, flash: options.flash)).html
      guard output != "-" else {
        try Console.result(String(page.dropLast()))
        return
      }
      var files = OutputFiles()
      files.add(output, page)
      try files.write()
      try Console.result(output)
      Console.say(compilation.summary)
    }
  }
}
