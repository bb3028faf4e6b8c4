import Scheduling

/// Collects lines of C with the right indentation and without trailing blanks.
///
/// Glue is printed from multi-line Swift strings rather than from a template language: the templates would hold loops
/// over tables and layers, the one library at hand would quadruple the binary, and indentation is what it does least
/// well.
struct CodePrinter {
  /// Columns that a line may use, as in `firmware/.clang-format`.
  static let width = 100

  private(set) var text = ""
  private var indentation = 0

  mutating func print(_ block: String = "") {
    for line in block.split(separator: "\n", omittingEmptySubsequences: false) {
      if !line.isEmpty {
        text += String(repeating: " ", count: indentation)
        text += line
      }
      text += "\n"
    }
  }

  /// What another printer has collected.
  mutating func append(_ other: CodePrinter) {
    text += other.text
  }

  mutating func indented(_ body: (inout CodePrinter) -> Void) {
    indentation += 4
    body(&self)
    indentation -= 4
  }

  /// `head {`, the body one level deeper, `}`.
  mutating func block(_ head: String, _ body: (inout CodePrinter) -> Void) {
    print("\(head) {")
    indented(body)
    print("}")
  }

  /// A block behind two conditions that an operator joins, each on a line of its own where one line is too short.
  mutating func block(if first: String, _ join: String, _ second: String, _ body: (inout CodePrinter) -> Void) {
    let line = "if (\(first) \(join) \(second))"
    let fits = line.count + " {".count <= Self.width - indentation
    block(fits ? line : "if (\(first) \(join)\n    \(second))", body)
  }

  /// Statements packed into lines, those of a continuation one level deeper.
  mutating func words(_ statements: [String]) {
    var line = ""
    var depth = 0
    for statement in statements {
      if !line.isEmpty, line.count + 1 + statement.count > Self.width - indentation - depth {
        print(String(repeating: " ", count: depth) + line)
        line = ""
        depth = 4
      }
      line += (line.isEmpty ? "" : " ") + statement
    }
    if !line.isEmpty { print(String(repeating: " ", count: depth) + line) }
  }

  /// `head term term term;`, wrapped.
  mutating func sum(_ head: String, _ terms: [String]) {
    words([head] + terms.dropLast() + [(terms.last ?? "0") + ";"])
  }

  /// `target = value;`, the value on a line of its own where one line is too short.
  mutating func assign(_ target: String, _ value: String) {
    let line = "\(target) = \(value);"
    print(line.count <= Self.width - indentation ? line : "\(target) =\n    \(value);")
  }

  /// A macro of two lines, the backslash where clang-format puts it.
  mutating func macro(_ head: String, _ body: String) {
    let line = "#define \(head)"
    print(line + String(repeating: " ", count: max(1, Self.width - 1 - line.count)) + "\\")
    print("    \(body)")
  }

  /// A comment of several lines, each paragraph wrapped to the line width.
  mutating func comment(_ paragraphs: [String]) {
    print("/*")
    for paragraph in paragraphs {
      if paragraph.isEmpty {
        print(" *")
        continue
      }
      for line in Self.wrapped(paragraph, Self.width - indentation - 3) { print(" * \(line)") }
    }
    print(" */")
  }

  /// Words packed into lines; continuation lines keep the paragraph's own indentation.
  static func wrapped(_ paragraph: String, _ width: Int) -> [String] {
    let indent = String(paragraph.prefix { $0 == " " })
    var lines: [String] = []
    var line = indent
    for word in paragraph.split(separator: " ") {
      if line.count > indent.count, line.count + 1 + word.count > width {
        lines.append(line)
        line = indent
      }
      line += (line.count > indent.count ? " " : "") + word
    }
    lines.append(line)
    return lines
  }
}

extension CodePrinter {
  /// A declaration or call: on one line where it fits, else its arguments packed and aligned behind the parenthesis
  /// where there is room for the longest, as clang-format does.
  mutating func list(_ head: String, _ arguments: [String], _ tail: String) {
    let room = Self.width - indentation
    let line = head + arguments.joined(separator: ", ") + tail
    if line.count <= room {
      print(line)
      return
    }
    let pieces = arguments.enumerated().map { $1 + ($0 + 1 < arguments.count ? "," : tail) }
    let isAligned = pieces.allSatisfy { head.count + $0.count <= room }
    if !isAligned { print(head) }
    let column = isAligned ? head.count : 4
    var current = isAligned ? head : String(repeating: " ", count: column)
    for (index, piece) in pieces.enumerated() {
      let separator = index == 0 || current.hasSuffix(" ") ? "" : " "
      if index > 0, current.count + separator.count + piece.count > room {
        print(current)
        current = String(repeating: " ", count: column) + piece
      } else {
        current += separator + piece
      }
    }
    print(current)
  }
}

extension CodePrinter {
  /// Ends the translation where the header is of another compilation: old and new files do not fit each other, but most
  /// mixtures of them would compile.
  mutating func requireBuild(of plan: FirmwarePlan, _ provenance: Provenance) {
    print("#if \(plan.macroPrefix)_BUILD_ID != \(provenance.buildIDText)")
    print("#error \"\(plan.name).h is of another compilation than this file\"\n#endif\n")
  }
}

extension CodePrinter {
  /// What an operation's program says.
  mutating func print(_ statements: [Statement]) {
    for statement in statements {
      switch statement {
      case .text(let text): print(text)
      case .block(let head, let body): block(head) { $0.print(body) }
      case .joined(let first, let join, let second, let body): block(if: first, join, second) { $0.print(body) }
      case .nested(let body): indented { $0.print(body) }
      case .list(let head, let arguments, let tail): list(head, arguments, tail)
      case .words(let words): self.words(words)
      case .sum(let head, let terms): sum(head, terms)
      case .assignment(let target, let value): assign(target, value)
      case .macro(let head, let body): macro(head, body)
      case .comment(let paragraphs): comment(paragraphs)
      }
    }
  }
}
