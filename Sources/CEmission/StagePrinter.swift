import Scheduling
import TernaryIR

/// Prints one layer: its comment, its tables, and the function that makes its rows.
struct StagePrinter {
  let plan: FirmwarePlan
  let index: Int
  var stage: Stage { plan.stages[index] }
  var name: String { stage.name }

  init(_ plan: FirmwarePlan, _ index: Int) {
    self.plan = plan
    self.index = index
  }

  /// The function that makes all rows that are due, or takes a row that has arrived; of a last dense layer over all
  /// rows, the one that makes the output.
  static func prototype(_ stage: Stage) -> String {
    guard stage.advances else { return finishPrototype(stage) }
    return "static void \(stage.name)_advance(uint8_t *memory\(stage.takesColumnTiles ? ", uint32_t x" : ""))"
  }

  static func finishPrototype(_ stage: Stage) -> String {
    "static void \(stage.name)_finish(uint8_t *memory, int32_t *output)"
  }

  func print(to out: inout CodePrinter) {
    out.comment(StageText(plan, index).paragraphs)
    printTables(&out)
    if let variant = plan.operations[index].variant {
      var program = ProgramBuilder()
      variant.program(Context(plan, index), &program)
      out.print(program.statements)
      return
    }
    if stage.usesSharedConvolution {
      ConvolutionPrinter(plan).printDescriptor(index, &out)
      printConvolution(&out)
      return
    }
    if let planes = stage.planes {
      printPlanes(planes, &out)
      return
    }
    if let map = stage.lineBuffer.hwc {
      if let form = stage.hwc { printHWC(form, map, &out) } else { printHWCPool(map, &out) }
      return
    }
    switch stage.work {
    case .dense(let work):
      if stage.hasRunningSum {
        printAddedRows(work, &out)
      } else if case .output = stage.destination {
        printFinish(work, &out)
      } else {
        printDense(work, &out)
      }
    case .averagePool(let epilogue) where stage.hasRunningSum: printAddedRows(epilogue, &out)
    case .convolution, .averagePool, .maxPool:
      switch stage.unrolled {
      case .channelTiles(let channelTiles, let columnTile)?:
        printChannelTiles(channelTiles, columnTile: columnTile, &out)
      case .taps?: printTapRows(&out)
      case .columns(let channelTiles)?:
        if let columns = stage.columns { printColumns(channelTiles, columns, &out) }
      case nil: printRows(&out)
      }
    }
  }

  // MARK: Constants

  /// The window and line buffer that drive the stage. All descriptors stand before all layers, since a layer's rows go
  /// into its successor's line buffer.
  ///
  /// - Parameter used: Fields of `struct stage` that anything reads.
  func printDescriptor(_ used: Set<String>, _ out: inout CodePrinter) {
    out.print("static const IN_FLASH struct stage \(stage.descriptor) = {")
    for (field, value) in fields where used.contains(field) { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  /// The descriptor's fields, as the type has them.
  var fields: [(name: String, value: Int)] {
    let lineBuffer = stage.lineBuffer
    let window = stage.window
    return [
      ("buffer", plan.lineBufferOffset(of: stage)), ("row_stride", lineBuffer.rowStride), ("slots", lineBuffer.slots),
      ("channel_stride", lineBuffer.channelStride), ("height", stage.inputShape.height),
      ("out_height", stage.outputShape.height),
      ("out_width", stage.lineBuffer.lanes?.outputs ?? stage.accumulatorShape.width),
      ("pool_height", stage.pool?.kernelHeight ?? 1), ("pool_width", stage.pool?.kernelWidth ?? 1),
      ("kernel_height", window.kernelHeight), ("kernel_width", window.kernelWidth),
      ("stride_height", window.strideHeight), ("stride_width", window.strideWidth), ("top", window.top),
      ("above", stage.storedAbove), ("left", lineBuffer.left), ("padding", lineBuffer.paddingCode),
      ("reach", stage.windowRows), ("advance", stage.rowStep), ("slides", stage.slides),
      ("step", stage.windowStep),
    ]
  }

  private func printTables(_ out: inout CodePrinter) {
    let lines = plan.tables(index).flatMap(Tables.definition)
    guard !lines.isEmpty else { return }
    out.print("/* clang-format off */")
    for line in lines { out.print(line) }
    out.print("/* clang-format on */\n")
  }

  // MARK: Rows

  private func printRows(_ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !stage.hasContiguousWindows {
        out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      }
      if isPacked { out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);") }
      if needsAccumulators {
        let type = stage.lineBuffer.lanes == nil ? "int32_t" : "uint32_t"
        out.print("\(type) *const acc = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
        if let lanes = stage.lineBuffer.lanes, !stage.hasWordSums {
          out.print("int32_t *const sums = (int32_t *)(void *)(acc + \(lanes.outputs));")
        }
      }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        if isPackedLanes { printInput(&out) }
        out.print()
        printLocation(&out)
        if !constants.isEmpty {
          printConstantRows(&out)
          out.print()
        }
        out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
          printConstantCases(&out)
          printChannel(&out)
        }
        printProbe(&out)
        out.print("rows[1]++;")
        if isPackedLanes { printSlide(&out) }
        printSuccessor(&out)
      }
    }
    out.print()
  }

