/// What an operation's C consists of, as far as it is decided: statements and how they nest. How lines are wrapped and
/// indented is the printer's business, who knows nothing of what they compute.
package indirect enum Statement: Sendable, Equatable {
  /// One line or several, as they are.
  case text(String)
  /// `head {`, the body one level deeper, `}`.
  case block(String, [Statement])
  /// `if (first join second) {`.
  case joined(first: String, join: String, second: String, [Statement])
  /// One level deeper.
  case nested([Statement])
  /// A declaration or call: its arguments are packed into lines.
  case list(head: String, arguments: [String], tail: String)
  /// Statements that may share lines.
  case words([String])
  /// `head term term term;`.
  case sum(head: String, terms: [String])
  case assignment(target: String, value: String)
  /// `#define head body` on two lines.
  case macro(head: String, body: String)
  /// Paragraphs.
  case comment([String])
}

/// Collects the statements of a program.
package struct ProgramBuilder: Sendable {
  package private(set) var statements: [Statement] = []

  package init() {}

  package mutating func print(_ text: String = "") { statements.append(.text(text)) }

  package mutating func append(_ other: ProgramBuilder) { statements += other.statements }

  package mutating func block(_ head: String, _ body: (inout ProgramBuilder) -> Void) {
    statements.append(.block(head, Self.collected(body)))
  }

  /// A block behind two conditions that an operator joins, each on a line of its own where one line is too short.
  package mutating func block(
    if first: String, _ join: String, _ second: String, _ body: (inout ProgramBuilder) -> Void
  ) {
    statements.append(.joined(first: first, join: join, second: second, Self.collected(body)))
  }

  package mutating func indented(_ body: (inout ProgramBuilder) -> Void) {
    statements.append(.nested(Self.collected(body)))
  }

  package mutating func list(_ head: String, _ arguments: [String], _ tail: String) {
    statements.append(.list(head: head, arguments: arguments, tail: tail))
  }

  /// A call as a statement.
  package mutating func call(_ function: String, _ arguments: [String]) { list("\(function)(", arguments, ");") }

  package mutating func words(_ words: [String]) { statements.append(.words(words)) }

  package mutating func sum(_ head: String, _ terms: [String]) { statements.append(.sum(head: head, terms: terms)) }

  package mutating func assign(_ target: String, _ value: String) {
    statements.append(.assignment(target: target, value: value))
  }

  package mutating func macro(_ head: String, _ body: String) { statements.append(.macro(head: head, body: body)) }

  package mutating func comment(_ paragraphs: [String]) { statements.append(.comment(paragraphs)) }

  private static func collected(_ body: (inout ProgramBuilder) -> Void) -> [Statement] {
    var inner = ProgramBuilder()
    body(&inner)
    return inner.statements
  }
}
