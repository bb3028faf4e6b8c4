import TernaryIR

/// Stages and fusion groups to a plan: line buffers, tensors and scratch memory in one arena.
extension Scheduler {
  static func lineBufferRows(_ stage: Draft) -> Int { min(stage.windowRows, tensorRows(stage)) }

  /// Whether a stage uses up every input row as soon as that is complete, for a single output row.
  private static func isReadAtOnce(_ index: Int, _ stages: [Draft]) -> Bool {
    guard case .convolution = stages[index].work, stages[index].windowRows == 1, stages[index].rowStep == 1,
      stages[index].window.top + stages[index].window.bottom == 0
    else { return false }
    // Padding that is written but once must stay.
    if !stages[index].lineBuffer.holdsWords, stages[index].lineBuffer.hasHalo || stages[index].lineBuffer.tailBytes > 0
    {
      return false
    }
    // What is read behind its rows has to stay codes.
    if stages[index].lineBuffer.slack > 0 { return false }
    return index == 0 || !stages[index - 1].hasRunningMaximum
  }

  /// Rows of the whole map as the stage stores it.
  static func tensorRows(_ stage: Draft) -> Int {
    stage.inputShape.height + (stage.lineBuffer.isLinear ? stage.window.top + stage.window.bottom : 0)
  }

