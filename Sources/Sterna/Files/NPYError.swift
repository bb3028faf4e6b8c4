/// Why bytes are not an array that can be read.
package enum NPYError: Error, Sendable, Equatable {
  /// The first bytes, some hundred of them.
  case notNPY(found: [UInt8])
  case version(Int)
  case truncatedHeader
  case headerTooLong(Int, limit: Int)
  /// What is wrong with the header's dictionary.
  case header(String)
  case fortranOrder
  case elementType(String)
  case shapeTooLarge([Int])
  case dataSize(found: Int, expected: Int, shape: [Int])
}

extension NPYError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notNPY(let found):
      switch found {
      case []: "the file is empty: expected a .npy file, as numpy.save writes it"
      case let bytes:
        switch FileKind(bytes) {
        case .numPyArchive, .zip:
          "this is a zip or .npz archive: expected a .npy file; save the one array with numpy.save"
        case let kind?: "this is \(kind.rawValue): expected a .npy file, as numpy.save writes it"
        case nil: "this is not a .npy file: expected one that numpy.save has written"
        }
      }
    case .version(let version): "format version \(version): expected 1, 2 or 3"
    case .truncatedHeader: "the file ends inside its header"
    case .headerTooLong(let length, let limit): "a header of \(length) bytes: expected at most \(limit)"
    case .header(let problem): "malformed header: \(problem)"
    case .fortranOrder: "the array is stored column by column: save numpy.ascontiguousarray(x) instead"
    case .elementType(let type): "elements of type '\(type)': \(Self.advice(type))"
    case .shapeTooLarge(let shape): "shape \(Self.text(shape)) holds more elements than can be counted"
    case .dataSize(let found, let expected, let shape):
      "\(found) bytes of data: expected \(expected) for shape \(Self.text(shape))"
    }
  }

  private static func advice(_ type: String) -> String {
    let supported = "expected float32, float64, int8, uint8, int16, int32 or int64"
    if type.hasPrefix(">") { return "big-endian: save x.astype(x.dtype.newbyteorder('<')) instead" }
    return supported + "; save for instance x.astype(numpy.float32)"
  }

  private static func text(_ shape: [Int]) -> String {
    "(" + shape.map { "\($0)" }.joined(separator: ", ") + ")"
  }
}
