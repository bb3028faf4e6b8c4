import Scheduling
import TernaryIR

/// Unrolled weights.
extension StagePrinter {
  /// Signed where the lanes leave room for a sign: compilers may not reorder signed sums, and their order is what keeps
  /// the operands in registers.
  var laneType: String {
    if stage.hwc != nil { return "int32_t" }
    guard let lanes = stage.lineBuffer.lanes, let epilogue = stage.epilogue else { return "uint32_t" }
    let most = epilogue.accumulators.upperBound + lanes.remainingGuardBias
    return most <= Int(Int16.max) ? "int32_t" : "uint32_t"
  }

  var guardBias: String { "\(name.uppercased())_LIFT" }

  func printGuardBias(_ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) { printGuardBias(lanes.guardWord, &out) }

  func printGuardBias(_ guardWord: Int, _ out: inout CodePrinter) {
    let word = "0x" + String(guardWord, radix: 16, uppercase: true)
    let guarded = guardWord & 0xFFFF
    out.print("#define \(guardBias) \(word)\(laneType == "int32_t" ? "" : "U") /* \(guarded) in both lanes */\n")
  }

  /// Two columns of a row of bytes as a word.
  func pair(_ column: String, _ lanes: LineBuffer.SWARLanes) -> String {
    "\(laneType == "int32_t" ? "" : "(uint32_t)")load_swar2(\(column), \(lanes.distance))"
  }

  /// A pointer to the window's first row.
  func printInput(_ type: String, _ out: inout CodePrinter) {
    let base = type == "uint8_t" ? "memory + s->buffer" : "(const \(type) *)(const void *)(memory + s->buffer)"
    if let offset = inputOffset {
      out.print("const \(type) *const first = \(base);")
      out.print("const \(type) *const in = first + \(offset);")
    } else {
      out.print("const \(type) *const in = \(base);")
    }
  }

  // MARK: Blocks of output channels

  func printChannelTiles(_ channelTiles: [ChannelTile], columnTile: Int, _ out: inout CodePrinter) {
    guard let lanes = stage.lineBuffer.lanes, let epilogue = stage.epilogue else { return }
    if channelTiles.isEmpty { return printColumnTiles(channelTiles, columnTile: columnTile, &out) }
    printGuardBias(lanes, &out)
    for (number, block) in channelTiles.enumerated() { printChannelTile(block, number, columnTile, &out) }
    if let window = stage.widened { printWidening(window, lanes, &out) }
    printStore(epilogue, lanes, columnTile, &out)
    printColumnTiles(channelTiles, columnTile: columnTile, &out)
  }

  private var poolHeight: Int { stage.hasRunningMaximum ? 1 : stage.pool?.kernelHeight ?? 1 }
  private var poolWidth: Int { stage.pool?.kernelWidth ?? 1 }
  /// Words of a channel's sums in a column tile: those of the rows under a pool after one another.
  private func positions(_ columnTile: Int) -> Int { columnTile * poolWidth * poolHeight }

  func printNote(_ block: ChannelTile, _ out: inout CodePrinter) {
    let channels = block.channels.map(String.init).joined(separator: " ")
    let note =
      "Channels \(channels): \(block.nonZeros) weights in \(block.additions) additions of \(block.loads) words."
    if note.count + 6 <= CodePrinter.width { out.print("/* \(note) */") } else { out.comment([note]) }
  }

  private func printChannelTile(_ block: ChannelTile, _ number: Int, _ columnTile: Int, _ out: inout CodePrinter) {
    printNote(block, &out)
    let parameters = "(const \(laneType) *in, \(laneType) *sums)"
    var printBody: (inout CodePrinter) -> Void = { printPosition(block, &$0) { $0 * positions(columnTile) } }
    if !plan.core.tilesLoop {
      out.block("static NO_INLINE void \(name)_sums\(number)\(parameters)", printBody)
      out.print()
      printBody = { $0.print("\(name)_sums\(number)(in, sums);") }
    }
    let qualifier = plan.core.tilesLoop ? "NO_INLINE " : ""
    out.block("static \(qualifier)void \(name)_block\(number)\(parameters)") { out in
      let rowStep = "sums++, in\(stage.window.strideWidth == 1 ? "++" : " += \(stage.window.strideWidth)")"
      let columns = columnTile * poolWidth
      let loop = "for (uint32_t x = 0; x < \(columns); x++, \(rowStep))"
      if poolHeight > 1 {
        out.block("for (uint32_t r = 0; r < \(poolHeight); r++)") { out in
          out.block(loop, printBody)
          let rowStride = stage.widened.map { $0.channels * $0.width } ?? stage.lineBuffer.rowStride
          let step = stage.window.strideHeight * rowStride - columns * stage.window.strideWidth
          out.print(step < 0 ? "in -= \(-step);" : "in += \(step);")
        }
      } else {
        out.block(loop, printBody)
      }
    }
    out.print()
  }

