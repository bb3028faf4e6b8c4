import TernaryIR

/// How a stage makes whole maps whose positions hold all channels. Code sums up words of both lanes, whose accumulators
/// never leave 15 bits: blocks of output channels a position at a time, depthwise convolutions a channel at a time.
package struct HWCForm: Sendable, Equatable {
  /// Output rows of the lower lane; those of the upper one follow them. Of an odd height the last is nobody's row.
  package var half: Int
  /// Added to both lanes of an accumulator, so that none is ever negative.
  package var guardBias: Int
  /// Requantizers of the channels.
  package var scales: HWCScales
  /// Whether functions of depthwise convolutions name all columns of a row: faster, and longer.
  package var namesColumns = false
  package var guardWord: Int { guardBias << 16 | guardBias }

  /// Most taps of a function that names columns: each has a pointer.
  package static let mostPointers = 6
}

/// A function that makes a channel's map: for a number of taps that are added, and a number of those subtracted.
package struct DepthwiseFunction: Sendable, Hashable, Comparable {
  /// The requantizers' shift where it is better a constant, else 0.
  package var shift: Int
  package var plus: Int
  package var minus: Int
  package var namesColumns: Bool
  package var taps: Int { plus + minus }
  /// Both numbers in a byte, four bits each.
  package var counts: Int { plus << 4 | minus }

  package static func < (a: Self, b: Self) -> Bool { (a.shift, a.counts) < (b.shift, b.counts) }
}

extension HWCForm {
  package func function(_ taps: TapList) -> DepthwiseFunction {
    DepthwiseFunction(
      shift: scales.constant, plus: taps.plus, minus: taps.minus,
      namesColumns: namesColumns && (1...Self.mostPointers).contains(taps.offsets.count))
  }
}

/// What convolutions have in common that make whole maps, the channels of a position together: code sums up words of both
/// lanes, whose accumulators never leave 15 bits.
package protocol HWCVariant: KernelVariant {
  var terms: ConvolutionTerms { get }
  var form: HWCForm { get }
}

extension HWCVariant {
  package var columns: ColumnAccess { .any }
  package var geometry: Geometry { terms.geometry }
  package var weightForm: WeightForm { .code }
  package var rows: RowWindow { terms.geometry.rows }
  package var epilogue: Epilogue? { terms.epilogue }
  package var hasDescriptor: Bool { false }
  package func access(_ context: Context) -> WindowAccess { .whole }

  var positions: Int { form.half * terms.geometry.output.width }

  func scaleTable(_ context: Context) -> ConstantTable {
    let missing = form.scales.padded - form.scales.scales.count
    let rows = form.scales.scales.map { [$0.multiplier, $0.bias] } + [[Int]](repeating: [0, 0], count: missing)
    return ConstantTable("\(context.name)_scales", .requantizer, .int32, rows: rows)
  }

  func countOwnWork(_ context: Context, _ map: HWCMap, _ counts: inout WorkFeature.Counts) {
    if form.scales.drop == 0 { counts[.pixelShift, default: 0] += Double(positions * form.scales.padded) }
    if !map.isFilled {
      counts[.closedPixel, default: 0] += Double((terms.window.top + terms.window.bottom) * map.rowWords)
    }
  }

  func countOwnCode(_ context: Context, _ map: HWCMap, _ counts: inout CodeFeature.Counts) {
    counts[.pixels, default: 0] += 1
    // Made for no core in particular, codes do without the DSP extension where there is one.
    if form.scales.drop == 0 { counts[.pixelShift, default: 0] += 1 }
    if !map.isFilled, terms.window.hasPadding { counts[.pixelClosed, default: 0] += 1 }
  }

  package func summary(_ context: Context) -> [String] {
    let pairs = context.operation.layer.requantizer?.proof.pairs ?? 0
    let proof = pairs == 0 ? "." : ", exact for all \(pairs) reachable accumulators."
    let scales = form.scales
    let product = scales.drop == 0 ? "a * m + b" : "(a * m >> \(scales.drop)) + b"
    return [
      "Requantizer: (\(product)) >> \(scales.shift) of biased sums a\(proof)",
      "Whole maps, all channels of a position together (HWC). Two lanes a word: rows y and y + \(form.half), sums biased "
        + "by \(form.guardBias), so that none is negative.",
    ]
  }

