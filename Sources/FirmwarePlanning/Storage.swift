import TernaryIR

extension Storage {
  /// How an activation or logits are stored (sums are stored by their pool): level 0 is its smallest integer, or the even number below, so that rounding half to even
  /// picks the same neighbour for the level as for the integer. A zero point that padding may need is representable.
  init(_ tensor: Tensor) {
    if tensor.kind == .logits {
      self.init(base: 0, maximumLevel: Int(Int32.max), elementBytes: 4)
      return
    }
    var low = tensor.range.lowerBound
    var high = tensor.range.upperBound
    if tensor.grid.contains(tensor.zeroPoint) {
      low = min(low, tensor.zeroPoint)
      high = max(high, tensor.zeroPoint)
    }
    let base = low & ~1
    self.init(base: base, maximumLevel: high - base, elementBytes: 1)
  }
}

extension Epilogue {
  /// A layer's requantizer, restated for sums of levels.
  ///
  /// With `q = u + base` an accumulator of integers is the accumulator of levels plus `base · Σt`.
  ///
  /// - Parameters:
  ///   - weightSums: `Σt` of each output channel (the number of taps for a pool).
  ///   - accumulators: Reachable sums of levels of each channel.
  init(
    _ requantizer: Requantizer, weightSums: [Int], accumulators: [ClosedRange<Int>], from input: Storage,
    to output: Storage, range: ClosedRange<Int>
  ) {
    let shifts = weightSums.map { $0 * input.base }
    // An entry that serves all channels serves them no longer once the base has moved them apart.
    let requantizer = Set(shifts).count > 1 ? requantizer.expanded(to: shifts.count) : requantizer
    let lowLevel = range.lowerBound - output.base
    let highLevel = range.upperBound - output.base
    let all =
      (accumulators.map(\.lowerBound).min() ?? 0)...(accumulators.map(\.upperBound).max() ?? 0)
    func entry(_ channel: Int) -> Int { requantizer.entries == 1 ? 0 : channel }

    /// Per-channel offsets; a single one where a single entry serves all and nothing differs.
    func offsets(_ multipliers: [Int], _ offsets: [Int], _ shift: Int) -> [Int] {
      (0..<requantizer.entries).map {
        offsets[$0] + shifts[min($0, shifts.count - 1)] * multipliers[$0] - (output.base << shift)
      }
    }
    func fits32(
      _ multipliers: [Int], _ offsets: [Int], _ extremes: [Int], over domains: [ClosedRange<Int>]? = nil
    ) -> Bool {
      var values = extremes + offsets + multipliers
      for (c, domain) in (domains ?? accumulators).enumerated() {
        let (m, b) = (multipliers[entry(c)], offsets[entry(c)])
        for end in [domain.lowerBound, domain.upperBound] { values += [end * m, end * m + b] }
      }
      return values.allSatisfy { Int32(exactly: $0) != nil }
    }

    switch requantizer.form {
    case .affine(let multipliers, let constants, let shift):
      let offsets = offsets(multipliers, constants, shift)
      let (low, high) = (lowLevel << shift, ((highLevel + 1) << shift) - 1)
      var isNarrow = fits32(multipliers, offsets, [low, high])
      var limits: [ClosedRange<Int>]?
      if !isNarrow, requantizer.entries > 1 {
        let changing = accumulators.indices.map {
          Self.limits(accumulators[$0], multiplier: multipliers[$0], offset: offsets[$0], low: low, high: high)
        }
        isNarrow = fits32(multipliers, offsets, [low, high], over: changing)
        if isNarrow { limits = changing }
      }
      self.init(
        form: .affine(multipliers: multipliers, offsets: offsets, shift: shift, low: low, high: high), limits: limits,
        fits32: isNarrow, accumulators: all)
    case .affineHalfEven(let multipliers, let constants, let shift):
      let offsets = offsets(multipliers, constants, shift)
      let (low, high) = (lowLevel << shift, highLevel << shift)
      self.init(
        form: .halfEven(multipliers: multipliers, offsets: offsets, shift: shift, low: low, high: high),
        fits32: fits32(multipliers, offsets, [low, high + (1 << shift)]), accumulators: all)
    case .thresholds(let lists):
      // Outputs outside of the reachable range need no threshold.
      let skipped = range.lowerBound - requantizer.minimum
      let count = range.count - 1
      let restated = lists.indices.map { c in
        lists[c][skipped..<(skipped + count)].map { $0 - shifts[min(c, shifts.count - 1)] }
      }
      self.init(form: .thresholds(restated, start: lowLevel), fits32: true, accumulators: all)
    case .logits(let multipliers, let constants):
      let offsets = offsets(multipliers, constants, 0)
      self.init(
        form: .logits(multipliers: multipliers, offsets: offsets), fits32: fits32(multipliers, offsets, []),
        accumulators: all)
    }
  }

  /// The part of `domain` outside of which `a · m + b` lies beyond the clamps for good.
  private static func limits(
    _ domain: ClosedRange<Int>, multiplier: Int, offset: Int, low: Int, high: Int
  ) -> ClosedRange<Int> {
    guard multiplier > 0 else { return domain.lowerBound...domain.lowerBound }
    // Rounded outwards: at the ends the value has reached its clamp, or the domain ends.
    let least = (low - offset) / multiplier - 1
    let most = (high - offset) / multiplier + 1
    let first = min(max(least, domain.lowerBound), domain.upperBound)
    return first...max(first, min(most, domain.upperBound))
  }
}

extension Requantizer {
  /// The same with an entry for each of `count` channels.
  fileprivate func expanded(to count: Int) -> Requantizer {
    guard entries == 1 else { return self }
    func repeated<Entry>(_ table: [Entry]) -> [Entry] { [Entry](repeating: table[0], count: count) }
    var result = self
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      result.form = .affine(multipliers: repeated(multipliers), offsets: repeated(offsets), shift: shift)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      result.form = .affineHalfEven(multipliers: repeated(multipliers), offsets: repeated(offsets), shift: shift)
    case .thresholds(let lists): result.form = .thresholds(repeated(lists))
    case .logits(let multipliers, let offsets):
      result.form = .logits(multipliers: repeated(multipliers), offsets: repeated(offsets))
    }
    return result
  }
}
