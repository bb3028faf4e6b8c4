/// Steele, Lea and Flood's SplitMix64: the same numbers for a seed on every machine and in every release.
package struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// An integer of `range`. Own arithmetic: the standard library's `random(in:)` may change its algorithm.
  package mutating func pick(_ range: ClosedRange<Int>) -> Int {
    let span = UInt64(range.upperBound - range.lowerBound) + 1
    return range.lowerBound + Int(next().multipliedFullWidth(by: span).high)
  }

  package mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[pick(0...(elements.count - 1))]
  }

  /// Whether an event of that many percent occurs.
  package mutating func chance(_ percent: Int) -> Bool {
    pick(0...99) < percent
  }

  /// In `0 ..< 1`.
  package mutating func unit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
}