  var isPackedLanes: Bool { stage.isPackedLanes }

  /// The window's rows: of a fused pool, for each of the layer's rows that it covers.
  private func printLocation(_ out: inout CodePrinter) {
    if stage.hasContiguousWindows {
      let isWhole = stage.lineBuffer.slots == stage.inputShape.height && stage.outputShape.height > 1
      let offset = isWhole ? " + oy * \(stage.rowStep) * s->row_stride" : ""
      out.assign("const uint8_t *const block", "memory + s->buffer\(offset)")
      return
    }
    if isPackedLanes, case .convolution(let work) = stage.work {
      out.print("locate_taps(s, \(work.groupChannels), window);")
      return
    }
    guard let pool = stage.pool else {
      out.print("locate_rows(s, oy, window);")
      return
    }
    let (rows, kernel) = (pool.kernelHeight, stage.window.kernelHeight)
    out.block("for (uint32_t r = 0; r < \(rows); r++)") {
      $0.print("locate_rows(s, oy * \(rows) + r, window + r * \(kernel));")
    }
  }

  private var isPacked: Bool {
    if case .convolution(let work) = stage.work { work.unrolled == nil } else { false }
  }

  private var needsAccumulators: Bool {
    if case .maxPool = stage.work { false } else { true }
  }

  /// The line buffer of the next stage, where its rows are words of two columns.
  private var nextLanes: LineBuffer? {
    guard case .lineBuffer(let next) = stage.destination, plan.stages[next].lineBuffer.holdsWords else { return nil }
    return plan.stages[next].lineBuffer
  }

  /// The same where this stage makes those words itself.
  var nextWords: LineBuffer? { stage.hasWordSums ? nextLanes : nil }

  /// Words of a column tile, where the next stage takes them at once.
  var nextColumnTile: Int? { nextWords?.columnTile }

  /// Channels that have one value. Rows that are paired are made anew every time.
  var constants: [ConstantChannel] { plan.packsRows(of: index) ? [] : stage.constants }

  /// Whether its codes go out in 16 bits each.
  var storesShortCodes: Bool {
    if case .lineBuffer(let next) = stage.destination { plan.stages[next].hasShortCodes } else { false }
  }

  var elementType: String {
    if nextLanes != nil { return "uint32_t" }
    if storesShortCodes { return "int16_t" }
    return switch stage.output.elementBytes {
    case 1: "uint8_t"
    case 2: "uint16_t"
    default: "int32_t"
    }
  }

