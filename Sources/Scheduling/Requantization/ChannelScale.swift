/// A channel's requantizer in six bytes: `clamp((a · multiplier + bias) >> shift)`, where the bias holds the shift in
/// its lowest five bits and the multiplier's seventeenth bit in its sixth. Those are too low to matter: the bias is one
/// of the many that give the same codes.
package struct ChannelScale: Sendable, Equatable {
  /// Of 17 bits.
  package var multiplier: Int
  /// Of 32 bits.
  package var bias: Int
  package var shift: Int { bias & 31 }
}

extension Epilogue {
  /// Bits of a code, where an affine form's clamps are those of an unsigned number.
  package var codeBits: Int? {
    guard case .affine(_, _, let shift, 0, let high) = form else { return nil }
    let levels = (high + 1) >> shift
    return levels & (levels - 1) == 0 && levels > 1 ? levels.trailingZeroBitCount : nil
  }

  /// The same, where 32 bits hold the arithmetic: one saturating operation clamps.
  package var saturatedBits: Int? { fits32 ? codeBits : nil }

  /// The scale of a channel whose accumulators come with `guardBias` added: that with the smallest shift among those
  /// that give the same code for every reachable accumulator and stay within 32 bits; nil where there is none.
  func scale(_ channel: Int, guardBias: Int) -> ChannelScale? {
    guard let bits = codeBits, let rise = codeRise(channel) else { return nil }
    let most17 = 1 << 17 - 1
    for candidate in 0...(31 - bits) {
      let exact = Double(sign: .plus, exponent: candidate, significand: rise.slope)
      if exact > Double(most17) { break }
      let rounded = Int(exact.rounded())
      for m in [rounded, rounded - 1, rounded + 1] where (0...most17).contains(m) && rise.isConstant == (m == 0) {
        guard let room = rise.bias(shift: candidate, product: { ($0 + guardBias) * m }) else { continue }
        let bias = room.lowerBound + (((candidate | (m >> 16) << 5) - room.lowerBound) & 63)
        if bias <= room.upperBound { return ChannelScale(multiplier: m, bias: bias) }
      }
    }
    return nil
  }
}
