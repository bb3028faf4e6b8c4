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
      64 wrong call, 66 unreadable input, 69 missing compiler or emulator, 70 internal error, 73 unwritable output.
      """,
    version: sternaVersion,
    subcommands: [
      DemoVerb.self, CompileVerb.self, InspectVerb.self, ReportVerb.self, RunVerb.self, VerifyVerb.self,
      EvaluateVerb.self, OperatorsVerb.self, TernarizeVerb.self,
    ])
}
