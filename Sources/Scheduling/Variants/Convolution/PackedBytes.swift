/// A convolution with packed weights over rows of single values: weights are decoded for every row, and added column by
/// column.
package struct PackedBytes: KernelVariant {
  package var terms: ConvolutionTerms

  package var geometry: Geometry { terms.geometry }
  package var weightForm: WeightForm { .packed }
  package var firing: Firing { .whenDue }
  package var rows: RowWindow { terms.geometry.rows }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }
  package var scratch: ScratchNeeds {
    ScratchNeeds(
      accumulators: geometry.sums.width + (geometry.isPooled ? geometry.output.width : 0),
      rows: geometry.window.kernelHeight * geometry.rowsPerOutput, taps: terms.taps)
  }

  private func requantization(_ context: Context) -> Requantization {
    .init(name: context.name, epilogue: terms.epilogue, channels: terms.channels, sums: .int32)
  }
  private func isWide(_ context: Context) -> Bool { context.input.layout.element == .u16 }

  package func tables(_ context: Context) -> [ConstantTable] {
    [ConstantTable("\(context.name)_weights", packing: terms.weights, run: terms.taps)]
      + requantization(context).tables
  }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let width = terms.geometry.sums.width
    terms.countDecoding(&counts)
    let taps = terms.tapsInside
    if terms.window.strideWidth == 1 {
      counts[.columnTap, default: 0] += taps * Double((width + 3) / 4)
      counts[.columnAddition, default: 0] += taps * Double(width)
      counts[.columnRest, default: 0] += taps * Double(width % 4)
    } else {
      counts[.columnStep, default: 0] += taps * Double(width)
    }
    terms.countResults(context, words: terms.geometry.output.width, areWords: false, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    terms.countPackedCode(&counts)
    counts[isWide(context) ? .packedWide : .packedColumns, default: 0] += 1
    if terms.geometry.isPooled { counts[.fusedPool, default: 0] += 1 }
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode
      .union([.anyLookup, .anyPacked, isWide(context) ? .anyPackedWide : .anyPackedColumns])
      .union(terms.geometry.isPooled ? [.anyColumnPool] : [])
  }

  package func summary(_ context: Context) -> [String] { context.requantizerText(requantization(context)) }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    // Rows that are packed are made anew every time.
    let constants = context.packsRows ? [] : terms.constants
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print("tap_offset *const window = (tap_offset *)(void *)(memory + SCRATCH_ROWS);")
      out.print("tap_offset *const offsets = (tap_offset *)(void *)(memory + SCRATCH_TAPS);")
      out.print("int32_t *const acc = (int32_t *)(void *)(memory + SCRATCH_ACCUMULATORS);\n")
      context.printDueRows(&out) { out in
        printLocation(context, &out)
        if !constants.isEmpty {
          context.printConstantRows(constants, &out)
          out.print()
        }
        out.block("for (uint32_t oc = 0; oc < \(terms.channels); oc++)") { out in
          context.printConstantCases(constants, &out)
          printChannel(context, &out)
        }
      }
    }
    out.print()
  }

  /// The window's rows: of a fused pool, for each of the layer's rows that it covers.
  private func printLocation(_ context: Context, _ out: inout ProgramBuilder) {
    guard terms.geometry.isPooled else { return out.print(context.locateRows("oy", "window")) }
    let (rows, kernel) = (terms.geometry.poolHeight, terms.window.kernelHeight)
    out.block("for (uint32_t r = 0; r < \(rows); r++)") {
      $0.print(context.locateRows("oy * \(rows) + r", "window + r * \(kernel)"))
    }
  }

  private func printChannel(_ context: Context, _ out: inout ProgramBuilder) {
    let type = isWide(context) ? "uint16_t" : "uint8_t"
    context.printRow(&out)
    out.print("const \(type) *const values = \(context.lookedUpInput);")
    terms.printGroup(&out)
    out.print("const IN_FLASH uint8_t *const weights = \(context.name)_weights[oc];")
    func printSums(_ window: String, _ out: inout ProgramBuilder) {
      out.call(
        "const struct taps taps = decode_taps",
        ["s", "weights", "\(terms.groupChannels)", window, "\(context.input.layout.paddingCode)", "offsets"])
      out.print()
      let kernel = type == "uint16_t" ? "convolve_row_u16" : "convolve_row_u8"
      out.print("\(kernel)(s, \(terms.groupOffset("values")), offsets, taps, acc);")
    }
    if geometry.isPooled {
      out.print("int32_t *const pooled = acc + \(geometry.sums.width);\n")
      out.block("for (uint32_t r = 0; r < \(geometry.poolHeight); r++)") { out in
        out.print("const tap_offset *const at = window + r * \(terms.window.kernelHeight);")
        printSums("at", &out)
        out.call("max_pool_sums", ["acc", "\(geometry.poolWidth)", "r == 0", "pooled", "\(geometry.output.width)"])
      }
    } else {
      printSums("window", &out)
    }
    requantization(context).printColumns(geometry.isPooled ? "pooled" : "acc", geometry.output.width, context, &out)
    context.printPacking(&out)
  }
}
