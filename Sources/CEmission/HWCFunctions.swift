import Scheduling
import Templates

/// Functions that all stages share which make maps whose positions hold all channels.
struct HWCFunctions {
  let plan: FirmwarePlan
  private var stages: [Stage] { plan.stages.filter { $0.hwc != nil } }

  init(_ plan: FirmwarePlan) { self.plan = plan }

  /// What the compiler is to see as constants.
  func print(to out: inout CodePrinter) {
    printShifts(&out)
    printDepthwise(&out)
  }

  /// Requantizers of positions, one for each shift. Where none is a constant, the kernel itself.
  private func printShifts(_ out: inout CodePrinter) {
    let scales = stages.compactMap { if case .channelTiles? = $0.unrolled { $0.hwc?.scales } else { nil } }
    for shift in Set(scales.filter { $0.drop > 0 }.map(\.shift)).sorted() {
      guard let scales = scales.first(where: { $0.shift == shift }) else { continue }
      out.list(
        "static void \(scales.function)(",
        [
          "const int32_t *sums", "const IN_FLASH int32_t (*scales)[2]", "uint32_t channels", "uint32_t width",
          "uint32_t position",
          "uint32_t *out",
        ], ") {")
      out.print("    requantize_hwc(sums, scales, channels, \(shift), width, position, out);\n}\n")
    }
  }

  // MARK: Depthwise convolutions

  private var depthwise: [(stage: Stage, form: HWCForm, lists: [TapList])] {
    stages.compactMap { stage in
      guard case .taps(let lists, _)? = stage.unrolled, let form = stage.hwc else { return nil }
      return (stage, form, lists)
    }
  }

  /// For each shift that is a constant, functions for all numbers of taps that some channel adds and subtracts.
  private func printDepthwise(_ out: inout CodePrinter) {
    guard let first = depthwise.first, let map = first.stage.lineBuffer.hwc else { return }
    let functions = plan.depthwiseFunctions
    if let function = functions.first {
      out.comment([
        "Depthwise convolutions. Functions for the numbers of taps that channels have: \(name(function)) adds "
          + "\(function.plus) and subtracts \(function.minus)."
      ])
    }
    for shift in Set(functions.map(\.shift)).sorted() {
      let chosen = functions.filter { $0.shift == shift }
      for function in chosen {
        out.list(
          "static NO_INLINE void \(name(function))(", Self.parameters + (shift == 0 ? ["unsigned shift"] : []), ") {")
        let width = first.stage.outputShape.width
        let printRows = function.namesColumns ? printNamedColumns : printColumns
        out.indented { printRows(function, first.form.half, width, map, &$0) }
        out.print("}\n")
      }
      if let scales = depthwise.first(where: { $0.form.scales.constant == shift })?.form.scales {
        printChoice(scales, chosen, &out)
      }
    }
  }

  private func name(_ function: DepthwiseFunction) -> String {
    "depthwise\(function.shift == 0 ? "" : "\(function.shift)")_\(function.plus)_\(function.minus)"
  }

  private static let parameters = [
    "uint32_t *at", "const IN_FLASH uint8_t *taps", "const IN_FLASH int32_t *scale", "int32_t guard",
  ]

  /// The map of a channel, from the sums of some taps that are added and some that are subtracted.
  private func printColumns(
    _ function: DepthwiseFunction, _ half: Int, _ width: Int, _ map: HWCMap, _ out: inout CodePrinter
  ) {
    let (plus, minus, shift) = (function.plus, function.minus, function.shift)
    for tap in 0..<(plus + minus) { out.print("const uint32_t t\(tap) = taps[\(tap + 1)] * \(map.positionWords)U;") }
    if plus + minus == 0 { out.print("(void)taps;") }
    out.print("const int32_t m = scale[0];\nconst int32_t b = scale[1];\n")
    let step = map.halo * map.positionWords
    out.block("for (uint32_t y = 0; y < \(half); y++\(step == 0 ? "" : ", at += \(step)"))") { out in
      out.block("for (uint32_t x = 0; x < \(width); x++, at += \(map.positionWords))") { out in
        if plus + minus > 0 { out.print("const int32_t *const p = (const int32_t *)at;") }
        let taps = (0..<(plus + minus)).map { "p[t\($0)]" }
        let added = ["\(minus > 0 ? "" : "const ")int32_t sum = guard"] + taps[..<plus]
        let lines =
          [added.joined(separator: " + ") + ";"]
          + (minus > 0 ? ["sum -= " + taps[plus...].joined(separator: " + ") + ";"] : [])
        let isLong = lines.contains { $0.count + 12 > CodePrinter.width }
        if isLong { out.print("/* clang-format off */") }
        out.print(lines[0] + "\n")
        for line in lines.dropFirst() { out.print(line) }
        if isLong { out.print("/* clang-format on */") }
        out.print("*at = codes_of(sum, m, b, \(shift == 0 ? "shift" : "\(shift)"));")
        if plan.core.tilesLoop { out.print("KEEP_POINTER(at);") }
      }
    }
  }

