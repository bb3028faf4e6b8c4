import Scheduling

/// Numeric tables as C initializers. They stand outside of what clang-format may touch.
enum Tables {
  /// Numbers packed into lines of the given width, indented by four.
  static func lines(_ numbers: some Sequence<String>, width: Int = CodePrinter.width) -> [String] {
    var lines: [String] = []
    var line = "   "
    for number in numbers {
      if line.utf8.count + number.utf8.count + 2 > width {
        lines.append(line)
        line = "   "
      }
      line += " \(number),"
    }
    if line.utf8.count > 3 { lines.append(line) }
    return lines
  }

  static func array(_ declaration: String, _ numbers: [String]) -> [String] {
    ["static const \(declaration) = {"] + lines(numbers) + ["};"]
  }

  static func definition(_ table: ConstantTable) -> [String] {
    let rows = table.rows.map { $0.map(table.literal) }
    let declaration = "IN_FLASH \(table.cType) \(table.name)"
    return table.isMatrix
      ? matrix(declaration, rows) : array("\(declaration)[\(table.columns)]", rows.flatMap { $0 })
  }

  /// A row for each output channel, on one line where it fits.
  private static func matrix(_ declaration: String, _ rows: [[String]]) -> [String] {
    var text = ["static const \(declaration)[\(rows.count)][\(rows.first?.count ?? 0)] = {"]
    for (channel, row) in rows.enumerated() {
      let line = "    {" + row.joined(separator: ", ") + "}, /* \(channel) */"
      if line.utf8.count <= CodePrinter.width {
        text.append(line)
      } else {
        text.append("    { /* \(channel) */")
        text += lines(row, width: CodePrinter.width - 4).map { "    " + $0 }
        text.append("    },")
      }
    }
    return text + ["};"]
  }
}