  /// Values from a channel of the output row to the next.
  var outputStride: Int {
    switch stage.destination {
    case .lineBuffer(let next): plan.stages[next].lineBuffer.channelStride
    case .result: stage.outputShape.height * stage.outputShape.width
    case .output: 1
    }
  }

  func printDestination(_ out: inout CodePrinter) {
    let type = elementType
    let cast = type == "uint8_t" ? "" : "(\(type) *)(void *)"
    switch stage.destination {
    case .lineBuffer(let next):
      let lineBuffer = plan.stages[next].lineBuffer
      let halo = lineBuffer.left > 0 ? " + \(lineBuffer.left)" : ""
      out.print("const IN_FLASH struct stage *const next = &\(plan.stages[next].descriptor);")
      if type == "uint8_t" {
        let step = plan.stepInPlace(of: next)
        let offset = step > 0 ? " + oy * \(step)" : plan.stages[next].rowOffset("next", "oy", made: "rows[2]")
        out.assign("uint8_t *const out", "memory + next->buffer\(offset)\(halo)")
      } else {
        out.print("\(type) *const base = \(cast)(memory + next->buffer);")
        let offset = plan.stages[next].rowOffset("next", "oy", made: "rows[2]")
        out.print("\(type) *const out = base\(offset)\(halo);")
      }
    case .result:
      if type == "uint8_t" {
        out.print("uint8_t *const out = memory + RESULT_AT + oy * \(stage.outputShape.width);")
      } else {
        out.print("\(type) *const base = \(cast)(memory + RESULT_AT);")
        out.print("\(type) *const out = base + oy * \(stage.outputShape.width);")
      }
    case .output: break
    }
  }

  func printProbe(_ out: inout CodePrinter) {
    let distance = nextLanes.map { $0.fourLanes ?? $0.lanes?.distance ?? 0 } ?? 0
    let bits = distance == 0 ? 0 : nextLanes?.fourLanes == nil ? 16 : 8
    out.list(
      "\(plan.macroPrefix)_PROBE(", ["\(index)", "oy", "out", "\(outputStride)", "\(distance)", "\(bits)"], ");")
  }

  func printSuccessor(_ out: inout CodePrinter) {
    guard case .lineBuffer(let next) = stage.destination, plan.fusionGroup(of: next) == plan.fusionGroup(of: index)
    else { return }
    out.print("\(plan.stages[next].name)_advance(memory);")
  }

