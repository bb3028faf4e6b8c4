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
  private let contexts: [Context]
  /// Of each edge.
  private var slots: [[Slot]]
  /// Rows that have arrived on each edge.
  private var arrived: [Int]
  /// Of edges that several operations read: rows that have gone, and rows of padding that have been stored below.
  private var gone: [Int]
  private var padded: [Int]
  private var found: [String] = []

  /// More would say the same again.
  private static let mostFindings = 5

  private init(_ plan: FirmwarePlan) {
    self.plan = plan
    contexts = plan.contexts
    slots = plan.edges.map { [Slot](repeating: Slot(), count: $0.consumers.isEmpty ? 0 : $0.slots) }
    arrived = [Int](repeating: 0, count: plan.edges.count)
    (gone, padded) = (arrived, arrived)
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
    fill(fusionGroup: 0)
    for y in 0..<plan.input.shape.height where found.isEmpty {
      write(y, to: 0)
      arrived[0] += 1
      tell(readersOf: 0)
    }
    for fusionGroup in plan.fusionGroups.indices.dropFirst() where found.isEmpty {
      fill(fusionGroup: fusionGroup)
      for context in plan.starters(ofGroup: fusionGroup) { advance(context) }
    }
    for context in contexts where context.output.residency == .caller && found.isEmpty {
      if context.variant.firing == .perRow {
        let (added, height) = (arrived[context.operation.inputs[0]], context.input.shape.height)
        require(added == height, "\(context.name): adds \(added) of \(height) rows")
      } else {
        readWhole(context)
      }
      arrived[context.operation.output] = 1
    }
    guard found.isEmpty else { return }
    for context in contexts {
      let (made, height) = (made(context), context.variant.rows.output)
      require(made == height, "\(context.name): makes \(made) of \(height) rows")
    }
  }

  private func made(_ context: Context) -> Int { arrived[context.operation.output] }

  // MARK: Operations

  /// Lets those have a row that work while it is made.
  private mutating func tell(readersOf edge: Int) {
    let maker = plan.edges[edge].producer
    for index in plan.edges[edge].told {
      if let maker, plan.fusionGroup(of: maker) != plan.fusionGroup(of: index) { continue }
      advance(contexts[index])
    }
  }

  private mutating func advance(_ context: Context) {
    let (variant, input) = (context.variant, context.operation.inputs[0])
    let height = variant.rows.output
    switch variant.firing {
    case .whenComplete, .afterGroup, .onFinish:
      guard arrived[input] == context.input.shape.height, made(context) == 0 else { return }
      clobberScratch(context)
      readWhole(context)
      while made(context) < height { make(context) }
    case .perRow: takeRow(context)
    case .perColumnTile:
      // The operation before has counted the row that it is making.
      if variant.dependence != variant.rows {
        takeRow(context)
      } else if made(context) < height {
        make(context)
      }
    case .whenDue:
      while isDue(context), found.isEmpty {
        clobberScratch(context)
        readWindow(context)
        make(context)
      }
    }
  }

  /// As `row_is_due` has it.
  private func isDue(_ context: Context) -> Bool {
    let (rows, made) = (context.variant.rows, made(context))
    return made < rows.output
      && context.operation.inputs.allSatisfy { edge in
        arrived[edge] == rows.input || arrived[edge] >= rows.first(made) + rows.rows
      }
  }

  /// Of an operation that takes rows one by one.
  private mutating func takeRow(_ context: Context) {
    let (row, made) = (arrived[context.operation.inputs[0]] - 1, made(context))
    clobberScratch(context)
    if context.output.residency == .caller {
      expect(.row(row), context, slot: firstSlot(context, made))
      return
    }
    let dependence = context.variant.dependence
    guard made < dependence.output else { return }
    let r = row - made * dependence.step
    require((0..<dependence.rows).contains(r), "\(context.name): row \(row) is none of output row \(made)")
    expect(.row(row), context, slot: firstSlot(context, made))
    if r == dependence.rows - 1 {
      make(context)
    } else if !context.output.consumers.isEmpty {
      _ = place(of: made, on: context.operation.output)
    }
  }

  /// Makes the next row and lets those have it that read it.
  private mutating func make(_ context: Context) {
    let edge = context.operation.output
    let oy = arrived[edge]
    switch context.output.residency {
    case .rows, .whole, .columnTile, .inPlace:
      write(oy, to: edge)
      // Channel after channel is written while the window is still read.
      if context.variant.firing == .whenDue { readWindow(context) }
      arrived[edge] += 1
      let isSlidLast = context.output.columnTile != nil || context.output.isInPlace
      if !isSlidLast { slide(context) }
      tell(readersOf: edge)
      if isSlidLast { slide(context) }
    case .result:
      let buffer = plan.buffers[context.output.buffer]
      clobber(buffer.offset, bytes: buffer.bytes, by: context.name)
      arrived[edge] += 1
      slide(context)
    case .caller: arrived[edge] += 1
    }
  }

  // MARK: Reading

  /// Slot of the first row of a window, where that is one block of memory.
  private func firstSlot(_ context: Context, _ oy: Int) -> Int {
    if context.variant.movement == .counted { return oy * context.windowStep }
    let rows = context.variant.rows
    let edge = context.operation.inputs[0]
    return switch rows.place(in: context.input) {
    case .front: 0
    case .steps(let skipped): oy * rows.step + skipped
    case .modulo: oy * rows.step % context.input.slots
    case .shared(let skipped, _):
      (context.variant.firing == .perRow ? arrived[edge] - 1 + rows.top : oy * rows.step) + skipped - gone[edge]
    }
  }

  private mutating func readWindow(_ context: Context) {
    let rows = context.variant.rows
    let oy = made(context)
    let top = rows.first(oy)
    let isBlock = context.variant.access(context) == .block
    if context.padsBelow { storePadding(context, count: top + rows.rows) }
    for index in context.operation.inputs {
      let edge = plan.edges[index]
      let first = index == context.operation.inputs[0] ? firstSlot(context, oy) : 0
      for k in 0..<rows.rows where context.variant.sees(row: k) {
        let y = top + k
        if (0..<rows.input).contains(y) {
          let looked = edge.rowPlace.slot(of: y, made: gone[index], slots: edge.slots)
          expect(.row(y), context, on: index, slot: isBlock ? first + k : looked)
        } else if isBlock {
          expect(.padding, context, on: index, slot: first + k)
        }
      }
    }
  }

  /// As the function of shared rows does it, before a window is read that reaches below the map.
  private mutating func storePadding(_ context: Context, count: Int) {
    let index = context.operation.inputs[0]
    let edge = plan.edges[index]
    while edge.shape.height + padded[index] < count, found.isEmpty {
      guard let slot = place(of: edge.shape.height + padded[index], on: index) else { return }
      slots[index][slot] = Slot(mark: .padding, hasHalo: true)
      padded[index] += 1
    }
  }

  private mutating func readWhole(_ context: Context) {
    if context.input.hwc != nil { return }
    for y in 0..<context.input.shape.height { expect(.row(y), context, slot: y + context.input.storedAbove) }
  }

  private mutating func expect(_ mark: Mark, _ context: Context, on index: Int? = nil, slot: Int) {
    let index = index ?? context.operation.inputs[0]
    let (edge, oy) = (plan.edges[index], made(context))
    // Rows in place of others are where those were read; column tiles are in scratch memory.
    if edge.isInPlace || edge.columnTile != nil { return }
    guard edge.slots > slot, slot >= 0 else {
      require(false, "\(context.name), row \(oy): reads slot \(slot) of \(edge.slots)")
      return
    }
    let found = slots[index][slot]
    require(found.mark == mark, "\(context.name), row \(oy): slot \(slot) holds \(found.mark), not \(mark)")
    if edge.layout.hasHalo, !edge.layout.holdsWords {
      require(found.hasHalo, "\(context.name), row \(oy): no padding beside slot \(slot)")
    }
  }

  // MARK: Writing

  /// The slot that row `y` goes to; nil where it has none, and nobody looks at it.
  private mutating func place(of y: Int, on edge: Int) -> Int? {
    let (given, reader) = (plan.edges[edge], contexts[plan.edges[edge].consumers[0]])
    let made = made(reader)
    if given.goneCounter != nil { return sharedPlace(of: y, on: edge) }
    var slot = given.rowPlace.slot(of: y, made: made, slots: given.slots)
    // The shared function has one formula for all line buffers.
    if let producer = given.producer, contexts[producer].variant.movement == .counted {
      slot = y + given.storedAbove - made * reader.slides
      if plan.sharedRowsWrap, given.slots > 0 { slot = Int(UInt32(truncatingIfNeeded: slot)) % given.slots }
    }
    guard (0..<given.slots).contains(slot) else {
      require(false, "\(reader.name): row \(y) goes to slot \(slot) of \(given.slots) when \(made) rows are made")
      return nil
    }
    return slot
  }

  /// As the function of shared rows finds it: rows that nobody needs any more make room.
  private mutating func sharedPlace(of y: Int, on index: Int) -> Int? {
    let edge = plan.edges[index]
    var slot = y + edge.storedAbove - gone[index]
    if slot >= edge.slots {
      let kept = min(y + edge.storedAbove, edge.consumers.map { firstNeeded(contexts[$0], on: index) }.min() ?? 0)
      let by = kept - gone[index]
      require((0...edge.slots).contains(by), "rows of edge \(index) move up by \(by) of \(edge.slots)")
      guard found.isEmpty else { return nil }
      for slot in 0..<(edge.slots - by) { slots[index][slot] = slots[index][slot + by] }
      gone[index] = kept
      slot -= by
    }
    require((0..<edge.slots).contains(slot), "row \(y) of edge \(index) goes to slot \(slot) of \(edge.slots)")
    return (0..<edge.slots).contains(slot) ? slot : nil
  }

  private func firstNeeded(_ context: Context, on edge: Int) -> Int {
    let above = plan.edges[edge].storedAbove
    if context.variant.firing == .perRow { return arrived[edge] + above }
    return context.variant.rows.first(made(context)) + above
  }

  private mutating func write(_ y: Int, to index: Int) {
    let edge = plan.edges[index]
    if edge.isInPlace || edge.columnTile != nil || edge.hwc != nil { return }
    let name = contexts[edge.consumers[0]].name
    if edge.layout.order == .planes {
      // Of maps, channel after channel; those that read maps look for no slots.
      clobber(edge.offset, bytes: edge.bytes, by: "\(name) input", except: index)
      if slots[index].indices.contains(y) { slots[index][y].mark = .row(y) }
      return
    }
    guard let slot = place(of: y, on: index) else { return }
    clobber(
      edge.offset + slot * edge.layout.rowBytes, bytes: edge.layout.rowBytes, by: "\(name) input", except: index)
    slots[index][slot].mark = .row(y)
  }

  /// The rows that the next window still sees move to the front; behind them comes padding.
  private mutating func slide(_ context: Context) {
    let (rows, index) = (context.variant.rows, context.operation.inputs[0])
    let isCounted = context.variant.movement == .counted
    // The shared function moves the rows of all line buffers that move, if those of any need it.
    let isCalled =
      isCounted ? plan.sharedRowsMove || plan.sharedRowsEnd : rows.movesRows(of: context.input)
    let by = isCounted ? context.slides : rows.step
    guard isCalled, by > 0 else { return }
    let made = made(context)
    let (kept, count) = (rows.rows - by, slots[index].count)
    guard kept >= 0, kept + by <= count else {
      require(false, "\(context.name): \(kept) rows move up by \(by) in a line buffer of \(count)")
      return
    }
    if isCounted ? plan.sharedRowsMove : kept > 0 {
      for slot in 0..<kept { slots[index][slot] = slots[index][slot + by] }
    }
    let isBelow =
      isCounted
      ? plan.sharedRowsEnd && made * rows.step + rows.rows - rows.top > rows.input
      : rows.seesPaddingBelow && made >= rows.rowsBeforePadding
    if isBelow {
      for slot in kept..<(kept + by) { slots[index][slot] = Slot(mark: .padding, hasHalo: true) }
    }
  }

  /// Fills the line buffers that a fusion group writes, those that have padding which is written once.
  private mutating func fill(fusionGroup: Int) {
    for (index, edge) in plan.edges.enumerated() where edge.needsFilling && !edge.consumers.isEmpty {
      guard (edge.producer.map { plan.fusionGroup(of: $0) } ?? 0) == fusionGroup else { continue }
      if edge.columnTile != nil || edge.isInPlace { continue }
      clobber(
        edge.offset, bytes: edge.bytes, by: "\(contexts[edge.consumers[0]].name) padding", except: index)
      for slot in slots[index].indices { slots[index][slot] = Slot(mark: .padding, hasHalo: true) }
    }
  }

  private mutating func clobberScratch(_ context: Context) {
    let scratch = plan.buffers[plan.scratch.buffer]
    clobber(scratch.offset, bytes: scratch.bytes, by: "\(context.name) scratch")
    for buffer in context.variant.buffers.map({ plan.buffers[$0] }) {
      clobber(buffer.offset, bytes: buffer.bytes, by: "\(context.name) sums")
    }
  }

  /// What other line buffers have in that memory is lost.
  private mutating func clobber(_ offset: Int, bytes: Int, by name: String, except own: Int? = nil) {
    let isInside = offset >= 0 && offset + bytes <= plan.canaryOffset
    require(isInside, "\(name): writes \(offset)...\(offset + bytes - 1), not state")
    for (index, edge) in plan.edges.enumerated() where index != own && !edge.consumers.isEmpty {
      if edge.isInPlace || edge.columnTile != nil || edge.hwc != nil { continue }
      guard offset < edge.offset + edge.bytes, edge.offset < offset + bytes else { continue }
      if edge.layout.order == .planes {
        slots[index] = slots[index].map { _ in Slot() }
        continue
      }
      for slot in slots[index].indices {
        let row = edge.offset + slot * edge.layout.rowBytes
        if offset < row + edge.layout.rowBytes, row < offset + bytes { slots[index][slot] = Slot() }
      }
    }
  }
}

extension KernelVariant {
  /// Whether row `k` of all rows under an output row lies in a window: strides beyond the kernel leave some out.
  fileprivate func sees(row k: Int) -> Bool {
    k % geometry.window.strideHeight < geometry.window.kernelHeight || geometry.rowsPerOutput == 1
  }
}
