import TernaryIR

/// What convolutions have in common that make whole maps, an output channel at a time: their weights are decoded once for
/// all rows of it.
package protocol PlaneVariant: KernelVariant {
  var terms: ConvolutionTerms { get }
  var lanes: Lanes { get }
  /// Of each output channel.
  var scales: [ChannelScale] { get }

  /// Numbers that operations of the same extents share, as far as the kernel reads them.
  func gridNumbers(_ context: Context) -> [(name: String, value: Int)]
  /// The operation's own numbers.
  func ownNumbers(_ context: Context) -> [(name: String, value: Int)]
}

extension PlaneVariant {
  package var columns: ColumnAccess { .any }
  package var weightForm: WeightForm { .packed }
  package var geometry: Geometry { terms.geometry }
  package var accumulators: ClosedRange<Int>? { terms.accumulators(without: lanes.guardInEpilogue) }
  package var layerWidth: Int { lanes.outputs }
  package var rows: RowWindow { terms.geometry.rows }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .whole }

  package func tables(_ context: Context) -> [ConstantTable] {
    [
      ConstantTable("\(context.name)_weights", packing: terms.weights, run: terms.taps),
      ChannelScale.table(context.name, scales),
    ]
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) { counts[.planes, default: 0] += 1 }

  package func problems(_ context: Context) -> [String] { laneProblems }

  fileprivate var laneProblems: [String] {
    let range = terms.epilogue.accumulators
    let isWithin =
      range.lowerBound + lanes.remainingGuardBias >= 0
      && range.upperBound + lanes.remainingGuardBias <= Int(UInt16.max)
    return isWithin ? [] : ["accumulators of its planes leave their lanes"]
  }

  /// Weights are decoded once.
  fileprivate func countDecoding(_ counts: inout WorkFeature.Counts) -> (channels: Int, nonZeros: Int) {
    let nonZeros = terms.weights.reduce(0) { $0 + $1.count { $0 != 0 } }
    counts[.channel, default: 0] += Double(terms.channels)
    counts[.decodedWeight, default: 0] += Double(terms.taps * terms.channels)
    counts[.decodedTap, default: 0] += Double(nonZeros)
    return (terms.channels, nonZeros)
  }

  fileprivate func countQuads(_ words: Int, _ counts: inout WorkFeature.Counts) {
    let (channels, nonZeros) = countDecoding(&counts)
    counts[.quadPass, default: 0] += Double(words / 4 * channels)
    counts[.quadTap, default: 0] += Double(words / 4 * nonZeros)
    counts[.quadLevels, default: 0] += Double(words * channels)
  }

  fileprivate func summary(_ words: String, _ context: Context) -> [String] {
    [
      ChannelScale.summary(context),
      "Whole planes, one output channel after the other: \(words), sums biased by \(lanes.guardBias), so that none is "
        + "negative.",
    ]
  }

  fileprivate func extents(_ context: Context) -> [(name: String, value: Int)] {
    [
      ("channels", terms.channels), ("taps", terms.taps), ("out_bytes", context.output.layout.channelStride),
      ("out_height", context.output.shape.height), ("out_width", context.output.shape.width),
    ]
  }
  fileprivate var bits: [(name: String, value: Int)] { [("bits", terms.epilogue.codeBits ?? 0)] }
}

