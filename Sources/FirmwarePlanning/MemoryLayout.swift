import TernaryIR

/// Stages and segments to a plan: rings, tensors and scratch memory in one arena.
extension Planner {
  static func ringRows(_ stage: Stage) -> Int { min(stage.reach, tensorRows(stage)) }

  /// Whether a stage uses up every input row as soon as that is complete, for a single output row.
  private static func isReadAtOnce(_ index: Int, _ stages: [Stage]) -> Bool {
    guard case .convolution = stages[index].work, stages[index].reach == 1, stages[index].advance == 1,
      stages[index].window.top + stages[index].window.bottom == 0
    else { return false }
    // Padding that is written but once must stay.
    if !stages[index].ring.holdsWords, stages[index].ring.hasHalo || stages[index].ring.tailBytes > 0 { return false }
    // What is read behind its rows has to stay levels.
    if stages[index].ring.slack > 0 { return false }
    return index == 0 || !stages[index - 1].poolsRowByRow
  }

  /// Rows of the whole map as the stage stores it.
  static func tensorRows(_ stage: Stage) -> Int {
    stage.inputShape.height + (stage.ring.isLinear ? stage.window.top + stage.window.bottom : 0)
  }

  static func layOut(
    _ network: TernaryNetwork, _ chain: [Stage], _ segments: [ClosedRange<Int>], _ options: PlanningOptions,
    isVector: Bool
  ) -> FirmwarePlan {
    var stages = chain
    let lastSegment = segments.count - 1
    let input = inputPlan(network)
    var buffers = [
      Buffer(
        name: "row counters", kind: .counters, bytes: 2 * (stages.count + 1), firstSegment: 0, lastSegment: lastSegment,
        offset: 0)
    ]
    for (number, segment) in segments.enumerated() {
      for index in segment {
        let isWhole = isVector && stages.count == 1 && !stages[index].addsRowByRow
        let isMap = stages[index].maps != nil || stages[index].ring.channelsLast != nil
        let isTensor = isMap || index == segment.lowerBound && (number > 0 || isWhole)
        // Rows of a tensor are all there at once, and a result is no ring.
        if isTensor || index + 1 == stages.count { stages[index].poolsRowByRow = false }
        if isTensor { stages[index].addsRowByRow = false }
        if index + 1 < stages.count { stages[index].destination = .ring(stage: index + 1) }
        stages[index].alignWeightsOfRows()
        stages[index].ring.slots = isTensor ? tensorRows(stages[index]) : ringRows(stages[index])
        // Strips lie in scratch memory.
        if stages[index].ring.strip != nil { continue }
        // All maps but the first are made in place.
        let isShared = stages[index].ring.channelsLast?.isFilled == false
        if isShared, index > 0, stages[index - 1].ring.channelsLast?.isFilled == false {
          stages[index].ring.buffer = stages[index - 1].ring.buffer
          buffers[stages[index].ring.buffer].lastSegment = number
          continue
        }
        if stages[index].ring.isInPlace, index > 0 {
          stages[index].ring.buffer = stages[index - 1].ring.buffer
          // It matters until that has been read, too.
          buffers[stages[index].ring.buffer].reader = nil
        } else {
          stages[index].ring.buffer = buffers.count
          buffers.append(
            Buffer(
              name: isShared ? "maps" : "\(stages[index].name) input", kind: isTensor ? .tensor : .ring,
              bytes: stages[index].ring.bytes,
              firstSegment: isTensor ? max(number - 1, 0) : number, lastSegment: number, offset: 0,
              reader: !isTensor && isReadAtOnce(index, stages) ? index : nil))
        }
        if stages[index].addsRowByRow {
          stages[index].sumsBuffer = buffers.count
          buffers.append(
            Buffer(
              name: "\(stages[index].name) sums", kind: .sums, bytes: stages[index].sumsBytes, firstSegment: number,
              lastSegment: number, offset: 0))
        }
      }
    }
    if !isVector {
      let last = stages.count - 1
      stages[last].destination = .result(buffer: buffers.count)
      buffers.append(
        Buffer(
          name: "result", kind: .result, bytes: stages[last].outputShape.count * stages[last].output.elementBytes,
          firstSegment: lastSegment, lastSegment: lastSegment, offset: 0))
    }

    let largestRing = stages.map(\.ring.bytes).max() ?? 0
    let tapBytes = largestRing < Int(UInt16.max) ? 2 : 4
    // What lives while a stage makes a strip lies before that.
    let words = stages.map { ($0.accumulatorWords ?? 0) + ($0.unpacked?.words ?? 0) }
    let strips = stages.indices.filter { stages[$0].ring.strip != nil }
    let stripOffset = 4 * (strips.map { max(words[$0], words[$0 - 1]) }.max() ?? 0)
    let stripBytes = strips.map { stages[$0].ring.bytes }.max() ?? 0
    let accumulatorBytes = max(4 * (words.max() ?? 0), stripOffset + stripBytes)
    let rows =
      tapBytes
      * (stages.compactMap { stage in
        stage.isPackedLanes || stage.maps != nil
          ? mostTaps(stage) : needsRows(stage) ? stage.window.kernelHeight * stage.rowsPerOutput : nil
      }.max() ?? 0)
    let taps = tapBytes * (stages.compactMap { mostTaps($0) }.max() ?? 0)
    let rowsOffset = accumulatorBytes
    let tapsOffset = ArenaAllocator.rounded(rowsOffset + rows)
    // Input bytes that are not levels yet are made so before they are paired, beside the self-test's row.
    let needsLevels = stages[0].ring.holdsWords && !input.isStoredAsIs
    let levelsOffset = max(tapsOffset + taps, input.rowBytes)
    let rowOffset = levelsOffset + (needsLevels ? input.shape.width : 0)
    let pairedRow =
      zip(stages, stages.dropFirst()).compactMap { stage, next in
        !next.ring.holdsWords || stage.hasWordSums ? nil : stage.outputShape.width
      }.max() ?? 0
    let scratchBytes = rowOffset + pairedRow
    buffers.append(
      Buffer(
        name: "scratch", kind: .scratch, bytes: max(scratchBytes, input.rowBytes), firstSegment: 0,
        lastSegment: lastSegment, offset: 0))
    let end = ArenaAllocator.place(&buffers, pinned: 1)
    let scratch = buffers.count - 1
    for index in strips { stages[index].ring.buffer = scratch }
    let start = buffers[scratch].offset
    return FirmwarePlan(
      name: options.name, input: input, output: outputPlan(network, stages), stages: stages, segments: segments,
      buffers: buffers,
      scratch: Scratch(
        buffer: scratch, accumulators: start, rows: start + rowsOffset, taps: start + tapsOffset,
        row: pairedRow > 0 ? start + rowOffset : nil, strip: start + stripOffset,
        levels: needsLevels ? start + levelsOffset : nil),
      stateBytes: end + 4, lowerBoundBytes: ArenaAllocator.lowerBound(buffers) + 4, tapOffsetBits: 8 * tapBytes,
      schedule: options.schedule, core: options.core, flash: FlashEstimate())
  }