  /// - Parameter replacesFirst: Whether an output position takes the place of its window's first word.
  func problems(_ context: Context, replacesFirst: Bool) -> [String] {
    guard let map = context.input.hwc else { return ["its input is no map of positions"] }
    if map.positionWords < context.input.shape.channels { return ["positions do not hold all channels"] }
    let window = terms.window
    // Of the last position's window, the last word's place behind the map's first.
    let row = (form.half - 1) * window.strideHeight + window.kernelHeight - 1
    let column =
      map.left - window.left + (context.output.shape.width - 1) * window.strideWidth + window.kernelWidth - 1
    if map.left < window.left || row * map.rowWords + (column + 1) * map.positionWords > map.words {
      return ["windows leave the map"]
    }
    if 2 * form.half < context.output.shape.height { return ["fewer rows than the output has"] }
    let guarded = terms.epilogue.accumulators
    if guarded.lowerBound + form.guardBias < 0 || guarded.upperBound + form.guardBias > Int(Int16.max) {
      return ["accumulators leave 15 bits"]
    }
    guard let target = context.output.hwc else { return ["its planes go elsewhere"] }
    if target.positionWords < form.scales.padded { return ["output positions do not hold all channels"] }
    guard context.input.buffer == context.output.buffer else { return [] }
    let above = context.successors.map(\.variant.rows.top).max() ?? 0
    if replacesFirst {
      return target.left == map.left - window.left && above == 0 ? [] : ["its output lies elsewhere"]
    }
    return window.kernelHeight == 1 || above == 0 ? [] : ["rows replace some that are still to be seen"]
  }

  func sums(_ context: Context) -> UnrolledSums { UnrolledSums(context, type: "int32_t", guardWord: form.guardWord) }

  /// Padding beside the rows, and the rows above and below those of each lane.
  func printHaloFill(_ map: HWCMap, _ context: Context, _ out: inout ProgramBuilder) {
    let window = terms.window
    guard window.hasPadding else { return }
    let beside = window.left + window.right > 0 ? map.halo * map.positionWords : 0
    out.list(
      "fill_halo_hwc(",
      [
        "map", "\(map.rowWords)", "\(beside)", "\(window.top)", "\(form.half)", "\(window.bottom)",
        "\(context.input.shape.height)", "\(context.input.layout.paddingCode)",
      ], ");\n")
  }

  func printProbe(_ row: String, _ positionWords: Int, _ context: Context, _ out: inout ProgramBuilder) {
    out.call(
      "\(context.plan.macroPrefix)_PROBE_HWC",
      ["\(context.index)", "y", row, "\(positionWords)", "\(form.half)"])
  }
}

extension Edge {
  /// The map, where positions hold all channels.
  package var hwc: HWCMap? { if case .hwc(let map) = layout.order { map } else { nil } }
}

