import TernaryIR

extension InputQuantization {
  /// Quantizes one float sample in float32, operation by operation as the file's own operators would.
  /// NaN becomes the zero point, so that a broken sensor value stays inside the contract.
  package func quantize(_ sample: [Float]) -> [Int32] {
    sample.map { quantize($0) }
  }

  package func quantize(_ sample: Float) -> Int32 {
    let level = level(sample)
    if level.isNaN { return Int32(zeroPoint) }
    return Int32(min(max(level, Float(minimum)), Float(maximum)).rounded(.toNearestOrEven))
  }

  /// Whether the sample lies outside what the quantizer can tell apart, so that it becomes the smallest or the largest
  /// integer whatever it is.
  package func saturates(_ sample: Float) -> Bool {
    let level = level(sample)
    return level < Float(minimum) - 0.5 || level > Float(maximum) + 0.5
  }

  /// The sample on the quantizer's grid, before it is clamped and rounded.
  private func level(_ sample: Float) -> Float {
    var x = sample
    for step in steps {
      switch step {
      case .add(let constant): x = x + constant
      case .subtract(let constant): x = x - constant
      case .subtractFrom(let constant): x = constant - x
      case .multiply(let constant): x = x * constant
      case .divide(let constant): x = x / constant
      }
    }
    let y = x / scale
    return addsZeroPointAfterRounding ? y.rounded(.toNearestOrEven) + Float(zeroPoint) : y + Float(zeroPoint)
  }
}
