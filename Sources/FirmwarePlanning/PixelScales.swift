/// Requantizers of a stage's channels, in the form that takes the fewest instructions for words of two lanes:
/// `clamp(((a · multiplier >> drop) + bias) >> shift, 0, 2^bits − 1)` of accumulators that come lifted, each of which takes
/// 15 bits at most.
package struct PixelScales: Sendable, Equatable {
  package struct Scale: Sendable, Equatable {
    /// Of 31 bits.
    package var multiplier: Int
    /// Of 32 bits, as is its sum with the product of every reachable accumulator.
    package var bias: Int
  }

  package var scales: [Scale]
  /// Of all channels.
  package var shift: Int
  /// Bits that are dropped of a product: 16 where a core multiplies a lane by a word and keeps the upper 32 of 48 bits,
  /// else none.
  package var drop: Int
  package var bits: Int

  /// The shift where it is better a constant, else 0.
  package var constant: Int { drop > 0 ? shift : 0 }

  /// Channels that are requantized in one round of the loop.
  package static let unit = 8
  /// Channels with those that fill the last round.
  package var padded: Int { scales.count.rounded(toMultipleOf: Self.unit) }

  /// Nil where the epilogue has another form, or some channel no such scale.
  init?(_ epilogue: Epilogue, channels: Int, lift: Int, _ core: Core) {
    // The smallest shift takes the smallest products. Where bits are dropped, the largest keeps most of them: an
    // accumulator counts less than 2^(15 - shift) levels.
    self.init(
      epilogue, channels: channels, lift: lift, drop: core.multipliesLanes ? 16 : 0,
      shifts: core.multipliesLanes ? Array((8...14).reversed()) : Array(0..<32))
  }

  /// - Parameter shifts: Those to try, in order.
  init?(_ epilogue: Epilogue, channels: Int, lift: Int, drop: Int, shifts: [Int]) {
    guard let bits = epilogue.levelBits else { return nil }
    self.drop = drop
    self.bits = bits
    for shift in shifts where shift + bits < 32 {
      var scales: [Scale] = []
      for channel in 0..<channels {
        guard let scale = epilogue.pixelScale(channel, lift: lift, shift: shift, drop: drop) else { break }
        scales.append(scale)
      }
      if scales.count == channels {
        (self.scales, self.shift) = (scales, shift)
        return
      }
    }
    return nil
  }

  /// The level of a lifted accumulator.
  package func level(_ accumulator: Int, channel: Int) -> Int {
    let scale = scales[channel]
    let scaled = ((accumulator * scale.multiplier) >> drop) + scale.bias
    return min(max(scaled >> shift, 0), 1 << bits - 1)
  }
}

extension Epilogue {
  /// The scale that gives the same level for every reachable accumulator. As levels never fall, it does if it rises to
  /// each of them at the same accumulator.
  fileprivate func pixelScale(_ channel: Int, lift: Int, shift: Int, drop: Int) -> PixelScales.Scale? {
    guard let rise = levelRise(channel) else { return nil }
    let scaled = Double(sign: .plus, exponent: shift + drop, significand: rise.slope)
    guard scaled < Double(Int32.max) else { return nil }
    let rounded = Int(scaled.rounded())
    for m in [rounded, rounded - 1, rounded + 1] where m >= 0 && m <= Int(Int32.max) {
      func product(_ accumulator: Int) -> Int { ((accumulator + lift) * m) >> drop }
      guard let bias = rise.bias(shift: shift, product: product) else { continue }
      return .init(multiplier: m, bias: bias.lowerBound + (bias.upperBound - bias.lowerBound) / 2)
    }
    return nil
  }
}

/// Where a channel's level rises, of accumulators that are not lifted yet.
struct LevelRise {
  var domain: ClosedRange<Int>
  /// The level there, and the highest that there is.
  var levels: (least: Int, most: Int, top: Int)
  /// The first accumulator that reaches each level above the least.
  var steps: [(accumulator: Int, level: Int)] = []
  /// Levels that an accumulator counts: of all slopes that give these levels, about the one that leaves the most room for
  /// what is added.
  var slope: Double = 0

  /// - Parameter near: A slope that gives these levels.
  mutating func chooseSlope(near slope: Double) {
    self.slope = slope
    guard let first = steps.first?.accumulator, let last = steps.last?.accumulator, first < last else { return }
    // It is concave: the least of linear functions.
    func room(_ slope: Double) -> Double {
      var (low, high) = (-Double.infinity, Double.infinity)
      for step in steps {
        low = max(low, Double(step.level) - slope * Double(step.accumulator))
        high = min(high, Double(step.level) - slope * Double(step.accumulator - 1))
      }
      return high - low
    }
    // Slopes that give the same levels differ by two accumulators at most over all steps.
    let reach = 2 * slope / Double(last - first)
    var (low, high) = (max(0, slope - reach), slope + reach)
    for _ in 0..<40 {
      let (a, b) = (low + (high - low) / 3, high - (high - low) / 3)
      if room(a) < room(b) { low = a } else { high = b }
    }
    let middle = low + (high - low) / 2
    if room(middle) > room(slope) { self.slope = middle }
  }

  /// What can be added to the products of all accumulators, so that `shift` makes the levels of them and nothing leaves 32
  /// bits; nil: nothing. `product` must not decrease.
  func bias(shift: Int, product: (Int) -> Int) -> ClosedRange<Int>? {
    let (first, last) = (product(domain.lowerBound), product(domain.upperBound))
    var low = max(Int(Int32.min), Int(Int32.min) - first)
    var high = min(Int(Int32.max), Int(Int32.max) - last)
    if levels.least > 0 { low = max(low, levels.least << shift - first) }
    if levels.most < levels.top { high = min(high, (levels.most + 1) << shift - 1 - last) }
    for step in steps {
      low = max(low, step.level << shift - product(step.accumulator))
      high = min(high, step.level << shift - 1 - product(step.accumulator - 1))
      if low > high { return nil }
    }
    return low <= high ? low...high : nil
  }
}

extension Epilogue {
  /// Nil where the form is not affine, or its levels fall.
  func levelRise(_ channel: Int) -> LevelRise? {
    guard let bits = levelBits, case .affine(let multipliers, let offsets, let shift, _, _) = form else { return nil }
    let domain = domains[min(channel, domains.count - 1)]
    let multiplier = multipliers[min(channel, multipliers.count - 1)]
    let offset = offsets[min(channel, offsets.count - 1)]
    guard multiplier >= 0 else { return nil }
    let top = 1 << bits - 1
    func level(_ a: Int) -> Int { min(max((a * multiplier + offset) >> shift, 0), top) }
    let (least, most) = (level(domain.lowerBound), level(domain.upperBound))
    var rise = LevelRise(domain: domain, levels: (least, most, top))
    guard least < most else { return rise }
    rise.steps = ((least + 1)...most).map { level in
      ((level << shift - offset + multiplier - 1).flooredQuotient(by: multiplier), level)
    }
    rise.chooseSlope(near: Double(sign: .plus, exponent: -shift, significand: Double(multiplier)))
    return rise
  }
}
