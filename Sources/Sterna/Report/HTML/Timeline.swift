import Scheduling

/// The horizontal axis of the memory map: the rows that each segment reads, in the order in which it reads them.
///
/// A segment's share of the axis is that of its input rows, but never too small to be seen; hence no scale across
/// segments.
struct Timeline {
  /// Where each segment begins and ends, in shares of the axis.
  let spans: [Range<Double>]

  init(_ plan: FirmwarePlan) {
    let rows = plan.fusionGroups.map { Double(plan.contexts[$0.lowerBound].input.shape.height) }
    let total = rows.reduce(0, +)
    let least = min(0.13, 0.6 / Double(rows.count))
    var spans: [Range<Double>] = []
    var start = 0.0
    for count in rows {
      let end = start + least + (1 - least * Double(rows.count)) * count / total
      spans.append(start..<end)
      start = end
    }
    self.spans = spans
  }

  func span(_ first: Int, _ last: Int) -> Range<Double> { spans[first].lowerBound..<spans[last].upperBound }
}

/// When the stages of a segment make their rows.
struct RowFlow {
  /// For each stage of the plan and each of its output rows: how many rows its segment must have read.
  let readyAfter: [[Int]]

  init(_ plan: FirmwarePlan) {
    var all: [[Int]] = []
    for fusionGroup in plan.fusionGroups {
      var ready = Array(1...plan.contexts[fusionGroup.lowerBound].input.shape.height)
      for stage in plan.contexts[fusionGroup] {
        let rows = stage.variant.geometry.dependence
        ready = (0..<stage.output.shape.height).map { y in
          // Rows of padding below the last one need not be waited for.
          let last = y * rows.step - rows.top + rows.rows - 1
          return ready[min(max(last, 0), ready.count - 1)]
        }
        all.append(ready)
      }
    }
    readyAfter = all
  }
}
