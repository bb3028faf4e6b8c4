import Scheduling
import TernaryIR

/// From accumulators to what is stored.
extension StagePrinter {
  /// From a channel's accumulators to its row.
  func printEpilogue(_ epilogue: Epilogue, _ out: inout CodePrinter) {
    let hasParts = stage.lineBuffer.lanes != nil && !stage.hasWordSums
    let from = hasParts ? "sums" : stage.pool == nil || stage.isPackedLanes ? "acc" : "pooled"
    let count = nextColumnTile ?? stage.outputWords ?? stage.outputShape.width
    out.print()
    printLimits(epilogue, from, count, &out)
    printConstants(epilogue, "oc", &out)
    if stage.hasWordSums, let lanes = stage.lineBuffer.lanes {
      printWords(epilogue, lanes, "\(from)[ox]", count, &out)
      printHalo("row", &out)
      return
    }
    let cast = stage.output.elementBytes == 1 ? "(uint8_t)" : ""
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      out.print("row[ox] = \(cast)\(expression(epilogue, "\(from)[ox]"));")
      // Otherwise compilers call memset.
      if Self.isOneCode(epilogue) { out.print("PLAIN_LOOP;") }
    }
  }

  /// Clamps the accumulators of the few channels whose arithmetic would leave 32 bits.
  func printLimits(_ epilogue: Epilogue, _ from: String, _ count: Int, _ out: inout CodePrinter) {
    guard !epilogue.limits.isEmpty else { return }
    let guardBias = stage.hasWordSums ? stage.lineBuffer.lanes?.remainingGuardBias ?? 0 : 0
    let kernel =
      stage.columns?.areShort == true ? "clamp_sums_i16" : stage.hasWordSums ? "clamp_sums_swar2" : "clamp_sums_i32"
    if stage.hasLimitTable {
      out.list("\(kernel)(", [from, "\(count)", "\(name)_limits[oc][0]", "\(name)_limits[oc][1]"], ");")
      return
    }
    out.print("switch (oc) {")
    for limit in epilogue.limits {
      let (least, most) = (limit.accumulators.lowerBound + guardBias, limit.accumulators.upperBound + guardBias)
      out.print("case \(limit.channel):")
      out.print("    \(kernel)(\(from), \(count), \(least), \(most));")
      out.print("    break;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Requantizes words of two accumulators: into words of two codes, or into the two halves of a row.
  func printWords(
    _ epilogue: Epilogue, _ lanes: LineBuffer.SWARLanes, _ word: String, _ count: Int, _ out: inout CodePrinter,
    prepare: (inout CodePrinter) -> Void = { _ in }
  ) {
    let half = stage.outputWords ?? 0
    let guardBias = lanes.remainingGuardBias == 0 ? "" : " - \(lanes.remainingGuardBias)"
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      prepare(&out)
      out.print("const int32_t left = (int32_t)(\(word) & 0xFFFFU)\(guardBias);")
      out.print("const int32_t right = (int32_t)(\(word) >> 16)\(guardBias);\n")
      for side in ["left", "right"] { printUnread(epilogue, side, &out) }
      if let next = nextWords {
        let (low, high) = (expression(epilogue, "left"), expression(epilogue, "right"))
        let isKept = next.fourLanes != nil || stage.hasRunningMaximum
        let head = isKept ? "\(stage.hasRunningMaximum ? "" : "const ")uint32_t pair =" : "row[ox] ="
        out.print("\(head) (uint32_t)\(low) |")
        out.print(String(repeating: " ", count: head.count + 1) + "(uint32_t)\(high) << 16;")
        if isKept { printKept(next, &out) }
        return
      }
      let cast = stage.output.elementBytes == 1 ? "(uint8_t)" : ""
      func printValue(_ at: String, _ side: String, _ out: inout CodePrinter) {
        let value = "\(cast)\(expression(epilogue, side))"
        if stage.hasRunningMaximum {
          out.list("keep_larger(", ["&row[\(at)]", value, "r"], ");")
        } else {
          out.print("row[\(at)] = \(value);")
        }
      }
      printValue("ox", "left", &out)
      if 2 * half == stage.outputShape.width {
        printValue("\(half) + ox", "right", &out)
      } else {
        // The last high lane of an odd width is nobody's column.
        let rights = count < half ? "rights" : "\(stage.outputShape.width - half)"
        out.block("if (ox < \(rights))") { printValue("\(half) + ox", "right", &$0) }
      }
    }
  }

  /// Whether more is to be written of a row of words than its columns.
  var fillsHalos: Bool { plan.fillsHalos(of: index) }

  /// Puts a pair of codes beside what a word holds: the other half's columns, and the rows before of a pool.
  private func printKept(_ next: LineBuffer, _ out: inout CodePrinter) {
    out.print()
    switch (next.fourLanes != nil, stage.hasRunningMaximum) {
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

  /// Completes a row of words that its successor reads: columns on the far side of each lane, and padding.
  func printHalo(_ row: String, _ out: inout CodePrinter) {
    guard fillsHalos, let lineBuffer = nextWords, let lanes = lineBuffer.lanes else { return }
    let start = lineBuffer.left > 0 ? "\(row) - \(lineBuffer.left)" : row
    out.list(
      lineBuffer.fourLanes == nil ? "fill_halo_swar2(" : "fill_halo_swar4(",
      [
        start, "\(lineBuffer.left)", "\(lineBuffer.fourLanes ?? lanes.distance)", "\(stage.outputShape.width)",
        "\(lineBuffer.channelStride)",
        "\(lineBuffer.paddingCode)",
      ], ");")
  }

  /// Local names for what the epilogue's expression needs.
  func printConstants(_ epilogue: Epilogue, _ channel: String, _ out: inout CodePrinter) {
    let type = epilogue.fits32 ? "int32_t" : "int64_t"
    func constant(_ value: Int) -> String {
      epilogue.fits32 ? (value == Int(Int32.min) ? "(-2147483647 - 1)" : "\(value)") : "INT64_C(\(value))"
    }
    func printPair(_ multipliers: [Int], _ offsets: [Int]) {
      let isTable = multipliers.count > 1
      let isOne = Set(multipliers).count == 1
      out.print("const int32_t m = \(isOne ? "\(multipliers[0])" : "\(name)_multiplier[\(channel)]");")
      out.print("const \(type) b = \(isTable ? "\(name)_bias[\(channel)]" : constant(offsets[0]));")
    }
    func printClamps(_ low: Int, _ high: Int) {
      guard stage.saturatedBits(epilogue) == nil else { return }
      out.print("const \(type) low = \(constant(low));")
      out.print("const \(type) high = \(constant(high));")
    }
    switch epilogue.form {
    case .affine(let multipliers, let offsets, _, let low, let high),
      .halfEven(let multipliers, let offsets, _, let low, let high):
      printPair(multipliers, offsets)
      printClamps(low, high)
    case .logits(let multipliers, let offsets): printPair(multipliers, offsets)
    case .thresholds(let lists, _):
      guard !(lists.first?.isEmpty ?? true) else { return }
      out.print("const IN_FLASH int32_t *const steps = \(name)_thresholds[\(lists.count > 1 ? channel : "0")];")
    }
    out.print()
  }

  /// Names an accumulator that the expression of it leaves out: where all of them have one code.
  func printUnread(_ epilogue: Epilogue, _ accumulator: String, _ out: inout CodePrinter) {
    if Self.isOneCode(epilogue) { out.print("(void)\(accumulator);") }
  }

  /// Whether no accumulator reaches a threshold.
  private static func isOneCode(_ epilogue: Epilogue) -> Bool {
    if case .thresholds(let lists, _) = epilogue.form { lists.first?.isEmpty ?? true } else { false }
  }

  /// The C expression that turns an accumulator into what is stored.
  func expression(_ epilogue: Epilogue, _ accumulator: String) -> String {
    let suffix = epilogue.fits32 ? "" : "64"
    switch epilogue.form {
    case .affine(_, _, let shift, _, _):
      if let bits = stage.saturatedBits(epilogue) { return "REQUANTIZE(\(accumulator), m, b, \(shift), \(bits))" }
      return "requantize\(suffix)(\(accumulator), m, b, \(shift), low, high)"
    case .halfEven(_, _, let shift, _, _):
      return "requantize_half_even\(suffix)(\(accumulator), m, b, \(shift), low, high)"
    case .thresholds(let lists, let start):
      let count = lists.first?.count ?? 0
      if count == 0 { return "\(start)" }
      let counted = "count_thresholds(\(accumulator), steps, \(count))"
      return start == 0 ? counted : "(\(start) + \(counted))"
    case .logits: return epilogue.fits32 ? "\(accumulator) * m + b" : "(int32_t)((int64_t)\(accumulator) * m + b)"
    }
  }
}
