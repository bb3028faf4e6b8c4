import TernaryIR

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

  /// - Returns: The slot of row `y` when the stage has made `made` rows; outside of the line buffer if that has no place for it.
  package func slot(of y: Int, made: Int, slots: Int) -> Int {
    switch self {
    case .single: 0
    case .modulo: y % slots
    case .linear(let above, let step): y + above - step * made
    }
  }
}

/// The slot of the first row of a window that is read as one block of memory.
package enum WindowPlace: Sendable, Equatable {
  case front
  /// Slot `rowStep · oy` of output row `oy`.
  case steps
  /// Slot `rowStep · oy % slots`: of windows of one row, or where all rows are there.
  case modulo
}

extension Stage {
  package var rowPlace: RowPlace {
    if lineBuffer.slots == 1 { return .single }
    guard lineBuffer.isLinear else { return .modulo }
    return .linear(above: window.top, step: isSliding ? rowStep : 0)
  }

  package var windowPlace: WindowPlace {
    if lineBuffer.slots == 1 || isSliding { return .front }
    return lineBuffer.isLinear ? .steps : .modulo
  }

  /// Whether it takes rows one at a time: the line buffer's one row has one place, however many output rows have been
  /// made.
  private var takesSingleRows: Bool { hasRunningSum || hasRunningMaximum }

  /// Rows by which those of its line buffer move up when an output row has been made, as the shared function counts
  /// them. Rows that are used once need not move: the next ones take their places.
  package var slides: Int {
    if takesSingleRows { return 0 }
    if lineBuffer.isLinear { return isSliding ? rowStep : 0 }
    // Strides beyond the window leave rows that nobody sees: those would have no place.
    return lineBuffer.slots == windowRows && windowRows == rowStep && window.top == 0 ? rowStep : 0
  }

  /// Rows in the line buffer from a window to the next.
  package var windowStep: Int { windowPlace == .front ? 0 : rowStep }

  /// Rows of padding above the first one in its line buffer.
  package var storedAbove: Int { lineBuffer.isLinear ? window.top : 0 }

  /// Whether a line buffer's rows come back to its beginning otherwise than by moving up.
  package var wraps: Bool {
    takesSingleRows
      || !lineBuffer.isLinear && lineBuffer.slots < inputShape.height && !(slides > 0 && lineBuffer.slots == rowStep)
  }

  /// Whether it is an average pool whose windows' rows always follow one another in its line buffer, none of padding
  /// among them.
  package var hasContiguousWindows: Bool {
    guard case .averagePool = work, window.top + window.bottom == 0 else { return false }
    return lineBuffer.slots == inputShape.height || (lineBuffer.slots == windowRows && windowRows == rowStep)
  }

  /// Whether it is called as rows arrive; else when the caller asks for the output, by itself or with all layers of
  /// maps.
  package var advances: Bool {
    if let planes, planes.kind != .rows { return false }
    if case .output = destination { return hasRunningSum }
    return true
  }

  /// Whether it looks how many rows have arrived; others take each row as it comes.
  package var firesWhenDue: Bool {
    if case .output = destination { return false }
    return planes == nil && lineBuffer.hwc == nil && !hasRunningMaximum && !hasRunningSum
      && lineBuffer.columnTile == nil
  }

  /// Whether its rows move up within the line buffer, or padding comes in behind the last of them.
  package var movesRows: Bool { isSliding && (windowRows > rowStep || seesPaddingBelow) }

  /// Whether any window reaches into the padding below: strides may end before it.
  package var seesPaddingBelow: Bool { window.bottom > 0 && rowsBeforePadding < outputShape.height }

  /// Output rows after which padding comes in behind the last row of the map: the next window reaches below it.
  package var rowsBeforePadding: Int { max(0, inputShape.height - windowRows + window.top + rowStep) / rowStep }
}
