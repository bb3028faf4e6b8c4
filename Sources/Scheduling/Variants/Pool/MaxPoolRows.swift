/// A max pool of codes, a row at a time, each row of a window looked up.
package struct MaxPoolRows: KernelVariant {
  package var geometry: Geometry

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var epilogue: Epilogue? { nil }
  package var scratch: ScratchNeeds { ScratchNeeds(rows: geometry.window.kernelHeight) }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let (window, output) = (geometry.window, geometry.output)
    counts[.locatedRow, default: 0] += Double(output.height * window.kernelHeight)
    counts[.channel, default: 0] += Double(output.height * output.channels)
    counts[.maxWindow, default: 0] += Double(output.count)
    counts[.maxValue, default: 0] += Double(output.count * window.kernelHeight * window.kernelWidth)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[.maxPool, default: 0] += 1
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode.union([.anyLookup, .anyMaxPool])
  }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);\n")
      context.printDueRows(&out) { out in
        out.print(context.locateRows("oy", "window"))
        out.block("for (uint32_t oc = 0; oc < \(geometry.output.channels); oc++)") { out in
          context.printRow(&out)
          out.print("const uint8_t *const values = \(context.lookedUpInput) + oc * s->channel_stride;\n")
          out.print("max_pool_row_u8(s, values, window, row);")
          context.printPacking(&out)
        }
      }
    }
    out.print()
  }
}
