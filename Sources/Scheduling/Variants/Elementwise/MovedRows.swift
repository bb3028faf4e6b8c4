import TernaryIR

/// The channels of several tensors behind one another, each requantized where its codes are not the output's.
package struct ConcatenateRows: KernelVariant {
  package var geometry: Geometry
  /// Of each input, from its codes to the output's; nil: they are the same.
  package var parts: [Epilogue?]

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var epilogue: Epilogue? { nil }
  package var columns: ColumnAccess { .any }
  package var readsDescriptor: Bool { false }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  private func requantization(_ part: Int, _ context: Context) -> Requantization? {
    parts[part].map {
      Requantization(
        name: "\(context.name)_part\(part)", epilogue: $0, channels: context.inputs[part].shape.channels, sums: .int32)
    }
  }

  package func tables(_ context: Context) -> [ConstantTable] {
    parts.indices.flatMap { requantization($0, context)?.tables ?? [] }
  }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    counts[.channel, default: 0] += Double(geometry.output.height * geometry.output.channels)
    for (part, edge) in context.inputs.enumerated() {
      counts[.convertedValue, default: 0] += Double(edge.shape.count) / 2
      requantization(part, context)?.countWork(edge.shape.count, &counts)
    }
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[.averagePool, default: 0] += 1
    for part in parts.indices { requantization(part, context)?.countCode(&counts) }
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  package func summary(_ context: Context) -> [String] {
    guard case .concatenate(let concatenation) = context.layer.kind else { return [] }
    return parts.indices.flatMap { part -> [String] in
      guard let requantization = requantization(part, context) else { return [] }
      let pairs = concatenation.requantizers[part]?.proof.pairs ?? 0
      return ["Of input \(part + 1), codes a.", requantization.summary(pairs)]
    }
  }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    out.block(context.prototype) { out in
      context.printCounters(&out)
      out.print()
      context.printDueRows(&out) { out in
        var first = 0
        for (part, edge) in context.inputs.enumerated() {
          out.block("for (uint32_t c = 0; c < \(edge.shape.channels); c++)") { out in
            let type = edge.layout.cType
            out.assign(
              "const \(type) *const from",
              "\(context.rowAddress(part, "oy", type)) + c * \(edge.layout.channelStride)")
            out.print("const uint32_t oc = \(first == 0 ? "c" : "c + \(first)");")
            context.printRow(&out)
            out.print()
            let requantization = requantization(part, context)
            requantization?.printConstants("c", &out)
            out.block("for (uint32_t ox = 0; ox < \(edge.shape.width); ox++)") { out in
              guard let requantization else { return out.print("row[ox] = from[ox];\nPLAIN_LOOP;") }
              out.print("const int32_t a = from[ox];\n")
              requantization.printUnread("a", &out)
              out.print("row[ox] = (uint8_t)\(requantization.expression("a"));")
            }
            context.printPacking(&out)
          }
          first += edge.shape.channels
        }
      }
    }
    out.print()
  }
}

/// Rows of some of a tensor's channels, as they are.
package struct SliceRows: KernelVariant {
  package var geometry: Geometry
  /// The first channel of the input.
  package var first: Int

  package var firing: Firing { .whenDue }
  package var rows: RowWindow { geometry.rows }
  package var epilogue: Epilogue? { nil }
  package var columns: ColumnAccess { .any }
  package var readsDescriptor: Bool { false }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    counts[.channel, default: 0] += Double(geometry.output.height * geometry.output.channels)
    counts[.convertedValue, default: 0] += Double(geometry.output.count) / 2
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[.sums, default: 0] += 1
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    context.printMovedRows(&out) { out in
      out.print("const uint32_t c = oc\(first == 0 ? "" : " + \(first)");")
      let type = context.input.layout.cType
      out.assign(
        "const \(type) *const from",
        "\(context.rowAddress(0, "oy", type)) + c * \(context.input.layout.channelStride)")
      context.printRow(&out)
      out.print()
      out.block("for (uint32_t ox = 0; ox < \(geometry.output.width); ox++)") {
        $0.print("row[ox] = from[ox];\nPLAIN_LOOP;")
      }
    }
  }
}

/// Every row and every column several times.
package struct ResizeRows: KernelVariant {
  package var geometry: Geometry
  package var resize: Resize

  package var firing: Firing { .whenDue }
  package var rows: RowWindow {
    var rows = geometry.rows
    rows.repeats = resize.rows
    return rows
  }
  package var epilogue: Epilogue? { nil }
  package var columns: ColumnAccess { .any }
  package var readsDescriptor: Bool { false }
  package func access(_ context: Context) -> WindowAccess { .rowByRow }

  package func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {
    counts[.channel, default: 0] += Double(geometry.output.height * geometry.output.channels)
    counts[.convertedValue, default: 0] += Double(geometry.output.count)
  }
  package func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {
    context.countRowCode(&counts)
    counts[.sums, default: 0] += 1
  }
  package func sharedCode(_ context: Context) -> Set<CodeFeature> { context.sharedRowCode }

  package func program(_ context: Context, _ out: inout ProgramBuilder) {
    let y = resize.rows == 1 ? "oy" : "(oy / \(resize.rows))"
    context.printMovedRows(&out) { out in
      let type = context.input.layout.cType
      out.assign(
        "const \(type) *const from",
        "\(context.rowAddress(0, y, type)) + oc * \(context.input.layout.channelStride)")
      context.printRow(&out)
      out.print()
      out.block("for (uint32_t ox = 0; ox < \(geometry.output.width); ox++)") {
        $0.print("row[ox] = from[\(resize.columns == 1 ? "ox" : "ox / \(resize.columns)")];\nPLAIN_LOOP;")
      }
    }
  }
}

extension Context {
  /// Rows of single channels, each made by some statements.
  fileprivate func printMovedRows(_ out: inout ProgramBuilder, _ body: (inout ProgramBuilder) -> Void) {
    out.block(prototype) { out in
      printCounters(&out)
      out.print()
      printDueRows(&out) { out in
        out.block("for (uint32_t oc = 0; oc < \(output.shape.channels); oc++)") { out in
          body(&out)
          printPacking(&out)
        }
      }
    }
    out.print()
  }
}
