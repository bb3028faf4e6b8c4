import Scheduling
import TernaryIR

/// Depthwise convolutions whose weights are unrolled.
extension StagePrinter {
  /// Output rows of a depthwise convolution, channel after channel.
  func printTapRows(_ out: inout CodePrinter) {
    guard let lanes = stage.lineBuffer.lanes, let epilogue = stage.epilogue, case .convolution(let work) = stage.work
    else {
      return
    }
    let isConstant = stage.constants.count == stage.outputShape.channels
    if let statements, !isConstant {
      printStatements(statements, lanes, &out)
      if let window = stage.gatheredWindow { printWidening(window, lanes, &out) }
    }
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !isConstant { out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);") }
      if stage.gatheredWindow != nil, !isConstant {
        out.print("\(laneType) *const window = \(sums) + \(stage.accumulatorWords ?? 0);")
      }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        if !isConstant { printInput(stage.lineBuffer.widensOnLoad ? "uint8_t" : inputType, &out) }
        if statements == nil, !isConstant { out.print("const IN_FLASH uint16_t *taps = \(name)_taps;") }
        out.print()
        if !writesInPlace { printConstantRows(&out) }
        let printChannels: (String?, inout CodePrinter) -> Void = { x, out in
          if isConstant { return }
          out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
            printConstantCases(&out)
            let channel = work.outputsPerGroup == 1 ? "oc" : "oc / \(work.outputsPerGroup)"
            let column = x.map { " + " + (stage.window.strideWidth == 1 ? $0 : "\(stage.window.strideWidth) * \($0)") }
            let from = "in + \(channel) * \(stage.lineBuffer.channelStride)\(column ?? "")"
            if stage.gatheredWindow == nil { out.print("const \(inputType) *const from = \(from);") }
            out.print("\(elementType) *const row = out + oc * \(outputStride);\n")
            if stage.gatheredWindow != nil { out.print("\(name)_unpack(\(from), window);") }
            printTapSums(lanes, &out)
            printEpilogue(epilogue, &out)
          }
        }
        if nextColumnTile != nil {
          out.print("rows[1]++;")
          printColumnTiles(lanes, printChannels, &out)
          printSlide(&out)
        } else if isConstant {
          if writesInPlace { printConstantRows(&out) }
          printEnd(&out)
        } else {
          printChannels(nil, &out)
          if writesInPlace { printConstantRows(&out) }
          printRowDone(&out)
        }
      }
    }
    out.print()
  }

  private var inputType: String {
    stage.widensBytes ? "uint8_t" : statements == nil ? "uint32_t" : laneType
  }

  /// The words of sums in the type of lanes.
  private var sums: String { laneType == "int32_t" ? "(int32_t *)acc" : "acc" }

  /// Column tile after column tile, each taken by the next stage at once.
  private func printColumnTiles(
    _ lanes: LineBuffer.SWARLanes, _ printChannels: (String?, inout CodePrinter) -> Void, _ out: inout CodePrinter
  ) {
    guard case .lineBuffer(let next) = stage.destination, let columnTile = nextColumnTile else { return }
    let x = columnTile < lanes.outputs ? "x" : nil
    func printColumnTile(_ out: inout CodePrinter) {
      printChannels(x, &out)
      out.list(
        "\(plan.macroPrefix)_PROBE_COLUMN_TILE(",
        ["\(index)", "oy", "out", x ?? "0", "\(columnTile)", "\(lanes.outputs)"], ");")
      out.print("\(plan.stages[next].name)_advance(memory\(x.map { ", " + $0 } ?? ""));")
    }
    if x == nil {
      printColumnTile(&out)
    } else {
      out.block("for (uint32_t x = 0; x < \(lanes.outputs); x += \(columnTile))", printColumnTile)
    }
  }

  /// The taps, where they are statements.
  private var statements: [TapList]? {
    guard case .taps(let channels, areStatements: true)? = stage.unrolled else { return nil }
    return channels
  }

  /// The function that sums up a row of a channel.
  private func printStatements(_ channels: [TapList], _ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) {
    printGuardBias(lanes, &out)
    let constants = Set(stage.constants.map(\.channel))
    let live = channels.indices.filter { !constants.contains($0) }
    out.print("/* The sums of \(nextColumnTile.map { "\($0) words" } ?? "a row") of channel oc. */")
    out.list(
      "static NO_INLINE void \(name)_sums(", ["uint32_t oc", "const \(inputType) *in", "\(laneType) *sums"], ") {")
    out.indented { out in
      if live.allSatisfy({ channels[$0].offsets.isEmpty }) { out.print("(void)in;") }
      out.print("/* clang-format off */\nswitch (oc) {")
      let x = stage.window.strideWidth == 1 ? "x" : "\(stage.window.strideWidth) * x"
      for oc in live {
        out.print("case \(oc):")
        out.indented { out in
          out.print("for (uint32_t x = 0; x < \(nextColumnTile ?? lanes.outputs); x++) {")
          let terms = channels[oc].offsets.enumerated().map { place, offset in
            let at = "\(x)\(offset == 0 ? "" : " + \(offset)")"
            let word = stage.widensBytes ? pair("in + \(at)", lanes) : "in[\(at)]"
            return "\(place < channels[oc].plus ? "+" : "-") \(word)"
          }
          out.indented { $0.sum("sums[x] =", [guardBias] + terms) }
          out.print("}\nbreak;")
        }
      }
      out.print("default:\n    break;\n}\n/* clang-format on */")
    }
    out.print("}\n")
  }

  private func printTapSums(_ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) {
    let from = stage.gatheredWindow == nil ? "from" : "window"
    func printCall(_ from: String, _ out: inout CodePrinter) {
      if statements != nil {
        out.print("\(name)_sums(oc, \(from), \(sums));")
        return
      }
      let areFourLanes = stage.lineBuffer.fourLanes != nil
      let stride = areFourLanes ? [] : ["\(stage.window.strideWidth)"]
      out.list(
        areFourLanes ? "sum_taps_swar4(" : "sum_taps_swar2(",
        [from, "taps", "\(name)_counts[oc]", "\(stage.lineBuffer.fourLanes ?? lanes.outputs)"] + stride
          + ["\(lanes.guardBias)", "acc"], ");")
    }
    if let pool = stage.pool {
      out.print("uint32_t *const pooled = acc + \(lanes.outputs);\n")
      out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") { out in
        let rowStride = stage.gatheredWindow?.width ?? stage.lineBuffer.rowStride
        printCall("\(from) + r * \(stage.window.strideHeight * rowStride)", &out)
        out.print("max_pool_row_swar2(acc, \(pool.kernelWidth), r == 0, pooled, \(stage.outputWords ?? 0));")
      }
    } else {
      printCall(from, &out)
    }
    if statements == nil { out.print("taps += \(name)_counts[oc][0] + \(name)_counts[oc][1];") }
  }
}
