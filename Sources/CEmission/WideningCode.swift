import Scheduling
import TernaryIR

/// Windows of words, made of rows of bytes for a column tile at a time.
extension StagePrinter {
  /// The function that makes words of the bytes that the blocks read.
  func printWidening(_ window: Stage.WidenedWindow, _ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) {
    let lineBuffer = stage.lineBuffer
    let kept = window.kept
    func made(_ x: Int) -> String { word(x, lanes) }
    func printRow(_ out: inout CodePrinter) {
      if stage.gatheredWindow != nil {
        printChannelRow(window, lanes, &out)
        return
      }
      guard window.statements == window.width else {
        out.block("for (uint32_t x = 0; x < \(window.width); x++)") { $0.print("words[x] = \(pair("in + x", lanes));") }
        return
      }
      if kept > 0 {
        out.print("if (x > 0) {")
        out.indented { out in for x in 0..<kept { out.print("words[\(x)] = words[\(x + window.width - kept)];") } }
        out.print("} else {")
        out.indented { out in for x in 0..<kept { out.print("words[\(x)] = \(made(x));") } }
        out.print("}")
      }
      for x in kept..<window.width { out.print("words[\(x)] = \(made(x));") }
    }
    func printRows(_ count: Int, _ stride: Int, _ out: inout CodePrinter) {
      out.block("for (uint32_t i = 0; i < \(count); i++, in += \(stride), words += \(window.width))", printRow)
    }
    let rows = stage.gatheredWindow == nil ? "window's rows" : "window's rows of a channel"
    // Each byte is loaded once, though two words hold it.
    let qualifier = stage.gatheredWindow == nil ? "" : "\(plan.macroPrefix)_RESTRICT "
    let note = kept > 0 ? "; from the second tile on \(kept) of them move" : ""
    out.print("/* The \(rows) in two lanes, \(window.width) words each\(note). */")
    out.list(
      "static NO_INLINE void \(name)_unpack(",
      ["const uint8_t *in", "\(laneType) *\(qualifier)words"] + (kept > 0 ? ["uint32_t x"] : []), ") {")
    out.indented { out in
      if window.channels == 1 {
        printRows(window.rows, lineBuffer.rowStride, &out)
        return
      }
      out.block("for (uint32_t y = 0; y < \(window.rows); y++)") { out in
        printRows(window.channels, lineBuffer.channelStride, &out)
        let rest = lineBuffer.rowStride - window.channels * lineBuffer.channelStride
        if rest > 0 { out.print("in += \(rest);") }
      }
    }
    out.print("}\n")
  }

  /// A row of a channel with its padding: by statements, the words within a long row by a loop.
  private func printChannelRow(_ window: Stage.WidenedWindow, _ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) {
    let pairs = stage.pairedWords
    if window.statements == window.width || pairs.isEmpty {
      for x in 0..<window.width { out.print("words[\(x)] = \(word(x, lanes));") }
      return
    }
    for x in 0..<pairs.lowerBound { out.print("words[\(x)] = \(word(x, lanes));") }
    let first = pairs.lowerBound == 0 ? "x" : "\(pairs.lowerBound) + x"
    out.block("for (uint32_t x = 0; x < \(pairs.count); x++)") {
      $0.print("words[\(first)] = \(pair("in + x", lanes));")
    }
    for x in pairs.upperBound..<window.width { out.print("words[\(x)] = \(word(x, lanes));") }
  }

  /// A word of a row: two columns, or padding where the map has none and the row no halo.
  private func word(_ x: Int, _ lanes: LineBuffer.SWARLanes) -> String {
    guard stage.gatheredWindow != nil else { return pair(x == 0 ? "in" : "in + \(x)", lanes) }
    let low = x - stage.window.left
    let high = low + lanes.distance
    let columns = 0..<stage.inputShape.width
    let suffix = laneType == "int32_t" ? "" : "U"
    func value(_ column: Int) -> String { "\(laneType == "int32_t" ? "" : "(uint32_t)")in[\(column)]" }
    func with(_ padding: Int, _ value: String) -> String {
      padding == 0 ? value : "\(value) | 0x\(String(padding, radix: 16, uppercase: true))\(suffix)"
    }
    let padding = stage.lineBuffer.paddingCode
    switch (columns.contains(low), columns.contains(high)) {
    case (true, true): return pair(low == 0 ? "in" : "in + \(low)", lanes)
    case (true, false): return with(padding << 16, value(low))
    case (false, true):
      let lane = laneType == "int32_t" ? "(int32_t)in[\(high)]" : value(high)
      return with(padding, "\(lane) << 16")
    case (false, false):
      let word = padding << 16 | padding
      return word == 0 ? "0" : "0x\(String(word, radix: 16, uppercase: true))\(suffix)"
    }
  }
}

extension Stage {
  /// Words of a channel's window that hold two columns of the map.
  var pairedWords: Range<Int> {
    guard let gatheredWindow, let lanes = lineBuffer.lanes else { return 0..<0 }
    let end = min(window.left + inputShape.width - lanes.distance, gatheredWindow.width)
    return window.left..<max(window.left, end)
  }
}
