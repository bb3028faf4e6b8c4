import TernaryIR

/// Adds rows of codes, each times its multiplier, and requantizes the sums: a residual addition.
package struct AddRows: KernelVariant {
  /// What the rows of all inputs are.
  package enum Source: Sendable, Equatable {
    /// A value a column: bytes, or sums of average pools.
    case values
    /// Words of two columns, as far apart as there are words.
    case words(Int)
  }

  package var geometry: Geometry
  /// Of each input.
  package var multipliers: [Int]
  package var terms: Epilogue
  package var source: Source

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var makes: RowElements { if case .words(let count) = source { .words(count) } else { .values } }
  package var epilogue: Epilogue? { terms }
  package var columns: ColumnAccess { .any }
  package var readsDescriptor: Bool { false }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  /// 64 where scales have no ratio for which 32 are enough: products of codes with up to 40 bits, so that sums stay
  /// within 2^58.
  package var accumulatorBits: Int {
    let fits =
      Int32(exactly: terms.accumulators.lowerBound) != nil && Int32(exactly: terms.accumulators.upperBound) != nil
    guard !fits, case .affine([1], _, _, _, _) = terms.form else { return 32 }
    return 64
  }
  private var areWide: Bool { accumulatorBits == 64 }

  private func requantization(_ context: Context) -> Requantization {
    .init(
      name: context.name, epilogue: terms, channels: geometry.output.channels, sums: areWide ? .int64 : .int32)
  }

  package func tables(_ context: Context) -> [ConstantTable] { requantization(context).tables }

  // MARK: Cost

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    let output = geometry.output
    counts[.channel, default: 0] += Double(output.height * output.channels)
    // Two values taken up and multiplied take about as long as a value of a pool's window.
    counts[.sumValue, default: 0] += Double(output.count * multipliers.count) / 2
    requantization(context).countWork(output.count, &counts)
  }

  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[.averagePool, default: 0] += 1
    requantization(context).countCode(&counts)
  }

  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  // MARK: Text

  package func problems(_ context: Context) -> [String] {
    context.inputs.allSatisfy { edge in
      switch source {
      case .values: edge.layout.element == .u8 || edge.layout.element == .u16
      case .words(let count): edge.layout.element == .swar2(distance: count)
      }
    } ? [] : ["the rows that it adds are stored in different ways"]
  }

  package func summary(_ context: Context) -> [String] {
    var sum = ""
    for (place, multiplier) in multipliers.enumerated() {
      let sign = place == 0 ? (multiplier < 0 ? "-" : "") : multiplier < 0 ? " - " : " + "
      sum += "\(sign)\(multiplier.magnitude) * \(name(place))"
    }
    let names = multipliers.indices.map(name).joined(separator: ", ")
    return ["Sums: a = \(sum), of the inputs' codes \(names)."] + context.requantizerText(requantization(context))
  }

  /// C name of a row.
  private func name(_ place: Int) -> String { multipliers.count == 2 ? ["p", "q"][place] : "p\(place)" }

  // MARK: Program

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let requantization = requantization(context)
    out.block(context.prototype) { out in
      context.printCounters(&out)
      out.print()
      context.printDueRows(&out) { out in
        out.block("for (uint32_t oc = 0; oc < \(geometry.output.channels); oc++)") { out in
          for (place, edge) in context.inputs.enumerated() {
            let element = edge.layout.cType
            let address = context.rowAddress(place, "oy", element)
            out.assign(
              "const \(element) *const \(name(place))",
              "\(address) + oc * \(edge.layout.channelStride)")
          }
          context.printRow(&out)
          out.print()
          requantization.printConstants("oc", &out)
          switch source {
          case .values: printValues(requantization, context, &out)
          case .words(let count): printWords(count, requantization, context, &out)
          }
          context.printPacking(&out)
        }
      }
    }
    out.print()
  }

  private var type: String { areWide ? "int64_t" : "int32_t" }

  /// The sum of a column of all rows.
  private func sum(_ value: (_ row: String) -> String) -> String {
    multipliers.enumerated().map { place, multiplier in
      let value = value(name(place))
      return multiplier == 1 ? value : "\(value) * \(areWide ? "INT64_C(\(multiplier))" : "\(multiplier)")"
    }.joined(separator: " + ")
  }

  private func printValues(_ requantization: Requantization, _ context: Context, _ out: inout ProgramBuilder) {
    let cast = context.output.storage.elementBytes == 1 ? "(uint8_t)" : ""
    out.block("for (uint32_t ox = 0; ox < \(geometry.output.width); ox++)") { out in
      // An int of 16 bits does not hold the products.
      out.print("const \(type) a = \(sum { "(\(type))\($0)[ox]" });\n")
      requantization.printUnread("a", &out)
      out.print("row[ox] = \(cast)\(requantization.expression("a"));")
    }
  }

  private func printWords(
    _ count: Int, _ requantization: Requantization, _ context: Context, _ out: inout ProgramBuilder
  ) {
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      out.print("const \(type) left = \(sum { "(\(type))(\($0)[ox] & 0xFFFFU)" });")
      out.print("const \(type) right = \(sum { "(\(type))(\($0)[ox] >> 16)" });\n")
      for side in ["left", "right"] { requantization.printUnread(side, &out) }
      if context.makesWords {
        out.print("row[ox] = (uint32_t)\(requantization.expression("left")) |")
        out.print("          (uint32_t)\(requantization.expression("right")) << 16;")
        return
      }
      let cast = context.output.storage.elementBytes == 1 ? "(uint8_t)" : ""
      let width = geometry.output.width
      out.print("row[ox] = \(cast)\(requantization.expression("left"));")
      if 2 * count == width {
        out.print("row[\(count) + ox] = \(cast)\(requantization.expression("right"));")
      } else {
        // The last high lane of an odd width is nobody's column.
        out.block("if (ox < \(width - count))") {
          $0.print("row[\(count) + ox] = \(cast)\(requantization.expression("right"));")
        }
      }
    }
    context.printHalo("row", &out)
  }
}

extension Context {
  /// C expression of a pointer to row `y` of an input, behind its halo.
  func rowAddress(_ position: Int, _ y: String, _ element: String) -> String {
    let edge = inputs[position]
    let base =
      element == "uint8_t"
      ? "memory + \(edge.offset)" : "(const \(element) *)(const void *)(memory + \(edge.offset))"
    let stride = edge.layout.rowStride
    let halo = edge.layout.left > 0 ? " + \(edge.layout.left)" : ""
    guard case .rows(let slots, let place) = edge.residency, slots > 1 else { return base + halo }
    let row: String =
      switch place {
      case .shared(let above, let gone): "(\(y)\(above == 0 ? "" : " + \(above)U") - \(counter(gone)))"
      case .linear(let above, _): above == 0 ? y : "(\(y) + \(above)U)"
      case .modulo, .single: slots >= edge.shape.height ? y : "\(y) % \(slots)"
      }
    return "\(base) + \(row) * \(stride)\(halo)"
  }
}
