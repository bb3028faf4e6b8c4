import Scheduling
import Templates

/// Convolutions that make whole maps whose positions hold all channels, and the pool behind them.
extension StagePrinter {
  func printHWC(_ form: HWCForm, _ map: HWCMap, _ out: inout CodePrinter) {
    guard case .lineBuffer(let next) = stage.destination, let target = plan.stages[next].lineBuffer.hwc,
      let steps = stage.positionSteps
    else { return }
    guard case .channelTiles(let channelTiles, _)? = stage.unrolled else {
      printDepthwise(form, map, &out)
      return
    }
    printGuardBias(form.guardWord, &out)
    let functions = printChannelTiles(channelTiles, &out)
    let stride = form.scales.padded
    let width = stage.outputShape.width
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(plan.lineBufferOffset(of: stage)));")
      if target != map {
        let offset = plan.lineBufferOffset(of: plan.stages[next])
        out.print("uint32_t *const next = (uint32_t *)(void *)(memory + \(offset));")
      }
      out.print("int32_t *const sums = (int32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);\n")
      if map.isFilled {
        // It is called with every row of the input.
        out.block("if (rows[0] < \(stage.inputShape.height))") { $0.print("return;") }
      } else {
        printHaloFill(form, map, &out)
      }
      // A row that goes where a row above it lies must not come before that; see the planner.
      let isUpwards = stage.window.kernelHeight == 1 && !map.isFilled
      let loop =
        isUpwards
        ? "for (uint32_t y = \(form.half); y-- > 0;)" : "for (uint32_t y = 0; y < \(form.half); y++)"
      out.block(loop) { out in
        let to = target == map ? "map" : "next"
        let lines = plan.stages[next].window.top
        let first = (map.left - stage.window.left) * map.positionWords
        let above = lines == 0 ? "y" : "(y + \(lines))"
        let row = target.left == 0 ? "" : " + \(target.left * target.positionWords)"
        let column = first == 0 ? "" : " + \(first)"
        out.print("uint32_t *const out = \(to) + \(above) * \(target.rowWords)\(row);")
        out.print("const int32_t *in = (const int32_t *)map + y * \(steps.row)\(column);")
        out.print("int32_t *at = sums;\n")
        out.block("for (uint32_t x = 0; x < \(width); x++, in += \(steps.column), at += \(stride))") { out in
          for function in functions { out.print("\(function)(in, at);") }
        }
        out.list(
          "\(form.scales.function)(",
          ["sums", "\(name)_scales", "\(stride)"] + form.scales.argument + [
            "\(width)", "\(target.positionWords)", "out",
          ], ");")
        out.list(
          "\(plan.macroPrefix)_PROBE_HWC(", ["\(index)", "y", "out", "\(target.positionWords)", "\(form.half)"], ");"
        )
      }
      out.print("rows[1] = \(stage.outputShape.height);")
    }
    out.print()
  }

  /// Padding beside the rows, and the rows above and below those of each lane.
  func printHaloFill(_ form: HWCForm, _ map: HWCMap, _ out: inout CodePrinter) {
    let window = stage.window
    guard window.hasPadding else { return }
    out.list(
      "fill_halo_hwc(",
      [
        "map", "\(map.rowWords)", "\(stage.hasSides ? map.halo * map.positionWords : 0)", "\(window.top)",
        "\(form.half)",
        "\(window.bottom)", "\(stage.inputShape.height)",
        "\(stage.lineBuffer.paddingCode)",
      ],
      ");\n")
  }

  // MARK: Blocks

  /// The functions that sum up a position, some of its channels each; their names.
  private func printChannelTiles(_ channelTiles: [ChannelTile], _ out: inout CodePrinter) -> [String] {
    for (number, block) in channelTiles.enumerated() {
      printNote(block, &out)
      out.block("static NO_INLINE void \(name)_block\(number)(const int32_t *in, int32_t *sums)") {
        printPosition(block, &$0) { block.channels[$0] }
      }
      out.print()
    }
    return channelTiles.indices.map { "\(name)_block\($0)" }
  }

  // MARK: Pool

  /// The average pool over all positions.
  func printHWCPool(_ map: HWCMap, _ out: inout CodePrinter) {
    guard case .averagePool(let epilogue) = stage.work else { return }
    let shape = stage.inputShape
    let half = (shape.height + 1) / 2
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(plan.lineBufferOffset(of: stage)));")
      out.print("uint32_t *const from = map + \(map.left * map.positionWords);")
      let oy = "const uint32_t oy = rows[1];"
      if case .result = stage.destination { out.print(oy) }
      printDestination(&out)
      if case .lineBuffer = stage.destination { out.print(oy) }
      out.print()
      if shape.height % 2 > 0 {
        out.print("/* Behind an odd number of rows the upper lane has none. */")
        out.block("for (uint32_t i = 0; i < \(shape.width * map.positionWords); i++)") {
          $0.print("from[\((half - 1) * map.rowWords) + i] &= 0xFFFFU;")
        }
      }
      out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
        out.print("\(elementType) *const row = out + oc * \(outputStride);")
        out.list(
          "const int32_t sum = sum_hwc(",
          ["from + oc", "\(half)", "\(shape.width)", "\(map.rowWords)", "\(map.positionWords)"], ");")
        out.print()
        if let epilogue {
          printConstants(epilogue, "oc", &out)
          printUnread(epilogue, "sum", &out)
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

extension Stage {
  fileprivate var hasSides: Bool { window.left + window.right > 0 }
}
