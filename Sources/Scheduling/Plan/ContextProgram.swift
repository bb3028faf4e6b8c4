/// What the programs of operations have in common: how they find their input, where their rows go, whom they tell.
extension Context {
  /// The C name of the descriptor of its window and of the buffer that it reads. No identifier is a layer's bare name:
  /// whatever a file calls its layers, they meet neither each other's tables nor the names of C, of the kernels and of
  /// local variables.
  package var descriptor: String { descriptor(0) }
  /// The same of one of several inputs.
  package func descriptor(_ position: Int) -> String { "\(name)\(position == 0 ? "" : "_in\(position + 1)")_stage" }

  /// The function that makes all rows that are due, or takes a row that has arrived; of an operation that works when the
  /// caller asks for the output, the one that makes it.
  package var prototype: String {
    switch variant.firing {
    case .onFinish: finishPrototype
    case .perColumnTile(let tiles) where tiles > 1: "static void \(name)_advance(uint8_t *memory, uint32_t x)"
    default: "static void \(name)_advance(uint8_t *memory)"
    }
  }
  package var finishPrototype: String { "static void \(name)_finish(uint8_t *memory, int32_t *output)" }

  func printDescriptorPointer(_ out: inout ProgramBuilder) {
    out.print("const IN_FLASH struct stage *const s = &\(descriptor);")
  }
  func printCounters(_ out: inout ProgramBuilder) {
    out.print("uint16_t *const rows = row_counters(memory) + \(firstCounter);")
  }

  /// C expressions of row counters, from that of its first input on: of rows that it has made, and that the reader of its
  /// output has.
  var made: String { counter(operation.output) }
  private var madeByReader: String { counter(successors[0].operation.output) }
  func counter(_ edge: Int) -> String { "rows[\(edge - firstCounter)]" }
  private var firstCounter: Int { operation.inputs.min() ?? 0 }

  /// C condition: the next output row can be made.
  var isDue: String {
    let (first, output) = (operation.inputs[0], operation.output)
    let repeats = variant.rows.repeats
    if operation.inputs.count == 1, variant.readsDescriptor {
      return output == first + 1 ? "row_is_due(s, rows)" : "next_row_is_due(s, rows[0], \(made))"
    }
    // Of operations on single rows.
    let row = repeats > 1 ? "\(made) / \(repeats)" : made
    return (["\(made) < \(self.output.shape.height)"] + operation.inputs.map { "\(counter($0)) > \(row)" })
      .joined(separator: " && ")
  }

  // MARK: Output

  /// Elements from a channel of the output row to the next.
  var outputStride: Int { output.layout.channelStride }
  var outputType: String { output.layout.cType }
  /// Whether it makes values and its reader wants words: they are packed in between.
  package var packsRows: Bool { output.layout.holdsWords && variant.makes == .values }
  /// Whether it makes words for a reader that wants them.
  var makesWords: Bool { output.layout.holdsWords && variant.makes != .values }

  /// `out`, the first value of the output row.
  func printDestination(_ out: inout ProgramBuilder) {
    let type = outputType
    let cast = type == "uint8_t" ? "" : "(\(type) *)(void *)"
    switch output.residency {
    case .caller: break
    case .result:
      if type == "uint8_t" {
        out.print("uint8_t *const out = memory + \(resultOffset) + oy * \(output.shape.width);")
      } else {
        out.print("\(type) *const base = \(cast)(memory + \(resultOffset));")
        out.print("\(type) *const out = base + oy * \(output.shape.width);")
      }
    case .rows, .whole, .columnTile, .inPlace:
      let halo = output.layout.left > 0 ? " + \(output.layout.left)" : ""
      out.print("const IN_FLASH struct stage *const next = &\(plan.descriptor(of: operation.output));")
      var offset = output.rowOffset("next", "oy", made: madeByReader, slot: plan.slotFunction(operation.output))
      if type == "uint8_t" {
        if case .inPlace(let step) = output.residency, step > 0 { offset = " + oy * \(step)" }
        out.assign("uint8_t *const out", "memory + next->buffer\(offset)\(halo)")
      } else {
        out.print("\(type) *const base = \(cast)(memory + next->buffer);")
        out.print("\(type) *const out = base\(offset)\(halo);")
      }
    }
  }

  /// Where the values are that are handed out.
  private var resultOffset: String { plan.outputs.count == 1 ? "RESULT_AT" : "\(output.offset)" }

  /// `row`, where a channel's row is made.
  func printRow(_ out: inout ProgramBuilder) {
    if packsRows {
      out.print("uint8_t *const row = memory + SCRATCH_ROW;")
    } else {
      out.print("\(outputType) *const row = out + oc * \(outputStride);")
    }
  }

