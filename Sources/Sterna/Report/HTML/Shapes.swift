/// Pictures are drawn in shares of their width and in pixels of their height: text keeps its size on a telephone, and
/// nothing has to be scrolled.
enum Draw {
  /// An element that names itself to whoever points at it, or listens.
  static func picture(
    height: Int, label: String, class name: String = "plot", @MarkupBuilder _ content: () -> [Markup]
  ) -> Markup {
    tag("svg", ["class": name, "width": "100%", "height": "\(height)", "role": "img", "aria-label": label], content)
  }

  static func tooltip(_ text: String) -> Markup { tag("title") { text } }

  static func rectangle(
    x: Double, width: Double, y: Double, height: Double, class name: String, tooltip: String? = nil
  ) -> Markup {
    tag(
      "rect",
      [
        "class": name, "x": PageNumber.share(x), "width": PageNumber.share(max(width, 0)),
        "y": PageNumber.coordinate(y), "height": PageNumber.coordinate(max(height, 0)),
      ]
    ) { if let tooltip { Self.tooltip(tooltip) } }
  }

  /// From edge to edge.
  static func horizontal(y: Double, class name: String) -> Markup {
    let y = PageNumber.coordinate(y)
    return tag("line", ["class": name, "x1": "0", "x2": "100%", "y1": y, "y2": y])
  }

  static func vertical(x: Double, from top: Double, to bottom: Double, class name: String) -> Markup {
    let x = PageNumber.share(x)
    return tag(
      "line",
      ["class": name, "x1": x, "x2": x, "y1": PageNumber.coordinate(top), "y2": PageNumber.coordinate(bottom)])
  }

  enum Anchor: String { case start, middle, end }

  static func text(_ text: String, x: Double, y: Double, anchor: Anchor = .start, class name: String = "label")
    -> Markup
  {
    tag(
      "text",
      ["class": name, "x": PageNumber.share(x), "y": PageNumber.coordinate(y), "text-anchor": anchor.rawValue]
    ) { text }
  }

  /// A horizontal bar that fills `share` of the width.
  static func bar(_ share: Double, height: Int = 12, class name: String = "bar", label: String) -> Markup {
    picture(height: height, label: label, class: "plot small") {
      rectangle(x: 0, width: 1, y: 0, height: Double(height), class: "track")
      // A value that is not nothing is seen.
      if share > 0 {
        rectangle(x: 0, width: max(share, 0.004), y: 0, height: Double(height), class: name, tooltip: label)
      }
    }
  }

  /// A share of a whole, in a stacked bar.
  struct Part {
    var style: String
    var title: String
    var amount: Int
  }

  /// Parts behind one another; a bar of `whole` would fill the width.
  static func stack(_ parts: [Part], of whole: Int, height: Int, unit: String = "\u{A0}B") -> [Markup] {
    var pieces = [rectangle(x: 0, width: 1, y: 0, height: Double(height), class: "track")]
    var start = 0
    for part in parts where part.amount > 0 {
      pieces.append(
        rectangle(
          x: Double(start) / Double(whole), width: Double(part.amount) / Double(whole), y: 0, height: Double(height),
          class: part.style, tooltip: "\(part.title): \(PageNumber.grouped(part.amount))\(unit)"))
      start += part.amount
    }
    return pieces
  }

  /// The colours of a picture and what they mean.
  static func legend(_ entries: [(class: String, text: String)]) -> Markup {
    tag("ul", ["class": "legend"]) {
      for entry in entries {
        tag("li") {
          tag("svg", ["class": "swatch", "width": "14", "height": "14", "aria-hidden": "true"]) {
            if entry.class.hasPrefix("line-") {
              tag("line", ["class": entry.class, "x1": "0", "x2": "14", "y1": "7", "y2": "7"])
            } else {
              tag("rect", ["class": entry.class, "width": "14", "height": "14"])
            }
          }
          entry.text
        }
      }
    }
  }
}

/// A section with its heading and a sentence that says how to read it.
func section(_ title: String, id: String, _ lead: String, @MarkupBuilder _ content: () -> [Markup]) -> Markup {
  tag("section", ["id": id]) {
    tag("h2") { title }
    tag("p", ["class": "lead"]) { lead }
    content()
  }
}

/// A table whose rows become cards on a narrow screen: every cell carries its column's name.
func dataTable(_ heads: [String], _ rows: [[[Markup]]]) -> Markup {
  tag("table", ["class": "cards"]) {
    tag("thead") {
      tag("tr") { for head in heads { tag("th", ["scope": "col"]) { head } } }
    }
    tag("tbody") {
      for row in rows {
        tag("tr") {
          for (head, cell) in zip(heads, row) {
            tag("td", ["data-head": head]) { tag("span", ["class": "cell"]) { cell } }
          }
        }
      }
    }
  }
}
