import Testing

@testable import Ternarization

@Suite struct TernaryThresholdTests {
  /// Sum of squared errors of `alpha · level`.
  private func error(_ weights: [Float], _ channel: TernaryChannel, alpha: Double? = nil) -> Double {
    zip(weights, channel.levels).reduce(0) { sum, pair in
      let error = Double(pair.0) - (alpha ?? Double(channel.alpha)) * Double(pair.1)
      return sum + error * error
    }
  }

  /// Roughly normal: sums of uniform numbers, from a fixed seed.
  private func weights(_ count: Int, seed: UInt64) -> [Float] {
    var random = LinearCongruential(seed: seed)
    return (0..<count).map { _ in (0..<6).reduce(Float(0)) { sum, _ in sum + random.unit() - 0.5 } }
  }

  /// No other α fits the chosen levels better, whatever the threshold.
  @Test(arguments: 1...8) func alphaIsLeastSquares(seed: UInt64) {
    let weights = weights(37, seed: seed)
    for threshold in weights.map({ Double($0.magnitude) }) + [0] {
      let channel = TernaryThreshold.ternarize(weights, threshold: threshold)
      if channel.levels.allSatisfy({ $0 == 0 }) { continue }
      let best = error(weights, channel)
      for step in -200...200 {
        #expect(best <= error(weights, channel, alpha: Double(channel.alpha) * (1 + Double(step) / 200)) + 1e-6)
      }
    }
  }

  /// Among all supports of a given size the largest magnitudes fit best: what a threshold gives. All 2^9 are tried.
  @Test(arguments: 1...4) func thresholdGivesTheBestSupport(seed: UInt64) {
    let weights = weights(9, seed: seed)
    let channel = TernaryThreshold.ternarize(weights)
    let size = channel.levels.count { $0 != 0 }
    for subset in 1..<(1 << weights.count) where subset.nonzeroBitCount == size {
      let levels = weights.indices.map { subset >> $0 & 1 == 0 ? Int8(0) : weights[$0] < 0 ? -1 : 1 }
      let sum = zip(weights, levels).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let other = TernaryChannel(levels: levels, alpha: Float(sum / Double(size)))
      #expect(error(weights, channel) <= error(weights, other) + 1e-6)
    }
  }

  /// The rule of 0.7 · mean |w| comes within a few percent of the best of all thresholds.
  @Test(arguments: 1...8) func ruleIsNearTheBestThreshold(seed: UInt64) {
    let weights = weights(300, seed: seed)
    let best = weights.map { error(weights, TernaryThreshold.ternarize(weights, threshold: Double($0.magnitude))) }
      .min()
    #expect(error(weights, TernaryThreshold.ternarize(weights)) <= (best ?? 0) * 1.05)
  }

  @Test func levelsFollowTheThreshold() {
    // mean |w| = 1, threshold 0.7, alpha the mean of 2, 1.2 and 0.8 … above it
    let channel = TernaryThreshold.ternarize([2, -1.2, 0.8, 0, 0.69, -1.31] as [Float])
    #expect(channel.levels == [1, -1, 1, 0, 0, -1])
    #expect((channel.alpha - 5.31 / 4).magnitude < 1e-6)
  }

  @Test func constantWeightsAreExact() {
    #expect(
      TernaryThreshold.ternarize([-0.3, -0.3, -0.3] as [Float]) == TernaryChannel(levels: [-1, -1, -1], alpha: 0.3))
  }

  @Test func deadAndSubnormalChannelsBecomeZero() {
    let dead = TernaryChannel(levels: [0, 0], alpha: 1)
    #expect(TernaryThreshold.ternarize([0, -0] as [Float]) == dead)
    #expect(TernaryThreshold.ternarize([1e-40, -1e-41] as [Float]) == dead)
    #expect(TernaryThreshold.ternarize([] as [Float]) == TernaryChannel(levels: [], alpha: 1))
  }

  @Test func largestWeightsDoNotOverflow() {
    let largest = Float.greatestFiniteMagnitude
    #expect(TernaryThreshold.ternarize([largest, -largest]) == TernaryChannel(levels: [1, -1], alpha: largest))
  }
}

/// Numbers that are the same on every machine.
struct LinearCongruential {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// From 0 up to 1.
  mutating func unit() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 24)
  }

  mutating func floats(_ count: Int, from low: Float = -1, to high: Float = 1) -> [Float] {
    (0..<count).map { _ in low + (high - low) * unit() }
  }
}