  /// A row of bytes becomes words of two columns, with their halo.
  func printPacking(_ out: inout ProgramBuilder) {
    guard packsRows else { return }
    let layout = output.layout
    let to = "out + oc * \(outputStride)" + (layout.left > 0 ? " - \(layout.left)" : "")
    out.call(
      "pack_row_swar2",
      [
        "row", "\(output.shape.width)", "\(layout.left)", "\(layout.distance)", "\(layout.paddingCode)", to,
        "\(layout.channelStride)",
      ])
  }

  /// Whether more is written of a row of words than its columns: windows reach beyond.
  package var fillsHalos: Bool {
    guard makesWords, output.columnTile == nil else { return false }
    let layout = output.layout
    // Of four lanes a pair of columns is as far apart as two words.
    let pair = layout.laneBits == 8 ? 2 * layout.distance : layout.distance
    return layout.channelStride > layout.distance || output.shape.width < 2 * pair
  }

  /// Completes a row of words that its reader sees: columns on the far side of each lane, and padding.
  func printHalo(_ row: String, _ out: inout ProgramBuilder) {
    guard fillsHalos else { return }
    let layout = output.layout
    out.call(
      layout.laneBits == 16 ? "fill_halo_swar2" : "fill_halo_swar4",
      [
        layout.left > 0 ? "\(row) - \(layout.left)" : row, "\(layout.left)", "\(layout.distance)",
        "\(output.shape.width)", "\(layout.channelStride)", "\(layout.paddingCode)",
      ])
  }

  /// Rows of channels that are the same for every input.
  func printConstantRows(_ constants: [ConstantChannel], _ out: inout ProgramBuilder) {
    let layout = output.layout
    for constant in constants {
      let row = "out + \(constant.channel * outputStride)"
      if makesWords {
        out.call("fill_u32", [row, "\(output.columnTile ?? layout.distance)", layout.word(constant.level)])
      } else if layout.element == .i16 {
        out.print("fill_u16((uint16_t *)(\(row)), \(output.shape.width), \(constant.level));")
      } else {
        out.print("fill_u8(\(row), \(output.shape.width), \(constant.level));")
      }
    }
  }

  /// Passes over the channels that are not computed.
  func printConstantCases(_ constants: [ConstantChannel], _ out: inout ProgramBuilder) {
    guard !constants.isEmpty else { return }
    out.print("switch (oc) {")
    for constant in constants { out.print("case \(constant.channel):") }
    out.indented { out in
      if fillsHalos { printHalo("out + oc * \(outputStride)", &out) }
      out.print("continue;")
    }
    out.print("default:\n    break;\n}")
  }

  // MARK: Others

  /// Lets tests see a row.
  func printProbe(_ out: inout ProgramBuilder) {
    let layout = output.layout
    let isWords = layout.holdsWords
    out.call(
      "\(plan.macroPrefix)_PROBE",
      [
        "\(index)", "oy", "out", "\(outputStride)", "\(isWords ? layout.distance : 0)",
        "\(isWords ? layout.laneBits : 0)",
      ])
  }

  /// Lets those that read the row have it, as far as they work while it is made.
  func printSuccessor(_ out: inout ProgramBuilder) {
    for next in told { out.print("\(next.name)_advance(memory);") }
  }

  // MARK: Rows

  /// Makes all output rows that are due, each, `oy`, by the statements of `body`.
  func printDueRows(_ out: inout ProgramBuilder, _ body: (inout ProgramBuilder) -> Void) {
    out.block("while (\(isDue))") { out in
      out.print("const uint32_t oy = \(made);")
      printDestination(&out)
      out.print()
      body(&out)
      printRowDone(&out)
    }
  }

  /// What follows a complete output row, where that of no channel wrote its halo.
  func printEnd(_ out: inout ProgramBuilder) {
    if fillsHalos {
      out.block("for (uint32_t oc = 0; oc < \(output.shape.channels); oc++)") {
        printHalo("out + oc * \(outputStride)", &$0)
      }
    }
    printRowDone(&out)
  }

  /// What follows a complete output row.
  func printRowDone(_ out: inout ProgramBuilder) {
    printProbe(&out)
    out.print("\(made)++;")
    if output.isInPlace {
      // The row lies where others move.
      printSuccessor(&out)
      printSlide(&out)
    } else {
      printSlide(&out)
      printSuccessor(&out)
    }
  }

  // MARK: Input

  /// Elements from the input's first to those of the window's first row, to be added; nil: none.
  var inputOffset: String? {
    guard columnSkip > 0 else { return rowOffset }
    return rowOffset.map { "\($0) + \(columnSkip)" } ?? "\(columnSkip)"
  }

  /// Columns of the halo that its windows do not reach: others read wider ones.
  var columnSkip: Int { input.layout.left - min(variant.geometry.window.left, input.layout.left) }

