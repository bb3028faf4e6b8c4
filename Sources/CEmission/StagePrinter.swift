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

  /// The function that makes all rows that are due, or of a last dense layer the output.
  static func prototype(_ stage: Stage) -> String {
    if case .output = stage.destination {
      return "static void \(stage.name)_finish(uint8_t *memory, int32_t *output)"
    }
    return "static void \(stage.name)_advance(uint8_t *memory)"
  }

  func print(to out: inout CodePrinter) {
    out.comment(StageText(plan, index).paragraphs)
    printTables(&out)
    if stage.isUniform {
      ConvolutionPrinter(plan).printDescriptor(index, &out)
      printConvolution(&out)
      return
    }
    switch stage.work {
    case .dense(let work):
      if case .output = stage.destination { printFinish(work, &out) } else { printDense(work, &out) }
    case .averagePool(let epilogue) where stage.addsRowByRow: printAddedRows(epilogue, &out)
    case .convolution, .averagePool, .maxPool:
      switch stage.code {
      case .blocks(let blocks, let strip)?: printBlocks(blocks, strip: strip, &out)
      case .taps?: printTapRows(&out)
      case nil: printRows(&out)
      }
    }
  }

  // MARK: Constants

  /// The window and ring that drive the stage. All descriptors stand before all layers, since a layer's rows go into
  /// its successor's ring.
  func printDescriptor(_ out: inout CodePrinter) {
    let used = plan.usedFields
    out.print("static const struct stage \(stage.descriptor) = {")
    for (field, value) in fields where used.contains(field) { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  /// The descriptor's fields, as the type has them.
  var fields: [(name: String, value: Int)] {
    let ring = stage.ring
    let window = stage.window
    return [
      ("ring", plan.buffers[ring.buffer].offset), ("row_stride", ring.rowStride), ("slots", ring.slots),
      ("channel_stride", ring.channelStride), ("height", stage.inputShape.height),
      ("out_height", stage.outputShape.height),
      ("out_width", stage.ring.lanes?.outputs ?? stage.accumulatorShape.width),
      ("pool_height", stage.pool?.kernelHeight ?? 1), ("pool_width", stage.pool?.kernelWidth ?? 1),
      ("kernel_height", window.kernelHeight), ("kernel_width", window.kernelWidth),
      ("stride_height", window.strideHeight), ("stride_width", window.strideWidth), ("top", window.top),
      ("above", stage.storedAbove), ("left", ring.left), ("padding", ring.paddingLevel),
      ("reach", stage.reach), ("advance", stage.advance), ("slides", stage.slides),
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
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      if !stage.isBlock { out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);") }
      if isPacked { out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);") }
      if needsAccumulators {
        let type = stage.ring.lanes == nil ? "int32_t" : "uint32_t"
        out.print("\(type) *const acc = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      }
      out.print()
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        if isPackedLanes { printInput(&out) }
        out.print()
        printLocation(&out)
        if !stage.constants.isEmpty {
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

  private var isPackedLanes: Bool { stage.isPackedLanes }

  /// The window's rows: of a fused pool, for each of the layer's rows that it covers.
  private func printLocation(_ out: inout CodePrinter) {
    if stage.isBlock {
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
  var nextWords: Ring? {
    guard case .ring(let next) = stage.destination, plan.stages[next].ring.lanes != nil else { return nil }
    return plan.stages[next].ring
  }

  var elementType: String {
    if nextWords != nil { return "uint32_t" }
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

  /// An average pool that adds row after row to its sums.
  private func printAddedRows(_ epilogue: Epilogue?, _ out: inout CodePrinter) {
    let (channels, width) = (stage.outputShape.channels, stage.outputShape.width)
    let rows = stage.window.kernelHeight
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint16_t *const sums = (uint16_t *)(void *)(memory + \(plan.buffers[stage.sumsBuffer].offset));\n")
      out.block("if (rows[1] < \(stage.outputShape.height))") { out in
        out.print("const uint32_t oy = rows[1];")
        out.print("const uint32_t r = rows[0] - 1U - oy * \(rows); /* of the window */")
        printDestination(&out)
        out.print()
        out.block("for (uint32_t oc = 0; oc < \(channels); oc++)") { out in
          out.print("const uint8_t *const values = memory + s->ring + oc * s->channel_stride;")
          out.print("uint16_t *const acc = sums + oc * \(width);\n")
          out.print("add_pool_row(s, values, r == 0, acc);")
          out.block("if (r == \(rows - 1))") { out in
            out.print("\(elementType) *const row = out + oc * \(outputStride);")
            guard let epilogue else {
              out.print()
              out.block("for (uint32_t ox = 0; ox < \(width); ox++)") { $0.print("row[ox] = acc[ox];") }
              return
            }
            printEpilogue(epilogue, &out)
          }
        }
        out.block("if (r == \(rows - 1))") { out in
          printProbe(&out)
          out.print("rows[1]++;")
          printSuccessor(&out)
        }
      }
    }
    out.print()
  }

  func printDestination(_ out: inout CodePrinter) {
    let type = elementType
    let cast = type == "uint8_t" ? "" : "(\(type) *)(void *)"
    switch stage.destination {
    case .ring(let next):
      let ring = plan.stages[next].ring
      let halo = ring.left > 0 ? " + \(ring.left)" : ""
      out.print("const struct stage *const next = &\(plan.stages[next].descriptor);")
      if type == "uint8_t" {
        let offset = plan.stages[next].rowOffset("next", "oy", made: "rows[2]")
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
    let distance = nextWords.map { $0.quads ?? $0.lanes?.distance ?? 0 } ?? 0
    let bits = distance == 0 ? 0 : nextWords?.quads == nil ? 16 : 8
    out.list(
      "\(plan.macroPrefix)_PROBE(", ["\(index)", "oy", "out", "\(outputStride)", "\(distance)", "\(bits)"], ");")
  }

  func printSuccessor(_ out: inout CodePrinter) {
    guard case .ring(let next) = stage.destination, plan.segment(of: next) == plan.segment(of: index) else { return }
    out.print("\(plan.stages[next].name)_advance(memory);")
  }

  /// Passes over the channels that are not computed.
  func printConstantCases(_ out: inout CodePrinter) {
    let constants = stage.constants
    guard !constants.isEmpty else { return }
    out.print("switch (oc) {")
    for constant in constants { out.print("case \(constant.channel):") }
    out.indented { out in
      if closesRows { printHalo("out + oc * \(outputStride)", &out) }
      out.print("continue;")
    }
    out.print("default:\n    break;\n}")
  }

  private func printChannel(_ out: inout CodePrinter) {
    out.print("\(elementType) *const row = out + oc * \(outputStride);")
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
      if work.code == nil { out.print("const uint8_t *const weights = \(name)_weights[oc];") }
      let decoding = ["s", "weights", "\(work.groupChannels)", "window", "\(stage.ring.paddingLevel)", "offsets"]
      let suffix = wide ? "16" : ""
      let from = "\(values)\(isGrouped ? " + group" : "")"
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
      if stage.isBlock {
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

  /// From a channel's accumulators to its row.
  func printEpilogue(_ epilogue: Epilogue, _ out: inout CodePrinter) {
    let from = stage.pool == nil || isPackedLanes ? "acc" : "pooled"
    let count = stage.outputWords ?? stage.outputShape.width
    out.print()
    printLimits(epilogue, from, count, &out)
    printConstants(epilogue, "oc", &out)
    if let lanes = stage.ring.lanes {
      printWords(epilogue, lanes, "\(from)[ox]", count, &out)
      printHalo("row", &out)
      return
    }
    let cast = stage.output.elementBytes == 1 ? "(uint8_t)" : ""
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      out.print("row[ox] = \(cast)\(expression(epilogue, "\(from)[ox]"));")
    }
  }

  /// Clamps the accumulators of the few channels whose arithmetic would leave 32 bits.
  func printLimits(_ epilogue: Epilogue, _ from: String, _ count: Int, _ out: inout CodePrinter) {
    guard !epilogue.limits.isEmpty else { return }
    let lanes = stage.ring.lanes
    let lift = lanes.map { $0.isLiftedInEpilogue ? 0 : $0.lift } ?? 0
    let kernel = lanes == nil ? "limit_accumulators" : "limit_lanes"
    out.print("switch (oc) {")
    for limit in epilogue.limits {
      let (least, most) = (limit.accumulators.lowerBound + lift, limit.accumulators.upperBound + lift)
      out.print("case \(limit.channel):")
      out.print("    \(kernel)(\(from), \(count), \(least), \(most));")
      out.print("    break;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Requantizes words of two accumulators: into words of two levels, or into the two halves of a row.
  func printWords(
    _ epilogue: Epilogue, _ lanes: Ring.Lanes, _ word: String, _ count: Int, _ out: inout CodePrinter,
    prepare: (inout CodePrinter) -> Void = { _ in }
  ) {
    let half = stage.outputWords ?? 0
    let lift = lanes.isLiftedInEpilogue ? "" : " - \(lanes.lift)"
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      prepare(&out)
      out.print("const int32_t left = (int32_t)(\(word) & 0xFFFFU)\(lift);")
      out.print("const int32_t right = (int32_t)(\(word) >> 16)\(lift);\n")
      if let next = nextWords {
        let (low, high) = (expression(epilogue, "left"), expression(epilogue, "right"))
        let isKept = next.quads != nil || stage.poolsRowByRow
        let head = isKept ? "\(stage.poolsRowByRow ? "" : "const ")uint32_t pair =" : "row[ox] ="
        out.print("\(head) (uint32_t)\(low) |")
        out.print(String(repeating: " ", count: head.count + 1) + "(uint32_t)\(high) << 16;")
        if isKept { printKept(next, &out) }
        return
      }
      let cast = stage.output.elementBytes == 1 ? "(uint8_t)" : ""
      func statement(_ at: String, _ side: String) -> String {
        let value = "\(cast)\(expression(epilogue, side))"
        return stage.poolsRowByRow ? "keep_larger(&row[\(at)], \(value), r);" : "row[\(at)] = \(value);"
      }
      out.print(statement("ox", "left"))
      let second = statement("\(half) + ox", "right")
      if 2 * half == stage.outputShape.width {
        out.print(second)
      } else {
        // The last high lane of an odd width is nobody's column.
        out.block("if (ox < \(stage.outputShape.width - half))") { $0.print(second) }
      }
    }
  }

  /// Whether more is to be written of a row of words than its columns.
  var closesRows: Bool {
    guard let ring = nextWords, let lanes = ring.lanes else { return false }
    return ring.channelStride > (ring.quads ?? lanes.distance) || stage.outputShape.width < 2 * lanes.distance
  }

  /// Puts a pair of levels beside what a word holds: the other half's columns, and the rows before of a pool.
  private func printKept(_ next: Ring, _ out: inout CodePrinter) {
    out.print()
    switch (next.quads != nil, stage.poolsRowByRow) {
    case (true, true):
      out.print("const uint32_t other = row[ox] & ~(0x00FF00FFU << shift);\n")
      out.block("if (r > 0)") { $0.print("pair = max_lanes(pair, row[ox] >> shift & 0x00FF00FFU);") }
      out.print("row[ox] = other | pair << shift;")
    case (true, false): out.print("row[ox] = shift == 0 ? pair : row[ox] | pair << 8;")
    default:
      out.block("if (r > 0)") { $0.print("pair = max_lanes(pair, row[ox]);") }
      out.print("row[ox] = pair;")
    }
  }

  /// Completes a row of words that its successor reads: columns on the far side of each lane, and padding.
  func printHalo(_ row: String, _ out: inout CodePrinter) {
    guard closesRows, let ring = nextWords, let lanes = ring.lanes else { return }
    let start = ring.left > 0 ? "\(row) - \(ring.left)" : row
    out.list(
      ring.quads == nil ? "close_row(" : "close_quads(",
      [
        start, "\(ring.left)", "\(ring.quads ?? lanes.distance)", "\(stage.outputShape.width)", "\(ring.channelStride)",
        "\(ring.paddingLevel)",
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
      guard epilogue.saturatedBits == nil else { return }
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
      out.print("const int32_t *const steps = \(name)_thresholds[\(lists.count > 1 ? channel : "0")];")
    }
    out.print()
  }

  /// The C expression that turns an accumulator into what is stored.
  func expression(_ epilogue: Epilogue, _ accumulator: String) -> String {
    let suffix = epilogue.fits32 ? "" : "64"
    switch epilogue.form {
    case .affine(_, _, let shift, _, _):
      if let bits = epilogue.saturatedBits { return "REQUANTIZE(\(accumulator), m, b, \(shift), \(bits))" }
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

  // MARK: Dense layers

  private func printDense(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);\n")
      out.block("if (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        out.print()
        printDots(work, "out[oc * \(outputStride)]", &out)
        printProbe(&out)
        out.print("rows[1]++;")
        printSuccessor(&out)
      }
    }
    out.print()
  }

  private func printFinish(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      printDots(work, "output[oc]", &out)
      out.print("\(plan.macroPrefix)_PROBE(\(index), 0, output, 1, 0, 0);")
    }
    out.print()
  }

  private func printDots(_ work: DenseWork, _ target: String, _ out: inout CodePrinter) {
    let wide = stage.input.elementBytes == 2
    let base = wide ? "(const uint16_t *)(const void *)(memory + s->ring)" : "memory + s->ring"
    out.print("const \(wide ? "uint16_t" : "uint8_t") *const values = \(base);\n")
    out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
      out.print("const uint8_t *const weights = \(name)_weights[oc];")
      let isLimited = !work.epilogue.limits.isEmpty
      out.print(
        "\(isLimited ? "" : "const ")int32_t a = ternary_dot\(wide ? "16" : "")(weights, values, \(work.taps));\n")
      printLimits(work.epilogue, "&a", 1, &out)
      printConstants(work.epilogue, "oc", &out)
      var value = expression(work.epilogue, "a")
      if case .output = stage.destination, stage.output.base != 0 {
        value += stage.output.base < 0 ? " - \(-stage.output.base)" : " + \(stage.output.base)"
      } else if stage.output.elementBytes == 1, case .ring = stage.destination {
        value = "(uint8_t)" + value
      } else if stage.output.elementBytes == 1, case .result = stage.destination {
        value = "(uint8_t)" + value
      }
      out.print("\(target) = \(value);")
    }
  }
}

extension Stage {
  /// The C name of the stage's window and ring. No identifier is a layer's bare name: whatever a file calls its layers, they
  /// meet neither each other's tables nor the names of C, of the kernels and of local variables.
  var descriptor: String { "\(name)_stage" }
}

extension Stage {
  /// C expression of the offset of input row `y` from slot 0, in values, to be added; empty where there is one row.
  /// `made` is the number of rows that the stage has made.
  func rowOffset(_ descriptor: String, _ y: String, made: String) -> String {
    if ring.slots == 1 { return "" }
    guard ring.isLinear else { return " + row_offset(\(descriptor), \(y))" }
    let top = window.top > 0 ? "\(y) + \(window.top)U" : y
    let row = isSliding ? "\(top) - \(advance > 1 ? "\(advance)U * " : "")\(made)" : top
    return " + \(row == y ? y : "(\(row))") * \(descriptor)->row_stride"
  }

  /// Whether it looks how many rows have arrived; others take each row as it comes.
  var firesWhenDue: Bool {
    if case .output = destination { return false }
    return !poolsRowByRow && !addsRowByRow
  }

  /// Whether it is an average pool whose windows' rows always follow one another in its ring, none of padding among them.
  var isBlock: Bool {
    guard case .averagePool = work, window.top + window.bottom == 0 else { return false }
    return ring.slots == inputShape.height || (ring.slots == reach && reach == advance)
  }

  /// Whether its code, or its predecessor's, looks a row's place up with `row_offset`.
  func needsRowOffset(madeBy predecessor: Stage?) -> Bool {
    if predecessor?.isUniform != true { return true }
    if case .dense = work { return false }
    return !isBlock
  }

  /// Whether the rows of a linear ring move up when an output row has been made.
  var isSliding: Bool { ring.isLinear && ring.slots < inputShape.height + window.top + window.bottom }
}
