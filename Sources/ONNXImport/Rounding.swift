internal import GraphIR

/// QONNX's rounding modes, by the names in the `rounding_mode` attribute (in any case).
enum RoundingMode: String {
  case round = "ROUND"
  case halfEven = "HALF_EVEN"
  case ceil = "CEIL"
  case floor = "FLOOR"
  /// Away from zero.
  case up = "UP"
  /// Towards zero.
  case down = "DOWN"
  /// Half away from zero.
  case halfUp = "HALF_UP"
  /// Half towards zero.
  case halfDown = "HALF_DOWN"

  init?(attribute: String) {
    self.init(rawValue: attribute.uppercased())
  }

  func callAsFunction(_ value: Float) -> Float {
    switch self {
    case .round, .halfEven: return value.rounded(.toNearestOrEven)
    case .ceil: return value.rounded(.up)
    case .floor: return value.rounded(.down)
    case .up: return value.rounded(.awayFromZero)
    case .down: return value.rounded(.towardZero)
    case .halfUp: return value.rounded(.toNearestOrAwayFromZero)
    case .halfDown:
      let magnitude = value.magnitude.rounded(.down)
      let isAbove = value.magnitude - magnitude > 0.5
      return Float(sign: value.sign, exponent: 0, significand: isAbove ? magnitude + 1 : magnitude)
    }
  }

  /// The mode of an activation's quantizer; nil for those that a graph cannot express.
  var ofActivation: Quantizer.Rounding? {
    switch self {
    case .round, .halfEven: .halfEven
    case .ceil: .ceiling
    case .floor: .floor
    case .up, .down, .halfUp, .halfDown: nil
    }
  }
}

/// The integers that a QONNX quantizer can give: `signed`, `narrow` and the bit width decide.
func integerGrid(bits: Int, isSigned: Bool, isNarrow: Bool) -> ClosedRange<Int64> {
  let levels = Int64(1) << Int64(bits)
  if isSigned {
    let lowest = -(levels / 2) + (isNarrow ? 1 : 0)
    // One bit, signed and narrow, would be empty: QONNX treats one signed bit as a sign, see `Quant`.
    return min(lowest, levels / 2 - 1)...levels / 2 - 1
  }
  return 0...(isNarrow ? levels - 2 : levels - 1)
}
