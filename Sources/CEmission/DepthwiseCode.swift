import FirmwarePlanning
import TernaryIR

/// Depthwise convolutions whose weights are code.
extension StagePrinter {
  /// Output rows of a depthwise convolution, channel after channel.
  func printTapRows(_ out: inout CodePrinter) {
    guard let lanes = stage.ring.lanes, let epilogue = stage.epilogue, case .convolution(let work) = stage.work else {
      return
    }
    let isConstant = stage.constants.count == stage.outputShape.channels
    if let statements, !isConstant {
      printStatements(statements, lanes, &out)
      if let window = stage.channelWindow { printUnpacking(window, lanes, &out) }
    }
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !isConstant { out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);") }
      if stage.channelWindow != nil, !isConstant {
        out.print("\(laneType) *const window = \(sums) + \(stage.accumulatorWords ?? 0);")
      }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        if !isConstant { printInput(stage.ring.pairsAsRead ? "uint8_t" : inputType, &out) }
        if statements == nil, !isConstant { out.print("const IN_FLASH uint16_t *taps = \(name)_taps;") }
        out.print()
        if !writesInPlace { printConstantRows(&out) }
        let printChannels: (String?, inout CodePrinter) -> Void = { x, out in
          if isConstant { return }
          out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
            printConstantCases(&out)
            let channel = work.outputsPerGroup == 1 ? "oc" : "oc / \(work.outputsPerGroup)"
            let column = x.map { " + " + (stage.window.strideWidth == 1 ? $0 : "\(stage.window.strideWidth) * \($0)") }
            let from = "in + \(channel) * \(stage.ring.channelStride)\(column ?? "")"
            if stage.channelWindow == nil { out.print("const \(inputType) *const from = \(from);") }
            out.print("\(elementType) *const row = out + oc * \(outputStride);\n")
            if stage.channelWindow != nil { out.print("\(name)_unpack(\(from), window);") }
            printTapSums(lanes, &out)
            printEpilogue(epilogue, &out)
          }
        }
        if nextStrip != nil {
          out.print("rows[1]++;")
          printStrips(lanes, printChannels, &out)
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
    stage.readsBytePairs ? "uint8_t" : statements == nil ? "uint32_t" : laneType
  }

  /// The words of sums in the type of lanes.
  private var sums: String { laneType == "int32_t" ? "(int32_t *)acc" : "acc" }

  /// Strip after strip, each taken by the next stage at once.
  private func printStrips(
    _ lanes: Ring.Lanes, _ printChannels: (String?, inout CodePrinter) -> Void, _ out: inout CodePrinter
  ) {
    guard case .ring(let next) = stage.destination, let strip = nextStrip else { return }
    let x = strip < lanes.outputs ? "x" : nil
    func printStrip(_ out: inout CodePrinter) {
      printChannels(x, &out)
      out.list(
        "\(plan.macroPrefix)_PROBE_STRIP(",
        ["\(index)", "oy", "out", x ?? "0", "\(strip)", "\(lanes.outputs)"], ");")
      out.print("\(plan.stages[next].name)_advance(memory\(x.map { ", " + $0 } ?? ""));")
    }
    if x == nil {
      printStrip(&out)
    } else {
      out.block("for (uint32_t x = 0; x < \(lanes.outputs); x += \(strip))", printStrip)
    }
  }

  /// The taps, where they are statements.
  private var statements: [TapList]? {
    guard case .taps(let channels, areStatements: true)? = stage.code else { return nil }
    return channels
  }

  /// The function that sums up a row of a channel.
  private func printStatements(_ channels: [TapList], _ lanes: Ring.Lanes, _ out: inout CodePrinter) {
    printLift(lanes, &out)
    let constants = Set(stage.constants.map(\.channel))
    let live = channels.indices.filter { !constants.contains($0) }
    out.print("/* The sums of \(nextStrip.map { "\($0) words" } ?? "a row") of channel oc. */")
    out.list(
      "static NO_INLINE void \(name)_sums(", ["uint32_t oc", "const \(inputType) *in", "\(laneType) *sums"], ") {")
    out.indented { out in
      if live.allSatisfy({ channels[$0].offsets.isEmpty }) { out.print("(void)in;") }
      out.print("/* clang-format off */\nswitch (oc) {")
      let x = stage.window.strideWidth == 1 ? "x" : "\(stage.window.strideWidth) * x"
      for oc in live {
        out.print("case \(oc):")
        out.indented { out in
          out.print("for (uint32_t x = 0; x < \(nextStrip ?? lanes.outputs); x++) {")
          let terms = channels[oc].offsets.enumerated().map { place, offset in
            let at = "\(x)\(offset == 0 ? "" : " + \(offset)")"
            let word = stage.readsBytePairs ? pair("in + \(at)", lanes) : "in[\(at)]"
            return "\(place < channels[oc].plus ? "+" : "-") \(word)"
          }
          out.indented { $0.sum("sums[x] =", [lift] + terms) }
          out.print("}\nbreak;")
        }
      }
      out.print("default:\n    break;\n}\n/* clang-format on */")
    }
    out.print("}\n")
  }

  private func printTapSums(_ lanes: Ring.Lanes, _ out: inout CodePrinter) {
    let from = stage.channelWindow == nil ? "from" : "window"
    func printCall(_ from: String, _ out: inout CodePrinter) {
      if statements != nil {
        out.print("\(name)_sums(oc, \(from), \(sums));")
        return
      }
      let isQuads = stage.ring.quads != nil
      let stride = isQuads ? [] : ["\(stage.window.strideWidth)"]
      out.list(
        isQuads ? "sum_quad_taps(" : "sum_taps(",
        [from, "taps", "\(name)_counts[oc]", "\(stage.ring.quads ?? lanes.outputs)"] + stride
          + ["\(lanes.lift)", "acc"], ");")
    }
    if let pool = stage.pool {
      out.print("uint32_t *const pooled = acc + \(lanes.outputs);\n")
      out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") { out in
        let rowStride = stage.channelWindow?.width ?? stage.ring.rowStride
        printCall("\(from) + r * \(stage.window.strideHeight * rowStride)", &out)
        out.print("pool_lanes_row(acc, \(pool.kernelWidth), r == 0, pooled, \(stage.outputWords ?? 0));")
      }
    } else {
      printCall(from, &out)
    }
    if statements == nil { out.print("taps += \(name)_counts[oc][0] + \(name)_counts[oc][1];") }
  }
}
