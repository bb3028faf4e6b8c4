/// What all operations have in common that make rows, read line buffers and tell their readers.
extension Context {
  func countRowWork(_ counts: inout WorkFeature.Counts) {
    func add(_ feature: WorkFeature, _ amount: Int) { counts[feature, default: 0] += Double(amount) }
    let (rows, layout) = (output.shape.height, output.layout)
    if output.residency != .caller {
      add(.row, rows)
      let tiles = if case .perColumnTile(let tiles) = variant.firing { tiles } else { 1 }
      add(.check, rows + input.shape.height * tiles)
    }
    if packsRows { add(.pairedWord, rows * layout.rowStride) }
    if input.needsFilling {
      let areWords = input.layout.holdsWords || input.layout.order != .rows
      add(.filledValue, input.bytes / (areWords ? 4 : 1))
    }
    if fillsHalos {
      // Columns written beyond those computed.
      let words =
        layout.channelStride + (layout.laneBits == 8 ? 3 : 1) * layout.distance - output.shape.width
      add(.closedChannel, rows * output.shape.channels)
      add(.closedWord, rows * output.shape.channels * words)
    }
    if input.slide > 0 {
      add(.slidWord, rows * max(0, variant.rows.rows - variant.rows.step) * input.layout.rowBytes / 4)
    }
  }

  func countRowCode(_ counts: inout CodeFeature.Counts) {
    func add(_ feature: CodeFeature) { counts[feature, default: 0] += 1 }
    add(.descriptor)
    if input.needsFilling { add(.lineBufferWithHalo) }
    if input.slide > 0 { add(.slidRows) }
    if output.residency == .result { add(.result) }
    if output.layout.holdsWords { add(packsRows ? .pairedRows : .wordRows) }
    if output.layout.laneBits == 8 { add(.quadRows) }
    if fillsHalos { add(.closedRows) }
  }

  var sharedRowCode: Set<CodeFeature> {
    var shared: Set<CodeFeature> = []
    if !input.isLinear, input.slots > 1 { shared.insert(.anyLineBuffer) }
    if input.needsFilling { shared.insert(.anyFilling) }
    if input.slide > 0 { shared.insert(.anySliding) }
    if fillsHalos { shared.insert(.anyHalo) }
    if packsRows, !plan.edges[0].layout.holdsWords { shared.insert(.anyPairing) }
    if case .thresholds? = variant.epilogue?.form { shared.insert(.anyThresholds) }
    return shared
  }
}
