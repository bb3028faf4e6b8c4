import TernaryIR

/// A convolution with packed weights over rows of words of two lanes, in one group or in as many as channels, whose
/// requantizers take six bytes a channel: one function serves all of them, driven by a descriptor of each.
package struct SharedPackedLanes: PackedLaneSums {
  package var terms: ConvolutionTerms
  package var lanes: Lanes
  /// Of each output channel.
  package var scales: [ChannelScale]

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { terms.geometry.rows }
  package var movement: RowMovement { .counted }
  package var makes: RowElements { .words(lanes.words(terms.geometry)) }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  package var scratch: ScratchNeeds {
    ScratchNeeds(accumulators: lanes.outputs * terms.geometry.rowsPerOutput, rows: terms.taps, taps: terms.taps)
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    [
      ConstantTable("\(context.name)_weights", packing: terms.weights, run: terms.taps),
      ChannelScale.table(context.name, scales),
    ]
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    terms.countDecoding(&counts)
    countLaneWork(&counts)
    terms.countResults(context, words: lanes.words(terms.geometry), areWords: true, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    terms.countPackedCode(&counts)
    counts[.packed, default: 0] += 1
    if terms.geometry.isPooled { counts[.packedPool, default: 0] += 1 }
    Requantization(
      name: context.name, epilogue: terms.epilogue, channels: terms.channels,
      sums: .words(guardBias: lanes.remainingGuardBias)
    ).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode
      .union([.anyLookup, .anyPacked, .anyPackedLanes, .anyConvolve])
      .union(terms.geometry.isPooled ? [.anyLanePool] : [])
  }

  package func problems(_ context: Context) -> [String] {
    lanes.problems(terms, context) + lanes.rangeProblems(terms)
  }

  package func summary(_ context: Context) -> [String] { [ChannelScale.summary(context), lanes.summary()] }

  // MARK: Program

  /// The function that makes all rows that are due, one call of `convolve` each.
  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    SharedConvolution(context.plan).printDescriptor(context.index, &out)
    out.block(context.prototype) { out in
      out.block("while (convolve(memory, &\(context.name)_convolution))", context.printSuccessor)
    }
    out.print()
  }
}

extension ChannelScale {
  static func table(_ name: String, _ scales: [ChannelScale]) -> ConstantTable {
    ConstantTable(
      "\(name)_scale", .requantizer, .uint16,
      rows: scales.map { [$0.multiplier & 0xFFFF, $0.bias & 0xFFFF, $0.bias >> 16 & 0xFFFF] })
  }

  /// The line of a comment that says how sums are requantized.
  static func summary(_ context: Context) -> String {
    let pairs = context.operation.layer.requantizer?.proof.pairs ?? 0
    let proof = pairs == 0 ? "." : ", exact for all \(pairs) reachable accumulators."
    return "Requantizer: (a * m + b) >> s, the shift s of each channel in its b\(proof)"
  }
}

