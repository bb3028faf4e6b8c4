import Scheduling
import Templates

/// Convolutions that make whole maps.
extension StagePrinter {
  /// The first of them, whose input are rows; those behind it are lines of a table that is printed after the last.
  func printPlanes(_ planes: PlaneForm, _ out: inout CodePrinter) {
    guard planes.kind == .rows, case .lineBuffer(let next) = stage.destination else {
      if plan.planeStages.last == index { printPlaneTable(&out) }
      return
    }
    let target = plan.stages[next].lineBuffer
    printGrid(&out)
    out.print("static const IN_FLASH struct planes \(name)_layer = {")
    for line in planeFields { out.print("    .\(line.field) = \(line.value),") }
    out.print("};\n")
    let input = plan.buffers[stage.lineBuffer.buffer].offset
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      printScratch(&out)
      out.print("uint8_t *const out = memory + \(plan.buffers[target.buffer].offset);\n")
      // It is called with every row of the input.
      out.block("if (rows[0] < \(stage.inputShape.height))") { $0.print("return;") }
      out.list(
        "convolve_plane_rows(",
        [
          "&\(name)_layer", "&\(stage.descriptor)", "(const uint32_t *)(void *)(memory + \(input))", "window",
          "offsets", "acc", "out",
        ], ");")
      out.block("for (uint32_t oy = 0; oy < \(stage.outputShape.height); oy++)") {
        $0.list(
          "\(plan.macroPrefix)_PROBE(",
          ["\(index)", "oy", "out + oy * \(target.rowStride)", "\(target.channelStride)", "0", "0"], ");")
      }
      out.print("rows[1] = \(stage.outputShape.height);")
    }
    out.print()
  }

  private func printScratch(_ out: inout CodePrinter) {
    out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
    out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
    out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
  }

  /// All layers from maps to maps, and the function that makes them.
  private func printPlaneTable(_ out: inout CodePrinter) {
    guard let first = plan.planeStages.first, case .lineBuffer(let next) = stage.destination else { return }
    let printers = plan.planeStages.map { StagePrinter(plan, $0) }
    for printer in printers { printer.printGrid(&out) }
    let count = printers.count
    out.print("static const IN_FLASH struct planes plane_layers[\(count)] = {")
    for printer in printers {
      out.print("    {")
      for line in printer.planeFields { out.print("        .\(line.field) = \(line.value),") }
      out.print("    },")
    }
    out.print("};\n")
    out.comment(["Makes the planes of stages \(first + 1) to \(next), each those of the stage before."])
    out.block("static void convolve_layers(uint8_t *memory)") { out in
      printScratch(&out)
      out.print("const uint8_t *in = memory + \(plan.buffers[plan.stages[first].lineBuffer.buffer].offset);\n")
      out.block("for (uint32_t i = 0; i < \(count); i++)") { out in
        out.print("const IN_FLASH struct planes *const m = &plane_layers[i];")
        out.print("uint8_t *const out = memory + m->out;\n")
        out.print("convolve_planes(m, in, window, offsets, acc, out);")
        out.block("for (uint32_t oy = 0; oy < m->grid->out_height; oy++)") {
          $0.list(
            "\(plan.macroPrefix)_PROBE(",
            ["i + \(first)", "oy", "out + oy * m->grid->out_width", "m->grid->out_bytes", "0", "0"], ");")
        }
        out.print("in = out;")
      }
      out.print("row_counters(memory)[\(next)] = \(stage.outputShape.height);")
    }
    out.print()
  }

  // MARK: Descriptors

  private func printGrid(_ out: inout CodePrinter) {
    guard gridOwner == index else { return }
    out.print("static const IN_FLASH struct grid \(name)_grid = {")
    for (field, value) in gridNumbers { out.print("    .\(field) = \(value),") }
    out.print("};\n")
  }

  /// The first layer of the same extents.
  var gridOwner: Int {
    plan.stages.indices.first { plan.stages[$0].planes != nil && StagePrinter(plan, $0).hasGrid(of: self) } ?? index
  }

  private func hasGrid(of other: StagePrinter) -> Bool { gridNumbers.elementsEqual(other.gridNumbers, by: ==) }

  var planeFields: [(field: String, value: String)] {
    [
      ("grid", "&\(plan.stages[gridOwner].name)_grid"), ("weights", "\(name)_weights[0]"),
      ("scale", "\(name)_scale[0]"),
    ] + planeNumbers.map { ($0.name, "\($0.value)") }
  }

  /// The layer's own numbers.
  var planeNumbers: [(name: String, value: Int)] {
    guard let planes = stage.planes, case .lineBuffer(let next) = stage.destination else { return [] }
    let guardBias = (name: "guard", value: planes.lanes.guardBias)
    if planes.kind == .rows { return [guardBias] }
    let numbers = [(name: "out", value: plan.buffers[plan.stages[next].lineBuffer.buffer].offset), guardBias]
    return planes.kind == .points ? numbers : numbers + [("padding", stage.lineBuffer.paddingCode)]
  }

  /// Those that layers of the same extents share, as far as the form reads them.
  var gridNumbers: [(name: String, value: Int)] {
    guard let planes = stage.planes, case .convolution(let work) = stage.work,
      case .lineBuffer(let next) = stage.destination
    else { return [] }
    var numbers: [(name: String, value: Int)] = [
      ("channels", stage.outputShape.channels), ("taps", work.taps),
      ("out_bytes", plan.stages[next].lineBuffer.channelStride), ("out_height", stage.outputShape.height),
      ("out_width", stage.outputShape.width),
    ]
    switch planes.kind {
    case .rows: break
    case .points:
      numbers += [
        ("tap_rows", work.taps), ("tap_columns", 1), ("tap_step", stage.lineBuffer.channelStride),
        ("swar4", stage.lineBuffer.channelStride / 4),
      ]
    case .channels:
      guard let spread = stage.spreadPlane else { break }
      numbers += [
        ("in_bytes", stage.lineBuffer.channelStride), ("height", stage.inputShape.height),
        ("width", stage.inputShape.width), ("tap_rows", stage.window.kernelHeight),
        ("tap_columns", stage.window.kernelWidth), ("tap_first", 4 * (spread.halo - stage.window.left)),
        ("tap_step", 4 * spread.pitch), ("top", stage.window.top), ("rows", spread.rows),
        ("quarter", spread.quarter), ("pitch", spread.pitch), ("swar4", spread.fourLanes), ("spread", spread.words),
      ]
    }
    return numbers + [("bits", work.epilogue.codeBits ?? 0)]
  }
}

extension FirmwarePlan {
  /// The stages from maps to maps: one behind the other.
  var planeStages: [Int] {
    stages.indices.filter { stages[$0].planes.map { $0.kind != .rows } ?? false }
  }
}

extension Stage {
  /// Whether anything looks its window and line buffer up.
  var hasDescriptor: Bool { lineBuffer.hwc == nil && (planes == nil || planes?.kind == .rows) }
}
