import FirmwarePlanning
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

  /// The function that makes all rows that are due, or takes a row that has arrived; of a last dense layer over all rows,
  /// the one that makes the output.
  static func prototype(_ stage: Stage) -> String {
    guard stage.advances else { return finishPrototype(stage) }
    return "static void \(stage.name)_advance(uint8_t *memory\(stage.takesStrips ? ", uint32_t x" : ""))"
  }

  static func finishPrototype(_ stage: Stage) -> String {
    "static void \(stage.name)_finish(uint8_t *memory, int32_t *output)"
  }

  func print(to out: inout CodePrinter) {
    out.comment(StageText(plan, index).paragraphs)
    printTables(&out)
    if stage.usesSharedConvolution {
      ConvolutionPrinter(plan).printDescriptor(index, &out)
      printConvolution(&out)
      return
    }
    if let maps = stage.maps {
      printMaps(maps, &out)
      return
    }
    if let map = stage.ring.channelsLast {
      if let form = stage.channelsLast { printPixels(form, map, &out) } else { printPixelPool(map, &out) }
      return
    }
    switch stage.work {
    case .dense(let work):
      if stage.addsRowByRow {
        printAddedRows(work, &out)
      } else if case .output = stage.destination {
        printFinish(work, &out)
      } else {
        printDense(work, &out)
      }
    case .averagePool(let epilogue) where stage.addsRowByRow: printAddedRows(epilogue, &out)
    case .convolution, .averagePool, .maxPool:
      switch stage.code {
      case .blocks(let blocks, let strip)?: printBlocks(blocks, strip: strip, &out)
      case .taps?: printTapRows(&out)
      case .columns(let blocks)?:
        if let columns = stage.columns { printColumns(blocks, columns, &out) }
      case nil: printRows(&out)
      }
    }
  }

  // MARK: Constants

  /// The window and ring that drive the stage. All descriptors stand before all layers, since a layer's rows go into
  /// its successor's ring.
  ///
  /// - Parameter used: Fields of `struct stage` that anything reads.
  func printDescriptor(_ used: Set<String>, _ out: inout CodePrinter) {
    out.print("static const IN_FLASH struct stage \(stage.descriptor) = {")
    for (field, value) in fields where used.contains(field) { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  /// The descriptor's fields, as the type has them.
  var fields: [(name: String, value: Int)] {
    let ring = stage.ring
    let window = stage.window
    return [
      ("ring", plan.ringOffset(of: stage)), ("row_stride", ring.rowStride), ("slots", ring.slots),
      ("channel_stride", ring.channelStride), ("height", stage.inputShape.height),
      ("out_height", stage.outputShape.height),
      ("out_width", stage.ring.lanes?.outputs ?? stage.accumulatorShape.width),
      ("pool_height", stage.pool?.kernelHeight ?? 1), ("pool_width", stage.pool?.kernelWidth ?? 1),
      ("kernel_height", window.kernelHeight), ("kernel_width", window.kernelWidth),
      ("stride_height", window.strideHeight), ("stride_width", window.strideWidth), ("top", window.top),
      ("above", stage.storedAbove), ("left", ring.left), ("padding", ring.paddingLevel),
      ("reach", stage.reach), ("advance", stage.advance), ("slides", stage.slides),
      ("step", stage.windowStep),
    ]
  }

  private func printTables(_ out: inout CodePrinter) {
    let lines = stage.tables.flatMap(Tables.definition)
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
        let type = stage.ring.lanes == nil ? "int32_t" : "uint32_t"
        out.print("\(type) *const acc = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
        if let lanes = stage.ring.lanes, !stage.hasWordSums {
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
      let isWhole = stage.ring.slots == stage.inputShape.height && stage.outputShape.height > 1
      let offset = isWhole ? " + oy * \(stage.advance) * s->row_stride" : ""
      out.print("const uint8_t *const block = memory + s->ring\(offset);")
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
    if case .convolution(let work) = stage.work { work.code == nil } else { false }
  }

  private var needsAccumulators: Bool {
    if case .maxPool = stage.work { false } else { true }
  }

  /// The ring of the next stage, where its rows are words of two columns.
  private var nextLanes: Ring? {
    guard case .ring(let next) = stage.destination, plan.stages[next].ring.holdsWords else { return nil }
    return plan.stages[next].ring
  }

  /// The same where this stage makes those words itself.
  var nextWords: Ring? { stage.hasWordSums ? nextLanes : nil }

  /// Words of a strip, where the next stage takes them at once.
  var nextStrip: Int? { nextWords?.strip }

  /// Channels that have one value. Rows that are paired are made anew every time.
  var constants: [ConstantChannel] { plan.pairsRows(of: index) ? [] : stage.constants }

  /// Whether its levels go out in 16 bits each.
  var storesShortLevels: Bool {
    if case .ring(let next) = stage.destination { plan.stages[next].hasShortLevels } else { false }
  }

  var elementType: String {
    if nextLanes != nil { return "uint32_t" }
    if storesShortLevels { return "int16_t" }
    return switch stage.output.elementBytes {
    case 1: "uint8_t"
    case 2: "uint16_t"
    default: "int32_t"
    }
  }

  /// Values from a channel of the output row to the next.
  var outputStride: Int {
    switch stage.destination {
    case .ring(let next): plan.stages[next].ring.channelStride
    case .result: stage.outputShape.height * stage.outputShape.width
    case .output: 1
    }
  }

  func printDestination(_ out: inout CodePrinter) {
    let type = elementType
    let cast = type == "uint8_t" ? "" : "(\(type) *)(void *)"
    switch stage.destination {
    case .ring(let next):
      let ring = plan.stages[next].ring
      let halo = ring.left > 0 ? " + \(ring.left)" : ""
      out.print("const IN_FLASH struct stage *const next = &\(plan.stages[next].descriptor);")
      if type == "uint8_t" {
        let step = plan.stepInPlace(of: next)
        let offset = step > 0 ? " + oy * \(step)" : plan.stages[next].rowOffset("next", "oy", made: "rows[2]")
        out.print("uint8_t *const out = memory + next->ring\(offset)\(halo);")
      } else {
        out.print("\(type) *const base = \(cast)(memory + next->ring);")
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
    let distance = nextLanes.map { $0.quads ?? $0.lanes?.distance ?? 0 } ?? 0
    let bits = distance == 0 ? 0 : nextLanes?.quads == nil ? 16 : 8
    out.list(
      "\(plan.macroPrefix)_PROBE(", ["\(index)", "oy", "out", "\(outputStride)", "\(distance)", "\(bits)"], ");")
  }

  func printSuccessor(_ out: inout CodePrinter) {
    guard case .ring(let next) = stage.destination, plan.segment(of: next) == plan.segment(of: index) else { return }
    out.print("\(plan.stages[next].name)_advance(memory);")
  }

  /// Passes over the channels that are not computed.
  func printConstantCases(_ out: inout CodePrinter) {
    guard !constants.isEmpty else { return }
    out.print("switch (oc) {")
    for constant in constants { out.print("case \(constant.channel):") }
    out.indented { out in
      if closesRows { printHalo("out + oc * \(outputStride)", &out) }
      out.print("continue;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Where a channel's row is made.
  func printRow(_ out: inout CodePrinter) {
    if plan.pairsRows(of: index) {
      out.print("uint8_t *const row = memory + SCRATCH_ROW;")
    } else {
      out.print("\(elementType) *const row = out + oc * \(outputStride);")
    }
  }

  /// A row of bytes becomes words of two columns, with their halo.
  func printPairing(_ out: inout CodePrinter) {
    guard plan.pairsRows(of: index), let ring = nextLanes, let lanes = ring.lanes else { return }
    let to = "out + oc * \(outputStride)" + (ring.left > 0 ? " - \(ring.left)" : "")
    out.list(
      "pair_row(",
      [
        "row", "\(stage.outputShape.width)", "\(ring.left)", "\(lanes.distance)", "\(ring.paddingLevel)", to,
        "\(ring.channelStride)",
      ], ");")
  }

  private func printChannel(_ out: inout CodePrinter) {
    printRow(&out)
    defer { printPairing(&out) }
    let wide = stage.input.elementBytes == 2
    let lanes = stage.ring.lanes
    let type = lanes != nil ? "uint32_t" : wide ? "uint16_t" : "uint8_t"
    let base = type == "uint8_t" ? "memory + s->ring" : "(const \(type) *)(const void *)(memory + s->ring)"
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
      if work.code == nil { out.print("const IN_FLASH uint8_t *const weights = \(name)_weights[oc];") }
      let decoding = ["s", "weights", "\(work.groupChannels)", "window", "\(stage.ring.paddingLevel)", "offsets"]
      let suffix = wide ? "16" : ""
      let from = "\(values)\(isGrouped ? " + group" : "")"
      if isPackedLanes, let lanes, let part = lanes.partTaps {
        printParts(from, work, lanes, part, &out)
        printEpilogue(work.epilogue, &out)
        return
      }
      if isPackedLanes, let lanes {
        out.list("const struct tap_list taps = list_taps(", ["weights", "\(work.taps)", "window", "offsets"], ");\n")
        printLaneSums(from, lanes, &out)
        if stage.pool != nil { out.print("pool_lanes(s, acc);") }
        printEpilogue(work.epilogue, &out)
        return
      }
      let accumulate = "accumulate_row\(suffix)(s, \(from), offsets, taps, acc);"
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
            lanes == nil ? "pool_accumulators(" : "pool_lanes_row(",
            ["acc", "\(pool.kernelWidth)", "r == 0", "pooled", "\(width)"], ");")
        }
      } else {
        printSums("window", &out)
      }
      printEpilogue(work.epilogue, &out)
    case .maxPool:
      out.print("const uint8_t *const values = memory + s->ring + oc * s->channel_stride;\n")
      out.print("max_pool_row(s, values, window, row);")
    case .averagePool(let epilogue):
      if stage.hasContiguousWindows {
        out.print()
        out.print("sum_pool_block(s, block + oc * s->channel_stride, acc);")
      } else {
        out.print("const uint8_t *const values = memory + s->ring + oc * s->channel_stride;\n")
        out.print("sum_pool_row(s, values, window, \(stage.ring.paddingLevel), acc);")
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
