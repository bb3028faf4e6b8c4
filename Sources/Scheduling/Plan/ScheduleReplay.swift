import TernaryIR

/// Replays the row schedule of a plan: `begin`, every row of the input, `finish`, as the emitted C runs them, with a
/// mark in place of each row's values. Every row that is written must have a place within its line buffer, and every
/// window must find its own rows there, or padding where the map ends; nothing that is still to be read may be
/// overwritten, by whatever buffer.
///
/// It goes by what the plan says (places, steps, buffers, lives), not by why the planner chose it.
struct ScheduleReplay {
  /// What stands in a slot of a line buffer.
  private enum Mark: Equatable {
    case nothing
    case padding
    case row(Int)
  }

  /// A slot: its row, and whether the columns beside the row hold padding.
  private struct Slot {
    var mark = Mark.nothing
    var hasHalo = false
  }

  private let plan: FirmwarePlan
  private var slots: [[Slot]]
  /// Rows that have arrived at each stage, and behind them those that the last one made.
  private var counters: [Int]
  private var found: [String] = []
  /// More would say the same again.
  private static let mostFindings = 5

  private init(_ plan: FirmwarePlan) {
    self.plan = plan
    slots = plan.stages.map { [Slot](repeating: Slot(), count: $0.lineBuffer.slots) }
    counters = [Int](repeating: 0, count: plan.stages.count + 1)
  }

  /// What goes wrong, in the order in which it does.
  static func problems(_ plan: FirmwarePlan) -> [String] {
    var replay = ScheduleReplay(plan)
    replay.run()
    return replay.found
  }

