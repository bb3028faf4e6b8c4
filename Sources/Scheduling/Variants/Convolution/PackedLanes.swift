/// A convolution with packed weights over rows of words of two lanes: the taps of a channel have the same offsets in every
/// row. It has a function of its own; see `SharedPackedLanes` for the one that most can share.
package struct PackedLanes: KernelVariant {
  /// What a lane holds.
  package enum Sums: Sendable, Equatable {
    /// The sum of all of a channel's taps.
    case whole
    /// The sums of so many taps, a multiple of four; they are taken apart and added up in 32 bits.
    case parts(taps: Int)
  }

  package var terms: ConvolutionTerms
  package var lanes: Lanes
  package var sums: Sums

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { terms.geometry.rows }
  package var makes: RowElements { sums == .whole ? .words(lanes.words(terms.geometry)) : .values }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .block }
  package var scratch: ScratchNeeds {
    let words = lanes.outputs * terms.geometry.rowsPerOutput
    // Sums of parts, and behind them those of whole rows, column by column.
    return ScratchNeeds(
      accumulators: sums == .whole ? words : lanes.outputs + 2 * words, rows: terms.taps, taps: terms.taps)
  }

  private func requantization(_ context: Context) -> Requantization {
    .init(
      name: context.name, epilogue: terms.epilogue, channels: terms.channels,
      sums: sums == .whole ? .words(guardBias: lanes.remainingGuardBias) : .int32)
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    [ConstantTable("\(context.name)_weights", packing: terms.weights, run: terms.taps)]
      + requantization(context).tables
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    terms.countDecoding(&counts)
    countLaneWork(&counts)
    if case .parts(let part) = sums {
      counts[.widenedWord, default: 0] += Double(
        terms.layerRows * terms.liveChannels.count * lanes.outputs * ((terms.taps + part - 1) / part))
    }
    let words = sums == .whole ? lanes.words(terms.geometry) : terms.geometry.output.width
    terms.countResults(context, words: words, areWords: sums == .whole, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    terms.countPackedCode(&counts)
    counts[.packedAlone, default: 0] += 1
    if sums != .whole { counts[.packedParts, default: 0] += 1 }
    if terms.geometry.isPooled { counts[sums == .whole ? .packedPool : .fusedPool, default: 0] += 1 }
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode
      .union([.anyLookup, .anyPacked, .anyPackedLanes])
      .union(terms.geometry.isPooled ? [sums == .whole ? .anyLanePool : .anyColumnPool] : [])
  }

  // MARK: Text

  package func problems(_ context: Context) -> [String] {
    let found = lanes.problems(terms, context)
    guard case .parts(let taps) = sums else { return found + lanes.rangeProblems(terms) }
    let fit = taps > 0 && taps % 4 == 0 && partsFit(taps, context.input.storage.maximumCode)
    return found + (fit ? [] : ["sums of parts leave their lanes"])
  }

  /// Whether the sums of every part of every channel, in any order, stay within a lane.
  private func partsFit(_ taps: Int, _ maximumCode: Int) -> Bool {
    terms.weights.allSatisfy { weights in
      stride(from: 0, to: weights.count, by: taps).allSatisfy { start in
        let part = weights[start..<min(start + taps, weights.count)]
        let (plus, minus) = (part.count { $0 > 0 }, part.count { $0 < 0 })
        return minus * maximumCode <= lanes.guardBias && plus * maximumCode + lanes.guardBias <= Int(UInt16.max)
      }
    }
  }

  package func summary(_ context: Context) -> [String] {
    let what = if case .parts(let taps) = sums { "sums of \(taps) taps at a time" } else { "sums" }
    return context.requantizerText(requantization(context)) + [lanes.summary(what)]
  }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    // Rows that are packed are made anew every time.
    let constants = context.packsRows ? [] : terms.constants
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
      out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      if sums != .whole { out.print("int32_t *const sums = (int32_t *)(void *)(acc + \(lanes.outputs));") }
      out.print()
      out.block("while (\(context.isDue))") { out in
        out.print("const uint32_t oy = \(context.made);")
        context.printDestination(&out)
        context.printInput("uint32_t", &out)
        out.print()
        out.print("locate_taps(s, \(terms.groupChannels), window);")
        if !constants.isEmpty {
          context.printConstantRows(constants, &out)
          out.print()
        }
        out.block("for (uint32_t oc = 0; oc < \(terms.channels); oc++)") { out in
          context.printConstantCases(constants, &out)
          printChannel(context, &out)
        }
        context.printRowDone(&out)
      }
    }
    out.print()
  }

  private func printChannel(_ context: Context, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    context.printRow(&out)
    terms.printGroup(&out)
    out.print("const IN_FLASH uint8_t *const weights = \(context.name)_weights[oc];")
    let from = terms.groupOffset("in")
    switch sums {
    case .parts(let part):
      printParts(from, part, context, &out)
      requantization.printColumns("sums", terms.geometry.output.width, context, &out)
    case .whole:
      out.list("const struct tap_list taps = list_taps(", ["weights", "\(terms.taps)", "window", "offsets"], ");\n")
      for row in 0..<terms.geometry.rowsPerOutput { printLaneSums(row, from, context, &out) }
      if terms.geometry.isPooled { out.print("max_pool_swar2(s, acc);") }
      let words = lanes.words(terms.geometry)
      out.print()
      requantization.printLimits("acc", words, &out)
      requantization.printConstants("oc", &out)
      requantization.printWords("acc[ox]", words, to: .init(half: words), context, &out)
      context.printHalo("row", &out)
    }
    context.printPacking(&out)
  }

  /// The sums of a channel's row, one of those under a pool.
  private func printLaneSums(_ row: Int, _ from: String, _ context: Context, _ out: inout ProgramBuilder) {
    let pass = context.plan.wordsPerPass
    let whole = wholePasses(pass)
    let step = row * terms.window.strideHeight * context.input.layout.rowStride
    let input = row == 0 ? from : "\(from) + \(step)"
    let offset = row * lanes.outputs
    let start = "\(lanes.guardBias) * 65537U"
    func sums(_ column: Int) -> String { offset + column == 0 ? "acc" : "acc + \(offset + column)" }
    if whole > 0 { out.call(Self.rowKernel(pass), [input, "offsets", "taps", start, sums(0), "\(whole)"]) }
    if whole < lanes.outputs {
      let rest = whole == 0 ? input : "\(input) + \(whole)"
      out.call(
        "convolve_row_swar2_strided",
        [rest, "s->stride_width", "offsets", "taps", start, sums(whole), "\(lanes.outputs - whole)"])
    }
  }

  /// Sums of a row, or of the rows under a pool: parts of the taps in lanes, then all parts column by column.
  private func printParts(_ from: String, _ part: Int, _ context: Context, _ out: inout ProgramBuilder) {
    let (geometry, taps) = (terms.geometry, terms.taps)
    let width = 2 * lanes.outputs
    out.print()
    out.block("for (uint32_t part = 0; part < \(taps); part += \(part))") { out in
      let rest = taps % part
      let count = rest == 0 ? "\(part)" : "part + \(part) > \(taps) ? \(rest) : \(part)"
      out.list(
        "const struct tap_list taps = list_taps(", ["weights + part / 4", count, "window + part", "offsets"], ");\n")
      func printRow(_ row: String, _ sums: String, _ out: inout ProgramBuilder) {
        printLaneSums(0, row, context, &out)
        out.call("add_row_swar2", ["acc", "\(lanes.outputs)", "\(lanes.guardBias)", "part == 0", sums])
      }
      if geometry.rowsPerOutput == 1 {
        printRow(from, "sums", &out)
      } else {
        out.block("for (uint32_t r = 0; r < \(geometry.rowsPerOutput); r++)") {
          let step = geometry.window.strideHeight * context.input.layout.rowStride
          $0.print("const uint32_t *const row_in = \(from) + r * \(step);\n")
          printRow("row_in", "sums + r * \(width)", &$0)
        }
      }
    }
    guard geometry.isPooled else { return }
    out.block("for (uint32_t r = 0; r < \(geometry.poolHeight); r++)") {
      $0.call(
        "max_pool_sums",
        ["sums + r * \(width)", "\(geometry.poolWidth)", "r == 0", "sums", "\(geometry.output.width)"])
    }
  }
}

