import TernaryIR

/// A depthwise convolution whose weights are unrolled, over words of two lanes: a statement for each channel.
package struct UnrolledDepthwise: KernelVariant {
  /// What the statements read.
  package enum Source: Sendable, Equatable {
    /// Words of two lanes as they lie in the line buffer.
    case words
    /// Bytes, which become words wherever they are read.
    case bytes
    /// Words in scratch memory that are made of a channel's rows of bytes, padding at the rows' ends among them: rows are
    /// bytes without a halo.
    case gathered(WidenedWindow)
  }

  package var terms: ConvolutionTerms
  package var lanes: Lanes
  /// Of each output channel.
  package var taps: [TapList]
  package var source: Source

  package var geometry: Geometry { terms.geometry }
  package var accumulators: ClosedRange<Int>? { terms.accumulators(without: lanes.guardInEpilogue) }
  package var layerWidth: Int { lanes.outputs }
  package var weightForm: WeightForm { .code }
  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var columns: ColumnAccess {
    switch source {
    case .words: .within((lanes.outputs - 1) * terms.window.strideWidth + terms.window.kernelWidth)
    case .bytes: lanes.widenedColumns(terms)
    // Padding is made as words are; what is there are the columns of the map.
    case .gathered: .any
    }
  }
  package var makes: RowElements { .words(words) }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  private var words: Int { lanes.words(geometry) }
  private var gathered: WidenedWindow? { if case .gathered(let window) = source { window } else { nil } }
  package var scratch: ScratchNeeds {
    ScratchNeeds(accumulators: lanes.outputs + (geometry.isPooled ? words : 0), window: gathered?.words ?? 0)
  }

  private func requantization(_ context: Context) -> Requantization {
    .init(
      name: context.name, epilogue: terms.epilogue, channels: terms.channels,
      sums: .words(guardBias: lanes.remainingGuardBias), limitBytes: 4)
  }
  private func sums(_ context: Context) -> UnrolledSums {
    UnrolledSums(context, type: lanes.cType(terms.epilogue), guardWord: lanes.guardWord)
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    terms.isConstant ? [] : requantization(context).tables
  }

  // MARK: Cost

  /// Column tiles in which it makes a row.
  private func columnTiles(_ context: Context) -> Int {
    context.output.columnTile.map { context.output.layout.distance / $0 } ?? 1
  }
  private var liveTaps: Int { terms.liveChannels.reduce(0) { $0 + taps[$1].offsets.count } }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    let (tiles, live) = (columnTiles(context), terms.liveChannels.count)
    add(tiles > 1 ? .storedChannel : .channel, geometry.output.height * live * tiles)
    add(.depthwiseRow, terms.layerRows * live * tiles)
    if let gathered { add(.windowWord, geometry.output.height * live * gathered.words) }
    add(.depthwisePosition, terms.layerRows * live * lanes.outputs)
    add(source == .bytes ? .byteTap : .depthwiseTap, terms.layerRows * lanes.outputs * liveTaps)
    terms.countResults(context, words: words, areWords: true, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    func add(_ feature: CodeFeature, _ amount: Int = 1) { counts[feature, default: 0] += amount }
    context.countRowCode(&counts)
    add(.codedDepthwise)
    add(.depthwiseChannel, terms.liveChannels.count)
    add(source == .bytes ? .byteTap : .depthwiseTap, liveTaps)
    if gathered != nil { add(.gatheredWindow) }
    if context.output.columnTile != nil { add(.stripRows) }
    if geometry.isPooled { add(.packedPool) }
    if !terms.constants.isEmpty { add(.packedConstants) }
    add(.constantChannel, terms.constants.count)
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  // MARK: Text

  package func problems(_ context: Context) -> [String] {
    lanes.problems(terms, context) + lanes.rangeProblems(terms)
  }

  package func summary(_ context: Context) -> [String] {
    let widening = source == .words ? "" : " Rows are bytes, and become words as they are read."
    let padding = gathered != nil && terms.window.hasPadding ? " Padding left and right is never stored." : ""
    return context.requantizerText(requantization(context)) + [lanes.summary() + widening + padding]
  }

  // MARK: Program

  private func inputType(_ sums: UnrolledSums) -> String { source == .bytes ? "uint8_t" : sums.type }
  /// The words of sums in the type of lanes.
  private func acc(_ sums: UnrolledSums) -> String { sums.isSigned ? "(int32_t *)acc" : "acc" }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let sums = sums(context)
    if !terms.isConstant {
      printSums(sums, context, &out)
      if let gathered {
        let padding = WideningProgram.Padding(
          left: terms.window.left, width: geometry.input.width, code: context.input.layout.paddingCode)
        WideningProgram(window: gathered, lanes: lanes, sums: sums, padding: padding).print(context, &out)
      }
    }
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      if !terms.isConstant {
        out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
        if gathered != nil { out.print("\(sums.type) *const window = \(acc(sums)) + \(scratch.accumulators);") }
      }
      out.print()
      out.block("while (\(context.isDue))") { out in
        out.print("const uint32_t oy = \(context.made);")
        context.printDestination(&out)
        if !terms.isConstant { context.printInput(source == .words ? sums.type : "uint8_t", &out) }
        out.print()
        if !context.output.isInPlace { context.printConstantRows(terms.constants, &out) }
        if let tile = context.output.columnTile {
          out.print("\(context.made)++;")
          printColumnTiles(tile, sums, context, &out)
          context.printSlide(&out)
          return
        }
        if !terms.isConstant { printChannels(nil, sums, context, &out) }
        // Rows that go where the window lies: what has not been computed must not be written before that.
        if context.output.isInPlace { context.printConstantRows(terms.constants, &out) }
        if terms.isConstant { context.printEnd(&out) } else { context.printRowDone(&out) }
      }
    }
    out.print()
  }

  /// The function that sums up a row of a channel.
  private func printSums(_ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder) {
    sums.printGuardBias(&out)
    let (live, tile) = (terms.liveChannels, context.output.columnTile)
    out.print("/* The sums of \(tile.map { "\($0) words" } ?? "a row") of channel oc. */")
    out.list(
      "static NO_INLINE void \(context.name)_sums(",
      ["uint32_t oc", "const \(inputType(sums)) *in", "\(sums.type) *sums"], ") {")
    out.indented { out in
      if live.allSatisfy({ taps[$0].offsets.isEmpty }) { out.print("(void)in;") }
      out.print("/* clang-format off */\nswitch (oc) {")
      let x = terms.window.strideWidth == 1 ? "x" : "\(terms.window.strideWidth) * x"
      for oc in live {
        out.print("case \(oc):")
        out.indented { out in
          out.print("for (uint32_t x = 0; x < \(tile ?? lanes.outputs); x++) {")
          let words = taps[oc].offsets.enumerated().map { place, offset in
            let at = "\(x)\(offset == 0 ? "" : " + \(offset)")"
            let word = source == .bytes ? sums.pair("in + \(at)", lanes) : "in[\(at)]"
            return "\(place < taps[oc].plus ? "+" : "-") \(word)"
          }
          out.indented { $0.sum("sums[x] =", [sums.guardBias] + words) }
          out.print("}\nbreak;")
        }
      }
      out.print("default:\n    break;\n}\n/* clang-format on */")
    }
    out.print("}\n")
  }

  /// - Parameter x: The column tile's first word, where a row is made in several.
  private func printChannels(_ x: String?, _ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    out.block("for (uint32_t oc = 0; oc < \(terms.channels); oc++)") { out in
      context.printConstantCases(terms.constants, &out)
      let channel = terms.outputsPerGroup == 1 ? "oc" : "oc / \(terms.outputsPerGroup)"
      let step = terms.window.strideWidth
      let column = x.map { " + " + (step == 1 ? $0 : "\(step) * \($0)") } ?? ""
      let from = "in + \(channel) * \(context.input.layout.channelStride)\(column)"
      if gathered == nil { out.print("const \(inputType(sums)) *const from = \(from);") }
      out.print("\(context.outputType) *const row = out + oc * \(context.outputStride);\n")
      if gathered != nil { out.print("\(context.name)_unpack(\(from), window);") }
      printTapSums(sums, context, &out)
      let count = context.output.columnTile ?? words
      let result = geometry.isPooled ? "pooled" : "acc"
      out.print()
      requantization.printLimits(result, count, &out)
      requantization.printConstants("oc", &out)
      requantization.printWords("\(result)[ox]", count, to: .init(half: words), context, &out)
      context.printHalo("row", &out)
    }
  }

  private func printTapSums(_ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder) {
    let from = gathered == nil ? "from" : "window"
    func call(_ from: String) -> String { "\(context.name)_sums(oc, \(from), \(acc(sums)));" }
    guard geometry.isPooled else { return out.print(call(from)) }
    out.print("uint32_t *const pooled = acc + \(lanes.outputs);\n")
    out.block("for (uint32_t r = 0; r < \(geometry.poolHeight); r++)") { out in
      let rowStride = gathered?.width ?? context.input.layout.rowStride
      out.print(call("\(from) + r * \(terms.window.strideHeight * rowStride)"))
      out.print("max_pool_row_swar2(acc, \(geometry.poolWidth), r == 0, pooled, \(words));")
    }
  }

  /// Column tile after column tile, each taken by the next operation at once.
  private func printColumnTiles(
    _ tile: Int, _ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder
  ) {
    let x = tile < lanes.outputs ? "x" : nil
    func printTile(_ out: inout ProgramBuilder) {
      if !terms.isConstant { printChannels(x, sums, context, &out) }
      out.call(
        "\(context.plan.macroPrefix)_PROBE_COLUMN_TILE",
        ["\(context.index)", "oy", "out", x ?? "0", "\(tile)", "\(lanes.outputs)"])
      for next in context.successors { out.print("\(next.name)_advance(memory\(x.map { ", " + $0 } ?? ""));") }
    }
    if x == nil {
      printTile(&out)
    } else {
      out.block("for (uint32_t x = 0; x < \(lanes.outputs); x += \(tile))", printTile)
    }
  }
}

