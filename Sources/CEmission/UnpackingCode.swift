import FirmwarePlanning
import TernaryIR

/// Windows of words, made of rows of bytes for a strip at a time.
extension StagePrinter {
  /// The function that makes words of the bytes that the blocks read.
  func printUnpacking(_ window: Stage.UnpackedWindow, _ lanes: Ring.Lanes, _ out: inout CodePrinter) {
    let ring = stage.ring
    let kept = window.kept
    func made(_ x: Int) -> String { pair(x == 0 ? "in" : "in + \(x)", lanes) }
    func printRow(_ out: inout CodePrinter) {
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
    let note = kept > 0 ? "; from the second strip on \(kept) of them move" : ""
    out.print("/* The window's rows in two lanes, \(window.width) words each\(note). */")
    out.list(
      "static NO_INLINE void \(name)_unpack(",
      ["const uint8_t *in", "\(laneType) *words"] + (kept > 0 ? ["uint32_t x"] : []), ") {")
    out.indented { out in
      if window.channels == 1 {
        printRows(window.rows, ring.rowStride, &out)
        return
      }
      out.block("for (uint32_t y = 0; y < \(window.rows); y++)") { out in
        printRows(window.channels, ring.channelStride, &out)
        let rest = ring.rowStride - window.channels * ring.channelStride
        if rest > 0 { out.print("in += \(rest);") }
      }
    }
    out.print("}\n")
  }
}
