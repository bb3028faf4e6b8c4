/// Two bits a ternary weight, four weights a byte, the first in the lowest bits: `00` is 0, `01` is +1, `11` is −1
/// (two's complement); `10` does not occur. The last byte of a list is filled with zeros.
///
/// The layout is specified with test vectors in `Templates/kernels/WEIGHTS.md`.
package enum PackedWeights {
  package static func pack(_ weights: some Sequence<Int8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    var position: UInt8 = 0
    for weight in weights {
      byte |= UInt8(bitPattern: weight & 3) << (2 * position)
      position += 1
      if position == 4 {
        bytes.append(byte)
        (byte, position) = (0, 0)
      }
    }
    if position > 0 { bytes.append(byte) }
    return bytes
  }

  /// Bytes of a packed list.
  package static func bytes(_ weights: Int) -> Int { (weights + 3) / 4 }
}
