import FirmwarePlanning
import Templates

/// Convolutions with packed weights over words of two lanes: one function for all that requantize alike, driven by a
/// descriptor of each.
struct ConvolutionPrinter {
  let plan: FirmwarePlan
  private let stages: [(index: Int, stage: Stage, work: ConvolutionWork)]

  init(_ plan: FirmwarePlan) {
    self.plan = plan
    stages = plan.stages.enumerated().compactMap { index, stage in
      guard stage.isUniform, case .convolution(let work) = stage.work else { return nil }
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

  private var hasLimits: Bool { stages.contains { !$0.work.epilogue.limits.isEmpty } }
  private var closes: Bool { stages.contains { StagePrinter(plan, $0.index).closesRows } }
  private var splits: Bool { stages.contains { StagePrinter(plan, $0.index).nextWords == nil } }
  private var bits: Set<Int> { Set(stages.compactMap { $0.work.epilogue.saturatedBits }) }

  private var fields: [Field] {
    let printers = stages.map { StagePrinter(plan, $0.index) }
    var fields = [
      Field("const struct stage *", "stage", "", values: stages.map { "&\($0.stage.descriptor)" }),
      Field("const uint8_t *", "weights", "packed, of all channels", values: stages.map { "\($0.stage.name)_weights[0]" }),
      Field("const int32_t *", "multiplier", "", values: stages.map { "\($0.stage.name)_multiplier" }),
      Field("const int32_t *", "bias", "less what the lift adds", values: stages.map { "\($0.stage.name)_bias" }),
    ]
    if hasLimits {
      fields.append(
        Field(
          "const struct limit *", "limits", "",
          values: stages.map { $0.work.epilogue.limits.isEmpty ? "0" : "\($0.stage.name)_limits" }))
    }
    var numbers = [
      Field("channels", "of the output", stages.map(\.stage.outputShape.channels)),
      Field("group_channels", "of the input, that an output channel sees", stages.map(\.work.groupChannels)),
      Field("taps", "weights of a channel", stages.map(\.work.taps)),
      Field(
        "in_step", "words from the input of an output channel to the next one's",
        stages.map { $0.work.isDepthwise($0.stage) ? $0.stage.ring.channelStride : 0 }),
      Field(
        "out_step", "bytes from an output channel to the next",
        zip(stages, printers).map { ($1.nextWords == nil ? 1 : 4) * $1.outputStride }),
      Field("words", "of an output row", stages.map { $0.stage.outputWords ?? 0 }),
      Field("lift", "of both lanes", stages.map { $0.stage.ring.lanes?.lift ?? 0 }),
      Field("shift", "", stages.map(\.work.epilogue.shift)),
    ]
    if bits.count > 1 { numbers.append(Field("bits", "of a level", stages.map { $0.work.epilogue.saturatedBits ?? 0 })) }
    if hasLimits { numbers.append(Field("limit_count", "", stages.map(\.work.epilogue.limits.count))) }
    if closes || splits { numbers.append(Field("width", "columns of an output row", stages.map(\.stage.outputShape.width))) }
    if splits { numbers.append(Field("is_split", "the row goes out as bytes", printers.map { $0.nextWords == nil ? 1 : 0 })) }
    if closes {
      numbers += [
        Field("left", "halo of the output row", printers.map { $0.nextWords?.left ?? 0 }),
        Field("stored", "words of the output row, with its halo", printers.map { $0.closedWords }),
        Field("padding", "level of the halo", printers.map { $0.nextWords?.paddingLevel ?? 0 }),
      ]
    }
    // The largest types first: no bytes are lost between them.
    return fields + ["uint32_t ", "uint16_t ", "uint8_t "].flatMap { type in numbers.filter { $0.type == type } }
  }

  /// The descriptor's type and the function; nothing where no stage needs them.
  func print(to out: inout CodePrinter) {
    guard !stages.isEmpty else { return }
    if hasLimits {
      out.print("/* Accumulators of a channel beyond these do not change its level any more. */")
      out.print("struct limit {\n    uint16_t channel;\n    uint16_t least; /* both lifted */\n    uint16_t most;\n};\n")
    }
    out.print("/* A convolution over words of two lanes: what convolve needs beside the window. */")
    out.print("struct convolution {")
    for line in Self.aligned(fields.map { ("    \($0.type)\($0.name);", $0.comment) }) { out.print(line) }
    out.print("};\n")
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
    out.print("/* Makes a row of a convolution, one output channel after the other. */")
    out.list(
      "static void convolve(",
      ["const struct convolution *c", "const uint32_t *in", "uint8_t *out", "uint8_t *memory"], ") {")
    out.indented { out in
      out.print("const struct stage *const s = c->stage;")
      out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
      out.print("const uint8_t *weights = c->weights;")
      out.print("const uint32_t count = c->words;")
      out.print("const unsigned shift = c->shift;\n")
      out.print("locate_taps(s, c->group_channels, window);")
      out.block("for (uint32_t oc = 0; oc < c->channels; oc++)") { out in
        out.print("const struct tap_list taps = list_taps(weights, c->taps, window, offsets);")
        out.print("const uint32_t m = (uint32_t)c->multiplier[oc];")
        out.print("const uint32_t b = (uint32_t)c->bias[oc];")
        let words = "(uint32_t *)(void *)out"
        out.print("uint32_t *const row = \(splits ? closesOrStores ? "c->is_split ? acc : \(words)" : "acc" : words);\n")
        out.print("sum_lanes(s, in, offsets, taps, c->lift * 65537U, acc);")
        printPool(&out)
        if hasLimits {
          out.block("for (uint32_t i = 0; i < c->limit_count; i++)") { out in
            out.block("if (c->limits[i].channel == oc)") {
              $0.print("limit_lanes(acc, count, c->limits[i].least, c->limits[i].most);")
            }
          }
        }
        let bits = bits.count > 1 ? "c->bits" : "LEVEL_BITS"
        out.block("for (uint32_t x = 0; x < count; x++)") {
          $0.print("row[x] = requantize_lanes(acc[x], m, b, shift, \(bits));")
        }
        printStore(&out)
        out.print("weights += (c->taps + 3U) / 4;")
        if stages.contains(where: { $0.work.isDepthwise($0.stage) }) { out.print("in += c->in_step;") }
        out.print("out += c->out_step;")
      }
    }
    out.print("}\n")
  }

  /// Whether any row goes out as words.
  private var closesOrStores: Bool { stages.contains { StagePrinter(plan, $0.index).nextWords != nil } }

  private func printPool(_ out: inout CodePrinter) {
    let pooled = stages.count { $0.stage.pool != nil }
    guard pooled > 0 else { return }
    if pooled == stages.count {
      out.print("pool_lanes(s, acc);")
    } else {
      out.block("if (s->pool_height + s->pool_width > 2)") { $0.print("pool_lanes(s, acc);") }
    }
  }

  private func printStore(_ out: inout CodePrinter) {
    let split = "split_row(acc, count, c->width, out);"
    // The first word of the halo lies before the row.
    let close = "close_row(row - c->left, c->left, count, c->width, c->stored, c->padding);"
    switch (splits, closes) {
    case (true, true):
      out.print("if (c->is_split) {\n    \(split)\n} else {\n    \(close)\n}")
    case (true, false):
      if closesOrStores { out.block("if (c->is_split)") { $0.print(split) } } else { out.print(split) }
    case (false, true): out.print(close)
    case (false, false): break
    }
  }

  // MARK: Stage

  /// The stage's descriptor, behind its tables.
  func printDescriptor(_ index: Int, _ out: inout CodePrinter) {
    guard let number = stages.firstIndex(where: { $0.index == index }) else { return }
    let (_, stage, work) = stages[number]
    if !work.epilogue.limits.isEmpty {
      let lift = stage.ring.lanes.map { $0.isLiftedInEpilogue ? 0 : $0.lift } ?? 0
      out.print("static const struct limit \(stage.name)_limits[\(work.epilogue.limits.count)] = {")
      for limit in work.epilogue.limits {
        let range = limit.accumulators
        out.print("    {\(limit.channel), \(range.lowerBound + lift), \(range.upperBound + lift)},")
      }
      out.print("};\n")
    }
    out.print("static const struct convolution \(stage.name)_convolution = {")
    for field in fields { out.print("    .\(field.name) = \(field.values[number]),") }
    out.print("};\n")
  }

  /// Kernels of the stages in lanes with packed weights, whether they share the function or not.
  static func kernels(_ plan: FirmwarePlan) -> Set<Kernel> {
    let packed = plan.stages.filter(\.isPackedLanes)
    guard !packed.isEmpty else { return [] }
    var used: Set<Kernel> = [.listTaps]
    switch plan.wordsPerPass {
    case 8: used.insert(.sumLanes8)
    case 4: used.insert(.sumLanes4)
    default: used.insert(.sumLanes3)
    }
    let pools = packed.compactMap(\.pool)
    if !pools.isEmpty {
      let areTwoByTwo = pools.allSatisfy { $0.kernelHeight == 2 && $0.kernelWidth == 2 }
      used.formUnion([.maxLanes, areTwoByTwo ? .poolLanes2x2 : .poolLanes])
    }
    let printer = ConvolutionPrinter(plan)
    if !printer.stages.isEmpty { used.insert(.requantizeLanes) }
    if printer.splits { used.insert(.splitRow) }
    return used
  }

  /// `LEVEL_BITS`, where all stages have the same.
  func printLevelBits(_ out: inout CodePrinter) {
    if bits.count == 1, let bits = bits.first {
      out.print("#define LEVEL_BITS \(bits) /* of the levels that convolutions make */\n")
    }
  }
}

extension FirmwarePlan {
  /// Words whose sums are made together, each tap's offset read once: the number that suits the stages' widths best.
  var wordsPerPass: Int {
    func instructions(_ stage: Stage, _ pass: Int) -> Int {
      guard case .convolution(let work) = stage.work, let lanes = stage.ring.lanes else { return 0 }
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
  /// Each output channel sees an input channel of its own.
  func isDepthwise(_ stage: Stage) -> Bool { outputsPerGroup == 1 && stage.outputShape.channels > 1 }
}

extension Stage {
  /// Whether the shared function serves it: a requantizer of each channel with a saturating clamp, and one group or as
  /// many as channels.
  var isUniform: Bool {
    guard isPackedLanes, output.elementBytes == 1, case .convolution(let work) = work,
      work.epilogue.saturatedBits != nil, case .affine(let multipliers, let offsets, _, _, _) = work.epilogue.form
    else { return false }
    return multipliers.count > 1 && offsets.count == multipliers.count
      && (work.outputsPerGroup == 1 || work.outputsPerGroup == outputShape.channels)
  }
}

extension Epilogue {
  fileprivate var shift: Int {
    if case .affine(_, _, let shift, _, _) = form { shift } else { 0 }
  }
}

extension StagePrinter {
  /// Words of a row that goes out, with its halo.
  fileprivate var closedWords: Int {
    guard let ring = nextWords else { return 0 }
    return ring.channelStride
  }

  /// The function that makes all rows that are due, one call of `convolve` each.
  func printConvolution(_ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);\n")
      out.block("while (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        printInput(&out)
        out.print()
        let to = nextWords == nil ? "out" : "(uint8_t *)out"
        out.print("convolve(&\(name)_convolution, in, \(to), memory);")
        printProbe(&out)
        out.print("rows[1]++;")
        printSlide(&out)
        printSuccessor(&out)
      }
    }
    out.print()
  }

  /// `in`: the first word of the window.
  func printInput(_ out: inout CodePrinter) {
    let base = "(const uint32_t *)(const void *)(memory + s->ring)"
    if let offset = inputOffset {
      out.print("const uint32_t *const first = \(base);")
      out.print("const uint32_t *const in = first + \(offset);")
    } else {
      out.print("const uint32_t *const in = \(base);")
    }
  }
}
