import TernaryIR

/// The window of a column tile, as words of two lanes in scratch memory: `[row][channel][column]`.
package struct WidenedWindow: Equatable, Sendable {
  package var rows: Int
  package var channels: Int
  package var width: Int
  /// Words of a row that the column tile before has made and that only move.
  package var kept = 0

  package var words: Int { rows * channels * width }
  /// A row of a few words is unpacked by as many statements, a longer one by a loop.
  package var statements: Int { width <= 16 ? width : 1 }
}

/// The function that makes words of the bytes that unrolled weights read.
struct WideningProgram {
  let window: WidenedWindow
  let lanes: Lanes
  let sums: UnrolledSums
  /// Where rows have no halo, what is padded as words are made; else nothing is.
  let padding: Padding?

  struct Padding {
    var left: Int
    /// Columns of the map.
    var width: Int
    var code: Int
  }

  func print(_ context: Context, _ out: inout ProgramBuilder) {
    let layout = context.input.layout
    let kept = window.kept
    func printRows(_ count: Int, _ stride: Int, _ out: inout ProgramBuilder) {
      out.block(
        "for (uint32_t i = 0; i < \(count); i++, in += \(stride), words += \(window.width))",
        padding == nil ? printRow : printChannelRow)
    }
    let rows = padding == nil ? "window's rows" : "window's rows of a channel"
    // Each byte is loaded once, though two words hold it.
    let qualifier = padding == nil ? "" : "\(context.plan.macroPrefix)_RESTRICT "
    let note = kept > 0 ? "; from the second tile on \(kept) of them move" : ""
    out.print("/* The \(rows) in two lanes, \(window.width) words each\(note). */")
    out.list(
      "static NO_INLINE void \(context.name)_unpack(",
      ["const uint8_t *in", "\(sums.type) *\(qualifier)words"] + (kept > 0 ? ["uint32_t x"] : []), ") {")
    out.indented { out in
      if window.channels == 1 {
        printRows(window.rows, layout.rowStride, &out)
        return
      }
      out.block("for (uint32_t y = 0; y < \(window.rows); y++)") { out in
        printRows(window.channels, layout.channelStride, &out)
        let rest = layout.rowStride - window.channels * layout.channelStride
        if rest > 0 { out.print("in += \(rest);") }
      }
    }
    out.print("}\n")
  }

  private func printRow(_ out: inout ProgramBuilder) {
    let kept = window.kept
    guard window.statements == window.width else {
      out.block("for (uint32_t x = 0; x < \(window.width); x++)") {
        $0.print("words[x] = \(sums.pair("in + x", lanes));")
      }
      return
    }
    if kept > 0 {
      out.print("if (x > 0) {")
      out.indented { out in for x in 0..<kept { out.print("words[\(x)] = words[\(x + window.width - kept)];") } }
      out.print("} else {")
      out.indented { out in for x in 0..<kept { out.print("words[\(x)] = \(word(x));") } }
      out.print("}")
    }
    for x in kept..<window.width { out.print("words[\(x)] = \(word(x));") }
  }

  /// A row of a channel with its padding: by statements, the words within a long row by a loop.
  private func printChannelRow(_ out: inout ProgramBuilder) {
    let pairs = pairedWords
    if window.statements == window.width || pairs.isEmpty {
      for x in 0..<window.width { out.print("words[\(x)] = \(word(x));") }
      return
    }
    for x in 0..<pairs.lowerBound { out.print("words[\(x)] = \(word(x));") }
    let first = pairs.lowerBound == 0 ? "x" : "\(pairs.lowerBound) + x"
    out.block("for (uint32_t x = 0; x < \(pairs.count); x++)") {
      $0.print("words[\(first)] = \(sums.pair("in + x", lanes));")
    }
    for x in pairs.upperBound..<window.width { out.print("words[\(x)] = \(word(x));") }
  }

  /// Words of a channel's window that hold two columns of the map.
  private var pairedWords: Range<Int> {
    guard let padding else { return 0..<0 }
    let end = min(padding.left + padding.width - lanes.distance, window.width)
    return padding.left..<max(padding.left, end)
  }

  /// A word of a row: two columns, or padding where the map has none and the row no halo.
  private func word(_ x: Int) -> String {
    guard let padding else { return sums.pair(x == 0 ? "in" : "in + \(x)", lanes) }
    let low = x - padding.left
    let high = low + lanes.distance
    let columns = 0..<padding.width
    let suffix = sums.isSigned ? "" : "U"
    func value(_ column: Int) -> String { "\(sums.isSigned ? "" : "(uint32_t)")in[\(column)]" }
    func with(_ padding: Int, _ value: String) -> String {
      padding == 0 ? value : "\(value) | 0x\(String(padding, radix: 16, uppercase: true))\(suffix)"
    }
    let code = padding.code
    switch (columns.contains(low), columns.contains(high)) {
    case (true, true): return sums.pair(low == 0 ? "in" : "in + \(low)", lanes)
    case (true, false): return with(code << 16, value(low))
    case (false, true):
      let lane = sums.isSigned ? "(int32_t)in[\(high)]" : value(high)
      return with(code, "\(lane) << 16")
    case (false, false):
      let word = code << 16 | code
      return word == 0 ? "0" : "0x\(String(word, radix: 16, uppercase: true))\(suffix)"
    }
  }
}