  /// The same a row at a time, a pointer for each tap.
  private func printNamedColumns(
    _ function: DepthwiseFunction, _ half: Int, _ width: Int, _ map: HWCMap, _ out: inout CodePrinter
  ) {
    let (plus, minus, shift) = (function.plus, function.minus, function.shift)
    for tap in 0..<(plus + minus) {
      out.print("const int32_t *p\(tap) = (const int32_t *)at + taps[\(tap + 1)] * \(map.positionWords)U;")
    }
    out.print("const int32_t m = scale[0];\nconst int32_t b = scale[1];\n")
    out.block("for (uint32_t y = 0; y < \(half); y++)") { out in
      out.print("/* clang-format off */")
      for x in 0..<width {
        let taps = (0..<(plus + minus)).map { "p\($0)[\(x * map.positionWords)]" }
        let added = (["guard"] + taps[..<plus]).joined(separator: " + ")
        let subtracted = minus > 0 ? " - (" + taps[plus...].joined(separator: " + ") + ")" : ""
        out.print(
          "at[\(x * map.positionWords)] = codes_of(\(added)\(subtracted), m, b, \(shift == 0 ? "shift" : "\(shift)"));"
        )
        out.print("KEEP_ORDER;")
      }
      out.print("/* clang-format on */")
      for tap in 0..<(plus + minus) { out.print("p\(tap) += \(map.rowWords);\nKEEP_POINTER(p\(tap));") }
      out.print("at += \(map.rowWords);\nKEEP_POINTER(at);")
    }
  }

  private func printChoice(_ scales: HWCScales, _ functions: [DepthwiseFunction], _ out: inout CodePrinter) {
    let shift = scales.constant
    out.print(
      """
      /*
       * The map of a channel from the words that its windows begin with, which its output replaces.
       * taps[0] says how many are added and how many subtracted, four bits each; behind it are their
       * positions. Returns the next channel's taps.
       */
      """)
    out.list(
      "static const IN_FLASH uint8_t *\(scales.depthwise)(", Self.parameters + (shift == 0 ? ["unsigned shift"] : []),
      ") {")
    out.indented { out in
      out.print("switch (taps[0]) {")
      for function in functions {
        out.print("case 0x\(String(function.counts, radix: 16)):")
        out.print(
          "    \(name(function))(at, taps, scale, guard\(shift == 0 ? ", shift" : ""));\n    break;")
      }
      out.print("default:\n    break;\n}\nreturn taps + 1 + (taps[0] >> 4) + (taps[0] & 15U);")
    }
    out.print("}\n")
  }
}

extension StagePrinter {
  /// A depthwise convolution, channel after channel.
  func printDepthwise(_ form: HWCForm, _ map: HWCMap, _ out: inout CodePrinter) {
    guard case .taps(let lists, _)? = stage.unrolled else { return }
    let window = stage.window
    printGuardBias(form.guardWord, &out)
    out.block(Self.prototype(stage)) { out in
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(plan.lineBufferOffset(of: stage)));")
      let column = map.left - window.left
      let first = column == 0 ? "map" : "map + \(column * map.positionWords)"
      out.print("const IN_FLASH uint8_t *taps = \(name)_taps;\n")
      printHaloFill(form, map, &out)
      out.block("for (uint32_t c = 0; c < \(lists.count); c++)") {
        $0.list(
          "taps = \(form.scales.depthwise)(",
          ["\(first) + c", "taps", "\(name)_scales[c]", guardBias] + form.scales.argument, ");")
      }
      out.block("for (uint32_t y = 0; y < \(form.half); y++)") {
        $0.list(
          "\(plan.macroPrefix)_PROBE_HWC(",
          ["\(index)", "y", "\(first) + y * \(map.rowWords)", "\(map.positionWords)", "\(form.half)"], ");")
      }
      out.print("rows[1] = \(stage.outputShape.height);")
    }
    out.print()
  }
}

extension HWCScales {
  var function: String { drop > 0 ? "requantize_by_\(shift)" : "requantize_hwc" }
  var depthwise: String { drop > 0 ? "depthwise\(shift)" : "depthwise" }
  var argument: [String] { drop > 0 ? [] : ["\(shift)"] }
}

extension Stage {
  /// Counts and taps of a depthwise convolution's channels, a byte each.
  var tapBytes: [Int]? {
    guard let hwc, case .taps(let lists, _)? = unrolled else { return nil }
    return lists.flatMap { [hwc.function($0).counts] + $0.offsets }
  }
}
