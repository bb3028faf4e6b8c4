#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A layer with ternary weights and a float bias.
struct TernaryLayer {
  /// The layer's geometry; its weights are those of the grid, `alpha · level`.
  var linear: FloatLinear
  /// One an output.
  var alphas: [Float]
  var levels: [Int8]

  /// Threshold and least squares for each output channel.
  init(_ float: FloatLinear) {
    linear = float
    alphas = []
    levels = []
    for output in 0..<float.outputs {
      let channel = TernaryThreshold.ternarize(float.weights[output * float.taps..<(output + 1) * float.taps])
      alphas.append(channel.alpha)
      levels += channel.levels
    }
    let taps = float.taps
    linear.weights = levels.indices.map { levels[$0] == 0 ? 0 : alphas[$0 / taps] * Float(levels[$0]) }
  }

  /// Another scale for the same levels.
  mutating func setAlpha(_ alpha: Float, of output: Int) {
    alphas[output] = alpha
    for tap in output * linear.taps..<(output + 1) * linear.taps {
      linear.weights[tap] = levels[tap] == 0 ? 0 : alpha * Float(levels[tap])
    }
  }

  func report(name: String, float: FloatLinear, errorBefore: Double, errorAfter: Double) -> LayerReport {
    let taps = float.taps
    let living = (0..<float.outputs).filter { output in
      levels[output * taps..<(output + 1) * taps].contains { $0 != 0 }
    }
    let livingAlphas = living.map { alphas[$0] }
    var signal = 0.0
    var noise = 0.0
    for (weight, ternary) in zip(float.weights, linear.weights) {
      signal += Double(weight) * Double(weight)
      noise += (Double(weight) - Double(ternary)) * (Double(weight) - Double(ternary))
    }
    return LayerReport(
      name: name, weights: levels.count, zeros: levels.count { $0 == 0 }, deadChannels: float.outputs - living.count,
      smallestAlpha: livingAlphas.min() ?? 0,
      meanAlpha: livingAlphas.isEmpty
        ? 0 : Float(livingAlphas.reduce(0) { $0 + Double($1) } / Double(livingAlphas.count)),
      largestAlpha: livingAlphas.max() ?? 0,
      weightSQNR: signal > 0 && noise > 0 ? 10 * log10(signal / noise) : nil,
      meanErrorBefore: errorBefore, meanErrorAfter: errorAfter)
  }
}