/// A convolution that makes whole maps in HWC order: tiles of output channels, a position at a time.
package struct HWCTiles: HWCVariant {
  package var terms: ConvolutionTerms
  package var form: HWCForm
  package var tiles: [ChannelTile]

  /// It is called with every row of the input, or in its turn.
  package var firing: Firing { .whenComplete }
  package var scratch: ScratchNeeds {
    ScratchNeeds(accumulators: terms.geometry.output.width * form.scales.padded)
  }
  package func tables(_ context: Context) -> [ConstantTable] { [scaleTable(context)] }
  package func problems(_ context: Context) -> [String] { problems(context, replacesFirst: false) }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    guard let map = context.input.hwc else { return }
    countOwnWork(context, map, &counts)
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    for tile in tiles {
      add(.pixelCall, positions)
      add(.pixelLoad, positions * tile.loads)
      add(.pixelAddition, positions * tile.additions)
    }
    add(.pixelRow, form.half)
    add(.pixelLevels, positions * form.scales.padded)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    guard let map = context.input.hwc else { return }
    countOwnCode(context, map, &counts)
    counts[.pixelBlock, default: 0] += tiles.count
    for tile in tiles {
      counts[.pixelLoad, default: 0] += tile.loads - tile.farLoads
      counts[.pixelFarLoad, default: 0] += tile.farLoads
      counts[.pixelAddition, default: 0] += tile.additions
    }
    counts[.pixelSum, default: 0] += terms.channels
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { [.anyPixels] }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    guard let map = context.input.hwc, let target = context.output.hwc else { return }
    let (name, window) = (context.name, terms.window)
    let sums = sums(context)
    sums.printGuardBias(&out)
    for (number, tile) in tiles.enumerated() {
      sums.printNote(tile, &out)
      out.block("static NO_INLINE void \(name)_block\(number)(const int32_t *in, int32_t *sums)") {
        sums.printPosition(tile, &$0) { tile.channels[$0] }
      }
      out.print()
    }
    let stride = form.scales.padded
    let width = context.output.shape.width
    out.block(context.prototype) { out in
      context.printCounters(&out)
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(context.input.offset));")
      if target != map {
        out.print("uint32_t *const next = (uint32_t *)(void *)(memory + \(context.output.offset));")
      }
      out.print("int32_t *const sums = (int32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);\n")
      if map.isFilled {
        // It is called with every row of the input.
        out.block("if (rows[0] < \(context.input.shape.height))") { $0.print("return;") }
      } else {
        printHaloFill(map, context, &out)
      }
      // A row that goes where a row above it lies must not come before that; see the planner.
      let isUpwards = window.kernelHeight == 1 && !map.isFilled
      let loop =
        isUpwards
        ? "for (uint32_t y = \(form.half); y-- > 0;)" : "for (uint32_t y = 0; y < \(form.half); y++)"
      out.block(loop) { out in
        let above = context.successors[0].variant.rows.top
        let first = (map.left - window.left) * map.positionWords
        let row = target.left == 0 ? "" : " + \(target.left * target.positionWords)"
        out.print(
          "uint32_t *const out = \(target == map ? "map" : "next") + \(above == 0 ? "y" : "(y + \(above))") * "
            + "\(target.rowWords)\(row);")
        out.print(
          "const int32_t *in = (const int32_t *)map + y * \(map.rowWords * window.strideHeight)"
            + "\(first == 0 ? "" : " + \(first)");")
        out.print("int32_t *at = sums;\n")
        let column = map.positionWords * window.strideWidth
        out.block("for (uint32_t x = 0; x < \(width); x++, in += \(column), at += \(stride))") { out in
          for number in tiles.indices { out.print("\(name)_block\(number)(in, at);") }
        }
        out.call(
          form.scales.function,
          ["sums", "\(name)_scales", "\(stride)"] + form.scales.argument
            + ["\(width)", "\(target.positionWords)", "out"])
        printProbe("out", target.positionWords, context, &out)
      }
      out.print("\(context.made) = \(context.output.shape.height);")
    }
    out.print()
  }
}

/// A depthwise convolution that makes whole maps in HWC order: a channel at a time, each output in place of its window's
/// first word.
package struct HWCDepthwise: HWCVariant {
  package var terms: ConvolutionTerms
  package var form: HWCForm
  /// Of each channel, in positions.
  package var taps: [TapList]

  package var firing: Firing { .whenComplete }
  package func problems(_ context: Context) -> [String] { problems(context, replacesFirst: true) }

  package func tables(_ context: Context) -> [ConstantTable] {
    // Counts and taps of each channel, a byte each.
    let bytes = taps.flatMap { [form.function($0).counts] + $0.offsets }
    return [ConstantTable("\(context.name)_taps", .weights, .packed, bytes), scaleTable(context)]
  }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    guard let map = context.input.hwc else { return }
    countOwnWork(context, map, &counts)
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    add(.pixelChannel, taps.count)
    add(.pixelTap, positions * taps.reduce(0) { $0 + $1.offsets.count })
    add(.pixelSum, positions * taps.count)
    add(.pixelStep, taps.reduce(0) { $0 + (form.function($1).namesColumns ? form.half : positions) })
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    guard let map = context.input.hwc else { return }
    countOwnCode(context, map, &counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { [.anyPixels, .anyPixelTaps] }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    guard let map = context.input.hwc else { return }
    let sums = sums(context)
    sums.printGuardBias(&out)
    out.block(context.prototype) { out in
      context.printCounters(&out)
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(context.input.offset));")
      let column = map.left - terms.window.left
      let first = column == 0 ? "map" : "map + \(column * map.positionWords)"
      out.print("const IN_FLASH uint8_t *taps = \(context.name)_taps;\n")
      printHaloFill(map, context, &out)
      out.block("for (uint32_t c = 0; c < \(taps.count); c++)") {
        $0.call(
          "taps = \(form.scales.depthwise)",
          ["\(first) + c", "taps", "\(context.name)_scales[c]", sums.guardBias] + form.scales.argument)
      }
      out.block("for (uint32_t y = 0; y < \(form.half); y++)") {
        printProbe("\(first) + y * \(map.rowWords)", map.positionWords, context, &$0)
      }
      out.print("\(context.made) = \(context.output.shape.height);")
    }
    out.print()
  }
}

