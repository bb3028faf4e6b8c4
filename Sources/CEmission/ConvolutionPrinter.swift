import Scheduling
import Templates

/// Convolutions with packed weights over words of two lanes: one function for all that requantize alike, driven by a
/// descriptor of each.
struct ConvolutionPrinter {
  let plan: FirmwarePlan
  private let stages: [(index: Int, stage: Stage, work: ConvolutionWork)]

  init(_ plan: FirmwarePlan) {
    self.plan = plan
    stages = plan.stages.enumerated().compactMap { index, stage in
      guard stage.usesSharedConvolution, case .convolution(let work) = stage.work else { return nil }
      return (index, stage, work)
    }
  }

  // MARK: Descriptor

  private struct Field {
    var type: String
    var name: String
    var comment: String
    /// Of each stage.
    var values: [String]

    /// A number in the smallest type that holds it for all stages.
    init(_ name: String, _ comment: String, _ numbers: [Int]) {
      self.name = name
      self.comment = comment
      let most = numbers.max() ?? 0
      type = most <= Int(UInt8.max) ? "uint8_t " : most <= Int(UInt16.max) ? "uint16_t " : "uint32_t "
      values = numbers.map(String.init)
    }

    init(_ type: String, _ name: String, _ comment: String, values: [String]) {
      self.type = type
      self.name = name
      self.comment = comment
      self.values = values
    }
  }

  private var fillsHalo: Bool { stages.contains { StagePrinter(plan, $0.index).fillsHalos } }
  private var splits: Bool { stages.contains { StagePrinter(plan, $0.index).nextWords == nil } }
  private var bits: Set<Int> { Set(stages.compactMap { $0.work.epilogue.codeBits }) }

  private var fields: [Field] {
    let fields = [
      Field("const IN_FLASH struct stage *", "stage", "", values: stages.map { "&\($0.stage.descriptor)" }),
      Field(
        "const IN_FLASH struct stage *", "next", "whose buffer the rows go into",
        values: stages.map { plan.stages[$0.index + 1].descriptor }.map { "&\($0)" }),
      Field(
        "const IN_FLASH uint8_t *", "weights", "packed, of all channels",
        values: stages.map { "\($0.stage.name)_weights[0]" }),
      Field(
        "const IN_FLASH uint16_t *", "scale", "three of each channel: see requantize_swar2",
        values: stages.map { "\($0.stage.name)_scale[0]" }),
    ]
    var numbers = [
      Field("index", "of the layer", stages.map(\.index)),
      Field("channels", "of the output", stages.map(\.stage.outputShape.channels)),
      Field("group_channels", "of the input, that an output channel sees", stages.map(\.work.groupChannels)),
      Field("taps", "weights of a channel", stages.map(\.work.taps)),
      Field("words", "of an output row", stages.map { $0.stage.outputWords ?? 0 }),
      Field("guard", "of both lanes", stages.map { $0.stage.lineBuffer.lanes?.guardBias ?? 0 }),
    ]
    if stages.contains(where: { $0.work.hasSingleOutputs($0.stage) }) {
      numbers.append(
        Field(
          "in_step", "words from an output channel's input to the next one's",
          stages.map {
            $0.work.hasSingleOutputs($0.stage) ? $0.work.groupChannels * $0.stage.lineBuffer.channelStride : 0
          }))
    }
    if bits.count > 1 { numbers.append(Field("bits", "of a code", stages.map { $0.work.epilogue.codeBits ?? 0 })) }
    if fillsHalo || splits, !hasEvenWidths {
      numbers.append(Field("width", "columns of an output row", stages.map(\.stage.outputShape.width)))
    }
    if splits, storesWords {
      numbers.append(
        Field(
          "is_split", "the rows go out as bytes",
          stages.map { StagePrinter(plan, $0.index).nextWords == nil ? 1 : 0 }))
    }
    // The largest types first: no bytes are lost between them.
    return fields + ["uint32_t ", "uint16_t ", "uint8_t "].flatMap { type in numbers.filter { $0.type == type } }
  }

