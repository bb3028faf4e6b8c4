/// A walk over the file's protobuf fields before it is parsed.
///
/// A parser allocates an object for each submessage, of which a file can hold one every two bytes: 64 MB of file would
/// become gigabytes. The walk allocates nothing, counts the fields and finds lengths that lead outside the file.
enum WireScan {
  struct Problem: Error {
    /// Where in the file, where that is known.
    var offset: Int?
    var reason: String
  }

  static func check(_ bytes: [UInt8]) throws(Problem) {
    var scanner = Scanner(bytes: bytes)
    try scanner.scan(.model, end: bytes.count)
  }

  /// The messages whose fields are counted, with the numbers of those fields that are messages themselves.
  fileprivate enum Message {
    case model, graph, node, attribute, tensor, valueInfo, type, tensorType, shape, leaf

    func submessage(_ field: UInt64) -> Message? {
      switch (self, field) {
      case (.model, 7): .graph
      case (.model, 8): .leaf
      case (.graph, 1): .node
      case (.graph, 5): .tensor
      case (.graph, 11), (.graph, 12): .valueInfo
      case (.node, 5): .attribute
      case (.attribute, 5): .tensor
      case (.tensor, 13): .leaf
      case (.valueInfo, 2): .type
      case (.type, 1): .tensorType
      case (.tensorType, 2): .shape
      case (.shape, 1): .leaf
      default: nil
      }
    }
  }
}

private struct Scanner {
  let bytes: [UInt8]
  var position = 0
  var fields = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Scans the fields of one message. It recurses along `Message.submessage`, whose longest chain has six members.
  mutating func scan(_ message: WireScan.Message, end: Int) throws(WireScan.Problem) {
    while position < end {
      fields += 1
      if fields > ONNXLimits.fields { throw problem("more than \(ONNXLimits.fields) fields") }
      let tag = try varint(end: end)
      let field = tag >> 3
      if field == 0 { throw problem("field number 0") }
      switch tag & 7 {
      case 0: _ = try varint(end: end)
      case 1: try skip(8, end: end)
      case 5: try skip(4, end: end)
      case 2:
        let length = try varint(end: end)
        guard let length = Int(exactly: length), length <= end - position else {
          throw problem("a length of \(length) leads past the end")
        }
        if let submessage = message.submessage(field) {
          try scan(submessage, end: position + length)
        } else {
          position += length
        }
      default: throw problem("wire type \(tag & 7)")
      }
    }
  }

  private mutating func varint(end: Int) throws(WireScan.Problem) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      guard position < end else { throw problem("the file or a message in it ends too early") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw problem("a number longer than 10 bytes")
  }

  private mutating func skip(_ count: Int, end: Int) throws(WireScan.Problem) {
    guard count <= end - position else { throw problem("the file or a message in it ends too early") }
    position += count
  }

  private func problem(_ reason: String) -> WireScan.Problem {
    WireScan.Problem(offset: position, reason: reason)
  }
}
