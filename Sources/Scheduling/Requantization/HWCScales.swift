/// Requantizers of a stage's channels, in the form that takes the fewest instructions for words of two lanes:
/// `clamp(((a · multiplier >> drop) + bias) >> shift, 0, 2^bits − 1)` of accumulators that come biased, each of which
/// takes 15 bits at most.
package struct HWCScales: Sendable, Equatable {
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
  init?(_ epilogue: Epilogue, channels: Int, guardBias: Int, _ core: Core) {
    // The smallest shift takes the smallest products. Where bits are dropped, the largest keeps most of them: an
    // accumulator counts less than 2^(15 - shift) codes.
    self.init(
      epilogue, channels: channels, guardBias: guardBias, drop: core.multipliesLanes ? 16 : 0,
      shifts: core.multipliesLanes ? Array((8...14).reversed()) : Array(0..<32))
  }

  /// - Parameter shifts: Those to try, in order.
  init?(_ epilogue: Epilogue, channels: Int, guardBias: Int, drop: Int, shifts: [Int]) {
    guard let bits = epilogue.codeBits else { return nil }
    self.drop = drop
    self.bits = bits
    for shift in shifts where shift + bits < 32 {
      var scales: [Scale] = []
      for channel in 0..<channels {
        guard let scale = epilogue.hwcScale(channel, guardBias: guardBias, shift: shift, drop: drop) else { break }
        scales.append(scale)
      }
      if scales.count == channels {
        (self.scales, self.shift) = (scales, shift)
        return
      }
    }
    return nil
  }

  /// The code of a biased accumulator.
  package func level(_ accumulator: Int, channel: Int) -> Int {
    let scale = scales[channel]
    let scaled = ((accumulator * scale.multiplier) >> drop) + scale.bias
    return min(max(scaled >> shift, 0), 1 << bits - 1)
  }
}

extension Epilogue {
  /// The scale that gives the same code for every reachable accumulator. As codes never fall, it does if it rises to
  /// each of them at the same accumulator.
  fileprivate func hwcScale(_ channel: Int, guardBias: Int, shift: Int, drop: Int) -> HWCScales.Scale? {
    guard let rise = codeRise(channel) else { return nil }
    let scaled = Double(sign: .plus, exponent: shift + drop, significand: rise.roomiestSlope)
    guard scaled < Double(Int32.max) else { return nil }
    let rounded = Int(scaled.rounded())
    for m in [rounded, rounded - 1, rounded + 1] where m >= 0 && m <= Int(Int32.max) {
      func product(_ accumulator: Int) -> Int { ((accumulator + guardBias) * m) >> drop }
      guard let bias = rise.bias(shift: shift, product: product) else { continue }
      return .init(multiplier: m, bias: bias.lowerBound + (bias.upperBound - bias.lowerBound) / 2)
    }
    return nil
  }
}
