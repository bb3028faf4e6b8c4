/// How numbers are written on the page: the same on every machine, whatever its locale.
enum PageNumber {
  /// `12 345`, with narrow blanks that do not break.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "\u{2212}" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202F}" }
      text.append(digit)
    }
    return text
  }

  static func bytes(_ number: Int) -> String { grouped(number) + "\u{A0}B" }

  /// `45.3 %`; a share that is not nothing, or not all, does not look as if it were.
  static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "0\u{A0}%" }
    var tenths = Int((Double(part) / Double(whole) * 1000).rounded())
    if part > 0, tenths == 0 { return "<\u{202F}0.1\u{A0}%" }
    if part < whole { tenths = min(tenths, 999) }
    return "\(tenths / 10).\(tenths % 10)\u{A0}%"
  }

  static func range(_ range: ClosedRange<Int>) -> String {
    "\(grouped(range.lowerBound))\u{2009}…\u{2009}\(grouped(range.upperBound))"
  }

  /// A coordinate: at most two decimals, no trailing zeros.
  static func coordinate(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let fraction = Int(hundredths.magnitude % 100)
    var text = (hundredths < 0 ? "-" : "") + "\(hundredths.magnitude / 100)"
    if fraction > 0 {
      text += fraction % 10 == 0 ? ".\(fraction / 10)" : ".\(fraction < 10 ? "0" : "")\(fraction)"
    }
    return text
  }

  /// A share of the width.
  static func share(_ value: Double) -> String { coordinate(value * 100) + "%" }
  static func share(_ part: Int, of whole: Int) -> String { share(whole > 0 ? Double(part) / Double(whole) : 0) }
}

extension String {
  /// At most `count` characters: a name of a user's file may be of any length.
  func shortened(to count: Int = 80) -> String { self.count > count ? prefix(count - 1) + "…" : self }
}
