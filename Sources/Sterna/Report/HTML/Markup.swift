/// A piece of a page: an element or text. Whoever builds a page builds a tree of these, so that tags always balance and
/// whatever comes from a user's file is escaped, without anybody having to remember it.
package indirect enum Markup: Sendable {
  case element(name: StaticString, attributes: [(name: StaticString, value: String)], children: [Markup])
  case text(String)
  /// The text of a `style` element, which browsers take as it stands: a constant of the tool, never a user's text.
  case stylesheet(StaticString)
}

/// Makes an element. Names of elements and attributes are constants; values and texts may be anything.
package func tag(
  _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
  @MarkupBuilder _ children: () -> [Markup] = { [] }
) -> Markup {
  .element(name: name, attributes: attributes.map { ($0.key, $0.value) }, children: children())
}

@resultBuilder
package enum MarkupBuilder {
  package static func buildExpression(_ markup: Markup) -> [Markup] { [markup] }
  package static func buildExpression(_ list: [Markup]) -> [Markup] { list }
  package static func buildExpression(_ text: String) -> [Markup] { [.text(text)] }
  package static func buildBlock(_ parts: [Markup]...) -> [Markup] { parts.flatMap { $0 } }
  package static func buildOptional(_ part: [Markup]?) -> [Markup] { part ?? [] }
  package static func buildEither(first: [Markup]) -> [Markup] { first }
  package static func buildEither(second: [Markup]) -> [Markup] { second }
  package static func buildArray(_ parts: [[Markup]]) -> [Markup] { parts.flatMap { $0 } }
}

extension Markup {
  /// As the file holds it. Elements without content are closed in the XML way, which HTML reads alike where it
  /// matters: `meta` and the shapes of SVG.
  package var rendered: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .text(let content): text += Self.escaped(content)
    case .stylesheet(let content): text += "\(content)"
    case .element(let name, let attributes, let children):
      let areTiles = Self.channelTiles.contains("\(name)")
      if areTiles, text.last.map({ $0 != "\n" }) ?? false { text += "\n" }
      text += "<\(name)"
      for attribute in attributes { text += " \(attribute.name)=\"\(Self.escaped(attribute.value))\"" }
      if children.isEmpty, Self.mayFillItself.contains("\(name)") {
        text += "/>"
      } else {
        text += ">"
        for child in children { child.write(to: &text) }
        text += "</\(name)>"
      }
      if areTiles { text += "\n" }
    }
  }

  /// Elements that begin a line of the file.
  private static let channelTiles: Set<String> = [
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "h3", "p",
    "div", "svg", "rect", "line", "path", "table", "thead", "tbody", "tr", "details", "ul", "li", "dl",
  ]

  private static let mayFillItself: Set<String> = ["meta", "rect", "line", "path", "circle", "br"]

  /// Text that can stand between tags and in attributes. Control characters, and those that turn the direction of
  /// the text around them, are not legible: U+FFFD stands for each.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200E}", "\u{200F}", "\u{2028}"..."\u{202E}",
        "\u{2066}"..."\u{2069}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}":
        result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
