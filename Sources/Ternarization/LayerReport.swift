/// What ternarization did to one layer.
package struct LayerReport: Sendable, Equatable, Codable {
  package var name: String
  package var weights: Int
  package var zeros: Int
  /// Output channels whose weights are all zero.
  package var deadChannels: Int
  /// Smallest, mean and largest α of the living channels, of the weights with BatchNormalization folded in.
  package var smallestAlpha: Float
  package var meanAlpha: Float
  package var largestAlpha: Float
  /// Energy of the weights over that of their error, in decibels; nil where there is no error, or no weight but 0.
  package var weightSQNR: Double?
  /// The mean error of the pre-activation on the calibration data, as a root mean square over channels: what is left
  /// of it after bias correction is float noise.
  package var meanErrorBefore: Double
  package var meanErrorAfter: Double

  package var zeroShare: Double { weights == 0 ? 0 : Double(zeros) / Double(weights) }
}
