import TernaryIR

extension InputQuantization {
  /// Quantizes float samples in float32, operation by operation as the file's own operators would.
  /// NaN becomes the zero point, so that a broken sensor value stays inside the contract.
  ///
  /// - Parameters:
  ///   - values: Of whole samples, `[sample][channel][row][column]`.
  ///   - channels, plane: Of a sample, and the elements of each channel.
  package func quantize(_ values: [Float], channels: Int = 1, plane: Int = 1) -> [Int32] {
    values.indices.map { quantize(values[$0], channel: $0 / plane % channels) }
  }

  package func quantize(_ sample: Float, channel: Int = 0) -> Int32 {
    func pick(_ constants: [Float]) -> Float { constants[constants.count == 1 ? 0 : channel] }
    var x = sample
    for step in steps {
      switch step {
      case .add(let constants): x = x + pick(constants)
      case .subtract(let constants): x = x - pick(constants)
      case .subtractFrom(let constants): x = pick(constants) - x
      case .multiply(let constants): x = x * pick(constants)
      case .divide(let constants): x = x / pick(constants)
      }
    }
    if x.isNaN { return Int32(zeroPoint) }
    var y = x / scale
    if addsZeroPointAfterRounding {
      y = y.rounded(.toNearestOrEven) + Float(zeroPoint)
    } else {
      y = y + Float(zeroPoint)
    }
    y = min(max(y, Float(minimum)), Float(maximum))
    return Int32(y.rounded(.toNearestOrEven))
  }
}
