import FirmwarePlanning
import Templates

/// Convolutions that make whole maps.
extension StagePrinter {
  func printMaps(_ maps: MapForm, _ out: inout CodePrinter) {
    guard case .ring(let next) = stage.destination else { return }
    let target = plan.stages[next].ring
    out.print("static const struct maps \(name)_maps = {")
    for field in ["weights[0]", "multiplier", "bias"] {
      out.print("    .\(field.prefix { $0 != "[" }) = \(name)_\(field),")
    }
    for (field, value) in mapNumbers { out.print("    .\(field) = \(value),") }
    out.print("};\n")
    let input = plan.buffers[stage.ring.buffer].offset
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
      out.print("uint32_t *const acc = (uint32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);")
      out.print("uint8_t *const out = memory + \(plan.buffers[target.buffer].offset);\n")
      switch maps.kind {
      case .rows:
        // It is called with every row of the input.
        out.block("if (rows[0] < \(stage.inputShape.height))") { $0.print("return;") }
        out.list(
          "convolve_rows(",
          [
            "&\(name)_maps", "&\(stage.descriptor)", "(const uint32_t *)(void *)(memory + \(input))", "window",
            "offsets", "acc", "out",
          ], ");")
      case .channels:
        out.list(
          "convolve_channels(", ["&\(name)_maps", "memory + \(input)", "window", "offsets", "acc", "out"], ");")
      case .points:
        out.list("convolve_points(", ["&\(name)_maps", "memory + \(input)", "window", "offsets", "acc", "out"], ");")
      }
      out.block("for (uint32_t oy = 0; oy < \(stage.outputShape.height); oy++)") {
        $0.list(
          "\(plan.macroPrefix)_PROBE(",
          ["\(index)", "oy", "out + oy * \(target.rowStride)", "\(target.channelStride)", "0", "0"], ");")
      }
      out.print("rows[1] = \(stage.outputShape.height);")
    }
    out.print()
  }

  /// The descriptor's numbers, as far as the form reads them.
  var mapNumbers: [(name: String, value: Int)] {
    guard let maps = stage.maps, case .convolution(let work) = stage.work, case .ring(let next) = stage.destination
    else {
      return []
    }
    let target = plan.stages[next].ring
    var numbers: [(name: String, value: Int)] = [
      ("channels", stage.outputShape.channels), ("taps", work.taps), ("lift", maps.lanes.lift),
    ]
    switch maps.kind {
    case .rows:
      numbers += [
        ("out_bytes", target.channelStride), ("out_height", stage.outputShape.height),
        ("out_width", stage.outputShape.width),
      ]
    case .points: numbers.append(("in_bytes", stage.ring.channelStride))
    case .channels:
      guard let spread = stage.spreadMap else { break }
      numbers += [
        ("in_bytes", stage.ring.channelStride), ("out_bytes", target.channelStride),
        ("height", stage.inputShape.height), ("width", stage.inputShape.width),
        ("out_height", stage.outputShape.height), ("out_width", stage.outputShape.width),
        ("kernel_height", stage.window.kernelHeight), ("kernel_width", stage.window.kernelWidth),
        ("top", stage.window.top), ("halo", spread.halo), ("skip", spread.halo - stage.window.left),
        ("padding", stage.ring.paddingLevel),
        ("quarter", spread.quarter), ("pitch", spread.pitch), ("sums", spread.sums), ("spread", spread.words),
      ]
    }
    return numbers + [("bits", work.epilogue.levelBits ?? 0)]
  }
}

extension MapForm {
  /// Kernels that it calls.
  var kernels: Set<Kernel> {
    switch kind {
    case .rows: [.maps, .convolveRows, .listTaps, .sumStrided, .requantizeLanes, .splitRow]
    case .channels: [.maps, .convolveChannels, .listTaps, .sumQuads, .requantizeQuads]
    case .points: [.maps, .convolvePoints, .listTaps, .sumQuads, .requantizeQuads]
    }
  }
}

extension Stage {
  /// Whether anything looks its window and ring up.
  var hasDescriptor: Bool { ring.channelsLast == nil && (maps == nil || maps?.kind == .rows) }
}
