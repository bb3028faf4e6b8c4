/// A uniform quantizer of activations with zero point 0, as a QONNX `Quant` node has it.
package struct ActivationQuantizer: Sendable, Equatable {
  /// Positive, finite, not subnormal.
  package var scale: Float
  package var bits: Int
  package var isSigned: Bool

  package var minimum: Float { isSigned ? -Float(1 << (bits - 1)) : 0 }
  package var maximum: Float { Float((1 << (isSigned ? bits - 1 : bits)) - 1) }

  /// Covers the values seen: the largest magnitude falls on the grid's end.
  ///
  /// - Parameters:
  ///   - range: Smallest and largest value; finite.
  ///   - bits: 2 to 8.
  package init(covering range: ClosedRange<Float>, bits: Int, isSigned: Bool) {
    self.bits = bits
    self.isSigned = isSigned
    scale = 1
    let largest = isSigned ? max(range.lowerBound.magnitude, range.upperBound.magnitude) : range.upperBound
    let step = largest / maximum
    // A layer that is always 0 has no range of its own; any scale will do.
    if step.isNormal, step > 0 { scale = step }
  }

  /// The input's quantizer. Integers that the grid holds as they are keep a scale of 1: pixels stay exact.
  package init(input samples: [[Float]], range: ClosedRange<Float>, bits: Int) {
    self.init(covering: range, bits: bits, isSigned: range.lowerBound < 0)
    let fits = range.lowerBound >= minimum && range.upperBound <= maximum && range.upperBound > 1
    if fits, samples.allSatisfy({ $0.allSatisfy { $0 == $0.rounded() } }) { scale = 1 }
  }

  /// What the quantizer makes of a value, as a real number again: QONNX `Quant`, rounding half to even.
  func callAsFunction(_ value: Float) -> Float {
    min(max(value / scale, minimum), maximum).rounded(.toNearestOrEven) * scale
  }

  func callAsFunction(_ batch: FloatBatch) -> FloatBatch {
    var result = batch
    let (scale, minimum, maximum) = (scale, minimum, maximum)
    result.values.withUnsafeMutableBufferPointer { values in
      guard let cell = values.baseAddress else { return }
      var index = 0
      while index < values.count {
        let scaled = cell[index] / scale
        let clipped = scaled < minimum ? minimum : scaled > maximum ? maximum : scaled
        cell[index] = clipped.rounded(.toNearestOrEven) * scale
        index += 1
      }
    }
    return result
  }
}