/// Any convolution over rows of words of two lanes, all of which are there.
package struct PlaneRows: PlaneVariant {
  package var terms: ConvolutionTerms
  package var lanes: Lanes
  package var scales: [ChannelScale]

  package var firing: Firing { .whenComplete }
  package var columns: ColumnAccess {
    .within((lanes.outputs - 1) * terms.window.strideWidth + terms.window.kernelWidth)
  }
  package var scratch: ScratchNeeds { ScratchNeeds(accumulators: lanes.outputs, rows: terms.taps, taps: terms.taps) }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let (channels, nonZeros) = countDecoding(&counts)
    let rows = terms.geometry.output.height
    counts[.row, default: 0] += Double(rows * channels)
    counts[.laneStep, default: 0] += Double(rows * lanes.outputs * nonZeros)
    counts[.epilogueWord, default: 0] += Double(rows * channels * lanes.outputs)
    terms.epilogue.countWork(2 * rows * channels * lanes.outputs, &counts)
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode.union([.anyMapRows]) }
  package func summary(_ context: Context) -> [String] {
    summary("two columns a word, x and x + \(lanes.distance)", context)
  }

  package func gridNumbers(_ context: Context) -> [(name: String, value: Int)] { extents(context) + bits }
  package func ownNumbers(_ context: Context) -> [(name: String, value: Int)] { [("guard", lanes.guardBias)] }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let planes = PlaneLayers(context.plan)
    let layout = context.output.layout
    planes.printGrid(context, &out)
    planes.printLayer(context, &out)
    out.block(context.prototype) { out in
      context.printCounters(&out)
      PlaneLayers.printScratch(&out)
      out.print("uint8_t *const out = memory + \(context.output.offset);\n")
      // It is called with every row of the input.
      out.block("if (rows[0] < \(context.input.shape.height))") { $0.print("return;") }
      out.call(
        "convolve_plane_rows",
        [
          "&\(context.name)_layer", "&\(context.descriptor)",
          "(const uint32_t *)(void *)(memory + \(context.input.offset))", "window", "offsets", "acc", "out",
        ])
      out.block("for (uint32_t oy = 0; oy < \(context.output.shape.height); oy++)") {
        $0.call(
          "\(context.plan.macroPrefix)_PROBE",
          ["\(context.index)", "oy", "out + oy * \(layout.rowStride)", "\(layout.channelStride)", "0", "0"])
      }
      out.print("\(context.made) = \(context.output.shape.height);")
    }
    out.print()
  }
}

/// A depthwise convolution's map as words of four rows: run of sums, words under it.
package struct SpreadPlane: Sendable, Equatable {
  /// Output rows of each byte of a word.
  package var quarter: Int
  /// Columns of padding between two rows: on the right of the one and on the left of the other.
  package var halo: Int
  /// Words of a row with the halo before it.
  package var pitch: Int
  /// Sums of four, those between the rows among them: a multiple of four.
  package var sums: Int
  /// Words that hold the map, and a row of bytes of padding behind them.
  package var words: Int
  /// Sums that are stored, those between the rows among them.
  package var fourLanes: Int
  /// Rows of words: one under each tap of a column.
  package var rows: Int
  /// Bytes of all four quarters of the output, which are more than its rows.
  package var quarterBytes: Int

  init(_ geometry: Geometry) {
    let window = geometry.window
    quarter = (geometry.output.height + 3) / 4
    // Where padding of a kernel's width lies on both sides, an output row is longer than that.
    halo = max(window.left, window.right, geometry.output.width - geometry.input.width)
    pitch = geometry.input.width + halo
    rows = quarter + window.kernelHeight - 1
    fourLanes = (quarter - 1) * pitch + geometry.output.width
    sums = (fourLanes + 3) / 4 * 4
    quarterBytes = 4 * quarter * geometry.output.width
    // The last sum's last tap; rows that are spread may reach further.
    let reached = sums + halo - window.left + (window.kernelHeight - 1) * pitch + window.kernelWidth - 1
    words = max(reached, rows * pitch) + (geometry.input.width + 3) / 4
  }
}

