import ArgumentParser
import Sterna

struct OperatorsVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operators", abstract: "Lists the operators that can be compiled, with their conditions.")

  @Flag(help: "Prints the list as JSON.")
  var json = false

  func run() async throws {
    try await reporting("operators") { try Console.result(json ? OperatorList.json() : OperatorList.text) }
  }
}
