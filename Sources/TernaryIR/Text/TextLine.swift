import Diagnostics

/// One line of the textual form, cut into words and quoted strings, read from left to right.
struct TextLine {
  struct Token {
    /// A word as written, or a string's contents.
    var text: String
    var isString: Bool
    /// Counted from 1.
    var column: Int
  }

  /// Counted from 1.
  let number: Int
  private var tokens: ArraySlice<Token>
  private let endColumn: Int

  /// Cuts a line. A `#` outside of a string begins a comment.
  init(_ line: Substring, number: Int) throws(ModelError) {
    self.number = number
    var tokens: [Token] = []
    let characters = Array(line)
    var i = 0
    while i < characters.count, characters[i] != "#" {
      let start = i
      if characters[i].isWhitespace {
        i += 1
      } else if characters[i] == "\"" {
        var text = ""
        i += 1
        while i < characters.count, characters[i] != "\"" {
          if characters[i] == "\\" {
            guard let (character, end) = Self.unescape(characters, i + 1) else {
              throw ModelError(.text(number, i + 1, "unknown escape: expected \\\", \\\\, \\n or \\u{…}"))
            }
            text.append(character)
            i = end
          } else {
            text.append(characters[i])
            i += 1
          }
        }
        guard i < characters.count else { throw ModelError(.text(number, start + 1, "the string does not end")) }
        i += 1
        tokens.append(Token(text: text, isString: true, column: start + 1))
      } else {
        while i < characters.count, !characters[i].isWhitespace, characters[i] != "#", characters[i] != "\"" { i += 1 }
        tokens.append(Token(text: String(characters[start..<i]), isString: false, column: start + 1))
      }
    }
    self.tokens = tokens[...]
    endColumn = i + 1
  }

  /// The character behind a backslash, and where the text goes on.
  private static func unescape(_ characters: [Character], _ start: Int) -> (Character, end: Int)? {
    guard start < characters.count else { return nil }
    switch characters[start] {
    case "\"", "\\": return (characters[start], start + 1)
    case "n": return ("\n", start + 1)
    case "u":
      guard let end = characters[start...].firstIndex(of: "}"), start + 2 < end, characters[start + 1] == "{",
        let code = UInt32(String(characters[(start + 2)..<end]), radix: 16), let scalar = Unicode.Scalar(code)
      else { return nil }
      return (Character(scalar), end + 1)
    default: return nil
    }
  }

  /// `text` in quotes, on one line.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      // A combining mark would join the character before it, a control character might end the line.
      case let scalar where scalar.value < 0x20 || !scalar.properties.isGraphemeBase:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  var isAtEnd: Bool { tokens.isEmpty }
  var isAtString: Bool { tokens.first?.isString ?? false }
  /// Column of the next token, or of the line's end.
  var column: Int { tokens.first?.column ?? endColumn }

  /// An error at the next token.
  func error(_ message: String) -> ModelError {
    ModelError(.text(number, column, message))
  }

  func error(expected: String) -> ModelError {
    let found = tokens.first.map { $0.isString ? TextLine.quoted($0.text) : "'\($0.text)'" } ?? "the line's end"
    return error("expected \(expected), found \(found)")
  }

  func requireEnd() throws(ModelError) {
    if !isAtEnd { throw error(expected: "the line's end") }
  }

  // MARK: Reading

  /// Whether the next word is `word`; if so, it is read.
  mutating func skip(_ word: String) -> Bool {
    guard let token = tokens.first, !token.isString, token.text == word else { return false }
    tokens.removeFirst()
    return true
  }

  private mutating func read<Value>(_ expected: String, _ convert: (String) -> Value?) throws(ModelError) -> Value {
    guard let token = tokens.first, !token.isString, let value = convert(token.text) else {
      throw error(expected: expected)
    }
    tokens.removeFirst()
    return value
  }

  mutating func word(_ expected: String) throws(ModelError) -> String {
    try read(expected) { $0 }
  }

  mutating func string(_ expected: String) throws(ModelError) -> String {
    guard let token = tokens.first, token.isString else { throw error(expected: expected) }
    tokens.removeFirst()
    return token.text
  }

  mutating func integer(_ expected: String = "an integer") throws(ModelError) -> Int {
    try read(expected) { Int($0) }
  }

  /// All the integers up to the line's end.
  mutating func integers() throws(ModelError) -> [Int] {
    var values: [Int] = []
    while !isAtEnd { values.append(try integer()) }
    return values
  }

  mutating func double() throws(ModelError) -> Double {
    try read("a number") { Double($0) }
  }

  mutating func float() throws(ModelError) -> Float {
    try read("a number") { Float($0) }
  }

  /// `low...high`, both within int32.
  mutating func range() throws(ModelError) -> ClosedRange<Int> {
    try read("a range such as 0...255") { text in
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[1].isEmpty, parts[2].isEmpty, let low = Int32(parts[0]), let high = Int32(parts[3]),
        low <= high
      else { return nil }
      return Int(low)...Int(high)
    }
  }

  /// `low...high`, within int64.
  mutating func wideRange() throws(ModelError) -> ClosedRange<Int> {
    try read("a range such as 0...255") { text in
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[1].isEmpty, parts[2].isEmpty, let low = Int(parts[0]), let high = Int(parts[3]),
        low <= high
      else { return nil }
      return low...high
    }
  }

  /// Extents such as `3x3`, each from 1 to 65535.
  mutating func extents(_ expected: String, counts: ClosedRange<Int>) throws(ModelError) -> [Int] {
    try read(expected) { text in
      let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { UInt16($0).map(Int.init) ?? 0 }
      return counts.contains(parts.count) && parts.allSatisfy { $0 > 0 } ? parts : nil
    }
  }

  mutating func shape() throws(ModelError) -> Shape {
    let parts = try extents("a shape such as 3x8x8", counts: 1...3)
    return Shape(parts[0], parts.count > 1 ? parts[1] : 1, parts.count > 2 ? parts[2] : 1)
  }

  /// `%index`, nil where there is none.
  mutating func tensorID() throws(ModelError) -> TernaryNetwork.TensorID? {
    guard let token = tokens.first, !token.isString, token.text.hasPrefix("%") else { return nil }
    return try read("a tensor such as %0") { text in UInt16(text.dropFirst()).map { .init(Int($0)) } }
  }
}

extension Diagnostic {
  static func text(_ line: Int, _ column: Int, _ message: String) -> Diagnostic {
    Diagnostic(code: "ternary-text", message: "line \(line), column \(column): \(message)")
  }
}
