import Sterna
import Testing

@Suite struct NPYTests {
  /// A file as NumPy 2 writes `numpy.array([[1, -2], [3, 4]], dtype=numpy.int16)`.
  private static let int16Header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }"

  private static func file(_ header: String, version: UInt8 = 1, data: [UInt8] = []) -> [UInt8] {
    let count = header.utf8.count
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(count & 255), UInt8(count >> 8)]
    if version > 1 { bytes += [0, 0] }
    return bytes + header.utf8 + data
  }

  @Test func readsVersions1And2() throws(NPYError) {
    let data: [UInt8] = [1, 0, 0xFE, 0xFF, 3, 0, 4, 0]
    let expected = NPY(shape: [2, 2], values: .int16([1, -2, 3, 4]))
    for version: UInt8 in 1...3 {
      #expect(try NPY(parsing: Self.file(Self.int16Header, version: version, data: data)) == expected)
    }
  }

  @Test(arguments: [
    NPY(shape: [2, 1, 2], values: .float32([0, -1.5, .infinity, 1e-40])),
    NPY(shape: [3], values: .float64([0.1, -0.0, .greatestFiniteMagnitude])),
    NPY(shape: [], values: .int64([.min])),
    NPY(shape: [2], values: .int64([.max, -1])),
    NPY(shape: [0, 5], values: .int8([])),
    NPY(shape: [2, 2], values: .int8([-128, -1, 0, 127])),
    NPY(shape: [1, 3], values: .uint8([0, 128, 255])),
    NPY(shape: [2], values: .int16([.min, .max])),
    NPY(shape: [2], values: .int32([.min, .max])),
  ])
  func roundTrip(array: NPY) throws(NPYError) {
    let bytes = array.encoded()
    #expect(try NPY(parsing: bytes) == array)
    #expect(bytes.count - array.count * (bytes.count - 128) / max(array.count, 1) == 128, "data begins at 128")
  }

  @Test func writesWhatNumPyWrites() {
    let text = String(decoding: NPY(shape: [3], values: .int32([1, 2, 3])).encoded()[10..<128], as: UTF8.self)
    #expect(text.hasPrefix("{'descr': '<i4', 'fortran_order': False, 'shape': (3,), } "))
    #expect(text.hasSuffix(" \n"))
  }

  @Test(arguments: [
    ("", "the file is empty: expected a .npy file, as numpy.save writes it"),
    ("PK\u{3}\u{4}", "this is a zip or .npz archive: expected a .npy file; save the one array with numpy.save"),
    ("hello", "this is a text file: expected a .npy file, as numpy.save writes it"),
  ])
  func foreignFiles(text: String, message: String) {
    #expect(Self.message(of: Array(text.utf8)) == message)
  }

  @Test(arguments: [
    (
      "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}",
      "the array is stored column by column: save numpy.ascontiguousarray(x) instead"
    ),
    (
      "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}",
      "elements of type '>f4': big-endian: save x.astype(x.dtype.newbyteorder('<')) instead"
    ),
    (
      "{'descr': '<f2', 'fortran_order': False, 'shape': (1,)}",
      "elements of type '<f2': expected float32, float64, int8, uint8, int16, int32 or int64; "
        + "save for instance x.astype(numpy.float32)"
    ),
    (
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
      "elements of type 'structured': expected float32, float64, int8, uint8, int16, int32 or int64; "
        + "save for instance x.astype(numpy.float32)"
    ),
    (
      "{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
      "shape (4294967296, 4294967296) holds more elements than can be counted"
    ),
    (
      "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
      "malformed header: an extent is too large"
    ),
    (
      "{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}",
      "malformed header: expected an extent, found '-'"
    ),
    ("{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}", "0 bytes of data: expected 12 for shape (3)"),
    ("{'descr': '<i4', 'fortran_order': False}", "malformed header: no 'shape'"),
    ("{'descr': '<i4' 'fortran_order'", "malformed header: expected '}', found '''"),
    ("{'descr': '<i4", "malformed header: a string does not end"),
    ("{'size': 3}", "malformed header: unknown key 'size'"),
    ("", "malformed header: expected '{', found its end"),
  ])
  func badHeaders(header: String, message: String) {
    #expect(Self.message(of: Self.file(header)) == message)
  }

  @Test func trailingBytesAreRefused() {
    let bytes = Self.file(Self.int16Header, data: [UInt8](repeating: 0, count: 9))
    #expect(Self.message(of: bytes) == "9 bytes of data: expected 8 for shape (2, 2)")
  }

  @Test func headerSizeIsLimited() {
    let bytes: [UInt8] =
      [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0x7F] + [UInt8](repeating: 0x20, count: 80)
    #expect(Self.message(of: bytes) == "a header of 2147483647 bytes: expected at most 65536")
  }

  /// Every prefix, and every byte replaced by each of some nasty ones, either parses or throws; nothing traps.
  @Test func damagedFilesNeverTrap() {
    let bytes = Self.file(Self.int16Header, data: [1, 0, 0xFE, 0xFF, 3, 0, 4, 0])
    for end in 0..<bytes.count { #expect(throws: NPYError.self) { try NPY(parsing: Array(bytes[..<end])) } }
    for position in bytes.indices {
      for byte: UInt8 in [0, 0x27, 0x28, 0x39, 0x5B, 0x7F, 0x80, 0xFF] {
        var damaged = bytes
        damaged[position] = byte
        _ = try? NPY(parsing: damaged)
      }
    }
  }

  private static func message(of bytes: [UInt8]) -> String? {
    do {
      _ = try NPY(parsing: bytes)
      return nil
    } catch {
      return error.description
    }
  }
}
