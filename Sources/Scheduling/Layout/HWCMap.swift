/// A map as words of two lanes, rows `y` and `y + distance`, the channels of a position after one another: position
/// `(row, column)` begins at word `(row · pitch + column) · positionWords`. Padding is stored, that between two rows
/// once.
package struct HWCMap: Sendable, Equatable {
  /// Rows of words; the first holds the topmost row of padding, or of the map.
  package var rows: Int
  /// Positions of a row of words.
  package var pitch: Int
  /// Words of a position: a multiple of `HWCScales.unit`.
  package var positionWords: Int
  /// Positions of padding between two rows.
  package var halo: Int
  /// Position of the first column.
  package var left: Int
  /// Rows of the map from one lane to the other.
  package var distance: Int
  /// Whether all of it holds padding before rows arrive; else what stands beside the rows is written as it is needed.
  package var isFilled = false

  package var rowWords: Int { pitch * positionWords }
  /// Behind the last row lies its padding.
  package var words: Int { rows * rowWords + halo * positionWords }
}

extension Int {
  /// The smallest multiple that is not below it.
  func rounded(toMultipleOf step: Int) -> Int { (self + step - 1) / step * step }
}
