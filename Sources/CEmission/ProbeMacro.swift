/// A probe beside `NAME_PROBE`, of rows that are not there as that one wants them: tests put them together, or take
/// them apart.
struct ProbeMacro {
  let name: String
  /// The macro's parameters, `layer` and `row` before them, and their C types.
  let parameters: [(type: String, name: String)]
  /// The tests' function.
  let function: String
  private var names: [String] { ["layer", "row"] + parameters.map(\.name) }
  /// Of the function.
  var declarations: [String] { ["uint32_t layer", "uint32_t row"] + parameters.map { $0.type + $0.name } }
  private var head: String { "\(name)(\(names.joined(separator: ", ")))" }

  /// What the emitted C does where no test asks for more, behind a comment that says what the probe sees.
  func printDefault(_ comment: String, _ out: inout CodePrinter) {
    out.print("\(comment)\n#ifndef \(name)")
    let line = "#define \(head) ((void)(row))"
    if line.count <= CodePrinter.width { out.print(line) } else { out.macro(head, "((void)(row))") }
    out.print("#endif\n")
  }

  /// What tests define before they include the C.
  func printDefinition(_ out: inout CodePrinter) {
    out.list("static void \(function)(", declarations, ");\n")
    out.macro(head, "\(function)(\(names.map { "(\($0))" }.joined(separator: ", ")))")
  }
}
