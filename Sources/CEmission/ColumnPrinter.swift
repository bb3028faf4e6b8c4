import Scheduling
import TernaryIR

/// Convolutions over rows of single columns, in loops that compilers vectorize: their counts are constants and
/// multiples of a vector's, their bodies have no branches, and what they read and write does not overlap.
extension StagePrinter {
  private var inputType: String {
    stage.input.elementBytes == 2 ? "uint16_t" : stage.hasShortCodes ? "int16_t" : "uint8_t"
  }

  func printColumns(_ channelTiles: [ChannelTile], _ columns: Columns, _ out: inout CodePrinter) {
    guard case .convolution(let work) = stage.work else { return }
    let isDepthwise = work.groupChannels == 1 && work.outputsPerGroup == 1 && stage.outputShape.channels > 1
    if isDepthwise {
      printChannelSums(channelTiles, columns, &out)
    } else {
      for (number, block) in channelTiles.enumerated() { printColumnChannelTile(block, number, columns, &out) }
    }
    printColumnStore(work.epilogue, columns, &out)
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("\(columns.type) *const sums = (\(columns.type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      if poolsColumns { out.print("\(columns.type) *const pooled = sums + \(columns.pooled);") }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        printColumnInput(&out)
        out.print()
        printConstantRows(&out)
        if isDepthwise {
          out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
            printConstantCases(&out)
            printSumRows("\(name)_sums(oc, ", "in + oc * \(stage.lineBuffer.channelStride)", columns, &out)
            printStoreCall("oc", "sums", columns, &out)
          }
        } else {
          printChannelTileCalls(channelTiles, columns, &out)
        }
        printProbe(&out)
        out.print("rows[1]++;")
        printColumnSlide(&out)
        printSuccessor(&out)
      }
    }
    out.print()
  }

  /// C's `restrict` as the source defines it for C++ as well.
  private var restrict: String { "\(plan.macroPrefix)_RESTRICT" }

  // MARK: Sums

  /// Sums of a channel's row, a loop for each channel.
  private func printChannelSums(_ channelTiles: [ChannelTile], _ columns: Columns, _ out: inout CodePrinter) {
    out.print("/* The sums of a row of channel oc. */")
    out.list(
      "static NO_INLINE void \(name)_sums(",
      ["uint32_t oc", "const \(inputType) *\(restrict) in", "\(columns.type) *\(restrict) sums"], ") {")
    out.indented { out in
      if channelTiles.allSatisfy(\.groups.isEmpty) { out.print("(void)in;") }
      out.print("/* clang-format off */\nswitch (oc) {")
      for block in channelTiles {
        let uses = block.groups.flatMap { group in group.uses.map { (offset: group.first, isNegative: $0.isNegative) } }
        let plus = uses.filter { !$0.isNegative }.map { "+ \(column($0.offset))" }
        var terms = plus + uses.filter(\.isNegative).map { "- \(column($0.offset))" }
        if !terms.isEmpty { terms[0] = plus.isEmpty ? "-" + terms[0].dropFirst(2) : String(terms[0].dropFirst(2)) }
        out.print("case \(block.channels[0]):")
        out.indented { out in
          out.print("for (uint32_t x = 0; x < \(columns.sums); x++) {")
          out.indented { out in
            guard let first = terms.first, columns.areShort else { return out.sum("sums[x] =", terms) }
            terms[0] = "(int16_t)(" + first
            terms[terms.count - 1] += ")"
            out.sum("sums[x] =", terms)
          }
          out.print("}\nbreak;")
        }
      }
      out.print("default:\n    break;\n}\n/* clang-format on */")
    }
    out.print("}\n")
  }

  /// A value of the window at column `x`.
  private func column(_ offset: Int) -> String {
    let x = stage.window.strideWidth == 1 ? "x" : "\(stage.window.strideWidth) * x"
    return "in[\(x)\(offset == 0 ? "" : " + \(offset)")]"
  }

  private func printColumnChannelTile(_ block: ChannelTile, _ number: Int, _ columns: Columns, _ out: inout CodePrinter)
  {
    let channels = block.channels.map(String.init).joined(separator: " ")
    let note =
      "Channels \(channels)\(block.isContinued ? ", continued" : ""): \(block.nonZeros) weights in \(block.additions) "
      + "additions of \(block.loads) values."
    if note.count + 6 <= CodePrinter.width { out.print("/* \(note) */") } else { out.comment([note]) }
    out.list(
      "static NO_INLINE void \(name)_block\(number)(",
      ["const \(inputType) *\(restrict) in", "\(columns.type) *\(restrict) sums"],
      ") {")
    out.indented { out in
      out.block("for (uint32_t x = 0; x < \(columns.sums); x++)") { printColumnSums(block, columns, &$0) }
    }
    out.print("}\n")
  }

  private func printColumnSums(_ block: ChannelTile, _ columns: Columns, _ out: inout CodePrinter) {
    let groups = block.groups
    let live = Set(groups.flatMap { $0.uses.map(\.channel) })
    var locals: [String] = []
    if !groups.isEmpty { locals.append("v") }
    if groups.contains(where: { $0.second != nil }) { locals.append("w") }
    if groups.contains(where: { $0.uses(.sum) || $0.uses(.difference) }) { locals.append("s") }
    func sum(_ channel: Int) -> String {
      channel == 0 ? "sums[x]" : "sums[\(channel * columns.channelStride) + x]"
    }
    // Sums of the type that is stored: compilers narrow the additions of vectors only so.
    if !locals.isEmpty { out.list("\(columns.type) ", locals, ";") }
    for channel in live.sorted() {
      out.print("\(columns.type) a\(channel) = \(block.isContinued ? sum(channel) : "0");")
    }
    if groups.isEmpty {
      out.print("(void)in;")
    } else {
      out.print("\n/* clang-format off */")
      for group in groups { out.words(columnStatements(group, columns)) }
      out.print("/* clang-format on */")
    }
    for channel in block.channels.indices {
      if live.contains(channel) {
        out.print("\(sum(channel)) = a\(channel);")
      } else if !block.isContinued {
        out.print("\(sum(channel)) = 0;")
      }
    }
  }

  /// The values of a group, and what is added of them.
  private func columnStatements(_ group: TapGroup, _ columns: Columns) -> [String] {
    let isSigned = columns.areShort && inputType == "uint16_t"
    func value(_ offset: Int) -> String { (isSigned ? "(int16_t)" : "") + column(offset) }
    func sum(_ text: String) -> String { columns.areShort ? "(int16_t)(\(text))" : text }
    return group.statements(value: value, sum: sum) { channel, sign, operand in
      "a\(channel) \(sign)= \(operand);"
    }
  }

  // MARK: Calls

  /// A pointer to the window's first row.
  private func printColumnInput(_ out: inout CodePrinter) {
    let isByte = inputType == "uint8_t"
    let base = isByte ? "memory + s->buffer" : "(const \(inputType) *)(const void *)(memory + s->buffer)"
    guard let offset = inputOffset else {
      out.print("const \(inputType) *const in = \(base);")
      return
    }
    if isByte {
      out.print("const uint8_t *const in = \(base) + \(offset);")
    } else {
      out.print("const \(inputType) *const first = \(base);")
      out.print("const \(inputType) *const in = first + \(offset);")
    }
  }

  /// Calls of a function that makes sums, for each row under the pool.
  private func printSumRows(_ call: String, _ from: String, _ columns: Columns, _ out: inout CodePrinter) {
    guard let pool = stage.pool, pool.kernelHeight > 1 else {
      out.print("\(call)\(from), sums);")
      return
    }
    out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") {
      let step = stage.window.strideHeight * stage.lineBuffer.rowStride
      $0.list("\(call)", ["\(from) + r * \(step)", "sums + r * \(columns.sums)"], ");")
    }
  }

  private func printStoreCall(_ channel: String, _ sums: String, _ columns: Columns, _ out: inout CodePrinter) {
    out.list(
      "\(name)_store(",
      [channel, sums] + (poolsColumns ? ["pooled"] : []) + ["out + \(channel) * \(outputStride)"],
      ");")
  }

  private func printChannelTileCalls(_ channelTiles: [ChannelTile], _ columns: Columns, _ out: inout CodePrinter) {
    var start = 0
    for (number, block) in channelTiles.enumerated() {
      printSumRows("\(name)_block\(number)(", "in\(block.input == 0 ? "" : " + \(block.input)")", columns, &out)
      if number + 1 < channelTiles.count, channelTiles[number + 1].isContinued { continue }
      let end = start + block.channels.count
      out.block("for (uint32_t i = \(start); i < \(end); i++)") { out in
        let isOrdered = stage.order != nil
        if isOrdered { out.print("const uint32_t oc = \(name)_order[i];\n") }
        let place = start == 0 ? "i" : "(i - \(start))"
        printStoreCall(isOrdered ? "oc" : "i", "sums + \(place) * \(columns.channelStride)", columns, &out)
      }
      start = end
    }
  }

  // MARK: Codes

  /// Whether a fused pool makes fewer columns, which lie apart from the sums.
  private var poolsColumns: Bool { stage.pool.map { $0.kernelWidth > 1 } ?? false }

  /// The function that stores a row of a channel.
  private func printColumnStore(_ epilogue: Epilogue, _ columns: Columns, _ out: inout CodePrinter) {
    let isPooled = stage.pool != nil
    out.print("/* \(isPooled ? "Pools, requantizes" : "Requantizes") and stores a row of channel oc. */")
    out.list(
      "static NO_INLINE void \(name)_store(",
      ["uint32_t oc", "\(columns.type) *\(restrict) sums"]
        + (poolsColumns ? ["\(columns.type) *\(restrict) pooled"] : [])
        + ["\(elementType) *\(restrict) row"],
      ") {")
    out.indented { out in
      if let pool = stage.pool {
        printColumnPool(pool, columns, &out)
        out.print()
      }
      let from = poolsColumns ? "pooled" : "sums"
      let isCode = stage.output.elementBytes == 1
      let count = isCode ? columns.outputs : stage.outputShape.width
      printLimits(epilogue, from, count, &out)
      if !epilogue.dependsOnChannel { out.print("(void)oc;") }
      if let guardBias = stage.shortGuardBias(epilogue) {
        printShortCodes(epilogue, guardBias, from, columns, &out)
        return
      }
      printConstants(epilogue, "oc", &out)
      out.block("for (uint32_t ox = 0; ox < \(count); ox++)") {
        printCode(expression(epilogue, "\(from)[ox]"), from, columns, &$0)
      }
      printRest(from, columns, &out)
    }
    out.print("}\n")
  }

  /// Whether more codes are made than go out: where a row is not a whole number of vectors. They take the sums' places.
  private func makesMore(_ columns: Columns) -> Bool {
    stage.output.elementBytes == 1 && columns.outputs > stage.outputShape.width
  }

  private func printCode(_ value: String, _ from: String, _ columns: Columns, _ out: inout CodePrinter) {
    let type = makesMore(columns) ? columns.type : elementType
    out.print("\(makesMore(columns) ? from : "row")[ox] = \(type == "int32_t" ? "" : "(\(type))")\(value);")
  }

  private func printRest(_ from: String, _ columns: Columns, _ out: inout CodePrinter) {
    guard makesMore(columns) else { return }
    let cast = elementType == columns.type ? "" : "(\(elementType))"
    out.block("for (uint32_t ox = 0; ox < \(stage.outputShape.width); ox++)") {
      $0.print("row[ox] = \(cast)\(from)[ox];\nPLAIN_LOOP;")
    }
  }

  /// Requantizes in two steps: products of 32 bits, then clamps of 16, of which a vector holds twice as many.
  private func printShortCodes(
    _ epilogue: Epilogue, _ guardBias: Int, _ from: String, _ columns: Columns, _ out: inout CodePrinter
  ) {
    guard case .affine(let multipliers, let offsets, let shift, let low, let high) = epilogue.form else { return }
    let areTables = multipliers.count > 1
    let isOne = Set(multipliers).count == 1
    out.print("const int32_t m = \(isOne ? "\(multipliers[0])" : "\(name)_multiplier[oc]");")
    if areTables, guardBias > 0 {
      out.print("const int32_t b = \(name)_bias[oc] + \(guardBias << shift); /* nothing negative is shifted */")
    } else {
      out.print("const int32_t b = \(areTables ? "\(name)_bias[oc]" : "\(offsets[0] + guardBias << shift)");")
    }
    let (least, most) = (low >> shift + guardBias, high >> shift + guardBias)
    out.print()
    out.block("for (uint32_t ox = 0; ox < \(columns.outputs); ox++)") {
      $0.print("\(from)[ox] = (int16_t)((\(from)[ox] * m + b) >> \(shift));")
    }
    out.block("for (uint32_t ox = 0; ox < \(columns.outputs); ox++)") { out in
      out.print("int16_t code = \(from)[ox];\n")
      out.print("code = code < \(least) ? \(least) : code;")
      out.print("code = code > \(most) ? \(most) : code;")
      let target = makesMore(columns) ? from : "row"
      let type = makesMore(columns) ? "int16_t" : elementType
      let value = guardBias == 0 ? "code" : "(code - \(guardBias))"
      out.print("\(target)[ox] = \(type == "int16_t" && guardBias == 0 ? "" : "(\(type))")\(value);")
    }
    printRest(from, columns, &out)
  }

  /// Max pool of the sums: of rows, then of columns.
  private func printColumnPool(_ pool: Window, _ columns: Columns, _ out: inout CodePrinter) {
    func printLarger(_ count: Int, _ r: String, _ value: (String) -> String, _ out: inout CodePrinter) {
      func printOne(_ index: String, _ out: inout CodePrinter) {
        out.print("best = \(value(index)) > best ? \(value(index)) : best;")
      }
      if count > 8 {
        out.block("for (uint32_t \(r) = 1; \(r) < \(count); \(r)++)") { printOne(r, &$0) }
      } else {
        for index in 1..<count { printOne("\(index)", &out) }
      }
    }
    if pool.kernelHeight > 1 {
      out.block("for (uint32_t x = 0; x < \(columns.sums); x++)") { out in
        out.print("\(columns.type) best = sums[x];\n")
        printLarger(
          pool.kernelHeight, "r",
          { r in "sums[\(Int(r).map { "\($0 * columns.sums)" } ?? "r * \(columns.sums)") + x]" }, &out)
        out.print("sums[x] = best;")
      }
    }
    if pool.kernelWidth > 1 {
      out.block("for (uint32_t ox = 0; ox < \(columns.outputs); ox++)") { out in
        out.print("\(columns.type) best = sums[\(pool.kernelWidth) * ox];\n")
        printLarger(pool.kernelWidth, "x", { x in "sums[\(pool.kernelWidth) * ox + \(x)]" }, &out)
        out.print("pooled[ox] = best;")
      }
    }
  }

  // MARK: Rows

  /// Moves the rows that the next window still sees to the front; behind the last ones lies padding.
  private func printColumnSlide(_ out: inout CodePrinter) {
    guard stage.movesRows else { return }
    let lineBuffer = stage.lineBuffer
    let kept = (stage.windowRows - stage.rowStep) * lineBuffer.rowBytes
    let step = stage.rowStep * lineBuffer.rowBytes
    if kept > 0 { out.print("slide_bytes(memory + s->buffer, \(kept), \(step));") }
    guard stage.seesPaddingBelow else { return }
    let values = stage.rowStep * lineBuffer.rowStride
    let offset = kept > 0 ? " + \(kept)" : ""
    printPaddingBelow(
      lineBuffer.elementBytes == 1
        ? "fill_u8(memory + s->buffer\(offset), \(values), \(lineBuffer.paddingCode));"
        : "fill_u16((uint16_t *)(void *)(memory + s->buffer\(offset)), \(values), \(lineBuffer.paddingCode));", &out)
  }

  /// Writes padding from the first window on that reaches below the map.
  func printPaddingBelow(_ fill: String, _ out: inout CodePrinter) {
    let first = stage.rowsBeforePadding
    if first > 1 { out.block("if (rows[1] >= \(first))") { $0.print(fill) } } else { out.print(fill) }
  }
}

extension Columns {
  /// C type of a sum.
  var type: String { areShort ? "int16_t" : "int32_t" }
}

extension Epilogue {
  /// Whether channels are requantized differently.
  fileprivate var dependsOnChannel: Bool {
    if !limits.isEmpty { return true }
    switch form {
    case .affine(let multipliers, _, _, _, _), .halfEven(let multipliers, _, _, _, _), .logits(let multipliers, _):
      return multipliers.count > 1
    case .thresholds(let lists, _): return lists.count > 1 && !(lists.first?.isEmpty ?? true)
    }
  }
}
