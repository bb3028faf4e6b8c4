import TernaryIR

/// A convolution whose weights are unrolled, over words of two lanes: output channels in tiles as wide as there are
/// registers for accumulators, some words of the output row at a time.
package struct UnrolledTiles: KernelVariant {
  /// What the tiles read.
  package enum Source: Sendable, Equatable {
    /// Words of two lanes as they lie in the line buffer.
    case words
    /// Words in scratch memory that are made of rows of bytes, for some words of the output row at a time.
    case widened(WidenedWindow)
  }

  package var terms: ConvolutionTerms
  package var lanes: Lanes
  package var tiles: [ChannelTile]
  /// Words of the output row that all tiles make before the next ones.
  package var columnTile: Int
  package var source: Source
  package var firing: Firing

  package var geometry: Geometry { terms.geometry }
  package var accumulators: ClosedRange<Int>? { terms.accumulators(without: lanes.guardInEpilogue) }
  package var layerWidth: Int { lanes.outputs }
  package var weightForm: WeightForm { .code }
  package var rows: RowWindow { geometry.rows }
  package var dependence: RowWindow { geometry.dependence }
  package var columns: ColumnAccess {
    switch source {
    case .words: .within((lanes.outputs - 1) * terms.window.strideWidth + terms.window.kernelWidth)
    case .widened: lanes.widenedColumns(terms)
    }
  }
  package var makes: RowElements { .words(words) }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  /// Of an output row.
  private var words: Int { lanes.words(geometry) }
  private var widest: Int { tiles.map(\.channels.count).max() ?? 0 }
  /// Words of a channel's sums in a column tile: those of the rows under a pool after one another.
  private var positions: Int { columnTile * geometry.poolWidth * geometry.rowsPerOutput }
  private var widened: WidenedWindow? { if case .widened(let window) = source { window } else { nil } }
  package var scratch: ScratchNeeds { ScratchNeeds(accumulators: positions * widest, window: widened?.words ?? 0) }

  /// Output channels in the order of their tiles, where that is not their own.
  package var order: [Int]? {
    let order = tiles.flatMap(\.channels)
    return order == Array(order.indices) ? nil : order
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
    (order.map { [ConstantTable("\(context.name)_order", .weights, .uint16, $0)] } ?? [])
      + (terms.isConstant ? [] : requantization(context).tables)
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    let positions = terms.layerRows * lanes.outputs
    let calls = terms.storedRows * (words / max(columnTile, 1))
    if let widened {
      // A word that moves takes about half of one that is made.
      let share = 1 - Double(widened.kept) / Double(2 * widened.width)
      counts[context.input.isInPlace ? .windowWord : .unpackedWord, default: 0] +=
        Double(calls * widened.words) * share
    }
    for tile in tiles {
      add(.blockCall, calls)
      add(.blockRow, calls * geometry.rowsPerOutput)
      add(.blockPosition, positions)
      add(.blockLoad, positions * tile.loads)
      add(.blockAddition, positions * tile.additions)
      add(.blockSum, positions * tile.channels.count)
      add(.storedChannel, calls * tile.channels.count)
    }
    terms.countResults(context, words: words, areWords: true, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    func add(_ feature: CodeFeature, _ amount: Int = 1) { counts[feature, default: 0] += amount }
    context.countRowCode(&counts)
    add(.constantChannel, terms.constants.count)
    add(.unrolledPlan)
    if columnTile < words { add(.codedStrips) }
    if geometry.isPooled { add(.codedPool, geometry.rowsPerOutput * geometry.poolWidth - 1) }
    if geometry.hasRunningMaximum { add(.keptRows) }
    if order != nil { add(.orderedChannels) }
    if let widened {
      add(.unpackedRows)
      add(.unpackedWord, widened.statements)
    }
    for tile in tiles {
      add(.block)
      add(.blockAddition, tile.additions)
      add(.blockSum, tile.channels.count)
      // Thumb and compressed RISC-V subtract in 16 bits only between registers that the first few channels get.
      let subtracted = tile.groups.flatMap { $0.uses.filter(\.isNegative).map(\.channel) }
      add(.blockSubtraction, subtracted.count)
      add(.blockHighSubtraction, subtracted.count { $0 >= 3 })
      add(.blockLoad, tile.loads - tile.farLoads)
      add(.blockFarLoad, tile.farLoads)
      add(.storeCall)
    }
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  // MARK: Text

  package func problems(_ context: Context) -> [String] {
    lanes.problems(terms, context) + lanes.rangeProblems(terms)
  }

  package func summary(_ context: Context) -> [String] {
    let widening = if case .widened = source { " Rows are bytes, and become words as they are read." } else { "" }
    return context.requantizerText(requantization(context)) + [lanes.summary() + widening]
  }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    if !tiles.isEmpty {
      let sums = sums(context)
      sums.printGuardBias(&out)
      for (number, tile) in tiles.enumerated() { printTile(tile, number, sums, context, &out) }
      if let widened {
        WideningProgram(window: widened, lanes: lanes, sums: sums, padding: nil).print(context, &out)
      }
      printStore(sums, context, &out)
    }
    printRows(context, &out)
  }

  private func printTile(
    _ tile: ChannelTile, _ number: Int, _ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder
  ) {
    sums.printNote(tile, &out)
    let name = context.name
    let parameters = "(const \(sums.type) *in, \(sums.type) *sums)"
    var printBody: (inout ProgramBuilder) -> Void = { sums.printPosition(tile, &$0) { $0 * positions } }
    if !context.core.tilesLoop {
      out.block("static NO_INLINE void \(name)_sums\(number)\(parameters)", printBody)
      out.print()
      printBody = { $0.print("\(name)_sums\(number)(in, sums);") }
    }
    let qualifier = context.core.tilesLoop ? "NO_INLINE " : ""
    out.block("static \(qualifier)void \(name)_block\(number)\(parameters)") { out in
      let step = terms.window.strideWidth
      let columns = columnTile * geometry.poolWidth
      let loop = "for (uint32_t x = 0; x < \(columns); x++, sums++, in\(step == 1 ? "++" : " += \(step)"))"
      guard geometry.rowsPerOutput > 1 else { return out.block(loop, printBody) }
      out.block("for (uint32_t r = 0; r < \(geometry.rowsPerOutput); r++)") { out in
        out.block(loop, printBody)
        let rowStride = widened.map { $0.channels * $0.width } ?? context.input.layout.rowStride
        let rest = terms.window.strideHeight * rowStride - columns * step
        out.print(rest < 0 ? "in -= \(-rest);" : "in += \(rest);")
      }
    }
    out.print()
  }

  /// Whether a column tile has fewer columns on the right than words: the last one of an odd width that is stored as
  /// columns.
  private func hasOddColumnTiles(_ context: Context) -> Bool {
    !context.makesWords && columnTile < words && 2 * words > geometry.output.width
  }

  /// The function that stores a column tile of some channels.
  private func printStore(_ sums: UnrolledSums, _ context: Context, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    let isPooled = geometry.rowsPerOutput * geometry.poolWidth > 1
    let isLimited = !terms.epilogue.limits.isEmpty
    let pools = isPooled ? "Pools, requantizes" : "Requantizes"
    let place = order != nil ? "i" : "oc"
    out.print(
      order != nil
        ? "/* \(pools) and stores \(columnTile) word(s) of the channels from place i to end of the order. */"
        : "/* \(pools) and stores \(columnTile) word(s) of each channel from oc to end. */")
    var parameters = [
      "\(isLimited ? "" : "const ")\(sums.type) *sums", "uint32_t \(place)", "uint32_t end",
      "\(context.outputType) *out",
    ]
    if context.output.layout.laneBits == 8 { parameters.append("uint32_t shift") }
    if geometry.hasRunningMaximum { parameters.append("uint32_t r") }
    if hasOddColumnTiles(context) { parameters.append("uint32_t rights") }
    out.list("static NO_INLINE void \(context.name)_store(", parameters, ") {")
    out.indented { out in
      out.block("for (; \(place) < end; \(place)++, sums += \(positions))") { out in
        if order != nil { out.print("const uint32_t oc = \(context.name)_order[i];") }
        out.print("\(context.outputType) *const row = out + oc * \(context.outputStride);\n")
        if isPooled, isLimited {
          out.block("for (uint32_t ox = 0; ox < \(columnTile); ox++)") { out in
            printBest(sums, &out)
            out.print("sums[ox] = (\(sums.type))best;")
          }
        }
        requantization.printLimits("(uint32_t *)sums", columnTile, &out)
        requantization.printConstants("oc", &out)
        let target = Requantization.WordTarget(half: words, isRunning: geometry.hasRunningMaximum)
        if isPooled, !isLimited {
          requantization.printWords("best", columnTile, to: target, context, &out) { printBest(sums, &$0) }
        } else {
          requantization.printWords("word", columnTile, to: target, context, &out) {
            $0.print("const uint32_t word = \(sums.isSigned ? "(uint32_t)sums[ox]" : "sums[ox]");")
          }
        }
      }
    }
    out.print("}\n")
  }

  /// The max pool of the sums under an output word.
  private func printBest(_ sums: UnrolledSums, _ out: inout ProgramBuilder) {
    let cast = sums.isSigned ? "(uint32_t)" : ""
    let width = geometry.poolWidth
    let base = width == 1 ? "ox" : "\(width) * ox"
    let values = (0..<geometry.rowsPerOutput).flatMap { r in
      (0..<width).map { x in
        let offset = r * columnTile * width + x
        return "\(cast)sums[\(base)\(offset == 0 ? "" : " + \(offset)")]"
      }
    }
    out.print("uint32_t best = \(values[0]);\n")
    for value in values.dropFirst() { out.print("best = max_swar2(best, \(value));") }
    out.print()
  }

  /// The function that makes rows; without tiles, because all channels are constant, it only fills them.
  private func printRows(_ context: Context, _ out: inout ProgramBuilder) {
    let type = lanes.cType(terms.epilogue)
    let isWhenDue = firing == .whenDue
    let tilesPerRow = if case .perColumnTile(let tiles) = firing { tiles } else { 1 }
    out.block(context.prototype) { out in
      if !tiles.isEmpty || isWhenDue || rows.movesRows(of: context.input) { context.printDescriptorPointer(&out) }
      context.printCounters(&out)
      if !tiles.isEmpty {
        out.print("\(type) *const sums = (\(type) *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      }
      out.print()
      out.block(isWhenDue ? "while (\(context.isDue))" : "if (\(context.made) < \(geometry.output.height))") { out in
        out.print("const uint32_t oy = \(context.made);")
        if geometry.hasRunningMaximum {
          out.print("const uint32_t r = rows[0] - 1U - oy * \(geometry.poolHeight); /* of the pool's window */")
        }
        context.printDestination(&out)
        if !tiles.isEmpty { context.printInput(widened == nil ? type : "uint8_t", &out) }
        if widened != nil, !tiles.isEmpty {
          out.print("\(type) *const window = sums + \(scratch.accumulators);")
        }
        out.print()
        if tilesPerRow > 1, !terms.constants.isEmpty {
          out.block("if (x == 0)") { context.printConstantRows(terms.constants, &$0) }
        } else if !context.output.isInPlace {
          context.printConstantRows(terms.constants, &out)
        }
        if tiles.isEmpty {
          // All that there is has been filled.
        } else if context.input.columnTile == nil, columnTile < words {
          out.block("for (uint32_t x = 0; x < \(words); x += \(columnTile))") { printCalls("x", context, &$0) }
        } else {
          printCalls(nil, context, &out)
        }
        // Rows that go where the window lies: what has not been computed must not be written before that.
        if context.output.isInPlace { context.printConstantRows(terms.constants, &out) }
        var isComplete: [String] = []
        if geometry.hasRunningMaximum { isComplete.append("r == \(geometry.poolHeight - 1)") }
        if tilesPerRow > 1, let columns = context.input.columnTile {
          isComplete.append("x == \(lanes.outputs - columns)")
        }
        if isComplete.isEmpty {
          context.printEnd(&out)
        } else {
          out.block("if (\(isComplete.joined(separator: " && ")))", context.printEnd)
        }
      }
    }
    out.print()
  }

  /// - Parameter x: The tile's first word, where a row is made in several.
  private func printCalls(_ x: String?, _ context: Context, _ out: inout ProgramBuilder) {
    let name = context.name
    let step = geometry.poolWidth * terms.window.strideWidth
    let column = x.map { step == 1 ? " + \($0)" : " + \(step) * \($0)" } ?? ""
    let isTold = if case .perColumnTile(let tiles) = firing { tiles > 1 } else { false }
    let first = x ?? (isTold ? "x\(geometry.poolWidth == 1 ? "" : " / \(geometry.poolWidth)")" : nil)
    var to = first.map { "out + \($0)" } ?? "out"
    if let widened { out.print("\(name)_unpack(in\(column), window\(widened.kept > 0 ? ", x" : ""));") }
    var more: [String] = []
    if context.output.layout.laneBits == 8 {
      let (x, distance) = (x ?? "0", context.output.layout.distance)
      out.print("const uint32_t shift = \(x) < \(distance) ? 0 : 8; /* the half of the row */")
      out.print("uint32_t *const to = out + (shift == 0 ? \(x) : \(x) - \(distance));\n")
      to = "to"
      more.append("shift")
    }
    if geometry.hasRunningMaximum { more.append("r") }
    if hasOddColumnTiles(context) { more.append("\(geometry.output.width - words) - \(first ?? "0")") }
    var start = 0
    for (number, tile) in tiles.enumerated() {
      let input = tile.input == 0 ? "" : " + \(tile.input)"
      out.print("\(name)_block\(number)(\(widened == nil ? "in\(input)\(column)" : "window\(input)"), sums);")
      let end = start + tile.channels.count
      out.print("\(name)_store(\((["sums", "\(start)", "\(end)", to] + more).joined(separator: ", ")));")
      start = end
    }
  }
}

extension Lanes {
  /// C type of a word of sums: signed where the lanes leave room for a sign.
  func cType(_ epilogue: Epilogue) -> String {
    epilogue.accumulators.upperBound + remainingGuardBias <= Int(Int16.max) ? "int32_t" : "uint32_t"
  }
}
