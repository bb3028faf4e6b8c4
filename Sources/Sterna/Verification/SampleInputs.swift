import Scheduling

/// Seeded inputs for verification: the extremes first, then noise and smooth images in turn.
package enum SampleInputs {
  /// - Returns: Quantized samples, `[channel][row][column]`, the same for the same seed on every machine.
  package static func make(for input: InputPlan, count: Int, seed: UInt64) -> [[Int32]] {
    var generator = SplitMix64(seed: seed)
    let low = Int32(input.quantization.minimum)
    let high = Int32(input.quantization.maximum)
    let size = input.shape.count
    return (0..<count).map { index in
      switch index {
      case 0: return [Int32](repeating: low, count: size)
      case 1: return [Int32](repeating: high, count: size)
      case 2: return (0..<size).map { $0 % 2 == 0 ? low : high }
      case 3: return [Int32](repeating: min(max(Int32(input.quantization.zeroPoint), low), high), count: size)
      case _ where index % 2 == 0: return (0..<size).map { _ in Int32.random(in: low...high, using: &generator) }
      default: return blobs(input, low, high, &generator)
      }
    }
  }

  /// Noise around a level, both drawn: sums of such inputs lie all over their range, where those of noise over the whole
  /// range stay around its middle.
  ///
  /// - Returns: As `make`.
  package static func shades(for input: InputPlan, count: Int, seed: UInt64) -> [[Int32]] {
    var generator = SplitMix64(seed: seed)
    let low = Int32(input.quantization.minimum)
    let high = Int32(input.quantization.maximum)
    return (0..<count).map { _ in
      let ends = (Int32.random(in: low...high, using: &generator), Int32.random(in: low...high, using: &generator))
      return (0..<input.shape.count).map { _ in
        Int32.random(in: min(ends.0, ends.1)...max(ends.0, ends.1), using: &generator)
      }
    }
  }

  /// Bright spots on a dark ground, as sensors see them: they drive deeper layers further than noise does.
  private static func blobs(
    _ input: InputPlan, _ low: Int32, _ high: Int32, _ generator: inout SplitMix64
  ) -> [Int32] {
    let shape = input.shape
    var values = [Int32](repeating: low, count: shape.count)
    for c in 0..<shape.channels {
      for _ in 0..<6 {
        let centerY = Int.random(in: 0..<shape.height, using: &generator)
        let centerX = Int.random(in: 0..<shape.width, using: &generator)
        let radius = Int.random(in: 1...max(1, max(shape.height, shape.width) / 4), using: &generator)
        let peak = Int.random(in: 0...Int(high - low), using: &generator)
        for y in max(0, centerY - radius)...min(shape.height - 1, centerY + radius) {
          for x in max(0, centerX - radius)...min(shape.width - 1, centerX + radius) {
            let distance = max(abs(y - centerY), abs(x - centerX))
            let index = (c * shape.height + y) * shape.width + x
            let value = Int(low) + peak * (radius + 1 - distance) / (radius + 1)
            values[index] = Int32(max(Int(values[index]), min(value, Int(high))))
          }
        }
      }
    }
    return values
  }
}

/// Steele, Lea and Flood's SplitMix (OOPSLA 2014): the same numbers for a seed on every machine and in every release.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
