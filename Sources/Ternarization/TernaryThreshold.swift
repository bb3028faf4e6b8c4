/// One output channel's weights as `alpha · levels`.
package struct TernaryChannel: Sendable, Equatable {
  /// Each −1, 0 or +1.
  package var levels: [Int8]
  /// Positive and not subnormal; 1 where all levels are 0.
  package var alpha: Float
}

/// Post-training ternarization by threshold.
///
/// Source: Li, Zhang, Liu 2016, "Ternary Weight Networks", arXiv:1605.04711, equations 4 to 6: minimizing
/// `Σ (w − α·t)²` gives, for a threshold Δ, `t = sign(w)` where `|w| > Δ`, `α = mean |w|` over these; and
/// Δ ≈ 0.7 · mean |w| comes close to the best threshold for weights spread normally or uniformly.
package enum TernaryThreshold {
  /// Δ as a multiple of mean |w|.
  package static let factor = 0.7

  /// - Parameter weights: Of one output channel; finite.
  package static func ternarize(_ weights: some Collection<Float>) -> TernaryChannel {
    let count = weights.count
    let mean = count == 0 ? 0 : weights.reduce(0.0) { $0 + Double($1.magnitude) } / Double(count)
    return ternarize(weights, threshold: factor * mean)
  }

  /// The levels for a given threshold, with the α that fits them best in the sense of least squares.
  package static func ternarize(_ weights: some Collection<Float>, threshold: Double) -> TernaryChannel {
    let levels = weights.map { weight -> Int8 in
      Double(weight.magnitude) > threshold ? (weight < 0 ? -1 : 1) : 0
    }
    var sum = 0.0
    var support = 0
    for (weight, level) in zip(weights, levels) where level != 0 {
      sum += Double(weight.magnitude)
      support += 1
    }
    let alpha = support == 0 ? 0 : Float(sum / Double(support))
    // Weights of a dead channel, or so small that α were subnormal: executors flush those to zero as they please.
    guard alpha.isNormal else { return TernaryChannel(levels: levels.map { _ in 0 }, alpha: 1) }
    return TernaryChannel(levels: levels, alpha: alpha)
  }
}
