import TernaryIR

/// From an accumulator of codes to what is stored. Tables have one entry, or one per output channel.
package struct Epilogue: Sendable, Equatable {
  package enum Form: Sendable, Equatable {
    /// `clamp(a · m + b, low, high) >> shift`; low and high are scaled by `2^shift`, so that nothing negative is
    /// shifted.
    case affine(multipliers: [Int], offsets: [Int], shift: Int, low: Int, high: Int)
    /// As affine, then rounded half to even.
    case halfEven(multipliers: [Int], offsets: [Int], shift: Int, low: Int, high: Int)
    /// `start` plus the number of thresholds reached; every list has the same length.
    case thresholds([[Int]], start: Int)
    /// `a · m + b`, an int32.
    case logits(multipliers: [Int], offsets: [Int])
  }

  package var form: Form
  /// Output channels whose accumulators are clamped first, to the range beyond which the result does not change: that
  /// keeps their arithmetic within 32 bits.
  package var limits: [ChannelLimits] = []
  /// Whether 32-bit arithmetic holds every intermediate value; else 64-bit.
  package var fits32: Bool
  /// Reachable accumulators of codes, over all channels. Bounds every partial sum.
  package var accumulators: ClosedRange<Int>
  /// The same of each output channel; a single one where it serves all.
  package var domains: [ClosedRange<Int>]
}

/// A channel that has one value for every input.
package struct ConstantChannel: Sendable, Equatable {
  package var channel: Int
  package var level: Int
}

package struct ChannelLimits: Sendable, Equatable {
  package var channel: Int
  package var accumulators: ClosedRange<Int>
}

extension Storage {
  /// How an activation or logits are stored (sums are stored by their pool): code 0 is its smallest integer, or the
  /// even number below, so that rounding half to even picks the same neighbour for the code as for the integer. A zero
  /// point that padding may need is representable.
  init(_ tensor: Tensor) {
    if tensor.kind == .logits {
      self.init(base: 0, maximumCode: Int(Int32.max), elementBytes: 4)
      return
    }
    var low = tensor.range.lowerBound
    var high = tensor.range.upperBound
    if tensor.grid.contains(tensor.zeroPoint) {
      low = min(low, tensor.zeroPoint)
      high = max(high, tensor.zeroPoint)
    }
    let base = low & ~1
    self.init(base: base, maximumCode: high - base, elementBytes: 1)
  }
}

extension Epilogue {
  /// A layer's requantizer, restated for sums of codes.
  ///
  /// With `q = u + base` an accumulator of integers is the accumulator of codes plus `base · Σt`.
  ///
  /// - Parameters:
  ///   - weightSums: `Σt` of each output channel (the number of taps for a pool).
  ///   - accumulators: Reachable sums of codes of each channel.
  init(
    _ requantizer: Requantizer, weightSums: [Int], accumulators: [ClosedRange<Int>], from input: Storage,
    to output: Storage, range: ClosedRange<Int>
  ) {
    self.init(
      requantizer, shifts: weightSums.map { $0 * input.base }, accumulators: accumulators, to: output, range: range)
  }

  /// - Parameter shifts: What an accumulator of integers is above that of codes, of each output channel.
  init(
    _ requantizer: Requantizer, shifts: [Int], accumulators: [ClosedRange<Int>], to output: Storage,
    range: ClosedRange<Int>
  ) {
    // An entry that serves all channels serves them no longer once the base has moved them apart.
    let requantizer = Set(shifts).count > 1 ? requantizer.expanded(to: shifts.count) : requantizer
    let lowCode = range.lowerBound - output.base
    let highCode = range.upperBound - output.base

    /// Per-channel offsets; a single one where a single entry serves all and nothing differs.
    func offsets(_ multipliers: [Int], _ offsets: [Int], _ shift: Int) -> [Int] {
      (0..<requantizer.entries).map {
        offsets[$0] + shifts[min($0, shifts.count - 1)] * multipliers[$0] - (output.base << shift)
      }
    }

    let form: Form
    switch requantizer.form {
    case .affine(let multipliers, let constants, let shift):
      form = .affine(
        multipliers: multipliers, offsets: offsets(multipliers, constants, shift), shift: shift,
        low: lowCode << shift, high: ((highCode + 1) << shift) - 1)
    case .affineHalfEven(let multipliers, let constants, let shift):
      form = .halfEven(
        multipliers: multipliers, offsets: offsets(multipliers, constants, shift), shift: shift,
        low: lowCode << shift, high: highCode << shift)
    case .thresholds(let lists):
      // Outputs outside of the reachable range need no threshold.
      let skipped = range.lowerBound - requantizer.minimum
      let count = range.count - 1
      let restated = lists.indices.map { c in
        lists[c][skipped..<(skipped + count)].map { $0 - shifts[min(c, shifts.count - 1)] }
      }
      form = .thresholds(restated, start: lowCode)
    case .logits(let multipliers, let constants):
      form = .logits(multipliers: multipliers, offsets: offsets(multipliers, constants, 0))
    }
    self.init(form: form, domains: accumulators)
  }