  private mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition, found.count < Self.mostFindings { found.append(message()) }
  }

  private mutating func run() {
    let height = plan.input.shape.height
    fill(fusionGroup: 0)
    for y in 0..<height where found.isEmpty {
      write(y, into: 0)
      counters[0] += 1
      if plan.stages[0].advances { advance(0) }
    }
    for fusionGroup in plan.fusionGroups.indices.dropFirst() where found.isEmpty {
      let first = plan.fusionGroups[fusionGroup].lowerBound
      if case .output = plan.stages[first].destination, !plan.stages[first].hasRunningSum { continue }
      fill(fusionGroup: fusionGroup)
      advance(first)
    }
    if let last = plan.stages.last, case .output = last.destination, found.isEmpty {
      let index = plan.stages.count - 1
      if last.hasRunningSum {
        let added = counters[index]
        require(added == last.inputShape.height, "\(last.name): adds \(added) rows")
      } else {
        readWhole(index)
      }
      counters[index + 1] = 1
    }
    guard found.isEmpty else { return }
    for (index, stage) in plan.stages.enumerated() {
      let made = counters[index + 1]
      require(made == stage.outputShape.height, "\(stage.name): makes \(made) of \(stage.outputShape.height) rows")
    }
  }

  // MARK: Stages

  private mutating func advance(_ index: Int) {
    let stage = plan.stages[index]
    if stage.planes != nil || stage.lineBuffer.hwc != nil {
      guard counters[index] == stage.inputShape.height else { return }
      clobberScratch(index)
      readWhole(index)
      while counters[index + 1] < stage.outputShape.height { make(index) }
    } else if stage.hasRunningSum || stage.hasRunningMaximum {
      takeRow(index)
    } else if stage.lineBuffer.columnTile != nil {
      // The stage before has counted the row that it is making.
      if counters[index + 1] < stage.outputShape.height { make(index) }
    } else if case .dense = stage.work {
      guard counters[index] == stage.inputShape.height, counters[index + 1] == 0 else { return }
      clobberScratch(index)
      readWhole(index)
      make(index)
    } else {
      while isDue(index), found.isEmpty {
        clobberScratch(index)
        readWindow(index)
        make(index)
      }
    }
  }

  /// As `row_is_due` has it.
  private func isDue(_ index: Int) -> Bool {
    let stage = plan.stages[index]
    let (arrived, made) = (counters[index], counters[index + 1])
    return made < stage.outputShape.height
      && (arrived == stage.inputShape.height || arrived >= made * stage.rowStep + stage.windowRows - stage.window.top)
  }

  /// Of a pool that takes rows one by one, or of a dense layer that adds them.
  private mutating func takeRow(_ index: Int) {
    let stage = plan.stages[index]
    let (row, made) = (counters[index] - 1, counters[index + 1])
    clobberScratch(index)
    if case .dense = stage.work {
      expect(.row(row), index, slot: firstSlot(index, made))
      return
    }
    guard made < stage.outputShape.height else { return }
    let (rows, step) = stage.dependence
    let r = row - made * step
    require((0..<rows).contains(r), "\(stage.name): row \(row) is none of output row \(made)")
    expect(.row(row), index, slot: firstSlot(index, made))
    if r == rows - 1 {
      make(index)
    } else if case .lineBuffer(let next) = stage.destination {
      _ = place(of: made, in: next)
    }
  }

  /// Makes the next row and lets the successor have it.
  private mutating func make(_ index: Int) {
    let stage = plan.stages[index]
    let oy = counters[index + 1]
    switch stage.destination {
    case .lineBuffer(let next):
      let takesColumnTiles = plan.stages[next].lineBuffer.columnTile != nil
      if !takesColumnTiles { write(oy, into: next) }
      // Channel after channel is written while the window is still read.
      if stage.firesWhenDue, stage.readsWindows { readWindow(index) }
      counters[index + 1] += 1
      let isSame = plan.fusionGroup(of: next) == plan.fusionGroup(of: index)
      let isSlidLast = takesColumnTiles || plan.stages[next].lineBuffer.isInPlace
      if !isSlidLast { slide(index) }
      if isSame, plan.stages[next].advances { advance(next) }
      if isSlidLast { slide(index) }
    case .result(let buffer):
      clobber(plan.buffers[buffer].offset, bytes: plan.buffers[buffer].bytes, by: stage.name)
      counters[index + 1] += 1
      slide(index)
    case .output: counters[index + 1] += 1
    }
  }

  // MARK: Reading

  /// Slot of the first row of a window, where that is one block of memory.
  private func firstSlot(_ index: Int, _ oy: Int) -> Int {
    let stage = plan.stages[index]
    if stage.lineBuffer.isInPlace { return 0 }
    return switch stage.windowPlace {
    case .front: 0
    case .steps: oy * stage.rowStep
    case .modulo: oy * stage.rowStep % stage.lineBuffer.slots
    }
  }

  private mutating func readWindow(_ index: Int) {
    let stage = plan.stages[index]
    let oy = counters[index + 1]
    let top = oy * stage.rowStep - stage.window.top
    let areTiles = stage.readsBlocks
    let first = stage.usesSharedConvolution ? oy * stage.windowStep : firstSlot(index, oy)
    for k in 0..<stage.windowRows {
      // Rows between those of a fused pool's windows are not looked at.
      guard stage.sees(row: k) else { continue }
      let y = top + k
      if (0..<stage.inputShape.height).contains(y) {
        expect(.row(y), index, slot: areTiles ? first + k : y % stage.lineBuffer.slots)
      } else if areTiles {
        expect(.padding, index, slot: first + k)
      }
    }
  }

  private mutating func readWhole(_ index: Int) {
    let stage = plan.stages[index]
    guard stage.planes == nil, stage.lineBuffer.hwc == nil else { return }
    for y in 0..<stage.inputShape.height { expect(.row(y), index, slot: y + stage.storedAbove) }
  }

  private mutating func expect(_ mark: Mark, _ index: Int, slot: Int) {
    let stage = plan.stages[index]
    // Rows in place of others are where those were read; column tiles are in scratch memory.
    if stage.lineBuffer.isInPlace || stage.lineBuffer.columnTile != nil { return }
    let oy = counters[index + 1]
    guard stage.lineBuffer.slots > slot, slot >= 0 else {
      require(false, "\(stage.name), row \(oy): reads slot \(slot) of \(stage.lineBuffer.slots)")
      return
    }
    let found = slots[index][slot]
    require(found.mark == mark, "\(stage.name), row \(oy): slot \(slot) holds \(found.mark), not \(mark)")
    if stage.lineBuffer.hasHalo, stage.lineBuffer.lanes == nil || stage.lineBuffer.widensOnLoad {
      require(found.hasHalo, "\(stage.name), row \(oy): no padding beside slot \(slot)")
    }
  }

  // MARK: Writing

  /// The slot that row `y` goes to; nil where it has none, and nobody looks at it.
  private mutating func place(of y: Int, in index: Int) -> Int? {
    let stage = plan.stages[index]
    let made = counters[index + 1]
    let lineBuffer = stage.lineBuffer
    var slot = stage.rowPlace.slot(of: y, made: made, slots: lineBuffer.slots)
    // The shared function has one formula for all line buffers.
    if index > 0, plan.stages[index - 1].usesSharedConvolution {
      slot = y + stage.storedAbove - made * stage.slides
      if plan.sharedRowsWrap, lineBuffer.slots > 0 { slot = Int(UInt32(truncatingIfNeeded: slot)) % lineBuffer.slots }
    }
    guard (0..<lineBuffer.slots).contains(slot) else {
      require(false, "\(stage.name): row \(y) goes to slot \(slot) of \(lineBuffer.slots) when \(made) rows are made")
      return nil
    }
    return slot
  }

  private mutating func write(_ y: Int, into index: Int) {
    let stage = plan.stages[index]
    let lineBuffer = stage.lineBuffer
    if lineBuffer.isInPlace || lineBuffer.columnTile != nil || lineBuffer.hwc != nil { return }
    if lineBuffer.planeChannels != nil {
      // Of maps, channel after channel; those that read maps look for no slots.
      clobber(plan.lineBufferOffset(of: stage), bytes: lineBuffer.bytes, by: "\(stage.name) input", except: index)
      if slots[index].indices.contains(y) { slots[index][y].mark = .row(y) }
      return
    }
    guard let slot = place(of: y, in: index) else { return }
    let offset = plan.lineBufferOffset(of: stage) + slot * lineBuffer.rowBytes
    clobber(offset, bytes: lineBuffer.rowBytes, by: "\(stage.name) input", except: index)
    slots[index][slot].mark = .row(y)
  }

  /// The rows that the next window still sees move to the front; behind them comes padding.
  private mutating func slide(_ index: Int) {
    let stage = plan.stages[index]
    let isShared = stage.usesSharedConvolution
    // The shared function moves the rows of all line buffers that move, if those of any need it.
    let isCalled = isShared ? plan.sharedRowsMove || plan.sharedRowsEnd : stage.movesRows
    let by = isShared ? stage.slides : stage.rowStep
    guard isCalled, by > 0 else { return }
    let made = counters[index + 1]
    let (kept, count) = (stage.windowRows - by, slots[index].count)
    guard kept >= 0, kept + by <= count else {
      require(false, "\(stage.name): \(kept) rows move up by \(by) in a ring of \(count)")
      return
    }
    if isShared ? plan.sharedRowsMove : kept > 0 {
      for slot in 0..<kept { slots[index][slot] = slots[index][slot + by] }
    }
    let isBelow =
      isShared
      ? plan.sharedRowsEnd && made * stage.rowStep + stage.windowRows - stage.window.top > stage.inputShape.height
      : stage.seesPaddingBelow && made >= stage.rowsBeforePadding
    if isBelow {
      for slot in kept..<(kept + by) { slots[index][slot] = Slot(mark: .padding, hasHalo: true) }
    }
  }

  /// Fills the line buffers that a fusion group writes, those that have padding which is written once.
  private mutating func fill(fusionGroup: Int) {
    for index in plan.stages.indices where plan.stages[index].lineBuffer.needsFilling {
      let own = plan.fusionGroup(of: index)
      let isFirst = index == plan.fusionGroups[own].lowerBound
      guard isFirst && own > 0 ? own == fusionGroup + 1 : own == fusionGroup else { continue }
      let stage = plan.stages[index]
      if stage.lineBuffer.columnTile != nil || stage.lineBuffer.isInPlace { continue }
      clobber(
        plan.lineBufferOffset(of: stage), bytes: stage.lineBuffer.bytes, by: "\(stage.name) padding", except: index)
      for slot in slots[index].indices { slots[index][slot] = Slot(mark: .padding, hasHalo: true) }
    }
  }

  private mutating func clobberScratch(_ index: Int) {
    let scratch = plan.buffers[plan.scratch.buffer]
    clobber(scratch.offset, bytes: scratch.bytes, by: "\(plan.stages[index].name) scratch")
    if plan.stages[index].hasRunningSum {
      let sums = plan.buffers[plan.stages[index].sumsBuffer]
      clobber(sums.offset, bytes: sums.bytes, by: "\(plan.stages[index].name) sums")
    }
  }

  /// What other line buffers have in that memory is lost.
  private mutating func clobber(_ offset: Int, bytes: Int, by name: String, except own: Int? = nil) {
    let isInside = offset >= 0 && offset + bytes <= plan.canaryOffset
    require(isInside, "\(name): writes \(offset)...\(offset + bytes - 1), not state")
    for index in plan.stages.indices where index != own {
      let stage = plan.stages[index]
      if stage.lineBuffer.isInPlace || stage.lineBuffer.columnTile != nil || stage.lineBuffer.hwc != nil { continue }
      let start = plan.lineBufferOffset(of: stage)
      guard offset < start + stage.lineBuffer.bytes, start < offset + bytes else { continue }
      if stage.lineBuffer.planeChannels != nil {
        slots[index] = slots[index].map { _ in Slot() }
        continue
      }
      for slot in slots[index].indices {
        let row = start + slot * stage.lineBuffer.rowBytes
        if offset < row + stage.lineBuffer.rowBytes, row < offset + bytes { slots[index][slot] = Slot() }
      }
    }
  }
}

extension Stage {
  fileprivate var readsWindows: Bool { if case .dense = work { false } else { true } }

  /// Whether the rows of a window are read as one block of memory; else each is looked up.
  fileprivate var readsBlocks: Bool {
    switch work {
    case .convolution: isPackedLanes || unrolled != nil
    case .averagePool: hasContiguousWindows
    case .maxPool, .dense: false
    }
  }

  /// Whether row `k` of all rows under an output row lies in a window: strides beyond the kernel leave some out.
  fileprivate func sees(row k: Int) -> Bool { k % window.strideHeight < window.kernelHeight || rowsPerOutput == 1 }
}