/// The average pool over all positions of a map in HWC order.
package struct HWCAveragePool: KernelVariant {
  package var geometry: Geometry
  package var result: PoolResult

  package var firing: Firing { .whenComplete }
  package var rows: RowWindow { geometry.rows }
  package var epilogue: Epilogue? { result.epilogue }
  package var hasDescriptor: Bool { false }
  package var scratch: ScratchNeeds { ScratchNeeds(accumulators: geometry.sums.width) }
  package func access(_ context: Context) -> WindowAccess { .whole }

  private func requantization(_ context: Context) -> Requantization? {
    epilogue.map { .init(name: context.name, epilogue: $0, channels: geometry.output.channels, sums: .int32) }
  }
  package func tables(_ context: Context) -> [ConstantTable] { requantization(context)?.tables ?? [] }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let shape = geometry.input
    counts[.channel, default: 0] += Double(shape.channels)
    counts[.pooledPixel, default: 0] += Double(shape.channels * (shape.height + 1) / 2 * shape.width)
    epilogue?.countWork(shape.channels, &counts)
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    counts[.hwcPool, default: 0] += 1
    requantization(context)?.countCode(&counts)
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode.union([.anyLookup, .anyAveragePool])
  }

  package func problems(_ context: Context) -> [String] {
    guard let map = context.input.hwc else { return ["its input is no map of positions"] }
    if map.positionWords < context.input.shape.channels { return ["positions do not hold all channels"] }
    return map.isFilled || geometry.window.hasPadding ? ["a pool over padding"] : []
  }

  package func summary(_ context: Context) -> [String] { context.requantizerText(requantization(context)) }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    guard let map = context.input.hwc else { return }
    let shape = geometry.input
    let half = (shape.height + 1) / 2
    out.block(context.prototype) { out in
      context.printCounters(&out)
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(context.input.offset));")
      out.print("uint32_t *const from = map + \(map.left * map.positionWords);")
      let oy = "const uint32_t oy = \(context.made);"
      if context.output.residency == .result { out.print(oy) }
      context.printDestination(&out)
      if context.output.residency != .result { out.print(oy) }
      out.print()
      if shape.height % 2 > 0 {
        out.print("/* Behind an odd number of rows the upper lane has none. */")
        out.block("for (uint32_t i = 0; i < \(shape.width * map.positionWords); i++)") {
          $0.print("from[\((half - 1) * map.rowWords) + i] &= 0xFFFFU;")
        }
      }
      out.block("for (uint32_t oc = 0; oc < \(geometry.output.channels); oc++)") { out in
        out.print("\(context.outputType) *const row = out + oc * \(context.outputStride);")
        out.call(
          "const int32_t sum = sum_hwc",
          ["from + oc", "\(half)", "\(shape.width)", "\(map.rowWords)", "\(map.positionWords)"])
        out.print()
        if let requantization = requantization(context) {
          requantization.printConstants("oc", &out)
          requantization.printUnread("sum", &out)
          let cast = context.output.storage.elementBytes == 1 ? "(uint8_t)" : ""
          out.print("row[0] = \(cast)\(requantization.expression("sum"));")
        } else {
          out.print("row[0] = (uint16_t)sum;")
        }
      }
      context.printProbe(&out)
      out.print("\(context.made)++;")
    }
    out.print()
  }
}
