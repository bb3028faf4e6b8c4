import FirmwarePlanning
import TernaryIR

/// Convolutions over rows of single columns, in loops that compilers vectorize: their counts are constants and multiples of
/// a vector's, their bodies have no branches, and what they read and write does not overlap.
extension StagePrinter {
  private var inputType: String { stage.input.elementBytes == 2 ? "uint16_t" : "uint8_t" }

  func printColumns(_ blocks: [CodeBlock], _ columns: Columns, _ out: inout CodePrinter) {
    guard case .convolution(let work) = stage.work else { return }
    let isDepthwise = work.outputsPerGroup == 1 && stage.outputShape.channels > 1
    if isDepthwise {
      printChannelSums(blocks, columns, &out)
    } else {
      for (number, block) in blocks.enumerated() { printColumnBlock(block, number, columns, &out) }
    }
    if !blocks.isEmpty { printColumnStore(work.epilogue, columns, &out) }
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !blocks.isEmpty {
        out.print("\(columns.type) *const sums = (\(columns.type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
        if isPooled { out.print("\(columns.type) *const pooled = sums + \(columns.pooled);") }
        if makesLevels(columns) { out.print("uint8_t *const levels = (uint8_t *)(sums + \(columns.levels));") }
      }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        if !blocks.isEmpty { printColumnInput(&out) }
        out.print()
        printConstantRows(&out)
        if isDepthwise {
          out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
            printConstantCases(&out)
            printSumRows("\(name)_sums(oc, ", "in + oc * \(stage.ring.channelStride)", columns, &out)
            printStoreCall("oc", "sums", columns, &out)
          }
        } else {
          printBlockCalls(blocks, columns, &out)
        }
        printProbe(&out)
        out.print("rows[1]++;")
        printColumnSlide(&out)
        printSuccessor(&out)
      }
    }
    out.print()
  }

  // MARK: Sums

  /// Sums of a channel's row, a loop for each channel.
  private func printChannelSums(_ blocks: [CodeBlock], _ columns: Columns, _ out: inout CodePrinter) {
    guard !blocks.isEmpty else { return }
    out.print("/* The sums of a row of channel oc. */")
    out.list(
      "static void \(name)_sums(",
      ["uint32_t oc", "const \(inputType) *restrict in", "\(columns.type) *restrict sums"], ") {")
    out.indented { out in
      out.print("/* clang-format off */\nswitch (oc) {")
      for block in blocks {
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

  private func printColumnBlock(_ block: CodeBlock, _ number: Int, _ columns: Columns, _ out: inout CodePrinter) {
    let channels = block.channels.map(String.init).joined(separator: " ")
    let note =
      "Channels \(channels)\(block.isContinued ? ", continued" : ""): \(block.nonZeros) weights in \(block.additions) "
      + "additions of \(block.loads) values."
    if note.count + 6 <= CodePrinter.width { out.print("/* \(note) */") } else { out.comment([note]) }
    out.list(
      "static void \(name)_block\(number)(", ["const \(inputType) *restrict in", "\(columns.type) *restrict sums"],
      ") {")
    out.indented { out in
      out.block("for (uint32_t x = 0; x < \(columns.sums); x++)") { printColumnSums(block, columns, &$0) }
    }
    out.print("}\n")
  }

  private func printColumnSums(_ block: CodeBlock, _ columns: Columns, _ out: inout CodePrinter) {
    let groups = block.groups
    let live = Set(groups.flatMap { $0.uses.map(\.channel) })
    var locals: [String] = []
    if !groups.isEmpty { locals.append("v") }
    if groups.contains(where: { $0.second != nil }) { locals.append("w") }
    if groups.contains(where: { $0.uses(.sum) || $0.uses(.difference) }) { locals.append("s") }
    func sum(_ channel: Int) -> String {
      channel == 0 ? "sums[x]" : "sums[\(channel * columns.channelStride) + x]"
    }
    if !locals.isEmpty { out.list("int32_t ", locals, ";") }
    for channel in live.sorted() {
      out.print("int32_t a\(channel) = \(block.isContinued ? sum(channel) : "0");")
    }
    if groups.isEmpty {
      out.print("(void)in;")
    } else {
      out.print("\n/* clang-format off */")
      for group in groups { out.words(columnStatements(group)) }
      out.print("/* clang-format on */")
    }
    for channel in block.channels.indices {
      if live.contains(channel) {
        out.print("\(sum(channel)) = \(columns.areShort ? "(int16_t)" : "")a\(channel);")
      } else if !block.isContinued {
        out.print("\(sum(channel)) = 0;")
      }
    }
  }

  /// The values of a group, and what is added of them.
  private func columnStatements(_ group: TapGroup) -> [String] {
    var line = ["v = \(column(group.first));"]
    if let second = group.second { line.append("w = \(column(second));") }
    var made: TapGroup.Operand?
    for use in group.uses {
      let operand =
        switch use.operand {
        case .first: "v"
        case .second: "w"
        case .sum, .difference: "s"
        }
      if operand == "s", made != use.operand {
        line.append(use.operand == .sum ? "s = v + w;" : "s = v - w;")
        made = use.operand
      }
      line.append("a\(use.channel) \(use.isNegative ? "-" : "+")= \(operand);")
    }
    return line
  }

  // MARK: Calls

  /// A pointer to the window's first row.
  private func printColumnInput(_ out: inout CodePrinter) {
    let base = inputType == "uint8_t" ? "memory + s->ring" : "(const uint16_t *)(const void *)(memory + s->ring)"
    guard let offset = inputOffset else {
      out.print("const \(inputType) *const in = \(base);")
      return
    }
    if inputType == "uint8_t" {
      out.print("const uint8_t *const in = \(base) + \(offset);")
    } else {
      out.print("const uint16_t *const first = \(base);")
      out.print("const uint16_t *const in = first + \(offset);")
    }
  }

  /// Calls of a function that makes sums, for each row under the pool.
  private func printSumRows(_ call: String, _ from: String, _ columns: Columns, _ out: inout CodePrinter) {
    guard let pool = stage.pool, pool.kernelHeight > 1 else {
      out.print("\(call)\(from), sums);")
      return
    }
    out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") {
      let step = stage.window.strideHeight * stage.ring.rowStride
      $0.list("\(call)", ["\(from) + r * \(step)", "sums + r * \(columns.sums)"], ");")
    }
  }

  private func printStoreCall(_ channel: String, _ sums: String, _ columns: Columns, _ out: inout CodePrinter) {
    out.list(
      "\(name)_store(",
      [channel, sums] + (isPooled ? ["pooled"] : []) + (makesLevels(columns) ? ["levels"] : [])
        + ["out + \(channel) * \(outputStride)"],
      ");")
  }

  private func printBlockCalls(_ blocks: [CodeBlock], _ columns: Columns, _ out: inout CodePrinter) {
    var start = 0
    for (number, block) in blocks.enumerated() {
      printSumRows("\(name)_block\(number)(", "in\(block.input == 0 ? "" : " + \(block.input)")", columns, &out)
      if number + 1 < blocks.count, blocks[number + 1].isContinued { continue }
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

  // MARK: Levels

  private var isPooled: Bool { stage.pool != nil }

  /// Whether more levels are made than go out: where a row is not a whole number of vectors.
  private func makesLevels(_ columns: Columns) -> Bool {
    stage.output.elementBytes == 1 && columns.outputs > stage.outputShape.width
  }

  /// The function that stores a row of a channel.
  private func printColumnStore(_ epilogue: Epilogue, _ columns: Columns, _ out: inout CodePrinter) {
    let isChanged = !isPooled && !epilogue.limits.isEmpty
    out.print("/* \(isPooled ? "Pools, requantizes" : "Requantizes") and stores a row of channel oc. */")
    out.list(
      "static void \(name)_store(",
      ["uint32_t oc", "\(isChanged ? "" : "const ")\(columns.type) *restrict sums"]
        + (isPooled ? ["\(columns.type) *restrict pooled"] : [])
        + (makesLevels(columns) ? ["uint8_t *restrict levels"] : []) + ["\(elementType) *restrict row"],
      ") {")
    out.indented { out in
      let from = isPooled ? "pooled" : "sums"
      let isByte = stage.output.elementBytes == 1
      let width = stage.outputShape.width
      if let pool = stage.pool {
        printColumnPool(pool, columns, &out)
        out.print()
      }
      printLimits(epilogue, from, isByte ? columns.outputs : width, &out)
      if !epilogue.dependsOnChannel { out.print("(void)oc;") }
      printConstants(epilogue, "oc", &out)
      let target = makesLevels(columns) ? "levels" : "row"
      out.block("for (uint32_t ox = 0; ox < \(isByte ? columns.outputs : width); ox++)") {
        $0.print("\(target)[ox] = \(isByte ? "(uint8_t)" : "")\(expression(epilogue, "\(from)[ox]"));")
      }
      if makesLevels(columns) {
        out.block("for (uint32_t ox = 0; ox < \(width); ox++)") { $0.print("row[ox] = levels[ox];") }
      }
    }
    out.print("}\n")
  }

  /// Max pool of the sums.
  private func printColumnPool(_ pool: Window, _ columns: Columns, _ out: inout CodePrinter) {
    func sum(_ r: String, _ x: String) -> String { "sums[\(r)\(pool.kernelWidth == 1 ? "" : "\(pool.kernelWidth) * ")ox\(x)]" }
    func printLarger(_ value: String, _ out: inout CodePrinter) {
      out.print("best = \(value) > best ? \(value) : best;")
    }
    out.block("for (uint32_t ox = 0; ox < \(columns.outputs); ox++)") { out in
      out.print("\(columns.type) best = \(sum("", ""));\n")
      if pool.kernelHeight * pool.kernelWidth > 16 {
        out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") { out in
          out.block("for (uint32_t x = 0; x < \(pool.kernelWidth); x++)") {
            printLarger(sum("r * \(columns.sums) + ", " + x"), &$0)
          }
        }
      } else {
        for r in 0..<pool.kernelHeight {
          for x in 0..<pool.kernelWidth where r + x > 0 {
            printLarger(sum(r == 0 ? "" : "\(r * columns.sums) + ", x == 0 ? "" : " + \(x)"), &out)
          }
        }
      }
      out.print("pooled[ox] = best;")
    }
  }

  // MARK: Rows

  /// Moves the rows that the next window still sees to the front; behind the last ones lies padding.
  private func printColumnSlide(_ out: inout CodePrinter) {
    guard stage.isSliding, stage.reach > stage.advance || stage.window.bottom > 0 else { return }
    let ring = stage.ring
    let kept = (stage.reach - stage.advance) * ring.rowBytes
    let step = stage.advance * ring.rowBytes
    if kept > 0 { out.print("slide_bytes(memory + s->ring, \(kept), \(step));") }
    guard stage.window.bottom > 0 else { return }
    let values = stage.advance * ring.rowStride
    let offset = kept > 0 ? " + \(kept)" : ""
    printPaddingBelow(
      ring.elementBytes == 1
        ? "fill_ring(memory + s->ring\(offset), \(values), \(ring.paddingLevel));"
        : "fill_ring16((uint16_t *)(void *)(memory + s->ring\(offset)), \(values), \(ring.paddingLevel));", &out)
  }

  /// Writes padding from the first window on that reaches below the map.
  func printPaddingBelow(_ fill: String, _ out: inout CodePrinter) {
    let first = max(0, stage.inputShape.height - stage.reach + stage.window.top + stage.advance) / stage.advance
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
