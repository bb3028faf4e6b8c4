import TernaryIR

extension Requantizer {
  /// The integer that accumulator `a` of `channel` becomes. `>>` on `Int` is the floor.
  package func apply(_ a: Int, channel: Int) -> Int {
    let entry = entries == 1 ? 0 : channel
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      return clamp((a * multipliers[entry] + offsets[entry]) >> shift)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      let v = a * multipliers[entry] + offsets[entry]
      if shift == 0 { return clamp(v) }
      return clamp((v + (1 << (shift - 1)) - 1 + ((v >> shift) & 1)) >> shift)
    case .thresholds(let lists):
      return minimum + lists[entry].count { $0 <= a }
    case .logits(let multipliers, let offsets):
      return a * multipliers[entry] + offsets[entry]
    }
  }

  private func clamp(_ value: Int) -> Int { min(max(value, minimum), maximum) }
}
