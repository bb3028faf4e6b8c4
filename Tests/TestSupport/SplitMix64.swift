import Sterna

extension SplitMix64 {
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
