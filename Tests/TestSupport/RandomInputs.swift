import Sterna
import TernaryIR

/// Samples of a network's quantized input, the same for a seed everywhere: first all minimum, all maximum, a
/// checkerboard of the two and all zero point, then patterns of several kinds in turn.
package func randomInputs(for network: TernaryNetwork, count: Int, seed: UInt64) -> [[Int32]] {
  randomSamples(of: network[network.inputTensor], count: count, seed: seed)
}

func randomSamples(of tensor: Tensor, count: Int, seed: UInt64) -> [[Int32]] {
  var generator = SplitMix64(seed: seed ^ 0x5EED_0F5A_4D91_E500)
  return (0..<count).map { sample($0, tensor, &generator) }
}

private func sample(_ index: Int, _ tensor: Tensor, _ generator: inout SplitMix64) -> [Int32] {
  let shape = tensor.shape
  let (low, high) = (tensor.range.lowerBound, tensor.range.upperBound)
  let zero = min(max(tensor.zeroPoint, low), high)
  func fill(_ value: (_ channel: Int, _ row: Int, _ column: Int) -> Int) -> [Int32] {
    var values: [Int32] = []
    values.reserveCapacity(shape.count)
    for channel in 0..<shape.channels {
      for row in 0..<shape.height {
        for column in 0..<shape.width { values.append(Int32(value(channel, row, column))) }
      }
    }
    return values
  }
  switch index {
  case 0: return fill { _, _, _ in low }
  case 1: return fill { _, _, _ in high }
  case 2: return fill { ($0 + $1 + $2) % 2 == 0 ? low : high }
  case 3: return fill { _, _, _ in zero }
  default: break
  }
  switch index % 4 {
  case 0:
    // Noise over the whole range.
    return fill { _, _, _ in generator.pick(low...high) }
  case 1:
    // Noise about a level of its own: means differ from sample to sample, as those of pictures do.
    let centre = generator.pick(low...high)
    let spread = max((high - low) / 4, 1)
    return fill { _, _, _ in min(max(centre + generator.pick(-spread...spread), low), high) }
  case 2:
    // Mostly zero, with a few extremes.
    return fill { _, _, _ in generator.chance(75) ? zero : generator.pick([low, high, generator.pick(low...high)]) }
  default:
    // A ramp of random direction with noise on it.
    let (dy, dx) = (generator.unit() - 0.5, generator.unit() - 0.5)
    let length = Double(max(shape.height, shape.width))
    return fill { _, row, column in
      let ramp = 0.5 + (dy * Double(row) + dx * Double(column)) / length + 0.4 * (generator.unit() - 0.5)
      return min(max(low + Int(ramp * Double(high - low + 1)), low), high)
    }
  }
}