/// A depthwise convolution over words of four lanes, whose taps are lists: statements would be long, as each tap is
/// unpacked twice.
package struct TapListDepthwise: KernelVariant {
  package var terms: ConvolutionTerms
  package var lanes: Lanes
  /// Of each output channel.
  package var taps: [TapList]

  package var geometry: Geometry { terms.geometry }
  package var accumulators: ClosedRange<Int>? { terms.accumulators(without: lanes.guardInEpilogue) }
  package var layerWidth: Int { lanes.outputs }
  package var weightForm: WeightForm { .tapLists }
  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var makes: RowElements { .words(words) }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  private var words: Int { lanes.words(geometry) }
  package var scratch: ScratchNeeds { ScratchNeeds(accumulators: lanes.outputs + (geometry.isPooled ? words : 0)) }

  private func requantization(_ context: Context) -> Requantization {
    .init(
      name: context.name, epilogue: terms.epilogue, channels: terms.channels,
      sums: .words(guardBias: lanes.remainingGuardBias), limitBytes: 4)
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    let dead = Set(terms.constants.map(\.channel))
    let live = taps.indices.map { dead.contains($0) ? TapList(offsets: [], plus: 0) : taps[$0] }
    // A list without taps has a place too: C has no empty arrays.
    let offsets = live.flatMap(\.offsets)
    return [
      ConstantTable("\(context.name)_taps", .weights, .uint16, offsets.isEmpty ? [0] : offsets),
      ConstantTable("\(context.name)_counts", .weights, .uint16, rows: live.map { [$0.plus, $0.minus] }),
    ] + (terms.isConstant ? [] : requantization(context).tables)
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    let live = terms.liveChannels
    let taps = live.reduce(0) { $0 + self.taps[$1].offsets.count }
    let loaded = context.input.layout.distance
    add(.channel, geometry.output.height * live.count)
    add(.tapRow, terms.layerRows * live.count)
    add(
      .tapTaken, terms.layerRows * taps * (terms.window.strideWidth == 1 ? (loaded + 3) / 4 + loaded % 4 : loaded))
    add(.quadWord, terms.layerRows * taps * loaded)
    terms.countResults(context, words: words, areWords: true, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    func add(_ feature: CodeFeature, _ amount: Int = 1) { counts[feature, default: 0] += amount }
    context.countRowCode(&counts)
    add(.tapTables)
    if geometry.isPooled { add(.packedPool) }
    if !terms.constants.isEmpty { add(.packedConstants) }
    add(.constantChannel, terms.constants.count)
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode.union([.anyQuadTaps]) }

  package func problems(_ context: Context) -> [String] {
    lanes.problems(terms, context) + lanes.rangeProblems(terms)
  }

  package func summary(_ context: Context) -> [String] {
    context.requantizerText(requantization(context)) + [lanes.summary()]
  }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      if !terms.isConstant {
        out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      }
      out.print()
      out.block("while (\(context.isDue))") { out in
        out.print("const uint32_t oy = \(context.made);")
        context.printDestination(&out)
        if !terms.isConstant {
          context.printInput("uint32_t", &out)
          out.print("const IN_FLASH uint16_t *taps = \(context.name)_taps;")
        }
        out.print()
        context.printConstantRows(terms.constants, &out)
        if terms.isConstant {
          context.printEnd(&out)
        } else {
          printChannels(context, &out)
          context.printRowDone(&out)
        }
      }
    }
    out.print()
  }

  private func printChannels(_ context: Context, _ out: inout ProgramBuilder) {
    let (name, requantization) = (context.name, requantization(context))
    out.block("for (uint32_t oc = 0; oc < \(terms.channels); oc++)") { out in
      context.printConstantCases(terms.constants, &out)
      let channel = terms.outputsPerGroup == 1 ? "oc" : "oc / \(terms.outputsPerGroup)"
      out.print("const uint32_t *const from = in + \(channel) * \(context.input.layout.channelStride);")
      out.print("\(context.outputType) *const row = out + oc * \(context.outputStride);\n")
      func printCall(_ from: String, _ out: inout ProgramBuilder) {
        out.call(
          "sum_taps_swar4",
          [from, "taps", "\(name)_counts[oc]", "\(context.input.layout.distance)", "\(lanes.guardBias)", "acc"])
      }
      if geometry.isPooled {
        out.print("uint32_t *const pooled = acc + \(lanes.outputs);\n")
        out.block("for (uint32_t r = 0; r < \(geometry.poolHeight); r++)") { out in
          printCall("from + r * \(terms.window.strideHeight * context.input.layout.rowStride)", &out)
          out.print("max_pool_row_swar2(acc, \(geometry.poolWidth), r == 0, pooled, \(words));")
        }
      } else {
        printCall("from", &out)
      }
      out.print("taps += \(name)_counts[oc][0] + \(name)_counts[oc][1];")
      let result = geometry.isPooled ? "pooled" : "acc"
      out.print()
      requantization.printLimits(result, words, &out)
      requantization.printConstants("oc", &out)
      requantization.printWords("\(result)[ox]", words, to: .init(half: words), context, &out)
      context.printHalo("row", &out)
    }
  }
}