  /// Whether a stage looks its window's rows up.
  private static func needsRows(_ stage: Stage) -> Bool {
    if stage.code != nil || stage.addsRowByRow || stage.ring.channelsLast != nil { return false }
    if case .dense = stage.work { return false }
    return true
  }

  private static func mostTaps(_ stage: Stage) -> Int? {
    if case .convolution(let work) = stage.work, work.code == nil { work.taps } else { nil }
  }

  private static func inputPlan(_ network: TernaryNetwork) -> InputPlan {
    let tensor = network[network.inputTensor]
    let storage = Storage(tensor)
    return InputPlan(
      shape: tensor.shape, quantization: network.input, base: storage.base,
      minimumLevel: tensor.grid.lowerBound - storage.base, maximumLevel: tensor.grid.upperBound - storage.base)
  }

  private static func outputPlan(_ network: TernaryNetwork, _ stages: [Stage]) -> OutputPlan {
    OutputPlan(
      tensor: network[network.outputTensor], base: stages[stages.count - 1].output.base,
      resolution: network.layers[network.layers.count - 1].requantizer?.proof.resolution ?? 0)
  }
}

extension Stage {
  /// int32 accumulators that it keeps while it makes one channel of a row, or a strip of some channels.
  package var accumulatorWords: Int? {
    if channelsLast != nil, case .taps? = code { return nil }
    if let channelsLast { return outputShape.width * channelsLast.scales.padded }
    if let spread = spreadMap { return spread.words + spread.sums }
    switch work {
    case .convolution(let work):
      if maps?.kind == .points { return nil }
      if case .blocks(let blocks, let strip)? = work.code {
        let rows = poolsRowByRow ? 1 : pool?.kernelHeight ?? 1
        return strip * rows * (pool?.kernelWidth ?? 1) * (blocks.map(\.channels.count).max() ?? 0)
      }
      if let columns { return columns.scratchWords }
      if isPackedLanes, let lanes = ring.lanes {
        // Sums of parts, and behind them those of whole rows, column by column.
        return hasWordSums ? lanes.outputs * rowsPerOutput : lanes.outputs + 2 * lanes.outputs * rowsPerOutput
      }
      if let lanes = ring.lanes { return lanes.outputs + (pool == nil ? 0 : outputWords ?? 0) }
      return accumulatorShape.width + (pool == nil ? 0 : outputShape.width)
    case .averagePool: return addsRowByRow ? nil : accumulatorShape.width
    case .dense, .maxPool: return nil
    }
  }
}
