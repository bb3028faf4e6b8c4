import ArgumentParser
import Sterna

/// The tool. Each verb is a file in `Verbs/`; what they do lives in the library.
@main
struct SternaTool: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sterna",
    abstract: "Compiles trained ternary neural networks (QONNX, QCDQ) to dependency-free C99 firmware.",
    discussion: """
      Start with `sterna demo`. Exit codes: 0 done, 1 the model can not be compiled, 2 the C and the interpreter differ, \
      64 wrong call, 66 unreadable input, 69 missing compiler or emulator, 70 internal error, 73 unwritable output, \
      130 or 143 interrupted.
      """,
    version: sternaVersion,
    subcommands: [
      DemoVerb.self, CompileVerb.self, InspectVerb.self, ReportVerb.self, RunVerb.self, VerifyVerb.self,
      EvaluateVerb.self, OperatorsVerb.self, TernarizeVerb.self, NameVerb.self,
    ])

  static func main() async {
    do {
      try checkHelp()
      var command = try parseAsRoot()
      if var command = command as? AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      leave(with: error)
    }
  }

  /// `help VERB` shows the help of all for a verb that there is not: that is a wrong call.
  private static func checkHelp() throws {
    let words = CommandLine.arguments.dropFirst()
    guard words.first == "help", let verb = words.dropFirst().first, !verb.hasPrefix("-") else { return }
    let verbs = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard verbs.contains(verb), words.count == 2 || words.dropFirst(2).allSatisfy({ $0.hasPrefix("-") }) else {
      throw ValidationError(
        "there is no verb '\(words.dropFirst().joined(separator: " "))': expected one of "
          + verbs.joined(separator: ", "))
    }
  }

  /// Ends the program as `exit(withError:)` does, but for help that can not be written.
  private static func leave(with error: any Error) -> Never {
    let code = exitCode(for: error)
    let text = fullMessage(for: error)
    guard code == .success, !text.isEmpty else { exit(withError: error) }
    do {
      try Console.result(text)
    } catch {
      Console.say("sterna: error: \(error)")
      exit(withError: Exit.cannotWrite)
    }
    exit(withError: ExitCode.success)
  }
}