/// What convolutions with packed weights over words of two lanes have in common.
package protocol PackedLaneSums: KernelVariant {
  var terms: ConvolutionTerms { get }
  var lanes: Lanes { get }
}

extension PackedLanes: PackedLaneSums {}

extension PackedLaneSums {
  package var weightForm: WeightForm { .packed }
  package var geometry: Geometry { terms.geometry }
  package var accumulators: ClosedRange<Int>? { terms.accumulators(without: lanes.guardInEpilogue) }
  package var layerWidth: Int { lanes.outputs }

  func countLaneWork(_ counts: inout WorkFeature.Counts) {
    let (taps, words) = (terms.tapsInside, lanes.outputs)
    if terms.window.strideWidth == 1 {
      counts[.laneTap, default: 0] += taps * Double((words + 3) / 4)
      counts[.laneAddition, default: 0] += taps * Double(words)
      counts[.laneRest, default: 0] += taps * Double(words % 4)
    } else {
      counts[.laneStep, default: 0] += taps * Double(words)
    }
  }

  /// Words of a row that are summed up `pass` at a time.
  func wholePasses(_ pass: Int) -> Int { terms.window.strideWidth > 1 ? 0 : lanes.outputs / pass * pass }

  static func rowKernel(_ pass: Int) -> String {
    switch pass {
    case 8: "convolve_row_swar2_x8"
    case 4: "convolve_row_swar2_x4"
    default: "convolve_row_swar2_x3"
    }
  }

  fileprivate func instructions(_ pass: Int, _ core: Core) -> Int {
    let each = pass == 8 && core == .cortexM0 ? 31 : 2 * pass + 4
    let passes = wholePasses(pass) / pass
    let sums = passes * each + (lanes.outputs - passes * pass) * 5
    return sums * terms.nonZeros * terms.geometry.sums.height
  }
}

extension FirmwarePlan {
  /// Words whose sums are made together, each tap's offset read once: the number that suits all operations best that
  /// share the kernel.
  var wordsPerPass: Int {
    let sums = operations.compactMap { $0.variant as? any PackedLaneSums }
    func total(_ pass: Int) -> Int { sums.reduce(0) { $0 + $1.instructions(pass, core) } }
    return [8, 4, 3].min { total($0) < total($1) } ?? 8
  }
}