  static func layOut(
    _ network: TernaryNetwork, _ chain: [Draft], _ fusionGroups: [ClosedRange<Int>], _ options: PlanningOptions,
    isVector: Bool
  ) -> FirmwarePlan {
    var stages = chain
    let lastGroup = fusionGroups.count - 1
    let input = inputPlan(network)
    var buffers = [
      Buffer(
        name: "row counters", kind: .counters, bytes: 2 * (stages.count + 1), firstGroup: 0, lastGroup: lastGroup,
        offset: 0)
    ]
    for (number, fusionGroup) in fusionGroups.enumerated() {
      for index in fusionGroup {
        let isWhole = isVector && stages.count == 1 && !stages[index].hasRunningSum
        let isPlane = stages[index].planes != nil || stages[index].lineBuffer.hwc != nil
        let isTensor = isPlane || index == fusionGroup.lowerBound && (number > 0 || isWhole)
        // Rows of a tensor are all there at once, and a result is no line buffer.
        if isTensor || index + 1 == stages.count { stages[index].hasRunningMaximum = false }
        if isTensor { stages[index].hasRunningSum = false }
        if index + 1 < stages.count { stages[index].destination = .lineBuffer(stage: index + 1) }
        stages[index].lineBuffer.slots = isTensor ? tensorRows(stages[index]) : lineBufferRows(stages[index])
        // Column tiles lie in scratch memory.
        if stages[index].lineBuffer.columnTile != nil { continue }
        // All maps but the first are made in place.
        let isShared = stages[index].lineBuffer.hwc?.isFilled == false
        if isShared, index > 0, stages[index - 1].lineBuffer.hwc?.isFilled == false {
          stages[index].lineBuffer.buffer = stages[index - 1].lineBuffer.buffer
          buffers[stages[index].lineBuffer.buffer].lastGroup = number
          continue
        }
        if stages[index].lineBuffer.isInPlace, index > 0 {
          stages[index].lineBuffer.buffer = stages[index - 1].lineBuffer.buffer
          // It matters until that has been read, too.
          buffers[stages[index].lineBuffer.buffer].reader = nil
        } else {
          stages[index].lineBuffer.buffer = buffers.count
          buffers.append(
            Buffer(
              name: isShared ? "planes" : "\(stages[index].name) input", kind: isTensor ? .tensor : .lineBuffer,
              bytes: stages[index].lineBuffer.bytes,
              firstGroup: isTensor ? max(number - 1, 0) : number, lastGroup: number, offset: 0,
              reader: !isTensor && isReadAtOnce(index, stages) ? index : nil))
        }
        if stages[index].hasRunningSum {
          stages[index].sumsBuffer = buffers.count
          buffers.append(
            Buffer(
              name: "\(stages[index].name) sums", kind: .sums, bytes: stages[index].sumsBytes, firstGroup: number,
              lastGroup: number, offset: 0))
        }
      }
    }
    if !isVector {
      let last = stages.count - 1
      stages[last].destination = .result(buffer: buffers.count)
      buffers.append(
        Buffer(
          name: "result", kind: .result, bytes: stages[last].outputShape.count * stages[last].output.elementBytes,
          firstGroup: lastGroup, lastGroup: lastGroup, offset: 0))
    }

    let largestLineBuffer = stages.map(\.lineBuffer.bytes).max() ?? 0
    let tapBytes = largestLineBuffer < Int(UInt16.max) ? 2 : 4
    let variants = stages.map(\.variant)
    let needs = variants.map(\.scratch)
    // What lives while an operation makes a column tile lies before that.
    let words = needs.map { $0.accumulators + $0.window }
    let columnTiles = stages.indices.filter { stages[$0].lineBuffer.columnTile != nil }
    let columnTileOffset = 4 * (columnTiles.map { max(words[$0], words[$0 - 1]) }.max() ?? 0)
    let columnTileBytes = columnTiles.map { stages[$0].lineBuffer.bytes }.max() ?? 0
    let rowsOffset = max(4 * (words.max() ?? 0), columnTileOffset + columnTileBytes)
    let tapsOffset = ArenaAllocator.rounded(rowsOffset + tapBytes * (needs.map(\.rows).max() ?? 0))
    let taps = tapBytes * (needs.map(\.taps).max() ?? 0)
    // Input bytes that are not codes yet are made so before they are paired, beside the self-test's row.
    let needsCodes = stages[0].lineBuffer.holdsWords && !input.isStoredAsIs
    let codesOffset = max(tapsOffset + taps, input.rowBytes)
    let rowOffset = codesOffset + (needsCodes ? input.shape.width : 0)
    let packedRow =
      zip(variants, stages.dropFirst()).compactMap { variant, next in
        next.lineBuffer.holdsWords && variant.makes == .values ? next.inputShape.width : nil
      }.max() ?? 0
    let scratchBytes = rowOffset + packedRow
    buffers.append(
      Buffer(
        name: "scratch", kind: .scratch, bytes: max(scratchBytes, input.rowBytes), firstGroup: 0,
        lastGroup: lastGroup, offset: 0))

    let end = ArenaAllocator.place(&buffers, pinned: 1)
    for index in columnTiles { stages[index].lineBuffer.buffer = buffers.count - 1 }
    let start = buffers[buffers.count - 1].offset
    let scratch = Scratch(
      buffer: buffers.count - 1, accumulators: start, rows: start + rowsOffset, taps: start + tapsOffset,
      row: packedRow > 0 ? start + rowOffset : nil, columnTile: start + columnTileOffset,
      levels: needsCodes ? start + codesOffset : nil)
    return FirmwarePlan(
      name: options.name, input: input, output: outputPlan(network, stages),
      edges: edges(stages, buffers, scratch), operations: operations(stages, variants), fusionGroups: fusionGroups,
      buffers: buffers, scratch: scratch, stateBytes: end + 4,
      lowerBoundBytes: ArenaAllocator.lowerBound(buffers) + 4, tapOffsetBits: 8 * tapBytes,
      schedule: options.schedule, core: options.core, flash: FlashEstimate())
  }

  static func inputPlan(_ network: TernaryNetwork) -> InputPlan {
    let tensor = network[network.inputTensor]
    let storage = Storage(tensor)
    return InputPlan(
      shape: tensor.shape, quantization: network.input, base: storage.base,
      minimumCode: tensor.grid.lowerBound - storage.base, maximumCode: tensor.grid.upperBound - storage.base)
  }

  private static func outputPlan(_ network: TernaryNetwork, _ stages: [Draft]) -> OutputPlan {
    OutputPlan(
      tensor: network[network.outputTensor], base: stages[stages.count - 1].output.base,
      resolution: network.layers[network.layers.count - 1].requantizer?.proof.resolution ?? 0)
  }
}
