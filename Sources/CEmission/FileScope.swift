/// The names that a source file defines for itself at file scope, found in its text: kernels are copied to the byte, so
/// nobody else knows them all.
///
/// The preprocessor puts the model's name before each: two models can stand in one translation unit, and a debugger or
/// a map file tells whose function it shows. Text and line breaks of the kernels stay as they are.
struct FileScope {
  /// Static functions and tables, types, in the order of their definition.
  private(set) var names: [String] = []
  /// Macros, but for those that users may define.
  private(set) var macros: [String] = []
  private let prefix: String

  /// - Parameters:
  ///   - text: The file behind its includes.
  ///   - macroPrefix: What macros begin with that are the user's.
  init(_ text: String, prefix: String, macroPrefix: String) {
    self.prefix = prefix
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
      if let macro = Self.macro(line) {
        if !macro.hasPrefix("\(macroPrefix)_"), found.insert(macro).inserted { macros.append(macro) }
      } else if let name = Self.name(line), found.insert(name).inserted {
        names.append(name)
      }
    }
  }

  private static func macro(_ line: Substring) -> String? {
    guard line.hasPrefix("#define ") else { return nil }
    return String(line.dropFirst(8).prefix(while: \.isIdentifierPart))
  }

  /// What a line without indentation defines: the identifier before its first parenthesis, bracket or equals sign, and
  /// of types the last one.
  private static func name(_ line: Substring) -> String? {
    guard ["static ", "struct ", "typedef "].contains(where: line.hasPrefix) else { return nil }
    let head = line.prefix { !"([={;".contains($0) }
    let words = head.split { !$0.isIdentifierPart }
    return words.last.map(String.init)
  }

  /// What stands before everything else.
  func printPrefixes(_ out: inout CodePrinter) {
    out.comment([
      "What this file defines for itself begins with \(prefix)_ like what others see, so that models can share a "
        + "translation unit. The names end with the file."
    ])
    for name in names {
      let line = "#define \(name) \(prefix)_\(name)"
      if line.count <= CodePrinter.width { out.print(line) } else { out.macro(name, "\(prefix)_\(name)") }
    }
    out.print()
  }

  /// What stands behind everything else.
  func printEnd(_ out: inout CodePrinter) {
    out.print()
    for name in names + macros { out.print("#undef \(name)") }
  }
}

extension Character {
  /// Whether a C identifier may hold it.
  var isIdentifierPart: Bool { self == "_" || isLetter || isNumber }
}
