/// What the model of Fixtures/standin.c computes, in a vectors file as Templates/targets/verify_harness.h defines it.
enum StandIn {
  static func vectors(samples: Int) -> [UInt8] {
    var file = Array("STERNAV1".utf8)
    for number in [samples, 24, 48 + 24 + 12 + 12, 3] {
      file += littleEndian(number, bytes: 4)
    }
    for sample in 0..<samples {
      file += self.sample((0..<24).map { (i: Int) -> Int in (37 * i + 101 * sample + 40) % 256 })
    }
    return file
  }

  private static func sample(_ input: [Int]) -> [UInt8] {
    let halves: [Int] = input.map { $0 / 2 }
    let complements: [Int] = input.map { 255 - $0 }
    var pairs: [Int] = []
    for y in 0..<2 {
      for x in 0..<6 {
        let above = 12 * y + x
        pairs.append(halves[above] + halves[above + 6] + complements[above] + complements[above + 6])
      }
    }
    let sums: [Int] = [pairs[..<6].reduce(0, +), pairs[6...].reduce(0, +)]
    let dense: [Int] = sums + [sums[1] - sums[0]]

    var bytes: [UInt8] = (input + halves + complements).map { UInt8($0) }
    for value in pairs { bytes += littleEndian(value, bytes: 2) }
    for value in dense + dense { bytes += littleEndian(value, bytes: 4) }  // layer 2 and the outputs
    return bytes
  }

  private static func littleEndian(_ value: Int, bytes: Int) -> [UInt8] {
    (0..<bytes).map { (byte: Int) -> UInt8 in UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }
}