/// The function that convolutions with packed weights over words of two lanes share, and their descriptors.
package struct SharedConvolution {
  private let plan: FirmwarePlan
  private let members: [(context: Context, variant: SharedPackedLanes)]

  package init(_ plan: FirmwarePlan) {
    self.plan = plan
    members = plan.operations.indices.compactMap { index in
      (plan.operations[index].variant as? SharedPackedLanes).map { (Context(plan, index), $0) }
    }
  }

  private var contexts: [Context] { members.map(\.context) }
  private var terms: [ConvolutionTerms] { members.map(\.variant.terms) }
  /// Those that read what the members make.
  private var readers: [Context] { contexts.map { $0.successors[0] } }

  // MARK: Descriptor

  private struct Field {
    var type: String
    var name: String
    var comment: String
    /// Of each member.
    var values: [String]

    /// A number in the smallest type that holds it for all members.
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

  private var fillsHalo: Bool { contexts.contains { $0.fillsHalos } }
  /// Whether any member's rows go out as bytes, and as words.
  private var splits: Bool { contexts.contains { !$0.makesWords } }
  private var storesWords: Bool { contexts.contains { $0.makesWords } }
  package var bits: Set<Int> { Set(terms.compactMap { $0.epilogue.codeBits }) }
  private var isPooled: [Bool] { terms.map(\.geometry.isPooled) }
  private var hasSingleOutputs: Bool { terms.contains { $0.hasSingleOutputs } }

  private var fields: [Field] {
    let fields = [
      Field("const IN_FLASH struct stage *", "stage", "", values: contexts.map { "&\($0.descriptor)" }),
      Field(
        "const IN_FLASH struct stage *", "next", "whose buffer the rows go into",
        values: contexts.map { "&\(plan.descriptor(of: $0.operation.output))" }),
      Field(
        "const IN_FLASH uint8_t *", "weights", "packed, of all channels",
        values: contexts.map { "\($0.name)_weights[0]" }),
      Field(
        "const IN_FLASH uint16_t *", "scale", "three of each channel: see requantize_swar2",
        values: contexts.map { "\($0.name)_scale[0]" }),
    ]
    var numbers = [
      Field("index", "of the layer", contexts.map(\.index)),
      Field("channels", "of the output", terms.map(\.channels)),
      Field("group_channels", "of the input, that an output channel sees", terms.map(\.groupChannels)),
      Field("taps", "weights of a channel", terms.map(\.taps)),
      Field("words", "of an output row", members.map { $0.variant.lanes.words($0.variant.terms.geometry) }),
      Field("guard", "of both lanes", members.map(\.variant.lanes.guardBias)),
    ]
    if hasSingleOutputs {
      numbers.append(
        Field(
          "in_step", "words from an output channel's input to the next one's",
          members.map { context, variant in
            variant.terms.hasSingleOutputs ? variant.terms.groupChannels * context.input.layout.channelStride : 0
          }))
    }
    if bits.count > 1 { numbers.append(Field("bits", "of a code", terms.map { $0.epilogue.codeBits ?? 0 })) }
    if fillsHalo || splits, !hasEvenWidths {
      numbers.append(Field("width", "columns of an output row", terms.map(\.geometry.output.width)))
    }
    if splits, storesWords {
      numbers.append(Field("is_split", "the rows go out as bytes", contexts.map { $0.makesWords ? 0 : 1 }))
    }
    // The largest types first: no bytes are lost between them.
    return fields + ["uint32_t ", "uint16_t ", "uint8_t "].flatMap { type in numbers.filter { $0.type == type } }
  }

  /// The descriptor's type.
  package var typeText: String {
    let lines = alignedComments(fields.map { ("    \($0.type)\($0.name);", $0.comment) })
    return (["struct convolution {"] + lines + ["};"]).joined(separator: "\n")
  }

  /// The descriptors' values.
  package var descriptors: [Descriptor] {
    contexts.enumerated().map { number, context in
      Descriptor("convolution", "\(context.name)_convolution", fields.map { ($0.name, $0.values[number]) })
    }
  }

  func printDescriptor(_ index: Int, _ out: inout ProgramBuilder) {
    guard let number = members.firstIndex(where: { $0.context.index == index }) else { return }
    out.print("static const IN_FLASH struct convolution \(members[number].context.name)_convolution = {")
    for field in fields { out.print("    .\(field.name) = \(field.values[number]),") }
    out.print("};\n")
  }

  // MARK: Function

  /// The descriptor's type and the function; nothing where no operation needs them.
  package func print(to out: inout ProgramBuilder) {
    guard !members.isEmpty else { return }
    out.print("/* A convolution over words of two lanes: what convolve needs beside the window. */")
    out.print(typeText + "\n")
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
      let distance = !splits ? "count" : storesWords ? "c->is_split ? 0 : count" : "0"
      out.print("\(plan.macroPrefix)_PROBE(c->index, made, out, next->channel_stride, \(distance), 16);")
      out.print("rows[1]++;")
      printSlide(&out)
      out.print("return 1;")
    }
    out.print()
  }

  /// `in`, the window's first word, and `out`, the first value of the output row.
  private func printPlaces(_ out: inout ProgramBuilder) {
    let isStill = contexts.contains { $0.windowStep > 0 }
    let areSlides = contexts.allSatisfy { $0.windowStep == $0.variant.rows.step - $0.slides }
    let step = areSlides ? "(uint32_t)(s->advance - s->slides)" : "s->step"
    let start = isStill ? "first + made * \(step) * s->row_stride" : "first"
    out.print("const uint32_t *in = \(start);")
    let wraps = plan.sharedRowsWrap ? " % next->slots" : ""
    let isAbove = readers.contains { $0.input.storedAbove > 0 }
    let isTop = readers.allSatisfy { $0.input.storedAbove == $0.variant.rows.top }
    let above = isAbove ? isTop ? " + next->top" : " + next->above" : ""
    let isMoving = readers.contains { $0.slides > 0 }
    let by = readers.allSatisfy { $0.slides == $0.variant.rows.step } ? "advance" : "slides"
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

  private func printChannel(_ out: inout ProgramBuilder) {
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
    if hasSingleOutputs { out.print("in += c->in_step;") }
    out.print("to += \(splits && storesWords ? "size * " : "")next->channel_stride;")
  }

  private func printSums(_ out: inout ProgramBuilder) {
    let start = "c->guard * 65537U"
    let pass = plan.wordsPerPass
    let isStrided = terms.contains { $0.window.strideWidth > 1 }
    let hasRest = members.contains { $0.variant.wholePasses(pass) < $0.variant.lanes.outputs }
    let hasWhole = members.contains { $0.variant.wholePasses(pass) > 0 }
    let kernel = SharedPackedLanes.rowKernel(pass)
    func printRow(_ from: String, _ to: String, _ out: inout ProgramBuilder) {
      guard hasRest else {
        out.call(kernel, [from, "offsets", "taps", start, to, "s->out_width"])
        return
      }
      guard hasWhole else {
        out.call(
          "convolve_row_swar2_strided", [from, "s->stride_width", "offsets", "taps", start, to, "s->out_width"])
        return
      }
      let whole = "s->out_width / \(pass)U * \(pass)U"
      out.print("const uint32_t whole = \(isStrided ? "s->stride_width > 1 ? 0 : \(whole)" : whole);\n")
      out.call(kernel, [from, "offsets", "taps", start, to, "whole"])
      out.call(
        "convolve_row_swar2_strided",
        ["\(from) + whole", "s->stride_width", "offsets", "taps", start, "\(to) + whole", "s->out_width - whole"])
    }
    if isPooled.contains(true) {
      out.block("for (uint32_t r = 0; r < s->pool_height; r++)") { out in
        let isDense = terms.allSatisfy { !$0.geometry.isPooled || $0.window.strideHeight == 1 }
        out.print("const uint32_t *const from = in + r * \(isDense ? "" : "s->stride_height * ")s->row_stride;")
        if !hasRest || !hasWhole { out.print() }
        printRow("from", "acc + r * s->out_width", &out)
      }
    } else {
      printRow("in", "acc", &out)
    }
  }

  private func printSlide(_ out: inout ProgramBuilder) {
    guard plan.sharedRowsMove || plan.sharedRowsEnd else { return }
    let areMoving = contexts.allSatisfy { $0.slides > 0 }
    let by = areMoving ? "advance" : "slides"
    let body: (inout ProgramBuilder) -> Void = { out in
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
    members.allSatisfy { context, variant in
      context.output.shape.width == 2 * variant.lanes.words(variant.terms.geometry)
    }
  }

  /// The code of all padding, where there is but one.
  private var padding: Int? {
    let edges = contexts.flatMap { [$0.input, $0.output] }
    let codes = Set(edges.filter { $0.layout.holdsWords }.map(\.layout.paddingCode))
    return codes.count == 1 ? codes.first : nil
  }

  /// The same in both lanes.
  private var paddingWord: String {
    padding.flatMap { code in contexts.first?.input.layout.word(code) } ?? "s->padding * 65537U"
  }

  private func printPool(_ out: inout ProgramBuilder) {
    guard isPooled.contains(true) else { return }
    if isPooled.contains(false) {
      out.block("if (s->pool_height + s->pool_width > 2)") { $0.print("max_pool_swar2(s, acc);") }
    } else {
      out.print("max_pool_swar2(s, acc);")
    }
  }

  private func printStore(_ row: String, _ out: inout ProgramBuilder) {
    let width = hasEvenWidths ? "2 * count" : "c->width"
    let split = "unpack_row_swar2(acc, count, \(width), to);"
    // The halo's first word lies before the row.
    func printHaloFill(_ out: inout ProgramBuilder) {
      out.call(
        "fill_halo_swar2",
        [
          "\(row) - next->left", "next->left", "count", width, "next->channel_stride",
          padding.map(String.init) ?? "next->padding",
        ])
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
}

extension FirmwarePlan {
  private var sharedConvolutions: [Context] {
    operations.indices.filter { operations[$0].variant is SharedPackedLanes }.map { Context(self, $0) }
  }
  /// Whether the shared function takes slots modulo those of the next line buffer.
  package var sharedRowsWrap: Bool { sharedConvolutions.contains { $0.successors[0].wraps } }
  /// Whether it moves rows that the next window still sees.
  package var sharedRowsMove: Bool {
    sharedConvolutions.contains { $0.input.slide > 0 && $0.variant.rows.rows > $0.variant.rows.step }
  }
  /// Whether it writes padding behind the last row.
  package var sharedRowsEnd: Bool {
    sharedConvolutions.contains { $0.input.slide > 0 && $0.variant.rows.seesPaddingBelow }
  }
}
