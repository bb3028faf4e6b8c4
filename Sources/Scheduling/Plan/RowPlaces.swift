/// Where the rows of a map stand in a stage's line buffer. Those who write rows, read windows or replay the schedule go
/// by this alone.
package enum RowPlace: Sendable, Equatable {
  /// There is room for one row.
  case single
  /// Row `y` stands in slot `y % slots`.
  case modulo
  /// Row `y` stands in slot `y + above − step · made`: behind the padding above, moved up by `step` rows with each
  /// output row that has been made.
  case linear(above: Int, step: Int)
  /// As linear, of rows that several operations read: row `y` stands in slot `y + above − gone`, where the row counter
  /// `counter` holds how many rows have gone, those of padding above among them. The one behind it counts the rows of
  /// padding that have been stored below the map.
  case shared(above: Int, counter: Int)

  /// - Parameter made: Rows that its reader has made; of shared rows those that have gone.
  /// - Returns: The slot of row `y`; outside of the line buffer if that has no place for it.
  package func slot(of y: Int, made: Int, slots: Int) -> Int {
    switch self {
    case .single: 0
    case .modulo: y % slots
    case .linear(let above, let step): y + above - step * made
    case .shared(let above, _): y + above - made
    }
  }
}

/// The slot of the first row of a window that is read as one block of memory.
package enum WindowPlace: Sendable, Equatable {
  case front
  /// Slot `rowStep · oy + skipped` of output row `oy`: others see more padding above.
  case steps(skipped: Int)
  /// Slot `rowStep · oy % slots`: of windows of one row, or where all rows are there.
  case modulo
  /// Slot `rowStep · oy + skipped − gone`, of rows that several operations read.
  case shared(skipped: Int, counter: Int)
}
