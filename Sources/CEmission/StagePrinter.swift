import Scheduling
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

  /// The function that makes all rows that are due, or takes a row that has arrived; of a last dense layer over all
  /// rows, the one that makes the output.
  static func prototype(_ stage: Stage) -> String {
    guard stage.advances else { return finishPrototype(stage) }
    return "static void \(stage.name)_advance(uint8_t *memory\(stage.takesColumnTiles ? ", uint32_t x" : ""))"
  }

  static func finishPrototype(_ stage: Stage) -> String {
    "static void \(stage.name)_finish(uint8_t *memory, int32_t *output)"
  }

  func print(to out: inout CodePrinter) {
    out.comment(StageText(plan, index).paragraphs)
    printTables(&out)
    if let variant = plan.operations[index].variant {
      var program = ProgramBuilder()
      variant.program(Context(plan, index), &program)
      out.print(program.statements)
      return
    }
    if let planes = stage.planes {
      printPlanes(planes, &out)
      return
    }
    if let map = stage.lineBuffer.hwc {
      if let form = stage.hwc { printHWC(form, map, &out) } else { printHWCPool(map, &out) }
      return
    }
    switch stage.work {
    case .dense, .averagePool, .maxPool: break
    case .convolution:
      switch stage.unrolled {
      case .channelTiles(let channelTiles, let columnTile)?:
        printChannelTiles(channelTiles, columnTile: columnTile, &out)
      case .taps?: printTapRows(&out)
      case .columns(let channelTiles)?:
        if let columns = stage.columns { printColumns(channelTiles, columns, &out) }
      case nil: break
      }
    }
  }

  // MARK: Constants

  /// The window and line buffer that drive the stage. All descriptors stand before all layers, since a layer's rows go
  /// into its successor's line buffer.
  ///
  /// - Parameter used: Fields of `struct stage` that anything reads.
  func printDescriptor(_ used: Set<String>, _ out: inout CodePrinter) {
    out.print("static const IN_FLASH struct stage \(stage.descriptor) = {")
    for (field, value) in fields where used.contains(field) { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  /// The descriptor's fields, as the type has them.
  var fields: [(name: String, value: Int)] {
    let lineBuffer = stage.lineBuffer
    let window = stage.window
    return [
      ("buffer", plan.lineBufferOffset(of: stage)), ("row_stride", lineBuffer.rowStride), ("slots", lineBuffer.slots),
      ("channel_stride", lineBuffer.channelStride), ("height", stage.inputShape.height),
      ("out_height", stage.outputShape.height),
      ("out_width", stage.lineBuffer.lanes?.outputs ?? stage.accumulatorShape.width),
      ("pool_height", stage.pool?.kernelHeight ?? 1), ("pool_width", stage.pool?.kernelWidth ?? 1),
      ("kernel_height", window.kernelHeight), ("kernel_width", window.kernelWidth),
      ("stride_height", window.strideHeight), ("stride_width", window.strideWidth), ("top", window.top),
      ("above", stage.storedAbove), ("left", lineBuffer.left), ("padding", lineBuffer.paddingCode),
      ("reach", stage.windowRows), ("advance", stage.rowStep), ("slides", stage.slides),
      ("step", stage.windowStep),
    ]
  }

  private func printTables(_ out: inout CodePrinter) {
    let lines = plan.tables(index).flatMap(Tables.definition)
    guard !lines.isEmpty else { return }
    out.print("/* clang-format off */")
    for line in lines { out.print(line) }
    out.print("/* clang-format on */\n")
  }

  // MARK: Rows

  /// The line buffer of the next stage, where its rows are words of two columns.
  private var nextLanes: LineBuffer? {
    guard case .lineBuffer(let next) = stage.destination, plan.stages[next].lineBuffer.holdsWords else { return nil }
    return plan.stages[next].lineBuffer
  }

  /// The same where this stage makes those words itself.
  var nextWords: LineBuffer? { stage.hasWordSums ? nextLanes : nil }

  /// Words of a column tile, where the next stage takes them at once.
  var nextColumnTile: Int? { nextWords?.columnTile }

  /// Channels that have one value. Rows that are paired are made anew every time.
  var constants: [ConstantChannel] { plan.packsRows(of: index) ? [] : stage.constants }

  /// Whether its codes go out in 16 bits each.
  var storesShortCodes: Bool {
    if case .lineBuffer(let next) = stage.destination { plan.stages[next].hasShortCodes } else { false }
  }

  var elementType: String {
    if nextLanes != nil { return "uint32_t" }
    if storesShortCodes { return "int16_t" }
    return switch stage.output.elementBytes {
    case 1: "uint8_t"
    case 2: "uint16_t"
    default: "int32_t"
    }
  }

  /// Values from a channel of the output row to the next.
  var outputStride: Int {
    switch stage.destination {
    case .lineBuffer(let next): plan.stages[next].lineBuffer.channelStride
    case .result: stage.outputShape.height * stage.outputShape.width
    case .output: 1
    }
  }

  func printDestination(_ out: inout CodePrinter) {
    let type = elementType
    let cast = type == "uint8_t" ? "" : "(\(type) *)(void *)"
    switch stage.destination {
    case .lineBuffer(let next):
      let lineBuffer = plan.stages[next].lineBuffer
      let halo = lineBuffer.left > 0 ? " + \(lineBuffer.left)" : ""
      out.print("const IN_FLASH struct stage *const next = &\(plan.stages[next].descriptor);")
      if type == "uint8_t" {
        let step = plan.stepInPlace(of: next)
        let offset = step > 0 ? " + oy * \(step)" : plan.stages[next].rowOffset("next", "oy", made: "rows[2]")
        out.assign("uint8_t *const out", "memory + next->buffer\(offset)\(halo)")
      } else {
        out.print("\(type) *const base = \(cast)(memory + next->buffer);")
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
    let distance = nextLanes.map { $0.fourLanes ?? $0.lanes?.distance ?? 0 } ?? 0
    let bits = distance == 0 ? 0 : nextLanes?.fourLanes == nil ? 16 : 8
    out.list(
      "\(plan.macroPrefix)_PROBE(", ["\(index)", "oy", "out", "\(outputStride)", "\(distance)", "\(bits)"], ");")
  }

  func printSuccessor(_ out: inout CodePrinter) {
    guard case .lineBuffer(let next) = stage.destination, plan.fusionGroup(of: next) == plan.fusionGroup(of: index)
    else { return }
    out.print("\(plan.stages[next].name)_advance(memory);")
  }

  /// Passes over the channels that are not computed.
  func printConstantCases(_ out: inout CodePrinter) {
    guard !constants.isEmpty else { return }
    out.print("switch (oc) {")
    for constant in constants { out.print("case \(constant.channel):") }
    out.indented { out in
      if fillsHalos { printHalo("out + oc * \(outputStride)", &out) }
      out.print("continue;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Where a channel's row is made.
  func printRow(_ out: inout CodePrinter) {
    if plan.packsRows(of: index) {
      out.print("uint8_t *const row = memory + SCRATCH_ROW;")
    } else {
      out.print("\(elementType) *const row = out + oc * \(outputStride);")
    }
  }

  /// A row of bytes becomes words of two columns, with their halo.
  func printPacking(_ out: inout CodePrinter) {
    guard plan.packsRows(of: index), let lineBuffer = nextLanes, let lanes = lineBuffer.lanes else { return }
    let to = "out + oc * \(outputStride)" + (lineBuffer.left > 0 ? " - \(lineBuffer.left)" : "")
    out.list(
      "pack_row_swar2(",
      [
        "row", "\(stage.outputShape.width)", "\(lineBuffer.left)", "\(lanes.distance)", "\(lineBuffer.paddingCode)", to,
        "\(lineBuffer.channelStride)",
      ], ");")
  }
}
