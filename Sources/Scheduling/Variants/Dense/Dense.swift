import TernaryIR

/// The weights of a dense layer, and what becomes of its sums.
package struct DenseTerms: Sendable {
  package enum WeightElement: Sendable, Equatable {
    /// Two bits a weight.
    case packed
    /// A byte each, which compilers can vectorize.
    case bytes
  }

  /// Of each output, in the order in which the line buffer holds the input: `[row][channel][column]`.
  package var weights: [[Int8]]
  package var element: WeightElement
  package var nonZeros: Int
  package var epilogue: Epilogue
  package var geometry: Geometry

  package var taps: Int { weights.first?.count ?? 0 }
  package var outputs: Int { weights.count }

  func requantization(_ context: Context) -> Requantization {
    .init(name: context.name, epilogue: epilogue, channels: outputs, sums: .int32)
  }

  /// - Parameter run: Weights whose products are added up at a time.
  func tables(_ context: Context, run: Int) -> [ConstantTable] {
    let weights =
      switch element {
      case .packed: ConstantTable("\(context.name)_weights", packing: self.weights, run: run)
      case .bytes:
        ConstantTable("\(context.name)_weights", .weights, .int8, rows: self.weights.map { $0.map(Int.init) })
      }
    return [weights] + requantization(context).tables
  }

  /// - Parameter rows: Rows that are added one by one; 1: all at once.
  func countWork(_ context: Context, rows: Int, _ counts: inout WorkFeature.Counts) {
    counts[.denseOutput, default: 0] += Double(outputs * rows)
    counts[.denseWeight, default: 0] += Double(taps * outputs)
    counts[.denseTap, default: 0] += Double(nonZeros)
    requantization(context).countWork(outputs, &counts)
  }

  func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[context.output.residency == .caller ? .lastDense : .dense, default: 0] += 1
    if context.input.layout.element == .u16 { counts[.wideDense, default: 0] += 1 }
    requantization(context).countCode(&counts)
  }

  func sharedCode(_ context: Context) -> Set<CodeFeature> {
    context.sharedRowCode.union([context.input.layout.element == .u16 ? .anyWideDense : .anyDense])
  }

  func problems(_ context: Context) -> [String] {
    let (layout, shape) = (context.input.layout, context.input.shape)
    var found: [String] = []
    if layout.channelStride != shape.width || layout.hasHalo { found.append("the rows of a dense layer have a halo") }
    if layout.rowStride != shape.channels * shape.width { found.append("the rows of a dense layer are not one vector") }
    return found
  }

  /// What is done with the scalar product of each output.
  ///
  /// - Parameters:
  ///   - count: Weights of a product.
  ///   - row: Offset of the first one's packed byte, to be added.
  func printDots(
    _ context: Context, count: Int, row: String = "", _ out: inout ProgramBuilder,
    _ use: (_ dot: String, _ out: inout ProgramBuilder) -> Void
  ) {
    let isWide = context.input.layout.element == .u16
    let base = isWide ? "(const uint16_t *)(const void *)(memory + s->buffer)" : "memory + s->buffer"
    out.print("const \(isWide ? "uint16_t" : "uint8_t") *const values = \(base);\n")
    out.block("for (uint32_t oc = 0; oc < \(outputs); oc++)") { out in
      switch element {
      case .bytes:
        out.print("const IN_FLASH int8_t *const weights = \(context.name)_weights[oc];")
        out.print("int32_t a = 0;\n")
        // An int of 16 bits holds the product of two bytes only.
        let weight = isWide ? "(int32_t)weights[i]" : "weights[i]"
        out.block("for (uint32_t i = 0; i < \(count); i++)") { $0.print("a += \(weight) * values[i];") }
        use("a", &out)
      case .packed:
        out.print("const IN_FLASH uint8_t *const weights = \(context.name)_weights[oc]\(row);")
        use("ternary_dot\(isWide ? "_u16" : "")(weights, values, \(count))", &out)
      }
    }
  }

  /// Requantizes a sum.
  func printValue(_ context: Context, _ sum: String, _ target: String, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    let isLimited = !epilogue.limits.isEmpty
    if sum != "a" { out.print("\(isLimited ? "" : "const ")int32_t a = \(sum);\n") }
    requantization.printLimits("&a", 1, &out)
    requantization.printConstants("oc", &out)
    requantization.printUnread("a", &out)
    var value = requantization.expression("a")
    let storage = context.output.storage
    if context.output.residency == .caller {
      if storage.base != 0 { value += storage.base < 0 ? " - \(-storage.base)" : " + \(storage.base)" }
    } else if storage.elementBytes == 1 {
      value = "(uint8_t)" + value
    }
    out.print("\(target) = \(value);")
  }

  /// Lets tests see the caller's array.
  func printOutputProbe(_ context: Context, _ out: inout ProgramBuilder) {
    out.print("\(context.plan.macroPrefix)_PROBE(\(context.index), 0, output, 1, 0, 0);")
  }
}

