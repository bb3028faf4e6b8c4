/// Numeric tables as C initializers. They stand outside of what clang-format may touch.
enum Tables {
  /// Numbers packed into lines of the given width, indented by four.
  static func lines(_ numbers: some Sequence<String>, width: Int = CodePrinter.width) -> [String] {
    var lines: [String] = []
    var line = "   "
    for number in numbers {
      if line.count + number.count + 2 > width {
        lines.append(line)
        line = "   "
      }
      line += " \(number),"
    }
    if line.count > 3 { lines.append(line) }
    return lines
  }

  static func array(_ declaration: String, _ numbers: [String]) -> [String] {
    ["static const \(declaration) = {"] + lines(numbers) + ["};"]
  }

  /// An int32, or int64 where one of the values needs it. The most negative int32 has no literal of its own.
  static func integers(_ name: String, _ values: [Int]) -> [String] {
    let isWide = values.contains { Int32(exactly: $0) == nil }
    return array(
      "int\(isWide ? 64 : 32)_t \(name)[\(values.count)]",
      values.map { isWide ? "INT64_C(\($0))" : $0 == Int(Int32.min) ? "(-2147483647 - 1)" : "\($0)" })
  }

  /// Packed weights, a row of bytes for each output channel.
  static func weights(_ name: String, _ rows: [[UInt8]]) -> [String] {
    matrix("uint8_t \(name)", rows.map { $0.map { "0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) } })
  }

  /// int32 lists of equal length, one for each channel.
  static func thresholds(_ name: String, _ lists: [[Int]]) -> [String] {
    matrix("int32_t \(name)", lists.map { $0.map { "\($0)" } })
  }

  /// A row for each output channel, on one line where it fits.
  private static func matrix(_ declaration: String, _ rows: [[String]]) -> [String] {
    var text = ["static const \(declaration)[\(rows.count)][\(rows.first?.count ?? 0)] = {"]
    for (channel, row) in rows.enumerated() {
      let line = "    {" + row.joined(separator: ", ") + "}, /* \(channel) */"
      if line.count <= CodePrinter.width {
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
