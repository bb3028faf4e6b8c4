/// What a model file may hold at most. Chosen far above any network that fits a microcontroller, and low enough that a
/// hostile file costs seconds and megabytes, not minutes and gigabytes.
package enum ONNXLimits {
  /// Bytes of a model file, and of each external data file.
  package static let fileBytes = 64 << 20
  /// Fields of a model file, counted through all messages; the parser's memory grows with them, not with the bytes.
  package static let fields = 1_000_000
  /// Elements of one tensor.
  package static let tensorElements = 1 << 22
  package static let tensorRank = 8
  /// Bytes of a name; messages repeat them.
  package static let nameBytes = 4096
}
