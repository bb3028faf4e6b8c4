/// Functions that all operations share which make maps whose positions hold all channels: what the compiler is to see as
/// constants.
package struct HWCFunctions {
  private let plan: FirmwarePlan
  private let members: [(context: Context, variant: any HWCVariant)]

  package init(_ plan: FirmwarePlan) {
    self.plan = plan
    members = plan.operations.indices.compactMap { index in
      (plan.operations[index].variant as? any HWCVariant).map { (Context(plan, index), $0) }
    }
  }

  package var bits: Set<Int> { Set(members.compactMap { $0.variant.terms.epilogue.codeBits }) }
  /// Whether codes are made by instructions of the DSP extension where there are any.
  package var dropsBits: Bool { members.contains { $0.variant.form.scales.drop > 0 } }

  package func print(to out: inout ProgramBuilder) {
    printShifts(&out)
    printDepthwise(&out)
  }

  /// Requantizers of positions, one for each shift. Where none is a constant, the kernel itself.
  private func printShifts(_ out: inout ProgramBuilder) {
    let scales = members.compactMap { ($0.variant as? HWCTiles)?.form.scales }
    for shift in Set(scales.filter { $0.drop > 0 }.map(\.shift)).sorted() {
      guard let scales = scales.first(where: { $0.shift == shift }) else { continue }
      out.list(
        "static void \(scales.function)(",
        [
          "const int32_t *sums", "const IN_FLASH int32_t (*scales)[2]", "uint32_t channels", "uint32_t width",
          "uint32_t position", "uint32_t *out",
        ], ") {")
      out.print("    requantize_hwc(sums, scales, channels, \(shift), width, position, out);\n}\n")
    }
  }

  // MARK: Depthwise convolutions

  /// Functions that the depthwise convolutions share, in order.
  package var depthwiseFunctions: [DepthwiseFunction] {
    Set(depthwise.flatMap { member in member.taps.map(member.form.function) }).sorted()
  }
  private var depthwise: [HWCDepthwise] { members.compactMap { $0.variant as? HWCDepthwise } }

  /// For each shift that is a constant, functions for all numbers of taps that some channel adds and subtracts.
  private func printDepthwise(_ out: inout ProgramBuilder) {
    guard let first = members.first(where: { $0.variant is HWCDepthwise }), let map = first.context.input.hwc else {
      return
    }
    let functions = depthwiseFunctions
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
        let width = first.context.output.shape.width
        let printRows = function.namesColumns ? printNamedColumns : printColumns
        out.indented { printRows(function, first.variant.form.half, width, map, &$0) }
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
    _ function: DepthwiseFunction, _ half: Int, _ width: Int, _ map: HWCMap, _ out: inout ProgramBuilder
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
        // A line of 100 columns, twelve of them indentation.
        let isLong = lines.contains { $0.count + 12 > 100 }
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
    _ function: DepthwiseFunction, _ half: Int, _ width: Int, _ map: HWCMap, _ out: inout ProgramBuilder
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

  private func printChoice(_ scales: HWCScales, _ functions: [DepthwiseFunction], _ out: inout ProgramBuilder) {
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

extension HWCScales {
  var function: String { drop > 0 ? "requantize_by_\(shift)" : "requantize_hwc" }
  var depthwise: String { drop > 0 ? "depthwise\(shift)" : "depthwise" }
  var argument: [String] { drop > 0 ? [] : ["\(shift)"] }
}