  /// Passes over the channels that are not computed.
  func printConstantCases(_ out: inout CodePrinter) {
    guard !constants.isEmpty else { return }
    out.print("switch (oc) {")
    for constant in constants { out.print("case \(constant.channel):") }
    out.indented { out in
      if fillsHalos { printHalo("out + oc * \(outputStride)", &out) }
      out.print("continue;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Where a channel's row is made.
  func printRow(_ out: inout CodePrinter) {
    if plan.packsRows(of: index) {
      out.print("uint8_t *const row = memory + SCRATCH_ROW;")
    } else {
      out.print("\(elementType) *const row = out + oc * \(outputStride);")
    }
  }

  /// A row of bytes becomes words of two columns, with their halo.
  func printPacking(_ out: inout CodePrinter) {
    guard plan.packsRows(of: index), let lineBuffer = nextLanes, let lanes = lineBuffer.lanes else { return }
    let to = "out + oc * \(outputStride)" + (lineBuffer.left > 0 ? " - \(lineBuffer.left)" : "")
    out.list(
      "pack_row_swar2(",
      [
        "row", "\(stage.outputShape.width)", "\(lineBuffer.left)", "\(lanes.distance)", "\(lineBuffer.paddingCode)", to,
        "\(lineBuffer.channelStride)",
      ], ");")
  }

  private func printChannel(_ out: inout CodePrinter) {
    printRow(&out)
    defer { printPacking(&out) }
    let wide = stage.input.elementBytes == 2
    let lanes = stage.lineBuffer.lanes
    let type = lanes != nil ? "uint32_t" : wide ? "uint16_t" : "uint8_t"
    let base = type == "uint8_t" ? "memory + s->buffer" : "(const \(type) *)(const void *)(memory + s->buffer)"
    switch stage.work {
    case .convolution(let work):
      let first = work.outputsPerGroup == 1 ? "oc" : "oc / \(work.outputsPerGroup)"
      let isGrouped = work.outputsPerGroup < stage.outputShape.channels
      let values = isPackedLanes ? "in" : "values"
      if !isPackedLanes { out.print("const \(type) *const values = \(base);") }
      if isGrouped {
        let channels = work.groupChannels == 1 ? first : "\(first) * \(work.groupChannels)"
        out.print("const uint32_t group = \(channels) * s->channel_stride;")
      }
      if work.unrolled == nil { out.print("const IN_FLASH uint8_t *const weights = \(name)_weights[oc];") }
      let decoding = ["s", "weights", "\(work.groupChannels)", "window", "\(stage.lineBuffer.paddingCode)", "offsets"]
      let element = wide ? "u16" : "u8"
      let from = "\(values)\(isGrouped ? " + group" : "")"
      if isPackedLanes, let lanes, let part = lanes.partTaps {
        printParts(from, work, lanes, part, &out)
        printEpilogue(work.epilogue, &out)
        return
      }
      if isPackedLanes, let lanes {
        out.list("const struct tap_list taps = list_taps(", ["weights", "\(work.taps)", "window", "offsets"], ");\n")
        printLaneSums(from, lanes, &out)
        if stage.pool != nil { out.print("max_pool_swar2(s, acc);") }
        printEpilogue(work.epilogue, &out)
        return
      }
      let accumulate = "convolve_row_\(element)(s, \(from), offsets, taps, acc);"
      func printSums(_ window: String, _ out: inout CodePrinter) {
        var arguments = decoding
        arguments[3] = window
        out.list("const struct taps taps = decode_taps(", arguments, ");")
        out.print()
        out.print(accumulate)
      }
      if let pool = stage.pool {
        let (rows, kernel) = (pool.kernelHeight, stage.window.kernelHeight)
        let offset = lanes?.outputs ?? stage.accumulatorShape.width
        out.print("\(lanes == nil ? "int32_t" : "uint32_t") *const pooled = acc + \(offset);\n")
        out.block("for (uint32_t r = 0; r < \(rows); r++)") { out in
          out.print("const tap_offset *const at = window + r * \(kernel);")
          printSums("at", &out)
          let width = stage.outputWords ?? stage.outputShape.width
          out.list(
            lanes == nil ? "max_pool_sums(" : "max_pool_row_swar2(",
            ["acc", "\(pool.kernelWidth)", "r == 0", "pooled", "\(width)"], ");")
        }
      } else {
        printSums("window", &out)
      }
      printEpilogue(work.epilogue, &out)
    case .maxPool:
      out.print("const uint8_t *const values = memory + s->buffer + oc * s->channel_stride;\n")
      out.print("max_pool_row_u8(s, values, window, row);")
    case .averagePool(let epilogue):
      if stage.hasContiguousWindows {
        out.print()
        out.print("sum_pool_block_u8(s, block + oc * s->channel_stride, acc);")
      } else {
        out.print("const uint8_t *const values = memory + s->buffer + oc * s->channel_stride;\n")
        out.print("sum_pool_row_u8(s, values, window, \(stage.lineBuffer.paddingCode), acc);")
      }
      if let epilogue {
        printEpilogue(epilogue, &out)
      } else {
        out.block("for (uint32_t ox = 0; ox < \(stage.outputShape.width); ox++)") {
          $0.print("row[ox] = (uint16_t)acc[ox];")
        }
      }
    case .dense: break
    }
  }

}