/// A depthwise convolution over planes: a plane at a time is spread into words of four rows.
package struct PlaneChannels: PlaneVariant {
  package var terms: ConvolutionTerms
  package var lanes: Lanes
  package var scales: [ChannelScale]
  package var spread: SpreadPlane

  package var firing: Firing { .afterGroup }
  package var hasDescriptor: Bool { false }
  package var scratch: ScratchNeeds {
    ScratchNeeds(accumulators: spread.words + spread.sums, rows: terms.taps, taps: terms.taps)
  }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let (input, output, channels) = (terms.geometry.input, terms.geometry.output, terms.channels)
    countQuads(spread.sums, &counts)
    let height = spread.quarter + terms.window.kernelHeight - 1
    counts[.locatedRow, default: 0] += Double(height * channels)
    counts[.spreadQuad, default: 0] += Double(height * input.width * channels)
    counts[.splitQuad, default: 0] += Double((output.height * output.width + 3) / 4 * channels)
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode.union([.anyMapChannels]) }
  package func summary(_ context: Context) -> [String] {
    summary("four rows a word, a quarter of the rows apart", context)
  }

  package func problems(_ context: Context) -> [String] {
    let (geometry, window) = (terms.geometry, terms.window)
    var found = laneProblems
    if (terms.channels - 1) * context.output.layout.channelStride + spread.quarterBytes > context.output.bytes {
      found.append("rows behind its last map leave the buffer")
    }
    if spread.pitch < max(geometry.output.width, geometry.input.width + max(window.left, window.right)) {
      found.append("rows of words overlap")
    }
    if spread.rows * spread.pitch + (geometry.input.width + 3) / 4 > spread.words {
      found.append("no room for a row of padding")
    }
    return found
  }

  package func gridNumbers(_ context: Context) -> [(name: String, value: Int)] {
    let (input, window) = (context.input, terms.window)
    return extents(context) + [
      ("in_bytes", input.layout.channelStride), ("height", input.shape.height), ("width", input.shape.width),
      ("tap_rows", window.kernelHeight), ("tap_columns", window.kernelWidth),
      ("tap_first", 4 * (spread.halo - window.left)), ("tap_step", 4 * spread.pitch), ("top", window.top),
      ("rows", spread.rows), ("quarter", spread.quarter), ("pitch", spread.pitch), ("swar4", spread.fourLanes),
      ("spread", spread.words),
    ] + bits
  }
  package func ownNumbers(_ context: Context) -> [(name: String, value: Int)] {
    [
      ("out", context.output.offset), ("guard", lanes.guardBias), ("padding", context.input.layout.paddingCode),
    ]
  }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    PlaneLayers(context.plan).printTable(behind: context, &out)
  }
}

/// A pointwise convolution over planes: words of four values as they lie there.
package struct PlanePoints: PlaneVariant {
  package var terms: ConvolutionTerms
  package var lanes: Lanes
  package var scales: [ChannelScale]

  package var firing: Firing { .afterGroup }
  package var hasDescriptor: Bool { false }
  package var scratch: ScratchNeeds { ScratchNeeds(rows: terms.taps, taps: terms.taps) }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    countQuads(context.input.layout.channelStride / 4, &counts)
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode.union([.anyMapPoints]) }
  package func summary(_ context: Context) -> [String] { summary("four values a word", context) }

  package func gridNumbers(_ context: Context) -> [(name: String, value: Int)] {
    let stride = context.input.layout.channelStride
    return extents(context) + [
      ("tap_rows", terms.taps), ("tap_columns", 1), ("tap_step", stride), ("swar4", stride / 4),
    ] + bits
  }
  package func ownNumbers(_ context: Context) -> [(name: String, value: Int)] {
    [("out", context.output.offset), ("guard", lanes.guardBias)]
  }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    PlaneLayers(context.plan).printTable(behind: context, &out)
  }
}

