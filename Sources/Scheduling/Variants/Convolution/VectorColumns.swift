import TernaryIR

/// A convolution whose weights are unrolled, over rows of single columns, in loops that compilers vectorize: their counts
/// are constants and multiples of a vector's, their bodies have no branches, and what they read and write does not
/// overlap.
package struct VectorColumns: KernelVariant {
  package var terms: ConvolutionTerms
  package var tiles: [ChannelTile]
  package var vectors: Columns

  package var geometry: Geometry { terms.geometry }
  package var weightForm: WeightForm { .code }
  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var columns: ColumnAccess { .any }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  package var scratch: ScratchNeeds { ScratchNeeds(accumulators: vectors.scratchWords) }

  /// Output channels in the order of their tiles, where that is not their own. Channels of a depthwise convolution have a
  /// loop each.
  package var order: [Int]? {
    let order = tiles.filter { !$0.isContinued }.flatMap(\.channels)
    return terms.isDepthwise || order == Array(order.indices) ? nil : order
  }

  private func requantization(_ context: Context) -> Requantization {
    .init(
      name: context.name, epilogue: terms.epilogue, channels: terms.channels,
      sums: .vectors(areShort: vectors.areShort))
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    (order.map { [ConstantTable("\(context.name)_order", .weights, .uint16, $0)] } ?? [])
      + (terms.isConstant ? [] : requantization(context).tables)
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    // Vectors, which no emulated core has: nothing is known of the sums.
    terms.countResults(context, words: geometry.output.width, areWords: false, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    if geometry.isPooled { counts[.fusedPool, default: 0] += 1 }
    if !terms.constants.isEmpty { counts[.packedConstants, default: 0] += 1 }
    counts[.constantChannel, default: 0] += terms.constants.count
    requantization(context).countCode(&counts)
  }

  /// Instructions of a vector operation for each addition, and those that widen bytes.
  package var uncountedCode: Int {
    300 + tiles.reduce(0) { $0 + 40 + 6 * $1.additions + 15 * $1.loads + 24 * $1.channels.count }
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  // MARK: Text

  package func problems(_ context: Context) -> [String] {
    let layout = context.input.layout
    var found: [String] = []
    // The last window row's last channel begins a channel before the end of the rows.
    let read = (vectors.sums - 1) * terms.window.strideWidth + terms.window.kernelWidth
    if read > layout.channelStride + layout.slack { found.append("sums leave the ring") }
    if vectors.outputs * geometry.poolWidth > vectors.sums || vectors.outputs < geometry.output.width {
      found.append("fewer sums than columns")
    }
    return found
  }

  package func summary(_ context: Context) -> [String] {
    let layout = context.input.layout
    let (width, slack) = (geometry.sums.width, layout.slack * layout.elementBytes)
    var text = "Sums of \(vectors.areShort ? 16 : 32) bits, \(vectors.sums) columns a row"
    if vectors.sums > width { text += ": a whole number of vectors, of which \(width) columns count" }
    if slack > 0 { text += ". The \(slack) bytes behind the last row hold codes too, so that all sums are in range" }
    return context.requantizerText(requantization(context)) + [text + "."]
  }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let name = context.name
    let type = vectors.cType
    if terms.isDepthwise {
      printChannelSums(context, &out)
    } else {
      for (number, tile) in tiles.enumerated() { printTile(tile, number, context, &out) }
    }
    printStore(context, &out)
    // Rows that are packed are made anew every time.
    let constants = context.packsRows ? [] : terms.constants
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print("\(type) *const sums = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      if poolsColumns { out.print("\(type) *const pooled = sums + \(vectors.pooled);") }
      out.print()
      out.block("while (\(context.isDue))") { out in
        out.print("const uint32_t oy = \(context.made);")
        context.printDestination(&out)
        printInput(context, &out)
        out.print()
        context.printConstantRows(constants, &out)
        if terms.isDepthwise {
          out.block("for (uint32_t oc = 0; oc < \(terms.channels); oc++)") { out in
            context.printConstantCases(constants, &out)
            printSumRows("\(name)_sums(oc, ", "in + oc * \(context.input.layout.channelStride)", context, &out)
            printStoreCall("oc", "sums", context, &out)
          }
        } else {
          printTileCalls(context, &out)
        }
        context.printProbe(&out)
        out.print("\(context.made)++;")
        printSlide(context, &out)
        context.printSuccessor(&out)
      }
    }
    out.print()
  }

  /// C's `restrict` as the source defines it for C++ as well.
  private func restrict(_ context: Context) -> String { "\(context.plan.macroPrefix)_RESTRICT" }
  private func inputType(_ context: Context) -> String { context.input.layout.cType }

  // MARK: Sums

  /// Sums of a channel's row, a loop for each channel.
  private func printChannelSums(_ context: Context, _ out: inout ProgramBuilder) {
    let restrict = restrict(context)
    out.print("/* The sums of a row of channel oc. */")
    out.list(
      "static NO_INLINE void \(context.name)_sums(",
      ["uint32_t oc", "const \(inputType(context)) *\(restrict) in", "\(vectors.cType) *\(restrict) sums"], ") {")
    out.indented { out in
      if tiles.allSatisfy(\.groups.isEmpty) { out.print("(void)in;") }
      out.print("/* clang-format off */\nswitch (oc) {")
      for tile in tiles {
        let uses = tile.groups.flatMap { group in group.uses.map { (offset: group.first, isNegative: $0.isNegative) } }
        let plus = uses.filter { !$0.isNegative }.map { "+ \(column($0.offset))" }
        var values = plus + uses.filter(\.isNegative).map { "- \(column($0.offset))" }
        if !values.isEmpty {
          values[0] = plus.isEmpty ? "-" + values[0].dropFirst(2) : String(values[0].dropFirst(2))
        }
        out.print("case \(tile.channels[0]):")
        out.indented { out in
          out.print("for (uint32_t x = 0; x < \(vectors.sums); x++) {")
          out.indented { out in
            guard let first = values.first, vectors.areShort else { return out.sum("sums[x] =", values) }
            values[0] = "(int16_t)(" + first
            values[values.count - 1] += ")"
            out.sum("sums[x] =", values)
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
    let x = terms.window.strideWidth == 1 ? "x" : "\(terms.window.strideWidth) * x"
    return "in[\(x)\(offset == 0 ? "" : " + \(offset)")]"
  }

  private func printTile(_ tile: ChannelTile, _ number: Int, _ context: Context, _ out: inout ProgramBuilder) {
    let channels = tile.channels.map(String.init).joined(separator: " ")
    out.note(
      "Channels \(channels)\(tile.isContinued ? ", continued" : ""): \(tile.nonZeros) weights in \(tile.additions) "
        + "additions of \(tile.loads) values.")
    let restrict = restrict(context)
    out.list(
      "static NO_INLINE void \(context.name)_block\(number)(",
      ["const \(inputType(context)) *\(restrict) in", "\(vectors.cType) *\(restrict) sums"], ") {")
    out.indented { out in
      out.block("for (uint32_t x = 0; x < \(vectors.sums); x++)") { printSums(tile, context, &$0) }
    }
    out.print("}\n")
  }

  private func printSums(_ tile: ChannelTile, _ context: Context, _ out: inout ProgramBuilder) {
    let groups = tile.groups
    let live = Set(groups.flatMap { $0.uses.map(\.channel) })
    var locals: [String] = []
    if !groups.isEmpty { locals.append("v") }
    if groups.contains(where: { $0.second != nil }) { locals.append("w") }
    if groups.contains(where: { $0.uses(.sum) || $0.uses(.difference) }) { locals.append("s") }
    func sum(_ channel: Int) -> String {
      channel == 0 ? "sums[x]" : "sums[\(channel * vectors.channelStride) + x]"
    }
    // Sums of the type that is stored: compilers narrow the additions of vectors only so.
    if !locals.isEmpty { out.list("\(vectors.cType) ", locals, ";") }
    for channel in live.sorted() {
      out.print("\(vectors.cType) a\(channel) = \(tile.isContinued ? sum(channel) : "0");")
    }
    if groups.isEmpty {
      out.print("(void)in;")
    } else {
      out.print("\n/* clang-format off */")
      for group in groups { out.words(statements(group, context)) }
      out.print("/* clang-format on */")
    }
    for channel in tile.channels.indices {
      if live.contains(channel) {
        out.print("\(sum(channel)) = a\(channel);")
      } else if !tile.isContinued {
        out.print("\(sum(channel)) = 0;")
      }
    }
  }

  /// The values of a group, and what is added of them.
  private func statements(_ group: TapGroup, _ context: Context) -> [String] {
    let isSigned = vectors.areShort && context.input.layout.element == .u16
    func value(_ offset: Int) -> String { (isSigned ? "(int16_t)" : "") + column(offset) }
    func sum(_ text: String) -> String { vectors.areShort ? "(int16_t)(\(text))" : text }
    return group.statements(value: value, sum: sum) { channel, sign, operand in
      "a\(channel) \(sign)= \(operand);"
    }
  }

  // MARK: Calls

  /// A pointer to the window's first row.
  private func printInput(_ context: Context, _ out: inout ProgramBuilder) {
    let type = inputType(context)
    guard let offset = context.inputOffset, type == "uint8_t" else { return context.printInput(type, &out) }
    out.print("const uint8_t *const in = memory + s->buffer + \(offset);")
  }

  /// Calls of a function that makes sums, for each row under the pool.
  private func printSumRows(_ call: String, _ from: String, _ context: Context, _ out: inout ProgramBuilder) {
    guard geometry.poolHeight > 1 else {
      out.print("\(call)\(from), sums);")
      return
    }
    out.block("for (uint32_t r = 0; r < \(geometry.poolHeight); r++)") {
      let step = terms.window.strideHeight * context.input.layout.rowStride
      $0.list("\(call)", ["\(from) + r * \(step)", "sums + r * \(vectors.sums)"], ");")
    }
  }

  private func printStoreCall(_ channel: String, _ sums: String, _ context: Context, _ out: inout ProgramBuilder) {
    out.call(
      "\(context.name)_store",
      [channel, sums] + (poolsColumns ? ["pooled"] : []) + ["out + \(channel) * \(context.outputStride)"])
  }

  private func printTileCalls(_ context: Context, _ out: inout ProgramBuilder) {
    var start = 0
    for (number, tile) in tiles.enumerated() {
      let input = "in\(tile.input == 0 ? "" : " + \(tile.input)")"
      printSumRows("\(context.name)_block\(number)(", input, context, &out)
      if number + 1 < tiles.count, tiles[number + 1].isContinued { continue }
      let end = start + tile.channels.count
      out.block("for (uint32_t i = \(start); i < \(end); i++)") { out in
        if order != nil { out.print("const uint32_t oc = \(context.name)_order[i];\n") }
        let place = start == 0 ? "i" : "(i - \(start))"
        printStoreCall(order != nil ? "oc" : "i", "sums + \(place) * \(vectors.channelStride)", context, &out)
      }
      start = end
    }
  }

  // MARK: Codes

  /// Whether a fused pool makes fewer columns, which lie apart from the sums.
  private var poolsColumns: Bool { geometry.poolWidth > 1 }
  private func isCode(_ context: Context) -> Bool { context.output.storage.elementBytes == 1 }

  /// The function that stores a row of a channel.
  private func printStore(_ context: Context, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    let (type, restrict) = (vectors.cType, restrict(context))
    out.print("/* \(geometry.isPooled ? "Pools, requantizes" : "Requantizes") and stores a row of channel oc. */")
    out.list(
      "static NO_INLINE void \(context.name)_store(",
      ["uint32_t oc", "\(type) *\(restrict) sums"] + (poolsColumns ? ["\(type) *\(restrict) pooled"] : [])
        + ["\(context.outputType) *\(restrict) row"],
      ") {")
    out.indented { out in
      if let pool = geometry.poolWindow {
        printPool(pool, &out)
        out.print()
      }
      let from = poolsColumns ? "pooled" : "sums"
      let count = isCode(context) ? vectors.outputs : geometry.output.width
      requantization.printLimits(from, count, &out)
      if !terms.epilogue.dependsOnChannel { out.print("(void)oc;") }
      if vectors.areShort, isCode(context), let guardBias = terms.epilogue.shortGuardBias {
        printShortCodes(guardBias, from, context, &out)
        return
      }
      requantization.printConstants("oc", &out)
      out.block("for (uint32_t ox = 0; ox < \(count); ox++)") {
        printCode(requantization.expression("\(from)[ox]"), from, context, &$0)
      }
      printRest(from, context, &out)
    }
    out.print("}\n")
  }

  /// Whether more codes are made than go out: where a row is not a whole number of vectors. They take the sums' places.
  private func makesMore(_ context: Context) -> Bool { isCode(context) && vectors.outputs > geometry.output.width }

  private func printCode(_ value: String, _ from: String, _ context: Context, _ out: inout ProgramBuilder) {
    let type = makesMore(context) ? vectors.cType : context.outputType
    out.print("\(makesMore(context) ? from : "row")[ox] = \(type == "int32_t" ? "" : "(\(type))")\(value);")
  }

  private func printRest(_ from: String, _ context: Context, _ out: inout ProgramBuilder) {
    guard makesMore(context) else { return }
    let cast = context.outputType == vectors.cType ? "" : "(\(context.outputType))"
    out.block("for (uint32_t ox = 0; ox < \(geometry.output.width); ox++)") {
      $0.print("row[ox] = \(cast)\(from)[ox];\nPLAIN_LOOP;")
    }
  }

  /// Requantizes in two steps: products of 32 bits, then clamps of 16, of which a vector holds twice as many.
  private func printShortCodes(
    _ guardBias: Int, _ from: String, _ context: Context, _ out: inout ProgramBuilder
  ) {
    guard case .affine(let multipliers, let offsets, let shift, let low, let high) = terms.epilogue.form else { return }
    let areTables = multipliers.count > 1
    let isOne = Set(multipliers).count == 1
    let name = context.name
    out.print("const int32_t m = \(isOne ? "\(multipliers[0])" : "\(name)_multiplier[oc]");")
    if areTables, guardBias > 0 {
      out.print("const int32_t b = \(name)_bias[oc] + \(guardBias << shift); /* nothing negative is shifted */")
    } else {
      out.print("const int32_t b = \(areTables ? "\(name)_bias[oc]" : "\(offsets[0] + guardBias << shift)");")
    }
    let (least, most) = (low >> shift + guardBias, high >> shift + guardBias)
    out.print()
    out.block("for (uint32_t ox = 0; ox < \(vectors.outputs); ox++)") {
      $0.print("\(from)[ox] = (int16_t)((\(from)[ox] * m + b) >> \(shift));")
    }
    out.block("for (uint32_t ox = 0; ox < \(vectors.outputs); ox++)") { out in
      out.print("int16_t code = \(from)[ox];\n")
      out.print("code = code < \(least) ? \(least) : code;")
      out.print("code = code > \(most) ? \(most) : code;")
      let target = makesMore(context) ? from : "row"
      let type = makesMore(context) ? "int16_t" : context.outputType
      let value = guardBias == 0 ? "code" : "(code - \(guardBias))"
      out.print("\(target)[ox] = \(type == "int16_t" && guardBias == 0 ? "" : "(\(type))")\(value);")
    }
    printRest(from, context, &out)
  }

  /// Max pool of the sums: of rows, then of columns.
  private func printPool(_ pool: Window, _ out: inout ProgramBuilder) {
    func printLarger(_ count: Int, _ r: String, _ value: (String) -> String, _ out: inout ProgramBuilder) {
      func printOne(_ index: String, _ out: inout ProgramBuilder) {
        out.print("best = \(value(index)) > best ? \(value(index)) : best;")
      }
      if count > 8 {
        out.block("for (uint32_t \(r) = 1; \(r) < \(count); \(r)++)") { printOne(r, &$0) }
      } else {
        for index in 1..<count { printOne("\(index)", &out) }
      }
    }
    if pool.kernelHeight > 1 {
      out.block("for (uint32_t x = 0; x < \(vectors.sums); x++)") { out in
        out.print("\(vectors.cType) best = sums[x];\n")
        printLarger(
          pool.kernelHeight, "r",
          { r in "sums[\(Int(r).map { "\($0 * vectors.sums)" } ?? "r * \(vectors.sums)") + x]" }, &out)
        out.print("sums[x] = best;")
      }
    }
    if pool.kernelWidth > 1 {
      out.block("for (uint32_t ox = 0; ox < \(vectors.outputs); ox++)") { out in
        out.print("\(vectors.cType) best = sums[\(pool.kernelWidth) * ox];\n")
        printLarger(pool.kernelWidth, "x", { x in "sums[\(pool.kernelWidth) * ox + \(x)]" }, &out)
        out.print("pooled[ox] = best;")
      }
    }
  }

  // MARK: Rows

  /// Moves the rows that the next window still sees to the front; behind the last ones lies padding.
  private func printSlide(_ context: Context, _ out: inout ProgramBuilder) {
    guard rows.movesRows(of: context.input) else { return }
    let layout = context.input.layout
    let kept = (rows.rows - rows.step) * layout.rowBytes
    if kept > 0 { out.print("slide_bytes(memory + s->buffer, \(kept), \(rows.step * layout.rowBytes));") }
    guard rows.seesPaddingBelow else { return }
    let values = rows.step * layout.rowStride
    let offset = kept > 0 ? " + \(kept)" : ""
    context.printPaddingBelow(
      layout.elementBytes == 1
        ? "fill_u8(memory + s->buffer\(offset), \(values), \(layout.paddingCode));"
        : "fill_u16((uint16_t *)(void *)(memory + s->buffer\(offset)), \(values), \(layout.paddingCode));", &out)
  }
}

/// The columns of a row of a convolution that is computed column by column in vectors.
package struct Columns: Sendable, Equatable {
  /// Sums of a row of a channel, and values of an output row: as many as the map has, rounded up to whole vectors.
  package var sums: Int
  package var outputs: Int
  /// 16 bits hold every sum; else 32 do.
  package var areShort: Bool
  /// Channels whose sums are kept at the same time, and rows of each: those under a pool.
  package var channels: Int
  var rows: Int

  /// Sums from a channel to the next.
  package var channelStride: Int { rows * sums }
  /// Where the pooled sums of a channel lie, counted in sums from the first.
  package var pooled: Int { channels * channelStride }

  /// Scratch memory in words of 32 bits.
  package var scratchWords: Int { ((pooled + outputs) * (areShort ? 2 : 4) + 3) / 4 }
}

extension Columns {
  /// C type of a sum.
  var cType: String { areShort ? "int16_t" : "int32_t" }
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

extension Epilogue {
  /// Codes to add to an affine form's offsets, so that nothing negative is shifted, where 16 bits hold every result
  /// before it is clamped; nil where they do not.
  package var shortGuardBias: Int? {
    guard case .affine(let multipliers, let offsets, let shift, _, _) = form, fits32 else { return nil }
    var values: [Int] = []
    for channel in 0..<max(multipliers.count, domains.count) {
      let (m, b) = (multipliers[min(channel, multipliers.count - 1)], offsets[min(channel, offsets.count - 1)])
      let domain =
        limits.first { $0.channel == channel }?.accumulators ?? domains[min(channel, domains.count - 1)]
      values += [domain.lowerBound * m + b, domain.upperBound * m + b]
    }
    guard let least = values.min(), let most = values.max() else { return nil }
    let guardBias = least < 0 ? (-least + 1 << shift - 1) >> shift : 0
    let guarded = [most, offsets.max() ?? 0].map { $0 + guardBias << shift }
    guard guarded.allSatisfy({ Int32(exactly: $0) != nil }), Int16(exactly: guarded[0] >> shift) != nil else {
      return nil
    }
    return guardBias
  }
}
