/// How the caller's rows become those of the input edge.
struct InputRows {
  let plan: FirmwarePlan
  private var upper: String { plan.macroPrefix }
  private var edge: Edge { plan.edges[0] }
  private var reader: Context { Context(plan, edge.consumers[0]) }

  init(_ plan: FirmwarePlan) { self.plan = plan }

  func print(_ out: inout ProgramBuilder) {
    switch edge.layout.order {
    case .hwc(let map): printHWC(map, &out)
    case .rows, .planes: printRows(&out)
    }
  }

  private func printRows(_ out: inout ProgramBuilder) {
    let layout = edge.layout
    let halo = layout.left > 0 ? " + \(layout.left)" : ""
    let offset = edge.rowOffset("s", "rows[0]", made: "rows[\(reader.operation.output)]", slot: reader.slotFunction)
    let type = layout.cType
    out.print("const IN_FLASH struct stage *const s = &\(plan.descriptor(of: 0));")
    if layout.holdsWords {
      out.print("uint32_t *const buffer = (uint32_t *)(void *)(memory + s->buffer);")
      out.print("uint32_t *to = buffer\(offset);")
      if plan.scratch.levels != nil { out.print("uint8_t *const codes = memory + SCRATCH_CODES;") }
      out.print()
    } else if type == "uint8_t" {
      out.print("uint8_t *to = memory + s->buffer\(offset)\(halo);\n")
    } else {
      out.print("\(type) *const buffer = (\(type) *)(void *)(memory + s->buffer);")
      out.print("\(type) *to = buffer\(offset)\(halo);\n")
    }
    let copy: (inout ProgramBuilder) -> Void = { out in
      out.block("for (uint32_t x = 0; x < \(upper)_INPUT_WIDTH; x++)") {
        printCode("\(layout.holdsWords ? "codes" : "to")[x] =", layout.holdsWords ? "uint8_t" : type, &$0)
      }
    }
    let store: (inout ProgramBuilder) -> Void = { out in
      guard layout.holdsWords else { return copy(&out) }
      if plan.scratch.levels != nil { copy(&out) }
      out.call(
        "pack_row_swar2",
        [
          plan.scratch.levels == nil ? "row" : "codes", "\(upper)_INPUT_WIDTH", "\(layout.left)",
          "\(layout.distance)", "\(layout.paddingCode)", "to", "\(layout.channelStride)",
        ])
    }
    printChannels(&out, store: store) { $0.print("to += \(layout.channelStride);") }
  }

  /// What is done with each channel of a row, and where that is not the only one, what leads to the next.
  private func printChannels(
    _ out: inout ProgramBuilder, store: (inout ProgramBuilder) -> Void,
    advance: (inout ProgramBuilder) -> Void = { _ in }
  ) {
    if plan.input.shape.channels == 1 {
      out.print("(void)channel_stride;")
      store(&out)
      return
    }
    out.block("for (uint32_t c = 0; c < \(upper)_INPUT_CHANNELS; c++)") { out in
      store(&out)
      out.print("row += channel_stride;")
      advance(&out)
    }
  }

  /// Stores what a byte of the caller's row means.
  private func printCode(_ target: String, _ type: String, _ out: inout ProgramBuilder) {
    let input = plan.input
    if input.hasAllCodes, input.base == 0 {
      out.print("\(target) row[x];")
      if target.hasSuffix("[x] =") { out.print("PLAIN_LOOP;") }
    } else if input.hasAllCodes {
      out.print("\(target) (\(type))(row[x] + \(-input.base));")
    } else {
      let code = input.base == 0 ? "row[x]" : input.base < 0 ? "row[x] + \(-input.base)" : "row[x] - \(input.base)"
      out.print("const int code = \(code);\n")
      out.print("/* The quantizer makes no value beyond these; a stray one must not break the bounds. */")
      let (low, high) = (input.minimumCode, input.maximumCode)
      out.print("\(target) (\(type))(code < \(low) ? \(low) : code > \(high) ? \(high) : code);")
    }
  }

  /// Puts a row into a map whose positions hold all channels: in either lane, or in both where windows of the one reach
  /// rows of the other.
  private func printHWC(_ map: HWCMap, _ out: inout ProgramBuilder) {
    let top = reader.variant.rows.top
    out.print("/* Where it lies in the lower lane, and in the upper one; beyond the map it lies nowhere. */")
    out.print("const uint32_t y = rows[0]\(top == 0 ? ";" : " + \(top)U;")")
    out.print("const uint32_t upper = y - \(map.distance)U;")
    out.print("uint32_t *const map = (uint32_t *)(void *)(memory + \(edge.offset));\n")
    let padding = edge.layout.paddingCode
    let beside = padding == 0 ? "" : "0x\(String(padding << 16, radix: 16, uppercase: true))U | "
    let left = map.left * map.positionWords
    let start = plan.input.shape.channels == 1 ? "\(left)" : left == 0 ? "c" : "\(left) + c"
    let step = map.positionWords == 1 ? "at++" : "at += \(map.positionWords)"
    let store: (inout ProgramBuilder) -> Void = { out in
      out.print("uint32_t at = \(start);\n")
      out.block("for (uint32_t x = 0; x < \(upper)_INPUT_WIDTH; x++, \(step))") { out in
        printCode("const uint8_t stored =", "uint8_t", &out)
        out.print()
        // The upper lane's row comes later.
        out.block("if (y < \(map.rows))") { $0.print("map[y * \(map.rowWords) + at] = \(beside)stored;") }
        out.block("if (upper < \(map.rows))") { out in
          out.print("uint32_t *const word = map + upper * \(map.rowWords) + at;\n")
          out.print("*word = (*word & 0xFFFFU) | (uint32_t)stored << 16;")
        }
      }
    }
    printChannels(&out, store: store)
  }
}