/// A dense layer within a network: it works as soon as all rows are there.
package struct DenseRows: KernelVariant {
  package var terms: DenseTerms

  package var firing: Firing { .whenComplete }
  package var rows: RowWindow { terms.geometry.rows }
  package var geometry: Geometry { terms.geometry }
  package var columns: ColumnAccess { .any }
  package var weightForm: WeightForm { terms.element == .packed ? .packed : .bytes }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .whole }

  package func tables(_ context: Context) -> [ConstantTable] { terms.tables(context, run: terms.taps) }
  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    terms.countWork(context, rows: 1, &counts)
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) { terms.countCode(context, &counts) }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { terms.sharedCode(context) }
  package func summary(_ context: Context) -> [String] { context.requantizerText(terms.requantization(context)) }
  package func problems(_ context: Context) -> [String] {
    terms.problems(context) + (context.packsRows ? ["a vector goes into rows of words"] : [])
  }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      context.printCounters(&out)
      out.print()
      out.block("if (\(context.isDue))") { out in
        out.print("const uint32_t oy = \(context.made);")
        context.printDestination(&out)
        out.print()
        terms.printDots(context, count: terms.taps, &out) {
          terms.printValue(context, $0, "out[oc * \(context.outputStride)]", &$1)
        }
        context.printRowDone(&out)
      }
    }
    out.print()
  }
}

/// A last dense layer, which works when the caller asks for the output.
package struct DenseOutput: KernelVariant {
  package var terms: DenseTerms

  package var firing: Firing { .onFinish }
  package var rows: RowWindow { terms.geometry.rows }
  package var geometry: Geometry { terms.geometry }
  package var columns: ColumnAccess { .any }
  package var weightForm: WeightForm { terms.element == .packed ? .packed : .bytes }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .whole }

  package func tables(_ context: Context) -> [ConstantTable] { terms.tables(context, run: terms.taps) }
  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    terms.countWork(context, rows: 1, &counts)
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) { terms.countCode(context, &counts) }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { terms.sharedCode(context) }
  package func summary(_ context: Context) -> [String] { context.requantizerText(terms.requantization(context)) }
  package func problems(_ context: Context) -> [String] { terms.problems(context) }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      terms.printDots(context, count: terms.taps, &out) { terms.printValue(context, $0, "output[oc]", &$1) }
      terms.printOutputProbe(context, &out)
    }
    out.print()
  }
}

/// A last dense layer that adds every row to its sums as it comes: the line buffer holds no more than a row.
package struct RunningDense: KernelVariant {
  package var terms: DenseTerms
  /// Index of the buffer of the sums: 32 bits for each output.
  package var sums: Int

  package var firing: Firing { .perRow }
  package var rows: RowWindow { .single(input: terms.geometry.input.height, output: 1) }
  package var geometry: Geometry { terms.geometry }
  package var columns: ColumnAccess { .any }
  package var buffers: [Int] { [sums] }
  package var weightForm: WeightForm { terms.element == .packed ? .packed : .bytes }
  package var epilogue: Epilogue? { terms.epilogue }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }
  private func run(_ context: Context) -> Int { context.input.layout.rowStride }

  package func tables(_ context: Context) -> [ConstantTable] { terms.tables(context, run: run(context)) }
  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    terms.countWork(context, rows: terms.geometry.input.height, &counts)
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    terms.countCode(context, &counts)
    counts[.denseRows, default: 0] += 1
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { terms.sharedCode(context) }
  package func summary(_ context: Context) -> [String] { context.requantizerText(terms.requantization(context)) }
  package func problems(_ context: Context) -> [String] { terms.problems(context) }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let at = "(memory + \(context.plan.buffers[sums].offset));"
    let rowBytes = PackedWeights.bytes(run(context))
    out.block(context.prototype) { out in
      context.printDescriptorPointer(&out)
      out.print(
        "const uint32_t y = row_counters(memory)[\(context.operation.inputs[0])] - 1U; /* the row that has arrived */")
      out.print("int32_t *const sums = (int32_t *)(void *)\(at)")
      terms.printDots(context, count: run(context), row: " + \(rowBytes == 1 ? "" : "\(rowBytes) * ")y", &out) {
        $1.print("const int32_t a = \($0);\n")
        $1.print("sums[oc] = y == 0 ? a : sums[oc] + a;")
      }
    }
    out.print()
    out.block(context.finishPrototype) { out in
      out.print("const int32_t *const sums = (const int32_t *)(const void *)\(at)\n")
      out.block("for (uint32_t oc = 0; oc < \(terms.outputs); oc++)") {
        terms.printValue(context, "sums[oc]", "output[oc]", &$0)
      }
      terms.printOutputProbe(context, &out)
    }
    out.print()
  }
}
