import ArgumentParser
import Sterna

/// For build systems, which have to know the files before there are any.
struct NameVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "name", abstract: "Prints the name that a model gets unless --name says another; reads nothing.")

  @Argument(help: "The model's file, which need not be there.")
  var model: String

  func run() async throws {
    try await reporting(model) { try Console.result(Model(bytes: [], path: model).defaultName) }
  }
}