  /// The descriptor's type.
  var typeText: String {
    let lines = Self.aligned(fields.map { ("    \($0.type)\($0.name);", $0.comment) })
    return (["struct convolution {"] + lines + ["};"]).joined(separator: "\n")
  }

  /// The descriptors' values.
  var descriptors: [Descriptor] {
    stages.enumerated().map { number, entry in
      Descriptor(
        "convolution", "\(entry.stage.name)_convolution", fields.map { ($0.name, $0.values[number]) })
    }
  }

  /// The descriptor's type and the function; nothing where no stage needs them.
  func print(to out: inout CodePrinter) {
    guard !stages.isEmpty else { return }
    out.print("/* A convolution over words of two lanes: what convolve needs beside the window. */")
    out.print(typeText + "\n")
    printFunction(&out)
  }

  /// Declarations with their comments in one column, as clang-format has them.
  static func aligned(_ lines: [(code: String, comment: String)]) -> [String] {
    var result: [String] = []
    var start = 0
    while start < lines.count {
      if lines[start].comment.isEmpty {
        result.append(lines[start].code)
        start += 1
        continue
      }
      let end = lines[start...].firstIndex { $0.comment.isEmpty } ?? lines.count
      let column = lines[start..<end].map(\.code.utf8.count).max() ?? 0
      for line in lines[start..<end] {
        let gap = String(repeating: " ", count: column - line.code.utf8.count + 1)
        result.append("\(line.code)\(gap)/* \(line.comment) */")
      }
      start = end
    }
    return result
  }

  private func printFunction(_ out: inout CodePrinter) {
    out.comment([
      "Makes the next row of a convolution, one output channel after the other, and returns 1; or returns 0 where it is not "
        + "due."
    ])
    out.block("static int convolve(uint8_t *memory, const IN_FLASH struct convolution *c)") { out in
      out.print("const IN_FLASH struct stage *const s = c->stage;")
      out.print("const IN_FLASH struct stage *const next = c->next;")
      out.print("uint16_t *const rows = row_counters(memory) + c->index;")
      out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
      out.print("uint32_t *const first = (uint32_t *)(void *)(memory + s->buffer);")
      out.print("const uint32_t made = rows[1];")
      out.print("const uint32_t count = c->words;")
      out.print("const IN_FLASH uint8_t *weights = c->weights;")
      out.print("const IN_FLASH uint16_t *scale = c->scale;\n")
      out.block("if (!row_is_due(s, rows))") { $0.print("return 0;") }
      printPlaces(&out)
      out.print("locate_taps(s, c->group_channels, window);")
      out.block("for (uint32_t oc = 0; oc < c->channels; oc++)", printChannel)
      out.print("\(plan.macroPrefix)_PROBE(c->index, made, out, next->channel_stride, \(distance), 16);")
      out.print("rows[1]++;")
      printSlide(&out)
      out.print("return 1;")
    }
    out.print()
  }

  private var distance: String { !splits ? "count" : storesWords ? "c->is_split ? 0 : count" : "0" }