  private var rowOffset: String? {
    if case .inPlace(let step) = input.residency { return step == 0 ? nil : "(rows[0] - 1U) * \(step)" }
    let rows = variant.rows
    switch rows.place(in: input) {
    case .front: return nil
    case .steps(let skipped):
      return skipped == 0 ? "oy * \(rows.step) * s->row_stride" : "(oy * \(rows.step) + \(skipped)U) * s->row_stride"
    case .shared(let skipped, let gone):
      let first = variant.firing == .perRow ? "rows[0] - 1U" : rows.step == 1 ? "oy" : "oy * \(rows.step)"
      let add = variant.firing == .perRow ? skipped + rows.top : skipped
      return "(\(first)\(add == 0 ? "" : " + \(add)U") - \(counter(gone))) * s->row_stride"
    case .modulo where variant.firing == .perRow: return "row_offset(s, rows[0] - 1U)"
    case .modulo: return "row_offset(s, oy * \(rows.step))"
    }
  }

  /// `in`, the window's first value.
  func printInput(_ type: String, _ out: inout ProgramBuilder) {
    printPadding(&out)
    let base = type == "uint8_t" ? "memory + s->buffer" : "(const \(type) *)(const void *)(memory + s->buffer)"
    if let offset = inputOffset {
      out.print("const \(type) *const first = \(base);")
      out.print("const \(type) *const in = first + \(offset);")
    } else {
      out.print("const \(type) *const in = \(base);")
    }
  }

  /// Looks up the rows of a window.
  func locateRows(_ oy: String, _ rows: String) -> String {
    guard input.isLinear else { return "locate_rows(s, \(oy), \(rows));" }
    let above = "\(input.storedAbove)U"
    let shift = input.goneCounter.map { "\(above) - \(counter($0))" } ?? above
    return "locate_moved_rows(s, \(oy), \(shift), \(rows));"
  }

  /// C expression of the first value of its input that a window sees where its rows are looked up.
  var lookedUpInput: String {
    let type = input.layout.cType
    let buffer = type == "uint8_t" ? "memory + s->buffer" : "(const \(type) *)(const void *)(memory + s->buffer)"
    return buffer + (columnSkip == 0 ? "" : " + \(columnSkip)")
  }

  /// Moves the rows that the next window still sees to the front; behind the last ones lies padding.
  func printSlide(_ out: inout ProgramBuilder) {
    let rows = variant.rows
    guard rows.movesRows(of: input) else { return }
    let layout = input.layout
    let kept = (rows.rows - rows.step) * layout.rowBytes / 4
    let step = rows.step * layout.rowBytes / 4
    out.print("uint32_t *const oldest = (uint32_t *)(void *)(memory + s->buffer);")
    if kept > 0 { out.print("slide_rows(oldest, \(kept), \(step));") }
    if rows.seesPaddingBelow {
      printPaddingBelow("fill_u32(oldest + \(kept), \(step), \(layout.word(layout.paddingCode)));", &out)
    }
  }

  /// Writes padding from the first window on that reaches below the map.
  func printPaddingBelow(_ fill: String, _ out: inout ProgramBuilder) {
    let first = variant.rows.rowsBeforePadding
    if first > 1 { out.block("if (\(made) >= \(first))") { $0.print(fill) } } else { out.print(fill) }
  }
}

extension FirmwarePlan {
  /// The C name of the descriptor of an edge: that of the operation that reads it first.
  package func descriptor(of edge: Int) -> String { "\(readerName(of: edge))_stage" }

  /// An edge's own beginning of identifiers: the name of the operation that reads it first, and a number where it reads
  /// others before.
  func readerName(of edge: Int) -> String {
    let reader = operations[edges[edge].consumers[0]]
    let position = reader.inputs.firstIndex(of: edge) ?? 0
    return reader.name + (position == 0 ? "" : "_in\(position + 1)")
  }
}

extension Edge {
  /// C expression of the offset of row `y` from slot 0, in elements, to be added; empty where there is one row.
  ///
  /// - Parameters:
  ///   - made: Rows that its reader has made.
  ///   - slot: The function that finds a slot where several operations read.
  package func rowOffset(_ descriptor: String, _ y: String, made: String, slot: String) -> String {
    switch rowPlace {
    case .single: return ""
    case .modulo: return " + row_offset(\(descriptor), \(y))"
    case .linear(let above, let step):
      let top = above > 0 ? "\(y) + \(above)U" : y
      let row = step > 0 ? "\(top) - \(step > 1 ? "\(step)U * " : "")\(made)" : top
      return " + \(row == y ? y : "(\(row))") * \(descriptor)->row_stride"
    case .shared: return " + \(slot)(memory, \(y)) * \(descriptor)->row_stride"
    }
  }
}
