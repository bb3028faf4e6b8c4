import TernaryIR

/// What all average pools have in common: sums of windows, requantized, or stored as they are.
package enum PoolResult: Sendable {
  case sums
  case requantized(Epilogue)

  var epilogue: Epilogue? { if case .requantized(let epilogue) = self { epilogue } else { nil } }
}

/// An average pool, a row at a time, from all rows of its windows.
package struct AveragePoolRows: KernelVariant {
  package var geometry: Geometry
  package var result: PoolResult

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var epilogue: Epilogue? { result.epilogue }
  package var scratch: ScratchNeeds {
    ScratchNeeds(accumulators: geometry.sums.width, rows: geometry.window.kernelHeight)
  }

  package func access(_ context: Context) -> WindowAccess { hasContiguousWindows(context) ? .block : .rowByRow }

  /// Whether its windows' rows always follow one another in the line buffer, none of padding among them.
  private func hasContiguousWindows(_ context: Context) -> Bool {
    let (rows, slots) = (self.rows, context.input.slots)
    if context.input.isLinear || context.columnSkip > 0 { return false }
    return rows.top + rows.bottom == 0 && (slots == rows.input || (slots == rows.rows && rows.rows == rows.step))
  }

  private func requantization(_ context: Context) -> Requantization? {
    epilogue.map { .init(name: context.name, epilogue: $0, channels: geometry.output.channels, sums: .int32) }
  }

  package func tables(_ context: Context) -> [ConstantTable] { requantization(context)?.tables ?? [] }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let (window, output) = (geometry.window, geometry.output)
    counts[.locatedRow, default: 0] += Double(output.height * window.kernelHeight)
    counts[.channel, default: 0] += Double(output.height * output.channels)
    counts[.sumWindow, default: 0] += Double(output.count)
    counts[.sumValue, default: 0] += Double(output.count * window.kernelHeight * window.kernelWidth)
    requantization(context)?.countWork(output.count, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[epilogue == nil ? .sums : .averagePool, default: 0] += 1
    requantization(context)?.countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode.union([.anyLookup, .anyAveragePool])
  }

  package func summary(_ context: Context) -> [String] { context.requantizerText(requantization(context)) }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let isBlock = hasContiguousWindows(context)
    let output = geometry.output
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      if !isBlock { out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);") }
      out.print("int32_t *const acc = (int32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);\n")
      context.printDueRows(&out) { out in
        if isBlock {
          let isWhole = context.input.slots == geometry.input.height && output.height > 1
          let offset = isWhole ? " + oy * \(rows.step) * s->row_stride" : ""
          out.assign("const uint8_t *const block", "memory + s->buffer\(offset)")
        } else {
          out.print(context.locateRows("oy", "window"))
        }
        out.block("for (uint32_t oc = 0; oc < \(output.channels); oc++)") { out in
          context.printRow(&out)
          if isBlock {
            out.print()
            out.print("sum_pool_block_u8(s, block + oc * s->channel_stride, acc);")
          } else {
            out.print("const uint8_t *const values = \(context.lookedUpInput) + oc * s->channel_stride;\n")
            out.print("sum_pool_row_u8(s, values, window, \(context.input.layout.paddingCode), acc);")
          }
          if let requantization = requantization(context) {
            requantization.printColumns("acc", output.width, context, &out)
          } else {
            out.block("for (uint32_t ox = 0; ox < \(output.width); ox++)") { $0.print("row[ox] = (uint16_t)acc[ox];") }
          }
          context.printPacking(&out)
        }
      }
    }
    out.print()
  }
}

/// An average pool that adds every row to its sums as it comes.
package struct RunningAveragePool: KernelVariant {
  package var geometry: Geometry
  package var result: PoolResult
  /// Index of the buffer of the sums: 16 bits for each value of an output row.
  package var sums: Int

  package var firing: Firing { .perRow }
  package var rows: RowWindow { .single(input: geometry.input.height, output: geometry.output.height) }
  package var dependence: RowWindow { geometry.dependence }
  package var buffers: [Int] { [sums] }
  package var epilogue: Epilogue? { result.epilogue }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  private func requantization(_ context: Context) -> Requantization? {
    epilogue.map { .init(name: context.name, epilogue: $0, channels: geometry.output.channels, sums: .int32) }
  }

  package func tables(_ context: Context) -> [ConstantTable] { requantization(context)?.tables ?? [] }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let (window, output) = (geometry.window, geometry.output)
    let windows = output.count * window.kernelHeight
    counts[.channel, default: 0] += Double(output.height * window.kernelHeight * output.channels)
    counts[.addedWindow, default: 0] += Double(windows)
    counts[.addedValue, default: 0] += Double(windows * window.kernelWidth)
    requantization(context)?.countWork(output.count, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[epilogue == nil ? .sums : .averagePool, default: 0] += 1
    counts[.addedRows, default: 0] += 1
    requantization(context)?.countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode.union([.anyAddedRows]) }

  package func summary(_ context: Context) -> [String] { context.requantizerText(requantization(context)) }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let (channels, width) = (geometry.output.channels, geometry.output.width)
    let rows = geometry.window.kernelHeight
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print("uint16_t *const sums = (uint16_t *)(void *)(memory + \(context.plan.buffers[sums].offset));\n")
      out.block("if (\(context.made) < \(geometry.output.height))") { out in
        out.print("const uint32_t oy = \(context.made);")
        out.print("const uint32_t r = rows[0] - 1U - oy * \(rows); /* of the window */")
        context.printDestination(&out)
        out.print()
        out.block("for (uint32_t oc = 0; oc < \(channels); oc++)") { out in
          let offset = context.inputOffset.map { " + \($0)" } ?? ""
          out.assign("const uint8_t *const values", "memory + s->buffer\(offset) + oc * s->channel_stride")
          out.print("uint16_t *const acc = sums + oc * \(width);\n")
          out.print("add_pool_row_u8(s, values, r == 0, acc);")
          out.block("if (r == \(rows - 1))") { out in
            context.printRow(&out)
            guard let requantization = requantization(context) else {
              out.print()
              out.block("for (uint32_t ox = 0; ox < \(width); ox++)") { $0.print("row[ox] = acc[ox];") }
              return
            }
            requantization.printColumns("acc", width, context, &out)
            context.printPacking(&out)
          }
        }
        out.block("if (r == \(rows - 1))") { out in
          context.printProbe(&out)
          out.print("\(context.made)++;")
          context.printSuccessor(&out)
        }
      }
    }
    out.print()
  }
}

extension Context {
  /// The line of a comment that says how sums are requantized.
  func requantizerText(_ requantization: Requantization?) -> [String] {
    guard let requantization, let requantizer = operation.layer.requantizer else { return [] }
    return [requantization.summary(requantizer.proof.pairs)]
  }
}