  /// `in`, the window's first word, and `out`, the first value of the output row.
  private func printPlaces(_ out: inout CodePrinter) {
    let isStill = stages.contains { $0.stage.windowStep > 0 }
    let areSlides = stages.allSatisfy { $0.stage.windowStep == $0.stage.rowStep - $0.stage.slides }
    let step = areSlides ? "(uint32_t)(s->advance - s->slides)" : "s->step"
    let start = isStill ? "first + made * \(step) * s->row_stride" : "first"
    out.print("const uint32_t *in = \(start);")
    let nexts = stages.map { plan.stages[$0.index + 1] }
    let wraps = plan.sharedRowsWrap ? " % next->slots" : ""
    let isAbove = nexts.contains { $0.storedAbove > 0 }
    let above = isAbove ? nexts.allSatisfy { $0.storedAbove == $0.window.top } ? " + next->top" : " + next->above" : ""
    let isMoving = nexts.contains { $0.slides > 0 }
    let by = nexts.allSatisfy { $0.slides == $0.rowStep } ? "advance" : "slides"
    let slides = isMoving ? " - (uint32_t)rows[2] * next->\(by)" : ""
    let slot = "made\(above)\(slides)"
    out.print("const uint32_t slot = \(wraps.isEmpty ? slot : slot == "made" ? "made\(wraps)" : "(\(slot))\(wraps)");")
    out.print("const uint32_t place = slot * next->row_stride + next->left;")
    let base = "memory + next->buffer"
    if !splits {
      out.print("uint32_t *const out = (uint32_t *)(void *)(\(base)) + place;")
      out.print("uint32_t *to = out;\n")
    } else if !storesWords {
      out.print("uint8_t *const out = \(base) + place;")
      out.print("uint8_t *to = out;\n")
    } else {
      out.print("const uint32_t size = c->is_split ? 1 : sizeof(uint32_t);")
      out.print("uint8_t *const out = \(base) + size * place;")
      out.print("uint8_t *to = out;\n")
    }
  }

  private func printChannel(_ out: inout CodePrinter) {
    out.print("const struct tap_list taps = list_taps(weights, c->taps, window, offsets);")
    if splits, storesWords {
      out.print("uint32_t *const row = c->is_split ? acc : (uint32_t *)(void *)to;")
    }
    let row = !splits ? "to" : storesWords ? "row" : "acc"
    out.print()
    printSums(&out)
    printPool(&out)
    let bits = bits.count > 1 ? "c->bits" : "CODE_BITS"
    out.print("requantize_swar2(acc, scale, \(bits), \(row), count);")
    printStore(row, &out)
    out.print("weights += (c->taps + 3U) / 4;")
    out.print("scale += 3;")
    if stages.contains(where: { $0.work.hasSingleOutputs($0.stage) }) { out.print("in += c->in_step;") }
    out.print("to += \(splits && storesWords ? "size * " : "")next->channel_stride;")
  }

  private func printSums(_ out: inout CodePrinter) {
    let start = "c->guard * 65537U"
    let isPooled = stages.contains { $0.stage.pool != nil }
    let pass = plan.wordsPerPass
    let isStrided = stages.contains { $0.stage.window.strideWidth > 1 }
    let hasRest = stages.contains { $0.stage.wholePasses(pass) < $0.stage.lineBuffer.lanes?.outputs ?? 0 }
    let hasWhole = stages.contains { $0.stage.wholePasses(pass) > 0 }
    let name = pass == 8 ? "convolve_row_swar2_x8" : pass == 4 ? "convolve_row_swar2_x4" : "convolve_row_swar2_x3"
    func printRow(_ from: String, _ to: String, _ out: inout CodePrinter) {
      guard hasRest else {
        out.list("\(name)(", [from, "offsets", "taps", start, to, "s->out_width"], ");")
        return
      }
      guard hasWhole else {
        out.list(
          "convolve_row_swar2_strided(", [from, "s->stride_width", "offsets", "taps", start, to, "s->out_width"], ");")
        return
      }
      let whole = "s->out_width / \(pass)U * \(pass)U"
      out.print("const uint32_t whole = \(isStrided ? "s->stride_width > 1 ? 0 : \(whole)" : whole);\n")
      out.list("\(name)(", [from, "offsets", "taps", start, to, "whole"], ");")
      out.list(
        "convolve_row_swar2_strided(",
        ["\(from) + whole", "s->stride_width", "offsets", "taps", start, "\(to) + whole", "s->out_width - whole"], ");")
    }
    if isPooled {
      out.block("for (uint32_t r = 0; r < s->pool_height; r++)") { out in
        let isDense = stages.allSatisfy { $0.stage.pool == nil || $0.stage.window.strideHeight == 1 }
        out.print("const uint32_t *const from = in + r * \(isDense ? "" : "s->stride_height * ")s->row_stride;")
        if !hasRest || !hasWhole { out.print() }
        printRow("from", "acc + r * s->out_width", &out)
      }
    } else {
      printRow("in", "acc", &out)
    }
  }

