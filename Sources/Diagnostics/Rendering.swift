extension Diagnostic {
  /// One line a diagnostic, and an indented line for each note:
  /// `har.onnx: error: [code] node 'conv1': what is wrong. fix: what to change`.
  ///
  /// - Parameters:
  ///   - file: The model's path as the user typed it.
  ///   - color: Whether to use ANSI colours.
  public func rendered(file: String, color: Bool = false) -> String {
    let place = [
      location.node.map { "node '\($0.escapedForTerminal)'" },
      location.tensor.map { "tensor '\($0.escapedForTerminal)'" },
    ]
    .compactMap { $0 }.joined(separator: ", ")
    let label = color ? "\u{1B}[1;\(severity.colorCode)m\(severity.rawValue):\u{1B}[0m" : "\(severity.rawValue):"
    var text = "\(file.escapedForTerminal): \(label) [\(code)] "
    if !place.isEmpty { text += place + ": " }
    text += message.escapedForTerminal
    if let fix { text += (text.hasSuffix(".") ? " " : ". ") + "fix: \(fix.escapedForTerminal)" }
    for note in notes { text += "\n  note: \(note.escapedForTerminal)" }
    return text
  }
}

extension Diagnostic.Severity {
  fileprivate var colorCode: Int {
    switch self {
    case .error: 31
    case .warning: 33
    case .note: 36
    }
  }
}

extension String {
  /// Control characters are shown as escapes: a name in a hostile file must not steer the terminal or fake a line.
  public var escapedForTerminal: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar.value {
      case 0x00..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
