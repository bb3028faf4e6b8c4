/// How an operation's input rows move, as the shared function of convolutions counts them.
extension Context {
  /// Whether it takes rows one at a time: the line buffer's one row has one place, however many output rows have been
  /// made.
  private var takesSingleRows: Bool { variant.firing == .perRow }

  /// Rows by which those of its line buffer move up when an output row has been made. Rows that are used once need not
  /// move: the next ones take their places.
  package var slides: Int {
    let rows = variant.rows
    if takesSingleRows { return 0 }
    if input.isLinear { return input.slide }
    // Strides beyond the window leave rows that nobody sees: those would have no place.
    return input.slots == rows.rows && rows.rows == rows.step && rows.top == 0 ? rows.step : 0
  }

  /// Rows in the line buffer from a window to the next.
  package var windowStep: Int { variant.rows.place(in: input) == .front ? 0 : variant.rows.step }

  /// Whether a line buffer's rows come back to its beginning otherwise than by moving up.
  package var wraps: Bool {
    takesSingleRows
      || !input.isLinear && input.slots < input.shape.height && !(slides > 0 && input.slots == variant.rows.step)
  }
}
