import TernaryIR

extension InputQuantization {
  /// Quantizes one float sample in float32, operation by operation as the file's own operators would.
  /// NaN becomes the zero point, so that a broken sensor value stays inside the contract.
  package func quantize(_ sample: [Float]) -> [Int32] {
    sample.map { quantize($0) }
  }

  package func quantize(_ sample: Float) -> Int32 {
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
