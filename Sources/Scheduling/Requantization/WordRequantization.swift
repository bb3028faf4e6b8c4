extension Requantization {
  /// Where words of two codes go.
  struct WordTarget {
    /// Words of a row.
    var half: Int
    /// Whether each row of a pool is compared with what is there.
    var isRunning = false
  }

  /// Requantizes words of two accumulators: into words of two codes, or into the two halves of a row.
  ///
  /// - Parameter word: C expression of a word, in terms of `ox`.
  func printWords(
    _ word: String, _ count: Int, to target: WordTarget, _ context: Context, _ out: inout ProgramBuilder,
    prepare: (inout ProgramBuilder) -> Void = { _ in }
  ) {
    guard case .words(let remaining) = sums else { return }
    let guardBias = remaining == 0 ? "" : " - \(remaining)"
    let width = context.output.shape.width
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      prepare(&out)
      out.print("const int32_t left = (int32_t)(\(word) & 0xFFFFU)\(guardBias);")
      out.print("const int32_t right = (int32_t)(\(word) >> 16)\(guardBias);\n")
      for side in ["left", "right"] { printUnread(side, &out) }
      if context.makesWords {
        let isKept = context.output.layout.laneBits == 8 || target.isRunning
        let head = isKept ? "\(target.isRunning ? "" : "const ")uint32_t pair =" : "row[ox] ="
        out.print("\(head) (uint32_t)\(expression("left")) |")
        out.print(String(repeating: " ", count: head.count + 1) + "(uint32_t)\(expression("right")) << 16;")
        if isKept { Self.printKept(target, context, &out) }
        return
      }
      let cast = context.output.storage.elementBytes == 1 ? "(uint8_t)" : ""
      func printValue(_ at: String, _ side: String, _ out: inout ProgramBuilder) {
        let value = "\(cast)\(expression(side))"
        if target.isRunning {
          out.call("keep_larger", ["&row[\(at)]", value, "r"])
        } else {
          out.print("row[\(at)] = \(value);")
        }
      }
      printValue("ox", "left", &out)
      if 2 * target.half == width {
        printValue("\(target.half) + ox", "right", &out)
      } else {
        // The last high lane of an odd width is nobody's column.
        let rights = count < target.half ? "rights" : "\(width - target.half)"
        out.block("if (ox < \(rights))") { printValue("\(target.half) + ox", "right", &$0) }
      }
    }
  }

  /// Puts a pair of codes beside what a word holds: the other half's columns, and the rows before of a pool.
  private static func printKept(_ target: WordTarget, _ context: Context, _ out: inout ProgramBuilder) {
    out.print()
    switch (context.output.layout.laneBits == 8, target.isRunning) {
    case (true, true):
      out.print("const uint32_t other = row[ox] & ~(0x00FF00FFU << shift);\n")
      out.block("if (r > 0)") { $0.print("pair = max_swar2(pair, row[ox] >> shift & 0x00FF00FFU);") }
      out.print("row[ox] = other | pair << shift;")
    case (true, false): out.print("row[ox] = shift == 0 ? pair : row[ox] | pair << 8;")
    default:
      out.block("if (r > 0)") { $0.print("pair = max_swar2(pair, row[ox]);") }
      out.print("row[ox] = pair;")
    }
  }
}