  private func printSlide(_ out: inout CodePrinter) {
    guard plan.sharedRowsMove || plan.sharedRowsEnd else { return }
    let areMoving = stages.allSatisfy { $0.stage.slides > 0 }
    let by = areMoving ? "advance" : "slides"
    let body: (inout CodePrinter) -> Void = { out in
      out.print("const uint32_t step = (uint32_t)s->\(by) * s->row_stride;")
      out.print("const uint32_t kept = (uint32_t)(s->reach - s->\(by)) * s->row_stride;\n")
      if plan.sharedRowsMove { out.print("move_rows(first, kept, step);") }
      guard plan.sharedRowsEnd else { return }
      out.block("if (rows_needed(s, rows[1]) > s->height)") {
        $0.print("fill_u32(first + kept, step, \(paddingWord)); /* behind the last row */")
      }
    }
    if areMoving {
      out.print()
      body(&out)
      out.print()
    } else {
      out.block("if (s->slides > 0)", body)
    }
  }

  /// Whether both lanes of every word are columns.
  private var hasEvenWidths: Bool {
    stages.allSatisfy { $0.stage.outputShape.width == 2 * ($0.stage.outputWords ?? 0) }
  }

  /// The code of all padding, where there is but one.
  private var padding: String? {
    let levels = Set(
      stages.flatMap { [$0.stage.lineBuffer, plan.stages[$0.index + 1].lineBuffer] }.filter { $0.lanes != nil }.map(
        \.paddingCode))
    return levels.count == 1 ? levels.first.map(String.init) : nil
  }

  /// The same in both lanes.
  private var paddingWord: String {
    padding.flatMap(Int.init).flatMap { level in stages.first?.stage.lineBuffer.word(level) } ?? "s->padding * 65537U"
  }

  /// Whether any row goes out as words.
  private var storesWords: Bool { stages.contains { StagePrinter(plan, $0.index).nextWords != nil } }

  private func printPool(_ out: inout CodePrinter) {
    let pooled = stages.count { $0.stage.pool != nil }
    guard pooled > 0 else { return }
    if pooled == stages.count {
      out.print("max_pool_swar2(s, acc);")
    } else {
      out.block("if (s->pool_height + s->pool_width > 2)") { $0.print("max_pool_swar2(s, acc);") }
    }
  }

  private func printStore(_ row: String, _ out: inout CodePrinter) {
    let split = "unpack_row_swar2(acc, count, \(hasEvenWidths ? "2 * count" : "c->width"), to);"
    // The halo's first word lies before the row.
    func printHaloFill(_ out: inout CodePrinter) {
      out.list(
        "fill_halo_swar2(",
        [
          "\(row) - next->left", "next->left", "count", hasEvenWidths ? "2 * count" : "c->width",
          "next->channel_stride", padding ?? "next->padding",
        ],
        ");")
    }
    if splits, storesWords {
      out.print("if (c->is_split) {\n    \(split)")
      if fillsHalo {
        out.print("} else {")
        out.indented(printHaloFill)
      }
      out.print("}")
    } else if splits {
      out.print(split)
    } else if fillsHalo {
      printHaloFill(&out)
    }
  }

  // MARK: Stage

  /// The stage's descriptor, behind its tables.
  func printDescriptor(_ index: Int, _ out: inout CodePrinter) {
    guard let number = stages.firstIndex(where: { $0.index == index }) else { return }
    let stage = stages[number].stage
    out.print("static const IN_FLASH struct convolution \(stage.name)_convolution = {")
    for field in fields { out.print("    .\(field.name) = \(field.values[number]),") }
    out.print("};\n")
  }

