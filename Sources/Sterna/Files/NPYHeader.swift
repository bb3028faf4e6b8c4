/// The Python dictionary at the head of a `.npy` file: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
struct NPYHeader: Equatable {
  var descr: String
  var isFortranOrder: Bool
  var shape: [Int]

  init(parsing bytes: ArraySlice<UInt8>) throws(NPYError) {
    var reader = Reader(bytes: bytes)
    var descr: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try reader.expect("{")
    while !reader.skip("}") {
      let key = try reader.string()
      try reader.expect(":")
      switch key {
      case "descr": descr = try reader.description()
      case "fortran_order": isFortranOrder = try reader.bool()
      case "shape": shape = try reader.tuple()
      default: throw .header("unknown key '\(key)'")
      }
      if !reader.skip(",") {
        try reader.expect("}")
        break
      }
    }
    guard let descr else { throw .header("no 'descr'") }
    guard let isFortranOrder else { throw .header("no 'fortran_order'") }
    guard let shape else { throw .header("no 'shape'") }
    self.descr = descr
    self.isFortranOrder = isFortranOrder
    self.shape = shape
  }
}

/// Reads the few Python literals that NumPy writes.
private struct Reader {
  var bytes: ArraySlice<UInt8>

  private mutating func skipBlanks() {
    bytes = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard bytes.first == UInt8(ascii: character) else { return false }
    bytes.removeFirst()
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(NPYError) {
    guard skip(character) else { throw .header("expected '\(character)', found \(found)") }
  }

  private var found: String {
    bytes.first.map { $0 >= 0x20 && $0 < 0x7F ? "'\(Unicode.Scalar($0))'" : "byte \($0)" } ?? "its end"
  }

  mutating func string() throws(NPYError) -> String {
    skipBlanks()
    guard let quote = bytes.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw .header("expected a string, found \(found)")
    }
    bytes.removeFirst()
    guard let end = bytes.firstIndex(of: quote) else { throw .header("a string does not end") }
    let text = bytes[..<end]
    bytes = bytes[(end + 1)...]
    guard text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { throw .header("a string is not printable ASCII") }
    return String(decoding: text, as: UTF8.self)
  }

  /// An element type; a structured one is a list, and of no use here.
  mutating func description() throws(NPYError) -> String {
    skipBlanks()
    if bytes.first == UInt8(ascii: "[") { throw .elementType("structured") }
    return try string()
  }

  mutating func bool() throws(NPYError) -> Bool {
    skipBlanks()
    for (word, value) in [("True", true), ("False", false)] where bytes.starts(with: word.utf8) {
      bytes = bytes.dropFirst(word.utf8.count)
      return value
    }
    throw .header("expected True or False, found \(found)")
  }

  mutating func tuple() throws(NPYError) -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !skip(")") {
      numbers.append(try number())
      // NumPy itself stops at 64 axes.
      guard numbers.count <= 64 else { throw .header("more than 64 axes") }
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }

  private mutating func number() throws(NPYError) -> Int {
    skipBlanks()
    let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard !digits.isEmpty else { throw .header("expected an extent, found \(found)") }
    bytes = bytes.dropFirst(digits.count)
    // Python 2 wrote long integers as `3L`.
    if bytes.first == UInt8(ascii: "L") { bytes.removeFirst() }
    guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
      throw .header("an extent is too large")
    }
    return number
  }
}
