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
    let level = level(sample, channel: channel)
    if level.isNaN { return Int32(zeroPoint) }
    return Int32(min(max(level, Float(minimum)), Float(maximum)).rounded(.toNearestOrEven))
  }

  /// Whether the sample lies outside what the quantizer can tell apart, so that it becomes the smallest or the largest
  /// integer whatever it is.
  package func saturates(_ sample: Float, channel: Int = 0) -> Bool {
    let level = level(sample, channel: channel)
    return level < Float(minimum) - 0.5 || level > Float(maximum) + 0.5
  }

  /// The sample on the quantizer's grid, before it is clamped and rounded.
  private func level(_ sample: Float, channel: Int) -> Float {
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
    let y = x / scale
    return addsZeroPointAfterRounding ? y.rounded(.toNearestOrEven) + Float(zeroPoint) : y + Float(zeroPoint)
  }
}