  /// The sums of a position, each put where `place` says, in words from the block's first.
  func printPosition(_ block: ChannelTile, _ out: inout CodePrinter, place: (_ channel: Int) -> Int) {
    let type = laneType
    let live = Set(block.groups.flatMap { $0.uses.map(\.channel) })
    let groups = block.groups
    var locals: [String] = []
    if !groups.isEmpty { locals.append("v") }
    if groups.contains(where: { $0.second != nil }) { locals.append("w") }
    if groups.contains(where: { group in group.uses.contains { $0.operand == .sum || $0.operand == .difference } }) {
      locals.append("s")
    }
    locals += live.sorted().map { "a\($0)" }
    if !locals.isEmpty { out.list("\(type) ", locals, ";") }
    let isRebased = groups.contains { max($0.first, $0.second ?? 0) >= plan.core.reachableWords }
    if isRebased { out.print("const \(type) *p = in;") }
    // Logits keep channels without a weight: all of a block's may be such.
    if groups.isEmpty { out.print("(void)in;\nPLAIN_LOOP;") } else { out.print("\n/* clang-format off */") }
    var started: Set<Int> = []
    var base = 0
    for group in groups {
      if max(group.first, group.second ?? 0) - base >= plan.core.reachableWords {
        out.print("p += \(group.first - base); KEEP_POINTER(p);")
        base = group.first
      }
      out.words(statements(group, isRebased ? "p" : "in", base, &started))
    }
    if !groups.isEmpty { out.print("/* clang-format on */") }
    for channel in 0..<block.channels.count {
      out.print("sums[\(place(channel))] = \(live.contains(channel) ? "a\(channel)" : guardBias);")
    }
  }

  /// One line of a block: the words of a group, and what is added of them.
  private func statements(
    _ group: TapGroup, _ pointer: String, _ base: Int, _ started: inout Set<Int>
  ) -> [String] {
    func value(_ offset: Int) -> String { "\(pointer)[\(offset - base)]" }
    return group.statements(value: value) { channel, sign, operand in
      started.insert(channel).inserted
        ? "a\(channel) = \(guardBias) \(sign) \(operand);" : "a\(channel) \(sign)= \(operand);"
    } + ["KEEP_ORDER;"]
  }

  /// Whether its rows go where its own window lies: what has not been computed must not be written before that.
  var writesInPlace: Bool {
    if case .lineBuffer(let next) = stage.destination { plan.stages[next].lineBuffer.isInPlace } else { false }
  }

  /// Rows of channels that are the same for every input.
  func printConstantRows(_ out: inout CodePrinter) {
    for constant in constants {
      let row = "out + \(constant.channel * outputStride)"
      if let next = nextWords, let lanes = next.lanes {
        out.print(
          "fill_u32(\(row), \(next.columnTile ?? next.fourLanes ?? lanes.distance), \(next.word(constant.level)));")
      } else if storesShortCodes {
        out.print("fill_u16((uint16_t *)(\(row)), \(stage.outputShape.width), \(constant.level));")
      } else {
        out.print("fill_u8(\(row), \(stage.outputShape.width), \(constant.level));")
      }
    }
  }

  /// Whether a column tile has fewer columns on the right than words: the last one of an odd width that is stored as
  /// columns.
  private func hasOddColumnTiles(_ columnTile: Int) -> Bool {
    let words = stage.outputWords ?? columnTile
    return nextWords == nil && columnTile < words && 2 * words > stage.outputShape.width
  }

  /// The function that stores a column tile of some channels.
  private func printStore(
    _ epilogue: Epilogue, _ lanes: LineBuffer.SWARLanes, _ columnTile: Int, _ out: inout CodePrinter
  ) {
    let isPooled = poolHeight * poolWidth > 1
    let pools = isPooled ? "Pools, requantizes" : "Requantizes"
    let isOrdered = stage.order != nil
    out.print(
      isOrdered
        ? "/* \(pools) and stores \(columnTile) word(s) of the channels from place i to end of the order. */"
        : "/* \(pools) and stores \(columnTile) word(s) of each channel from oc to end. */")
    out.list(
      "static NO_INLINE void \(name)_store(",
      [
        "\(epilogue.limits.isEmpty ? "const " : "")\(laneType) *sums", "uint32_t \(isOrdered ? "i" : "oc")",
        "uint32_t end",
        "\(elementType) *out",
      ] + (nextWords?.fourLanes == nil ? [] : ["uint32_t shift"]) + (stage.hasRunningMaximum ? ["uint32_t r"] : [])
        + (hasOddColumnTiles(columnTile) ? ["uint32_t rights"] : []), ") {")
    out.indented { out in
      let place = isOrdered ? "i" : "oc"
      out.block("for (; \(place) < end; \(place)++, sums += \(positions(columnTile)))") { out in
        if isOrdered { out.print("const uint32_t oc = \(name)_order[i];") }
        out.print("\(elementType) *const row = out + oc * \(outputStride);\n")
        if isPooled, !epilogue.limits.isEmpty {
          out.block("for (uint32_t ox = 0; ox < \(columnTile); ox++)") { out in
            printBest(columnTile, &out)
            out.print("sums[ox] = (\(laneType))best;")
          }
        }
        printLimits(epilogue, "(uint32_t *)sums", columnTile, &out)
        printConstants(epilogue, "oc", &out)
        if isPooled, epilogue.limits.isEmpty {
          printWords(epilogue, lanes, "best", columnTile, &out) { printBest(columnTile, &$0) }
        } else {
          let word = laneType == "int32_t" ? "(uint32_t)sums[ox]" : "sums[ox]"
          printWords(epilogue, lanes, "word", columnTile, &out) { $0.print("const uint32_t word = \(word);") }
        }
      }
    }
    out.print("}\n")
  }

