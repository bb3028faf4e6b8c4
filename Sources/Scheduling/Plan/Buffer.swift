package struct Buffer: Sendable, Equatable, Codable {
  package enum Kind: String, Sendable, Codable {
    case counters, tensor, sums, scratch, result
    /// Reports keep the names that they have had.
    case lineBuffer = "ring"
  }

  private enum CodingKeys: String, CodingKey {
    case name, kind, bytes, offset, reader
    case firstGroup = "firstSegment"
    case lastGroup = "lastSegment"
  }

  package var name: String
  package var kind: Kind
  package var bytes: Int
  /// First and last fusion group in which its contents matter.
  package var firstGroup: Int
  package var lastGroup: Int
  package var offset: Int
  /// The stage that reads it as soon as it is written: a single row, which matters from its predecessor's work to its
  /// own.
  package var reader: Int?

  /// Whether both matter at the same time. Rows that are read at once do so only where one stage reads the one and
  /// writes the other.
  package func lives(with other: Buffer) -> Bool {
    if let reader, let next = other.reader, abs(reader - next) > 1 { return false }
    return firstGroup <= other.lastGroup && other.firstGroup <= lastGroup
  }

  package func overlaps(_ other: Buffer) -> Bool {
    lives(with: other) && offset < other.offset + other.bytes && other.offset < offset + bytes
  }
}
