/// An array in NumPy's `.npy` format: C order, little-endian, format versions 1 to 3.
package struct NPY: Sendable, Equatable {
  package enum Values: Sendable, Equatable {
    case float32([Float])
    case float64([Double])
    case int8([Int8])
    case uint8([UInt8])
    case int16([Int16])
    case int32([Int32])
    case int64([Int64])
  }

  /// Extents, outermost first; empty for a scalar.
  package var shape: [Int]
  /// As many as the product of the extents.
  package var values: Values

  package init(shape: [Int], values: Values) {
    self.shape = shape
    self.values = values
  }

  /// NumPy's name of the element type.
  package var elementType: String {
    switch values {
    case .float32: "float32"
    case .float64: "float64"
    case .int8: "int8"
    case .uint8: "uint8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    }
  }

  package var count: Int {
    switch values {
    case .float32(let values): values.count
    case .float64(let values): values.count
    case .int8(let values): values.count
    case .uint8(let values): values.count
    case .int16(let values): values.count
    case .int32(let values): values.count
    case .int64(let values): values.count
    }
  }
}

// MARK: Reading

extension NPY {
  /// NumPy itself writes headers of 118 bytes; a structured type may need more, and is refused anyway.
  private static let headerLimit = 1 << 16
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads a whole file. The bytes are a user's: nothing in them is trusted.
  package init(parsing bytes: [UInt8]) throws(NPYError) {
    guard bytes.starts(with: Self.magic) else { throw .notNPY(found: Array(bytes.prefix(512))) }
    guard bytes.count >= 10 else { throw .truncatedHeader }
    let version = bytes[6]
    guard (1...3).contains(version) else { throw .version(Int(version)) }
    let lengthBytes = version == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthBytes else { throw .truncatedHeader }
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    guard length <= Self.headerLimit else { throw .headerTooLong(length, limit: Self.headerLimit) }
    let start = 8 + lengthBytes + length
    guard bytes.count >= start else { throw .truncatedHeader }
    let header = try NPYHeader(parsing: bytes[(8 + lengthBytes)..<start])

    guard !header.isFortranOrder else { throw .fortranOrder }
    guard let size = Self.elementSizes[header.descr] else { throw .elementType(header.descr) }
    var count = 1
    for extent in header.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw .shapeTooLarge(header.shape) }
      count = product
    }
    let (expected, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow else { throw .shapeTooLarge(header.shape) }
    let data = bytes[start...]
    guard data.count == expected else { throw .dataSize(found: data.count, expected: expected, shape: header.shape) }

    shape = header.shape
    values =
      switch header.descr {
      case "<f4": .float32(Self.words(data, UInt32.self).map { Float(bitPattern: $0) })
      case "<f8": .float64(Self.words(data, UInt64.self).map { Double(bitPattern: $0) })
      case "|i1", "<i1": .int8(data.map { Int8(bitPattern: $0) })
      case "|u1", "<u1": .uint8(Array(data))
      case "<i2": .int16(Self.words(data, UInt16.self).map { Int16(bitPattern: $0) })
      case "<i4": .int32(Self.words(data, UInt32.self).map { Int32(bitPattern: $0) })
      default: .int64(Self.words(data, UInt64.self).map { Int64(bitPattern: $0) })
      }
  }

  private static let elementSizes: [String: Int] = [
    "<f4": 4, "<f8": 8, "|i1": 1, "<i1": 1, "|u1": 1, "<u1": 1, "<i2": 2, "<i4": 4, "<i8": 8,
  ]

  /// Little-endian words, put together byte by byte: neither alignment nor the host's byte order matters.
  private static func words<Word: FixedWidthInteger>(_ data: ArraySlice<UInt8>, _: Word.Type) -> [Word] {
    let size = Word.bitWidth / 8
    return stride(from: data.startIndex, to: data.endIndex, by: size).map { start in
      var word: Word = 0
      for byte in stride(from: size - 1, through: 0, by: -1) { word = word << 8 | Word(data[start + byte]) }
      return word
    }
  }
}

// MARK: Writing

extension NPY {
  /// The file, as NumPy itself would write it.
  ///
  /// - Precondition: there are as many values as the shape says.
  package func encoded() -> [UInt8] {
    precondition(count == shape.reduce(1, *), "\(count) values for shape \(shape)")
    let extents = shape.map { "\($0)" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The data begins at a multiple of 64, the header ends in a newline.
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"

    var bytes = Self.magic + [1, 0]
    bytes += Self.littleEndian(UInt16(header.utf8.count))
    bytes += header.utf8
    switch values {
    case .float32(let values): for value in values { bytes += Self.littleEndian(value.bitPattern) }
    case .float64(let values): for value in values { bytes += Self.littleEndian(value.bitPattern) }
    case .int8(let values): bytes += values.map { UInt8(bitPattern: $0) }
    case .uint8(let values): bytes += values
    case .int16(let values): for value in values { bytes += Self.littleEndian(value) }
    case .int32(let values): for value in values { bytes += Self.littleEndian(value) }
    case .int64(let values): for value in values { bytes += Self.littleEndian(value) }
    }
    return bytes
  }

  private var descr: String {
    switch values {
    case .float32: "<f4"
    case .float64: "<f8"
    case .int8: "|i1"
    case .uint8: "|u1"
    case .int16: "<i2"
    case .int32: "<i4"
    case .int64: "<i8"
    }
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
