internal import GraphIR

/// The grid on which an activation lies: what a quantizer has put it on, and what has happened to it since.
struct Grid {
  /// Its range is narrowed by each Relu and Clip on the way.
  var quantizer: Quantizer
  /// A Relu or Clip stands behind the quantizer that may change values.
  var isClamped = false
  /// Multiplied by constants: on a grid of another scale, perhaps a negative one.
  var isScaled = false
  var isNegative = false
  /// Means of windows: on a finer grid.
  var isMean = false
  /// Of the real values.
  var bounds: ClosedRange<Double>

  init(_ quantizer: Quantizer) {
    self.quantizer = quantizer
    bounds = quantizer.realBounds
  }

  /// The quantizer that changes nothing in these values, if there is one.
  var storedQuantizer: Quantizer? {
    isScaled || isMean || quantizer.truncation != nil ? nil : quantizer
  }
}

extension Quantizer {
  fileprivate var realBounds: ClosedRange<Double> {
    let scale = Double(truncation?.outputScale ?? self.scale)
    let zero = Double(zeroPoint) / Double(1 << (truncation?.shift ?? 0))
    return (Double(minimum) - zero) * scale...(Double(maximum) - zero) * scale
  }

  /// The integers that `bound` stands for, if it is one of the grid's real values.
  fileprivate func integer(of bound: Float) -> Int? {
    let steps = (Double(bound) / Double(scale)).rounded()
    // Below 2^29 the product of an integer and a float32 is exact in a Double.
    guard truncation == nil, steps.magnitude < 0x1p20, steps * Double(scale) == Double(bound) else { return nil }
    return Int(steps) + zeroPoint
  }
}

extension Arithmetic {
  /// The positive or negative number by which all elements are multiplied; nil where it is another operation.
  var factor: Double? {
    guard constants.count == 1 else { return nil }
    let value = Double(constants[0].integer) * Double(constants[0].scale)
    switch kind {
    case .multiply: return value == 0 ? nil : value
    case .divide: return 1 / value
    case .add, .subtract, .subtractFrom: return nil
    }
  }
}

extension Operation {
  /// The grid of the result; nil where it is no integers' any more.
  ///
  /// - Parameter inputs: At least one.
  func grid(of inputs: [Grid?]) -> Grid? {
    if case .concatenation = self { return Grid(joining: inputs) }
    return grid(of: inputs[0])
  }

  private func grid(of input: Grid?) -> Grid? {
    if case .quantize(let quantizer) = self { return Grid(quantizer) }
    guard var grid = input else { return nil }
    switch self {
    case .flatten, .slice, .resize: return grid
    // The largest of negated integers is the smallest of them.
    case .maxPool: return grid.isNegative ? nil : grid
    case .averagePool:
      // A mean of clamped values is no mean of the quantizer's.
      if grid.isClamped { return nil }
      grid.isMean = true
      return grid
    case .arithmetic(let arithmetic):
      guard let factor = arithmetic.factor, !grid.isClamped else { return nil }
      let ends = [grid.bounds.lowerBound * factor, grid.bounds.upperBound * factor]
      grid.bounds = min(ends[0], ends[1])...max(ends[0], ends[1])
      grid.isScaled = true
      if factor < 0 { grid.isNegative.toggle() }
      return grid
    case .relu: return grid.clamped(minimum: 0, maximum: nil)
    case .clip(let minimum, let maximum): return grid.clamped(minimum: minimum, maximum: maximum)
    case .quantize, .convolution, .dense, .batchNormalization, .addition, .concatenation: return nil
    }
  }
}

extension Grid {
  /// The grid on which all lie; nil where they differ in more than their range.
  fileprivate init?(joining grids: [Grid?]) {
    guard let first = grids[0], var quantizer = first.storedQuantizer else { return nil }
    for grid in grids {
      guard let other = grid?.storedQuantizer, other.scale == quantizer.scale, other.zeroPoint == quantizer.zeroPoint
      else { return nil }
      quantizer.minimum = min(quantizer.minimum, other.minimum)
      quantizer.maximum = max(quantizer.maximum, other.maximum)
    }
    quantizer.isSigned = quantizer.minimum < 0
    guard (quantizer.isSigned ? -128...127 : 0...255).contains(quantizer.maximum) else { return nil }
    self.init(quantizer)
  }
}

extension Grid {
  /// The grid behind a Relu or Clip; nil where a bound cuts values off and is itself no value of the grid.
  fileprivate func clamped(minimum: Float?, maximum: Float?) -> Grid? {
    var result = self
    if let minimum, Double(minimum) > bounds.lowerBound {
      guard storedQuantizer != nil, let lowest = quantizer.integer(of: minimum), lowest <= quantizer.maximum else {
        return nil
      }
      result.quantizer.minimum = lowest
      result.isClamped = true
    }
    if let maximum, Double(maximum) < bounds.upperBound {
      guard storedQuantizer != nil, let highest = quantizer.integer(of: maximum), highest >= result.quantizer.minimum
      else {
        return nil
      }
      result.quantizer.maximum = highest
      result.isClamped = true
    }
    // Padding needs the zero point among the integers.
    guard (result.quantizer.minimum...result.quantizer.maximum).contains(quantizer.zeroPoint) || !result.isClamped
    else {
      return nil
    }
    result.bounds = result.isClamped ? result.quantizer.realBounds : bounds
    return result
  }
}