/// The descriptors of all operations that make planes, and the function that makes those from planes, one behind the
/// other.
package struct PlaneLayers {
  private let plan: FirmwarePlan
  /// All that make planes, and those of them that read planes.
  private let members: [(context: Context, variant: any PlaneVariant)]
  private var inner: [(context: Context, variant: any PlaneVariant)] {
    members.filter { $0.variant.firing == .afterGroup }
  }

  package init(_ plan: FirmwarePlan) {
    self.plan = plan
    members = plan.operations.indices.compactMap { index in
      (plan.operations[index].variant as? any PlaneVariant).map { (Context(plan, index), $0) }
    }
  }

  /// Indices of the operations from planes to planes.
  package var indices: [Int] { inner.map(\.context.index) }
  package var bits: Set<Int> { Set(members.compactMap { $0.variant.terms.epilogue.codeBits }) }
  /// Numbers of all descriptors: they say how large their types are.
  package var gridNumbers: [(name: String, value: Int)] { members.flatMap { $0.variant.gridNumbers($0.context) } }
  package var ownNumbers: [(name: String, value: Int)] { members.flatMap { $0.variant.ownNumbers($0.context) } }

  /// Operations of the same extents share a grid: that of the first.
  private func gridOwner(_ index: Int) -> String {
    guard let own = members.first(where: { $0.context.index == index }) else { return "" }
    let numbers = own.variant.gridNumbers(own.context)
    let owner = members.first { $0.variant.gridNumbers($0.context).elementsEqual(numbers, by: ==) } ?? own
    return owner.context.name
  }

  private func fields(_ index: Int) -> [(field: String, value: String)] {
    guard let own = members.first(where: { $0.context.index == index }) else { return [] }
    let name = own.context.name
    return [
      ("grid", "&\(gridOwner(index))_grid"), ("weights", "\(name)_weights[0]"), ("scale", "\(name)_scale[0]"),
    ] + own.variant.ownNumbers(own.context).map { ($0.name, "\($0.value)") }
  }

  package var descriptors: [Descriptor] {
    let grids = members.filter { gridOwner($0.context.index) == $0.context.name }.map { context, variant in
      Descriptor("grid", "\(context.name)_grid", variant.gridNumbers(context).map { ($0.name, "\($0.value)") })
    }
    let layers = members.map { context, _ in
      let place = indices.firstIndex(of: context.index)
      return Descriptor(
        "planes", place.map { "plane_layers[\($0)]" } ?? "\(context.name)_layer", fields(context.index))
    }
    return grids + layers
  }

  // MARK: Program

  func printGrid(_ context: Context, _ out: inout ProgramBuilder) {
    guard gridOwner(context.index) == context.name, let variant = context.variant as? any PlaneVariant else { return }
    out.print("static const IN_FLASH struct grid \(context.name)_grid = {")
    for (field, value) in variant.gridNumbers(context) { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  func printLayer(_ context: Context, _ out: inout ProgramBuilder) {
    out.print("static const IN_FLASH struct planes \(context.name)_layer = {")
    for line in fields(context.index) { out.print("    .\(line.field) = \(line.value),") }
    out.print("};\n")
  }

  static func printScratch(_ out: inout ProgramBuilder) {
    out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
    out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
    out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
  }

  /// Behind the last of them: all operations from planes to planes, and the function that makes them.
  func printTable(behind context: Context, _ out: inout ProgramBuilder) {
    guard let first = inner.first?.context, inner.last?.context.index == context.index else { return }
    for (context, _) in inner { printGrid(context, &out) }
    let count = inner.count
    out.print("static const IN_FLASH struct planes plane_layers[\(count)] = {")
    for (context, _) in inner {
      out.print("    {")
      for line in fields(context.index) { out.print("        .\(line.field) = \(line.value),") }
      out.print("    },")
    }
    out.print("};\n")
    out.comment([
      "Makes the planes of stages \(first.index + 1) to \(context.index + 1), each those of the stage before."
    ])
    out.block("static void convolve_layers(uint8_t *memory)") { out in
      Self.printScratch(&out)
      out.print("const uint8_t *in = memory + \(first.input.offset);\n")
      out.block("for (uint32_t i = 0; i < \(count); i++)") { out in
        out.print("const IN_FLASH struct planes *const m = &plane_layers[i];")
        out.print("uint8_t *const out = memory + m->out;\n")
        out.print("convolve_planes(m, in, window, offsets, acc, out);")
        out.block("for (uint32_t oy = 0; oy < m->grid->out_height; oy++)") {
          $0.call(
            "\(plan.macroPrefix)_PROBE",
            ["i + \(first.index)", "oy", "out + oy * m->grid->out_width", "m->grid->out_bytes", "0", "0"])
        }
        out.print("in = out;")
      }
      out.print("row_counters(memory)[\(context.index + 1)] = \(context.output.shape.height);")
    }
    out.print()
  }
}
