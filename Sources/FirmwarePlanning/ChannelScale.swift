/// A channel's requantizer in six bytes: `clamp((a · multiplier + bias) >> shift)`, where the bias holds the shift in its
/// lowest five bits and the multiplier's seventeenth bit in its sixth. Those are too low to matter: the bias is one of the
/// many that give the same levels.
package struct ChannelScale: Sendable, Equatable {
  /// Of 17 bits.
  package var multiplier: Int
  /// Of 32 bits.
  package var bias: Int
  package var shift: Int { bias & 31 }
}

extension Epilogue {
  /// Bits of a level, where an affine form's clamps are those of an unsigned number.
  package var levelBits: Int? {
    guard case .affine(_, _, let shift, 0, let high) = form else { return nil }
    let levels = (high + 1) >> shift
    return levels & (levels - 1) == 0 && levels > 1 ? levels.trailingZeroBitCount : nil
  }

  /// The same, where 32 bits hold the arithmetic: one saturating operation clamps.
  package var saturatedBits: Int? { fits32 ? levelBits : nil }

  /// The scale of a channel whose accumulators come with `lift` added: that with the smallest shift among those that give
  /// the same level for every reachable accumulator and stay within 32 bits; nil where there is none.
  func scale(_ channel: Int, lift: Int) -> ChannelScale? {
    guard let bits = levelBits, case .affine(let multipliers, let offsets, let shift, _, _) = form else { return nil }
    let domain = domains[min(channel, domains.count - 1)]
    let multiplier = multipliers[min(channel, multipliers.count - 1)]
    let offset = offsets[min(channel, offsets.count - 1)]
    guard multiplier >= 0 else { return nil }
    let top = 1 << bits - 1
    func level(_ a: Int) -> Int { min(max((a * multiplier + offset) >> shift, 0), top) }
    let (least, most) = (level(domain.lowerBound), level(domain.upperBound))
    // Where the level rises: the first accumulator that reaches each.
    var steps: [(accumulator: Int, level: Int)] = []
    if least < most {
      for level in (least + 1)...most {
        let distance = level << shift - offset
        steps.append(((distance + multiplier - 1).flooredQuotient(by: multiplier), level))
      }
    }
    let most17 = 1 << 17 - 1
    for candidate in 0...(31 - bits) {
      let exact = Double(multiplier) * Double(sign: .plus, exponent: candidate - shift, significand: 1)
      if exact > Double(most17) { break }
      let rounded = least == most ? 0 : Int(exact.rounded())
      for m in [rounded, rounded - 1, rounded + 1] where (0...most17).contains(m) && (least == most) == (m == 0) {
        // Bounds on the bias.
        var low = Int(Int32.min) - min(0, (domain.lowerBound + lift) * m)
        var high = Int(Int32.max) - (domain.upperBound + lift) * m
        low = max(low, Int(Int32.min) - (domain.lowerBound + lift) * m)
        high = min(high, Int(Int32.max))
        if least > 0 { low = max(low, least << candidate - (domain.lowerBound + lift) * m) }
        if most < top { high = min(high, (most + 1) << candidate - 1 - (domain.upperBound + lift) * m) }
        for step in steps {
          low = max(low, step.level << candidate - (step.accumulator + lift) * m)
          high = min(high, step.level << candidate - 1 - (step.accumulator - 1 + lift) * m)
        }
        let bias = low + (((candidate | (m >> 16) << 5) - low) & 63)
        if bias <= high, Int32(exactly: bias) != nil { return ChannelScale(multiplier: m, bias: bias) }
      }
    }
    return nil
  }
}

extension Int {
  func flooredQuotient(by divisor: Int) -> Int {
    let quotient = self / divisor
    return quotient * divisor > self ? quotient - 1 : quotient
  }
}
