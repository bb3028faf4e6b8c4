import TernaryIR

extension Scheduler {
  /// A plan whose buffers have their places: scratch memory as large as the hungriest operation needs it, then all in one
  /// arena.
  static func placed(
    _ network: TernaryNetwork, _ options: PlanningOptions, _ unplaced: [Edge], _ operations: [Operation],
    _ given: [Buffer], _ fusionGroups: [ClosedRange<Int>]
  ) -> FirmwarePlan {
    var (edges, buffers) = (unplaced, given)
    let input = inputPlan(network)
    let largest = edges.filter { $0.residency != .caller }.map(\.bytes).max() ?? 0
    let tapBytes = largest < Int(UInt16.max) ? 2 : 4
    let needs = operations.map(\.variant.scratch)
    let rowsOffset = 4 * (needs.map { $0.accumulators + $0.window }.max() ?? 0)
    let tapsOffset = ArenaAllocator.rounded(rowsOffset + tapBytes * (needs.map(\.rows).max() ?? 0))
    let taps = tapBytes * (needs.map(\.taps).max() ?? 0)
    // Input bytes that are not codes yet are made so before they are packed, beside the self-test's row.
    let needsCodes = edges[0].layout.holdsWords && !input.isStoredAsIs
    let codesOffset = max(tapsOffset + taps, input.rowBytes)
    let rowOffset = codesOffset + (needsCodes ? input.shape.width : 0)
    let packedRow =
      operations.compactMap { operation in
        let edge = edges[operation.output]
        return edge.layout.holdsWords && operation.variant.makes == .values ? edge.shape.width : nil
      }.max() ?? 0
    buffers.append(
      Buffer(
        name: "scratch", kind: .scratch, bytes: max(rowOffset + packedRow, input.rowBytes), firstGroup: 0,
        lastGroup: fusionGroups.count - 1, offset: 0))
    let end = ArenaAllocator.place(&buffers, pinned: 1)
    let start = buffers[buffers.count - 1].offset
    for index in edges.indices where edges[index].residency != .caller {
      edges[index].offset = buffers[edges[index].buffer].offset
    }
    return FirmwarePlan(
      name: options.name, input: input,
      output: OutputPlan(
        tensor: network[network.outputTensor], base: edges[operations[operations.count - 1].output].storage.base,
        resolution: network.layers[network.layers.count - 1].requantizer?.proof.resolution ?? 0),
      edges: edges, operations: operations, fusionGroups: fusionGroups, buffers: buffers,
      scratch: Scratch(
        buffer: buffers.count - 1, accumulators: start, rows: start + rowsOffset, taps: start + tapsOffset,
        row: packedRow > 0 ? start + rowOffset : nil, columnTile: start,
        levels: needsCodes ? start + codesOffset : nil),
      stateBytes: end + 4, lowerBoundBytes: ArenaAllocator.lowerBound(buffers) + 4, tapOffsetBits: 8 * tapBytes,
      schedule: options.schedule, core: options.core, flash: FlashEstimate())
  }
}