  /// `CODE_BITS`, where all stages have the same.
  func printCodeBits(_ out: inout CodePrinter) {
    let planes = plan.stages.filter { $0.planes != nil || $0.hwc != nil }.compactMap { $0.epilogue?.codeBits }
    let bits = bits.union(planes)
    if bits.count == 1, let bits = bits.first {
      out.print("#define CODE_BITS \(bits) /* of the codes that convolutions make */\n")
    }
  }
}

extension FirmwarePlan {
  /// Words whose sums are made together, each tap's offset read once: the number that suits the stages' widths best.
  var wordsPerPass: Int {
    func instructions(_ stage: Stage, _ pass: Int) -> Int {
      guard case .convolution(let work) = stage.work, let lanes = stage.lineBuffer.lanes else { return 0 }
      let each = pass == 8 && core == .cortexM0 ? 31 : 2 * pass + 4
      let isStrided = stage.window.strideWidth > 1
      let passes = isStrided ? 0 : lanes.outputs / pass
      let sums = passes * each + (lanes.outputs - passes * pass) * 5
      return sums * work.nonZeros * stage.accumulatorShape.height
    }
    func total(_ pass: Int) -> Int { stages.filter(\.isPackedLanes).reduce(0) { $0 + instructions($1, pass) } }
    return [8, 4, 3].min { total($0) < total($1) } ?? 8
  }
}

extension ConvolutionWork {
  /// Each output channel is a group by itself and sees input channels of its own.
  func hasSingleOutputs(_ stage: Stage) -> Bool { outputsPerGroup == 1 && stage.outputShape.channels > 1 }
}

extension Stage {
  /// Words of a row that are summed up `pass` at a time.
  func wholePasses(_ pass: Int) -> Int {
    window.strideWidth > 1 ? 0 : (lineBuffer.lanes?.outputs ?? 0) / pass * pass
  }

}

extension StagePrinter {
  /// The function that makes all rows that are due, one call of `convolve` each.
  func printConvolution(_ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.block("while (convolve(memory, &\(name)_convolution))", printSuccessor)
    }
    out.print()
  }

  /// `in`: the first word of the window.
  func printInput(_ out: inout CodePrinter) {
    let base = "(const uint32_t *)(const void *)(memory + s->buffer)"
    if let offset = inputOffset {
      out.print("const uint32_t *const first = \(base);")
      out.print("const uint32_t *const in = first + \(offset);")
    } else {
      out.print("const uint32_t *const in = \(base);")
    }
  }

  /// The sums of a channel's row, and of the rows that are pooled with it.
  func printLaneSums(_ from: String, _ lanes: LineBuffer.SWARLanes, _ out: inout CodePrinter) {
    let pass = plan.wordsPerPass
    let name = pass == 8 ? "convolve_row_swar2_x8" : pass == 4 ? "convolve_row_swar2_x4" : "convolve_row_swar2_x3"
    let whole = stage.wholePasses(pass)
    for row in 0..<(stage.hasWordSums ? stage.rowsPerOutput : 1) {
      let input = row == 0 ? from : "\(from) + \(row * stage.window.strideHeight * stage.lineBuffer.rowStride)"
      let offset = row * lanes.outputs
      let start = "\(lanes.guardBias) * 65537U"
      func sums(_ column: Int) -> String { offset + column == 0 ? "acc" : "acc + \(offset + column)" }
      if whole > 0 { out.list("\(name)(", [input, "offsets", "taps", start, sums(0), "\(whole)"], ");") }
      if whole < lanes.outputs {
        let rest = whole == 0 ? input : "\(input) + \(whole)"
        out.list(
          "convolve_row_swar2_strided(",
          [rest, "s->stride_width", "offsets", "taps", start, sums(whole), "\(lanes.outputs - whole)"], ");")
      }
    }
  }
}