  /// The same for accumulators that `guardBias` has been added to.
  func guarded(by guardBias: Int) -> Epilogue {
    func moved(_ offsets: [Int], _ multipliers: [Int]) -> [Int] {
      zip(offsets, multipliers).map { $0 - guardBias * $1 }
    }
    let guarded: Form =
      switch form {
      case .affine(let multipliers, let offsets, let shift, let low, let high):
        .affine(
          multipliers: multipliers, offsets: moved(offsets, multipliers), shift: shift, low: low, high: high)
      case .halfEven(let multipliers, let offsets, let shift, let low, let high):
        .halfEven(
          multipliers: multipliers, offsets: moved(offsets, multipliers), shift: shift, low: low, high: high)
      case .thresholds(let lists, let start): .thresholds(lists.map { $0.map { $0 + guardBias } }, start: start)
      case .logits(let multipliers, let offsets):
        .logits(multipliers: multipliers, offsets: moved(offsets, multipliers))
      }
    return Epilogue(form: guarded, domains: domains.map { ($0.lowerBound + guardBias)...($0.upperBound + guardBias) })
  }

  private init(form: Form, domains: [ClosedRange<Int>]) {
    var limits: [ChannelLimits] = []
    var fits = true
    let (multipliers, offsets, extremes) = form.coefficients
    if !multipliers.isEmpty {
      func fits32(_ channel: Int, _ domain: ClosedRange<Int>) -> Bool {
        let (m, b) = (multipliers[min(channel, multipliers.count - 1)], offsets[min(channel, offsets.count - 1)])
        let values = [m, b, domain.lowerBound * m, domain.upperBound * m]
        return (values + [values[2] + b, values[3] + b]).allSatisfy { Int32(exactly: $0) != nil }
      }
      fits = extremes.allSatisfy { Int32(exactly: $0) != nil }
      let channels = max(multipliers.count, domains.count)
      for channel in 0..<channels where fits {
        let domain = domains[min(channel, domains.count - 1)]
        if fits32(channel, domain) { continue }
        // Of a pool there is a single domain and perhaps a single entry for all channels: nothing to list.
        guard channels > 1, case .affine(let multipliers, let offsets, _, let low, let high) = form else {
          fits = false
          break
        }
        let changing = Self.limits(
          domain, multiplier: multipliers[min(channel, multipliers.count - 1)],
          offset: offsets[min(channel, offsets.count - 1)], low: low, high: high)
        fits = fits32(channel, changing)
        limits.append(ChannelLimits(channel: channel, accumulators: changing))
      }
    }
    self.init(
      form: form, limits: fits ? limits : [], fits32: fits,
      accumulators: (domains.map(\.lowerBound).min() ?? 0)...(domains.map(\.upperBound).max() ?? 0), domains: domains)
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

extension Epilogue {
  /// What all reachable accumulators of a channel become, if that is one value.
  package func constant(_ channel: Int) -> Int? {
    let domain = domains[min(channel, domains.count - 1)]
    let least = level(domain.lowerBound, channel)
    return least == level(domain.upperBound, channel) ? least : nil
  }

  /// What is stored for an accumulator. It does not decrease with the accumulator.
  private func level(_ a: Int, _ channel: Int) -> Int {
    func product(_ multipliers: [Int], _ offsets: [Int]) -> Int {
      a * multipliers[min(channel, multipliers.count - 1)] + offsets[min(channel, offsets.count - 1)]
    }
    switch form {
    case .affine(let multipliers, let offsets, let shift, let low, let high):
      return min(max(product(multipliers, offsets), low), high) >> shift
    case .halfEven(let multipliers, let offsets, let shift, let low, let high):
      let value = min(max(product(multipliers, offsets), low), high)
      let quotient = value >> shift
      let doubled = 2 * (value - (quotient << shift))
      let isAbove = doubled > 1 << shift || (doubled == 1 << shift && quotient % 2 == 1)
      return isAbove ? quotient + 1 : quotient
    case .thresholds(let lists, let start):
      return start + lists[min(channel, lists.count - 1)].count { a >= $0 }
    case .logits(let multipliers, let offsets): return product(multipliers, offsets)
    }
  }
}

extension Epilogue.Form {
  /// What the arithmetic multiplies by and adds, and the constants that it compares with; empty for thresholds.
  fileprivate var coefficients: (multipliers: [Int], offsets: [Int], extremes: [Int]) {
    switch self {
    case .affine(let multipliers, let offsets, _, let low, let high): (multipliers, offsets, [low, high])
    case .halfEven(let multipliers, let offsets, let shift, let low, let high):
      (multipliers, offsets, [low, high + (1 << shift)])
    case .thresholds: ([], [], [])
    case .logits(let multipliers, let offsets): (multipliers, offsets, [])
    }
  }
}
