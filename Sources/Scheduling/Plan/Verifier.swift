import Diagnostics
import TernaryIR

extension FirmwarePlan {
  /// What the emitted C relies on. Anything found is a defect of the compiler.
  package func problems() -> [Diagnostic] {
    var found: [Diagnostic] = []
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
      if !condition { found.append(.malformedPlan(message())) }
    }
    for (i, a) in buffers.enumerated() {
      require(a.offset >= 0 && a.offset + a.bytes <= canaryOffset, "buffer '\(a.name)' leaves the state")
      require(a.offset % ArenaAllocator.alignment == 0, "buffer '\(a.name)' is not aligned")
      for b in buffers[(i + 1)...] {
        require(!a.overlaps(b), "buffers '\(a.name)' and '\(b.name)' overlap while both live")
      }
    }
    require(
      fusionGroups.flatMap { Array($0) } == Array(operations.indices), "fusion groups do not cover the layers in order")
    for context in contexts {
      let problems =
        context.bufferProblems + context.scratchProblems + context.codeProblems + context.columnProblems
        + context.variant.problems(context)
      for problem in problems { require(false, "\(context.name): \(problem)") }
    }
    // Rows are replayed only where they have places.
    if found.isEmpty { for problem in ScheduleReplay.problems(self) { require(false, problem) } }
    return found
  }
}

extension Context {
  /// What is wrong with the memory that its input lies in.
  fileprivate var bufferProblems: [String] {
    var found: [String] = []
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
      if !condition { found.append(message()) }
    }
    let (edge, buffer, group) = (input, plan.buffers[input.buffer], plan.fusionGroup(of: index))
    let producer = edge.producer.map { Context(plan, $0) }
    let isSameGroup = producer.map { plan.fusionGroup(of: $0.index) == group } ?? false
    switch edge.residency {
    case .inPlace:
      guard let producer else { return ["its rows do not lie in place of others"] }
      let own = producer.input
      require(
        isSameGroup && edge.buffer == own.buffer && edge.layout.channelStride == own.layout.channelStride
          && edge.bytes <= own.layout.rowBytes && edge.shape.width <= own.shape.width
          && producer.variant.scratch.window > 0, "its rows do not lie in place of others")
    case .columnTile:
      let end = plan.scratch.columnTile + edge.bytes
      require(end <= buffer.offset + buffer.bytes, "column tiles leave the scratch memory")
      require(isSameGroup, "column tiles of another fusion group")
    case .rows, .whole, .result, .caller:
      require(buffer.bytes == edge.bytes, "line buffer and buffer differ in size")
    }
    require(buffer.firstGroup <= group && group <= buffer.lastGroup, "its input is dead")
    if let producer {
      require(buffer.firstGroup <= plan.fusionGroup(of: producer.index), "its input is written before it lives")
    }
    let rows = variant.rows
    require(
      edge.slots >= min(rows.rows, edge.shape.height), "line buffer of \(edge.slots) rows for a window of \(rows.rows)")
    require(plan.tapOffsetBits == 32 || edge.bytes < 0xFFFF, "line buffer beyond tap offsets")
    return found
  }

  fileprivate var scratchProblems: [String] {
    let (needs, memory) = (variant.scratch, plan.buffers[plan.scratch.buffer])
    let end = memory.offset + memory.bytes
    let offset = plan.tapOffsetBits / 8
    let isInside =
      plan.scratch.accumulators + 4 * (needs.accumulators + needs.window) <= end
      && plan.scratch.rows + offset * needs.rows <= end && plan.scratch.taps + offset * needs.taps <= end
    return isInside ? [] : ["its sums, words or offsets leave the scratch memory"]
  }

  /// What is wrong with codes and sums.
  fileprivate var codeProblems: [String] {
    var found: [String] = []
    let (padding, most) = (input.layout.paddingCode, input.storage.maximumCode)
    if padding < 0 || padding > most { found.append("padding code \(padding) outside 0...\(most)") }
    if most > (input.storage.elementBytes == 1 ? 255 : 65535) {
      found.append("code \(most) does not fit its storage")
    }
    if variant.accumulatorBits == 32, let range = variant.epilogue?.accumulators,
      Int32(exactly: range.lowerBound) == nil || Int32(exactly: range.upperBound) == nil
    {
      found.append("accumulators leave int32")
    }
    return found
  }
}

extension Diagnostic {
  fileprivate static func malformedPlan(_ message: String) -> Diagnostic {
    Diagnostic(
      code: "internal-malformed-plan", message: message,
      fix: "this is a defect of sterna; please report it together with the model")
  }
}
