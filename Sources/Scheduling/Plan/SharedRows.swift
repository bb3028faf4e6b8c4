/// Line buffers that several operations read. Rows that none of them needs any more make room when a row finds no place,
/// so that each reads windows that are one block of memory.
struct SharedRows {
  private let plan: FirmwarePlan

  init(_ plan: FirmwarePlan) { self.plan = plan }

  func print(_ out: inout ProgramBuilder) {
    for (index, edge) in plan.edges.enumerated() {
      guard case .rows(let slots, .shared(let above, let gone)) = edge.residency else { continue }
      let readers = edge.consumers.map { Context(plan, $0) }
      printSlot(index, edge, slots, above, gone, readers, &out)
      if readers.contains(where: \.padsBelow) { printPadding(edge, gone, readers[0], &out) }
    }
  }

  private func printSlot(
    _ index: Int, _ edge: Edge, _ slots: Int, _ above: Int, _ gone: Int, _ readers: [Context],
    _ out: inout ProgramBuilder
  ) {
    let words = edge.layout.rowBytes / 4
    out.comment([
      "The slot of row y in the buffer that \(readers.map(\.name).joined(separator: " and ")) read: rows that none of them "
        + "needs any more make room for it."
    ])
    out.block("static uint32_t \(readers[0].slotFunction)(uint8_t *memory, uint32_t y)") { out in
      out.print("uint16_t *const rows = row_counters(memory);")
      out.print("uint32_t slot = y\(above == 0 ? "" : " + \(above)U") - rows[\(gone)];\n")
      out.block("if (slot >= \(slots))") { out in
        out.print("uint32_t *const first = (uint32_t *)(void *)(memory + \(edge.offset));")
        let needed = readers.map { $0.firstNeeded(on: index) }
        out.print("uint32_t kept = \(needed[0]); /* the first row that is still needed */")
        out.print("uint32_t by;\n")
        for other in needed.dropFirst() {
          out.block("if (\(other) < kept)") { $0.print("kept = \(other);") }
        }
        // Strides beyond a window leave rows that nobody sees.
        if readers.contains(where: { $0.variant.rows.step > $0.variant.rows.rows }) {
          let row = "y\(above == 0 ? "" : " + \(above)U")"
          out.block("if (kept > \(row))") { $0.print("kept = \(row);") }
        }
        out.print("by = kept - rows[\(gone)];")
        out.print("slide_rows(first, (\(slots) - by) * \(words), by * \(words));")
        out.print("rows[\(gone)] = (uint16_t)kept;")
        out.print("slot -= by;")
      }
      out.print("return slot;")
    }
    out.print()
  }

  private func printPadding(_ edge: Edge, _ gone: Int, _ reader: Context, _ out: inout ProgramBuilder) {
    let layout = edge.layout
    out.print("/* Stores padding below the map, so that there are count rows. */")
    out.block("static void \(reader.padFunction)(uint8_t *memory, uint32_t count)") { out in
      out.print("uint16_t *const rows = row_counters(memory);\n")
      out.block("while (\(edge.shape.height)U + rows[\(gone + 1)] < count)") { out in
        out.print("const uint32_t y = \(edge.shape.height)U + rows[\(gone + 1)];")
        out.print("const uint32_t slot = \(reader.slotFunction)(memory, y);\n")
        out.print(
          "fill_u32((uint32_t *)(void *)(memory + \(edge.offset)) + slot * \(layout.rowBytes / 4), "
            + "\(layout.rowBytes / 4), \(layout.word(layout.paddingCode)));")
        out.print("rows[\(gone + 1)]++;")
      }
    }
    out.print()
  }
}

extension Context {
  /// The functions that find a slot in its input, and that store padding there, where it is not the only reader: named
  /// after the first of them.
  var slotFunction: String { "\(firstReader)_slot" }
  var padFunction: String { "\(firstReader)_pad" }
  private var firstReader: String { Context(plan, input.consumers[0]).name }

  /// Whether its windows reach into padding below the map that has to be stored.
  var padsBelow: Bool {
    input.goneCounter != nil && variant.access(self) == .block && variant.rows.seesPaddingBelow
  }

  /// C expression of the first row that it still needs, padding stored above among them.
  fileprivate func firstNeeded(on edge: Int) -> String {
    let given = plan.edges[edge]
    let rows = variant.rows
    // What has been taken row by row is needed no more.
    if variant.firing == .perRow { return "rows[\(edge)]\(given.storedAbove == 0 ? "" : " + \(given.storedAbove)U")" }
    let done = "rows[\(operation.output)]"
    let made = rows.repeats > 1 ? "\(done) / \(rows.repeats)U" : rows.step == 1 ? done : "\(done) * \(rows.step)U"
    let skipped = given.storedAbove - rows.top
    return skipped == 0 ? made : "\(made) + \(skipped)U"
  }

  /// Has padding stored that the window of row `oy` reaches.
  func printPadding(_ out: inout ProgramBuilder) {
    guard padsBelow else { return }
    let rows = variant.rows
    let first = rows.step == 1 ? "oy" : "oy * \(rows.step)"
    out.print("\(padFunction)(memory, \(first) + \(rows.rows - rows.top));")
  }
}