  /// The max pool of the sums under an output word.
  private func printBest(_ columnTile: Int, _ out: inout CodePrinter) {
    let cast = laneType == "int32_t" ? "(uint32_t)" : ""
    let base = poolWidth == 1 ? "ox" : "\(poolWidth) * ox"
    var sums: [String] = []
    for r in 0..<poolHeight {
      for x in 0..<poolWidth {
        let offset = r * columnTile * poolWidth + x
        sums.append("\(cast)sums[\(base)\(offset == 0 ? "" : " + \(offset)")]")
      }
    }
    out.print("uint32_t best = \(sums[0]);\n")
    for sum in sums.dropFirst() { out.print("best = max_swar2(best, \(sum));") }
    out.print()
  }

  /// The function that makes rows; without blocks, because all channels are constant, it only fills them.
  private func printColumnTiles(_ channelTiles: [ChannelTile], columnTile: Int, _ out: inout CodePrinter) {
    let type = laneType
    let words = stage.outputWords ?? columnTile
    out.block(Self.prototype(stage)) { out in
      if !channelTiles.isEmpty || stage.firesWhenDue || stage.movesRows {
        out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      }
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !channelTiles.isEmpty {
        out.print("\(type) *const sums = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      }
      out.print()
      out.block(stage.firesWhenDue ? "while (row_is_due(s, rows))" : "if (rows[1] < \(stage.outputShape.height))") {
        out in
        out.print("const uint32_t oy = rows[1];")
        if let pool = stage.pool, stage.hasRunningMaximum {
          out.print("const uint32_t r = rows[0] - 1U - oy * \(pool.kernelHeight); /* of the pool's window */")
        }
        printDestination(&out)
        if !channelTiles.isEmpty { printInput(stage.lineBuffer.widensOnLoad ? "uint8_t" : type, &out) }
        if stage.widened != nil, !channelTiles.isEmpty {
          out.print("\(type) *const window = sums + \(stage.accumulatorWords ?? 0);")
        }
        out.print()
        if stage.takesColumnTiles, !stage.constants.isEmpty {
          out.block("if (x == 0)", printConstantRows)
        } else if !writesInPlace {
          printConstantRows(&out)
        }
        if channelTiles.isEmpty {
          // All that there is has been filled.
        } else if stage.lineBuffer.columnTile == nil, columnTile < words {
          out.block("for (uint32_t x = 0; x < \(words); x += \(columnTile))") {
            printCalls(channelTiles, columnTile, "x", &$0)
          }
        } else {
          printCalls(channelTiles, columnTile, nil, &out)
        }
        if writesInPlace { printConstantRows(&out) }
        var isComplete: [String] = []
        if let pool = stage.pool, stage.hasRunningMaximum { isComplete.append("r == \(pool.kernelHeight - 1)") }
        if stage.takesColumnTiles, let columnTile = stage.lineBuffer.columnTile, let lanes = stage.lineBuffer.lanes {
          isComplete.append("x == \(lanes.outputs - columnTile)")
        }
        if isComplete.isEmpty {
          printEnd(&out)
        } else {
          out.block("if (\(isComplete.joined(separator: " && ")))", printEnd)
        }
      }
    }
    out.print()
  }

  /// What follows a complete output row.
  func printEnd(_ out: inout CodePrinter) {
    printRowEnds(&out)
    printRowDone(&out)
  }

  func printRowDone(_ out: inout CodePrinter) {
    printProbe(&out)
    out.print("rows[1]++;")
    guard case .lineBuffer(let next) = stage.destination, plan.stages[next].lineBuffer.isInPlace else {
      printSlide(&out)
      printSuccessor(&out)
      return
    }
    // The row lies where others move.
    printSuccessor(&out)
    printSlide(&out)
  }

  /// Values from the line buffer's first to those of the window's first row.
  var inputOffset: String? {
    if stage.lineBuffer.isInPlace {
      let step = plan.stepInPlace(of: index)
      return step == 0 ? nil : "(rows[0] - 1U) * \(step)"
    }
    switch stage.windowPlace {
    case .front: return nil
    case .steps: return "oy * \(stage.rowStep) * s->row_stride"
    case .modulo: return "row_offset(s, oy * \(stage.rowStep))"
    }
  }

  private func printCalls(_ channelTiles: [ChannelTile], _ columnTile: Int, _ x: String?, _ out: inout CodePrinter) {
    let step = poolWidth * stage.window.strideWidth
    let column = x.map { step == 1 ? " + \($0)" : " + \(step) * \($0)" } ?? ""
    let first = x ?? (stage.takesColumnTiles ? "x\(poolWidth == 1 ? "" : " / \(poolWidth)")" : nil)
    var to = first.map { "out + \($0)" } ?? "out"
    if let widened = stage.widened {
      out.print("\(name)_unpack(in\(column), window\(widened.kept > 0 ? ", x" : ""));")
    }
    let words = stage.widened == nil ? "in" : "window"
    if let fourLanes = nextWords?.fourLanes {
      let x = x ?? "0"
      out.print("const uint32_t shift = \(x) < \(fourLanes) ? 0 : 8; /* the half of the row */")
      out.print("uint32_t *const to = out + (shift == 0 ? \(x) : \(x) - \(fourLanes));\n")
      to = "to"
    }
    var more = (nextWords?.fourLanes == nil ? "" : ", shift") + (stage.hasRunningMaximum ? ", r" : "")
    if hasOddColumnTiles(columnTile), let words = stage.outputWords {
      more += ", \(stage.outputShape.width - words) - \(first ?? "0")"
    }
    var start = 0
    for (number, block) in channelTiles.enumerated() {
      let input = block.input == 0 ? "" : " + \(block.input)"
      out.print("\(name)_block\(number)(\(words)\(input)\(stage.widened == nil ? column : ""), sums);")
      let end = start + block.channels.count
      out.print("\(name)_store(sums, \(start), \(end), \(to)\(more));")
      start = end
    }
  }

  private func printRowEnds(_ out: inout CodePrinter) {
    guard fillsHalos else { return }
    out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") {
      printHalo("out + oc * \(outputStride)", &$0)
    }
  }

  /// Moves the rows that the next window still sees to the front; behind the last ones lies padding.
  func printSlide(_ out: inout CodePrinter) {
    guard stage.movesRows else { return }
    let lineBuffer = stage.lineBuffer
    let kept = (stage.windowRows - stage.rowStep) * lineBuffer.rowBytes / 4
    let step = stage.rowStep * lineBuffer.rowBytes / 4
    out.print("uint32_t *const oldest = (uint32_t *)(void *)(memory + s->buffer);")
    if kept > 0 { out.print("slide_rows(oldest, \(kept), \(step));") }
    if stage.seesPaddingBelow {
      printPaddingBelow("fill_u32(oldest + \(kept), \(step), \(lineBuffer.word(lineBuffer.paddingCode)));", &out)
    }
  }
}

extension LineBuffer {
  /// A word that holds a code in all of its columns, as a C constant.
  func word(_ level: Int) -> String {
    let isPair = (holdsWords || hwc != nil) && fourLanes == nil
    let word = isPair ? level << 16 | level : level << 24 | level << 16 | level << 8 | level
    return word == 0 ? "0" : "0x" + String(word, radix: 16, uppercase: true)
  }
}

extension TapGroup {
  /// Takes the group's values up as `v` and `w`, and adds them or their sum `s` to each channel that uses them.
  ///
  /// - Parameters:
  ///   - value: What stands at an offset.
  ///   - sum: The sum or difference in the type of `s`.
  ///   - add: The statement that adds an operand to a channel's sum, or subtracts it.
  func statements(
    value: (_ offset: Int) -> String, sum: (String) -> String = { $0 },
    add: (_ channel: Int, _ sign: String, _ operand: String) -> String
  ) -> [String] {
    var line = ["v = \(value(first));"]
    if let second { line.append("w = \(value(second));") }
    var made: Operand?
    for use in uses {
      let operand =
        switch use.operand {
        case .first: "v"
        case .second: "w"
        case .sum, .difference: "s"
        }
      if operand == "s", made != use.operand {
        line.append("s = \(sum(use.operand == .sum ? "v + w" : "v - w"));")
        made = use.operand
      }
      line.append(add(use.channel, use.isNegative ? "-" : "+", operand))
    }
    return line
  }
}
