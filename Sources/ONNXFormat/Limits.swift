/// What a model file may hold at most. Chosen far above any network that fits a microcontroller, and low enough that a
/// hostile file costs seconds and less than a gigabyte, not minutes and many.
package enum ONNXLimits {
  /// Bytes of a model file, and of each external data file.
  package static let fileBytes = 64 << 20
  /// Fields of a model file, counted through all messages; the parser's memory grows with them, not with the bytes.
  package static let fields = 1_000_000
  /// Elements of one tensor, and of all that a model needs together: as many float32 as a file can hold. Integers of two
  /// bits become 32 times larger in memory than they are in the file, so bytes alone would be no bound.
  package static let tensorElements = fileBytes / 4
  package static let tensorRank = 8
  /// Bytes of a name; messages repeat them.
  package static let nameBytes = 4096
}
