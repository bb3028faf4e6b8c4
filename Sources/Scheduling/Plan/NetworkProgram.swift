import TernaryIR

/// What stands around the operations: how rows come in, what users call, how the output goes out.
package struct NetworkProgram {
  private let plan: FirmwarePlan
  private var p: String { plan.name }
  private var upper: String { plan.macroPrefix }
  private var element: String { plan.input.quantization.isSigned ? "int8_t" : "uint8_t" }
  private var input: Edge { plan.edges[0] }
  private var contexts: [Context] { plan.contexts }

  package init(_ plan: FirmwarePlan) { self.plan = plan }

  // MARK: Layers

  /// All that stands before the first operation.
  package var prologue: [Statement] {
    var out = ProgramBuilder()
    out.print("/* Rows that have arrived at each layer; the last count is of rows that the last layer made. */")
    out.block("static uint16_t *row_counters(uint8_t *memory)") {
      $0.print("return (uint16_t *)(void *)(memory + \(FirmwarePlan.countersOffset));")
    }
    out.print()
    SharedRows(plan).print(&out)
    SharedConvolution(plan).print(to: &out)
    let advancing = contexts.filter(\.advances)
    if advancing.count > 1 {
      for context in advancing.dropFirst() { out.print(context.prototype + ";") }
      out.print()
    }
    return out.statements
  }

  // MARK: Public functions

  package var functions: [Statement] {
    var out = ProgramBuilder()
    out.block("static uint32_t *canary(uint8_t *memory)") {
      $0.print("return (uint32_t *)(void *)(memory + CANARY_AT);")
    }
    out.print()
    printBegin(&out)
    printPush(&out)
    printFinish(&out)
    printRun(&out)
    printArgmax(&out)
    return out.statements
  }

  /// Edges that operations of a fusion group write, or the caller does, and whose padding is written once and for all.
  private func paddedEdges(_ fusionGroup: Int) -> [Int] {
    plan.edges.indices.filter { index in
      let edge = plan.edges[index]
      return edge.needsFilling && (edge.producer.map { plan.fusionGroup(of: $0) } ?? 0) == fusionGroup
    }
  }

  /// Line buffers of words that have the same padding, where nothing is there yet: all at once, with what lies between
  /// them.
  private func printHalosAtOnce(_ out: inout ProgramBuilder) -> Bool {
    let edges = paddedEdges(0).map { plan.edges[$0] }
    let words = Set(edges.map { $0.layout.word($0.layout.paddingCode) })
    guard edges.count > 1, edges.allSatisfy(\.layout.holdsWords), words.count == 1, let word = words.first,
      let first = edges.map(\.offset).min(), let end = edges.map({ $0.offset + $0.bytes }).max(),
      // An inference takes much longer than this; an eighth more is nothing.
      8 * (end - first) <= 9 * edges.reduce(0, { $0 + $1.bytes })
    else { return false }
    out.call("fill_u32", ["(uint32_t *)(void *)(memory + \(first))", "\((end - first) / 4)", word])
    return true
  }

  private func printHalos(_ fusionGroup: Int, _ out: inout ProgramBuilder) {
    for index in paddedEdges(fusionGroup) {
      let edge = plan.edges[index]
      let layout = edge.layout
      let isDescribed = Context(plan, edge.consumers[0]).variant.hasDescriptor
      let at = isDescribed ? "\(plan.descriptor(of: index)).buffer" : "\(edge.offset)"
      let count = "\(edge.bytes / layout.elementBytes)"
      switch layout.element {
      case .swar2, .swar4, .i32:
        out.call(
          "fill_u32", ["(uint32_t *)(void *)(memory + \(at))", count, layout.word(layout.paddingCode)])
      case .u8: out.call("fill_u8", ["memory + \(at)", count, "\(layout.paddingCode)"])
      case .u16, .i16:
        out.call("fill_u16", ["(uint16_t *)(void *)(memory + \(at))", count, "\(layout.paddingCode)"])
      }
    }
  }

  private func printBegin(_ out: inout ProgramBuilder) {
    out.block("void \(p)_begin(\(p)_state *state)") { out in
      out.print("uint8_t *const memory = state->bytes;")
      out.print("uint16_t *const rows = row_counters(memory);\n")
      // The counters may lie between line buffers.
      let areFilled = printHalosAtOnce(&out)
      out.block("for (uint32_t i = 0; i < \(plan.counterCount); i++)") { $0.print("rows[i] = 0;\nPLAIN_LOOP;") }
      if !areFilled { printHalos(0, &out) }
      out.print("*canary(memory) = CANARY;")
    }
    out.print()
  }

  private func printPush(_ out: inout ProgramBuilder) {
    out.print("/* Takes a row whose channels lie channel_stride apart. */")
    out.list("static void take_row(", ["uint8_t *memory", "const \(element) *row", "uint32_t channel_stride"], ") {")
    out.indented { out in
      out.print("uint16_t *const rows = row_counters(memory);")
      InputRows(plan).print(&out)
      out.print("rows[0]++;")
      for reader in input.told.map({ Context(plan, $0) }) {
        out.print("\(reader.name)_advance(memory);")
      }
    }
    out.print("}\n")
    out.list("void \(p)_push_row(", ["\(p)_state *state", "const \(element) row[\(upper)_ROW_BYTES]"], ") {")
    out.indented { out in
      out.print("uint8_t *const memory = state->bytes;\n")
      out.block(if: "*canary(memory) == CANARY", "&&", "row_counters(memory)[0] < \(upper)_INPUT_HEIGHT") {
        $0.print("take_row(memory, row, \(upper)_INPUT_WIDTH);")
      }
    }
    out.print("}\n")
  }

  private func printFinish(_ out: inout ProgramBuilder) {
    let planes = PlaneLayers(plan).indices
    out.list("void \(p)_finish(", ["\(p)_state *state", "int32_t output[\(upper)_OUTPUT_COUNT]"], ") {")
    out.indented { out in
      out.print("uint8_t *const memory = state->bytes;\n")
      out.block(if: "*canary(memory) != CANARY", "||", "row_counters(memory)[0] != \(upper)_INPUT_HEIGHT") { out in
        out.block("for (uint32_t i = 0; i < \(upper)_OUTPUT_COUNT; i++)") {
          $0.print("output[i] = 0;\nPLAIN_LOOP;")
        }
        out.print("return;")
      }
      for fusionGroup in plan.fusionGroups.indices.dropFirst() {
        let starters = plan.starters(ofGroup: fusionGroup)
        if !starters.isEmpty { printHalos(fusionGroup, &out) }
        for context in starters {
          if context.variant.firing == .afterGroup {
            if planes.first == context.index { out.print("convolve_layers(memory);") }
          } else {
            out.print("\(context.name)_advance(memory);")
          }
        }
      }
      guard let last = contexts.last else { return }
      if last.output.residency == .caller {
        out.print("\(last.name)_finish(memory, output);")
      } else {
        printResult(last.output, &out)
      }
      // What an overrun has left is still there to be seen.
      out.block("if (*canary(memory) == CANARY)") { $0.print("*canary(memory) = CANARY_AT_END;") }
    }
    out.print("}\n")
  }

  private func printResult(_ edge: Edge, _ out: inout ProgramBuilder) {
    let base = edge.storage.base
    let shift = base == 0 ? "" : base < 0 ? " - \(-base)" : " + \(base)"
    let type = edge.layout.cType
    out.block("for (uint32_t i = 0; i < \(upper)_OUTPUT_COUNT; i++)") { out in
      if type == "uint8_t" {
        out.print("output[i] = memory[RESULT_AT + i]\(shift);")
      } else {
        // An int of 16 bits does not hold the difference.
        let cast = type == "uint16_t" && !shift.isEmpty ? "(int32_t)" : ""
        out.print("output[i] = \(cast)((const \(type) *)(const void *)(memory + RESULT_AT))[i]\(shift);")
      }
      if base == 0 { out.print("PLAIN_LOOP;") }
    }
  }

  private func printRun(_ out: inout ProgramBuilder) {
    out.list(
      "void \(p)_run(",
      ["\(p)_state *state", "const \(element) input[\(upper)_INPUT_BYTES]", "int32_t output[\(upper)_OUTPUT_COUNT]"],
      ") {")
    out.indented { out in
      out.print("\(p)_begin(state);")
      out.block("for (uint32_t y = 0; y < \(upper)_INPUT_HEIGHT; y++)") { out in
        out.print("const \(element) *const row = input + y * \(upper)_INPUT_WIDTH;\n")
        out.print("take_row(state->bytes, row, \(plan.input.shape.height * plan.input.shape.width));")
      }
      out.print("\(p)_finish(state, output);")
    }
    out.print("}\n")
  }

  private func printArgmax(_ out: inout ProgramBuilder) {
    out.list("int \(p)_argmax(", ["const int32_t output[\(upper)_OUTPUT_COUNT]"], ") {")
    out.print(
      """
          int best = 0;

          for (int i = 1; i < \(upper)_OUTPUT_COUNT; i++) {
              if (output[i] > output[best]) {
                  best = i;
              }
          }
          return best;
      }

      """)
  }

  // MARK: Text

  /// How rows flow, as the head of the file says it.
  package var flow: String {
    if input.hwc != nil {
      return
        "The input's rows are kept until all are there; then layer after layer makes its whole map, most of them in "
        + "place of the one before. "
    }
    let rows =
      "Each layer keeps the input rows that its window still needs, makes an output row as soon as they are there, hands "
      + "it to the next layer and lets that one advance. "
    return plan.fusionGroups.count == 1
      ? rows
      : rows
        + "That holds within each of \(plan.fusionGroups.count) fusion groups: between two of them a whole map is there. "
  }

  /// How weights are stored.
  package var weights: String {
    let forms = contexts.map(\.variant.weightForm)
    var sentences: [String] = []
    if forms.contains(.code) { sentences.append("Weights of convolutions are code: a zero takes none.") }
    if forms.contains(.tapLists) {
      sentences.append("Weights of depthwise convolutions are lists of taps: a zero is in none.")
    }
    if forms.contains(.bytes) { sentences.append("Weights of dense layers take a byte each.") }
    if forms.contains(.packed) {
      let subject = sentences.isEmpty ? "Weights" : forms.contains(.bytes) ? "All others" : "Those in tables"
      sentences.append("\(subject) are packed: 2 bits each, lowest bits first, 00 = 0, 01 = +1, 11 = -1.")
    }
    return sentences.joined(separator: " ")
  }
}
