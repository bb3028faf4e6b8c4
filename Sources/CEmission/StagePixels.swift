import FirmwarePlanning
import Templates

/// Convolutions that make whole maps whose positions hold all channels, and the pool behind them.
extension StagePrinter {
  func printPixels(_ form: ChannelsLast, _ map: ChannelsLastMap, _ out: inout CodePrinter) {
    guard case .ring(let next) = stage.destination, let target = plan.stages[next].ring.channelsLast,
      let steps = stage.pixelSteps
    else { return }
    printLift(form.liftedWord, &out)
    let functions = printPositions(&out)
    let channels = stage.outputShape.channels
    let stride = (channels + 3) / 4 * 4
    let width = stage.outputShape.width
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(plan.ringOffset(of: stage)));")
      if target != map {
        let offset = plan.ringOffset(of: plan.stages[next])
        out.print("uint32_t *const next = (uint32_t *)(void *)(memory + \(offset));")
      }
      out.print("int32_t *const sums = (int32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);\n")
      if map.isFilled {
        // It is called with every row of the input.
        out.block("if (rows[0] < \(stage.inputShape.height))") { $0.print("return;") }
      } else {
        printClosing(form, map, &out)
      }
      // A row that goes where a row above it lies must not come before that; see the planner.
      let isUpwards = stage.window.kernelHeight == 1 && !map.isFilled
      let loop =
        isUpwards
        ? "for (uint32_t y = \(form.half); y-- > 0;)" : "for (uint32_t y = 0; y < \(form.half); y++)"
      out.block(loop) { out in
        let to = target == map ? "map" : "next"
        let lines = plan.stages[next].window.top
        let first = (map.left - stage.window.left) * map.pixel
        let above = lines == 0 ? "y" : "(y + \(lines))"
        let row = target.left == 0 ? "" : " + \(target.left * target.pixel)"
        let column = first == 0 ? "" : " + \(first)"
        out.print("uint32_t *const out = \(to) + \(above) * \(target.rowWords)\(row);")
        out.print("const int32_t *in = (const int32_t *)map + y * \(steps.row)\(column);")
        out.print("int32_t *at = sums;\n")
        out.block("for (uint32_t x = 0; x < \(width); x++, in += \(steps.column), at += \(stride))") { out in
          for function in functions { out.print("\(function)(in, at);") }
        }
        let requantize = form.scales.drop == 0 ? "requantize_pixels" : form.scales.function
        out.list("\(requantize)(", requantizing(form, target, stride), ");")
        out.list(
          "\(plan.macroPrefix)_PROBE_PIXELS(", ["\(index)", "y", "out", "\(target.pixel)", "\(form.half)"], ");")
      }
      out.print("rows[1] = \(stage.outputShape.height);")
    }
    out.print()
  }

  private func requantizing(_ form: ChannelsLast, _ target: ChannelsLastMap, _ channels: Int) -> [String] {
    ["sums", "\(name)_scales", "\(channels)"] + (form.scales.drop == 0 ? ["\(form.scales.shift)"] : [])
      + ["\(stage.outputShape.width)", "\(target.pixel)", "out"]
  }

  /// A function for each shift, as a constant.
  static func printShifts(_ plan: FirmwarePlan, _ out: inout CodePrinter) {
    let scales = Dictionary(plan.stages.compactMap(\.channelsLast).map { ($0.scales.shift, $0.scales) }) { a, _ in a }
    for (shift, scales) in scales.sorted(by: { $0.key < $1.key }) {
      out.list(
        "static void \(scales.function)(",
        [
          "const int32_t *sums", "const int32_t (*scales)[2]", "uint32_t channels", "uint32_t width", "uint32_t pixel",
          "uint32_t *out",
        ], ") {")
      out.print("    requantize_pixels(sums, scales, channels, \(shift), width, pixel, out);\n}\n")
    }
  }

  /// Padding beside the rows, and the rows above and below those of each lane.
  private func printClosing(_ form: ChannelsLast, _ map: ChannelsLastMap, _ out: inout CodePrinter) {
    let window = stage.window
    guard window.hasPadding else { return }
    let level = "\(stage.ring.paddingLevel)"
    if writesSides {
      let level = stage.ring.paddingLevel
      let word = level == 0 ? "0" : "0x" + String(level << 16 | level, radix: 16, uppercase: true)
      out.block("for (uint32_t y = 0; y <= \(map.rows); y++)") {
        $0.print("fill_words(map + y * \(map.rowWords), \(map.left * map.pixel), \(word));")
      }
    }
    guard window.top + window.bottom > 0 else { return }
    out.list(
      "close_pixels(",
      ["map", "\(map.rowWords)", "\(window.top)", "\(form.half)", "\(window.bottom)", "\(stage.inputShape.height)", level],
      ");\n")
  }

  /// Whether the columns of padding hold another level than what the stages before have left there.
  private var writesSides: Bool {
    guard stage.window.left + stage.window.right > 0 else { return false }
    let before = plan.stages[..<index].last { $0.ring.channelsLast == stage.ring.channelsLast && $0.hasSides }
    return before?.ring.paddingLevel != stage.ring.paddingLevel
  }

  // MARK: Positions

  /// The functions that sum up a position, some of its channels each; their names.
  private func printPositions(_ out: inout CodePrinter) -> [String] {
    switch stage.code {
    case .blocks(let blocks, _)?:
      for (number, block) in blocks.enumerated() {
        printNote(block, &out)
        out.block("static NO_INLINE void \(name)_block\(number)(const int32_t *in, int32_t *sums)") {
          printPosition(block, &$0) { block.channels[$0] }
        }
        out.print()
      }
      return blocks.indices.map { "\(name)_block\($0)" }
    case .taps(let channels, _)?:
      out.print("/* The sums of all channels at a position. */")
      out.block("static NO_INLINE void \(name)_sums(const int32_t *in, int32_t *sums)") {
        plan.core.reachableWords > 32 ? printFarTaps(channels, &$0) : printNearTaps(channels, &$0)
      }
      out.print()
      return ["\(name)_sums"]
    case .columns?, nil: return []
    }
  }

  /// Every word of a window is a constant distance away.
  private func printFarTaps(_ channels: [TapList], _ out: inout CodePrinter) {
    // RISC-V reaches as far down as up.
    let center = plan.core == .riscv32 ? (stage.window.kernelHeight - 1) / 2 * (stage.pixelSteps?.row ?? 0) : 0
    if center > 0 { out.print("in += \(center);\nKEEP_POINTER(in);") }
    out.print("/* clang-format off */")
    for (channel, taps) in channels.enumerated() {
      let terms = taps.offsets.enumerated().map { place, offset in
        "\(place < taps.plus ? "+" : "-") in[\(offset + channel - center)]"
      }
      out.sum("sums[\(channel)] =", [lift] + terms)
      out.print("KEEP_ORDER;")
    }
    out.print("/* clang-format on */")
  }

  /// A pointer to each row of the window and, in registers, the distances of its columns.
  private func printNearTaps(_ channels: [TapList], _ out: inout CodePrinter) {
    guard let map = stage.ring.channelsLast else { return }
    let window = stage.window
    for ky in 0..<window.kernelHeight {
      out.print("const int32_t *row\(ky) = in\(ky == 0 ? "" : " + \(ky * map.rowWords)");")
    }
    for kx in 1..<max(window.kernelWidth, 1) { out.print("uint32_t column\(kx) = \(kx * map.pixel);") }
    out.print()
    for kx in 1..<max(window.kernelWidth, 1) { out.print("KEEP_POINTER(column\(kx));") }
    out.print("/* clang-format off */")
    for taps in channels {
      let terms = taps.offsets.enumerated().map { place, offset in
        let kx = offset % map.rowWords / map.pixel
        let word = "row\(offset / map.rowWords)[\(kx == 0 ? "0" : "column\(kx)")]"
        return "\(place < taps.plus ? "+" : "-") \(word)"
      }
      out.sum("*sums++ =", [lift] + terms)
      out.print((0..<window.kernelHeight).map { "row\($0)++" }.joined(separator: ", ") + ";")
      out.print("KEEP_ORDER;")
    }
    out.print("/* clang-format on */")
  }

  // MARK: Pool

  /// The average pool over all positions.
  func printPixelPool(_ map: ChannelsLastMap, _ out: inout CodePrinter) {
    guard case .averagePool(let epilogue) = stage.work else { return }
    let shape = stage.inputShape
    let half = (shape.height + 1) / 2
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(plan.ringOffset(of: stage)));")
      out.print("uint32_t *const from = map + \(map.left * map.pixel);")
      let oy = "const uint32_t oy = rows[1];"
      if case .result = stage.destination { out.print(oy) }
      printDestination(&out)
      if case .ring = stage.destination { out.print(oy) }
      out.print()
      if shape.height % 2 > 0 {
        out.print("/* Behind an odd number of rows the upper lane has none. */")
        out.block("for (uint32_t i = 0; i < \(shape.width * map.pixel); i++)") {
          $0.print("from[\((half - 1) * map.rowWords) + i] &= 0xFFFFU;")
        }
      }
      out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
        out.print("\(elementType) *const row = out + oc * \(outputStride);")
        out.list(
          "const int32_t sum = sum_pixels(",
          ["from + oc", "\(half)", "\(shape.width)", "\(map.rowWords)", "\(map.pixel)"], ");")
        out.print()
        if let epilogue {
          printConstants(epilogue, "oc", &out)
          out.print("row[0] = \(stage.output.elementBytes == 1 ? "(uint8_t)" : "")\(expression(epilogue, "sum"));")
        } else {
          out.print("row[0] = (uint16_t)sum;")
        }
      }
      printProbe(&out)
      out.print("rows[1]++;")
    }
    out.print()
  }
}

extension PixelScales {
  fileprivate var function: String { "requantize_by_\(shift)" }
}

extension Stage {
  fileprivate var hasSides: Bool { window.left + window.right > 0 }

  /// Kernels that it calls while it makes maps whose positions hold all channels, and what pools those.
  var pixelKernels: Set<Kernel> {
    guard let map = ring.channelsLast else { return [] }
    guard let channelsLast else { return [.sumPixels] }
    var used: Set<Kernel> = [.keepOrder, channelsLast.scales.drop == 0 ? .requantizePixels : .requantizePixelsDSP]
    if map.isFilled || hasSides { used.insert(.fillWords) }
    if !map.isFilled, window.top + window.bottom > 0 { used.insert(.closePixels) }
    return used
  }
}
