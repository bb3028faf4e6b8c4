/// Finds pairs of taps whose sum or difference several channels of a block add, so that it is made once.
///
/// A pair helps by one addition for each channel but the first that adds both with equal signs, and likewise with
/// opposite ones. Every tap belongs to one pair at most, so that all operands are short-lived; the pairs are a matching
/// of large weight: greedy, then improved by exchanging partners.
struct CommonSubexpressions {
  /// `weights[channel][tap]`, of at most 64 channels.
  let weights: [[Int8]]
  /// Of each tap, in words.
  let offsets: [Int]
  /// Most words between the taps of a pair.
  let reach: Int
  /// For each tap, the channels that add and those that subtract, a bit each.
  private let plus: [UInt64]
  private let minus: [UInt64]

  /// Taps farther apart than this are not compared: the search stays linear in the number of taps.
  private static let horizon = 128

  init(weights: [[Int8]], offsets: [Int], reach: Int) {
    self.weights = weights
    self.offsets = offsets
    self.reach = reach
    func masks(_ weight: Int8) -> [UInt64] {
      offsets.indices.map { tap in
        weights.indices.reduce(0) { $0 | (weights[$1][tap] == weight ? 1 << UInt64($1) : 0) }
      }
    }
    plus = masks(1)
    minus = masks(-1)
  }

  func groups() -> [TapGroup] {
    let used = offsets.indices.filter { plus[$0] | minus[$0] != 0 }
    var partner = [Int?](repeating: nil, count: offsets.count)
    for (a, b) in improved(greedy(used, .max), .max) { (partner[a], partner[b]) = (b, a) }
    return used.sorted { offsets[$0] < offsets[$1] }.compactMap { tap in
      guard let other = partner[tap] else { return group(tap, nil) }
      return offsets[tap] < offsets[other] ? group(tap, other) : nil
    }
  }

  /// Additions and loads of a block of some of the channels, one bit each, before partners are exchanged.
  func cost(of channels: UInt64) -> Int {
    let used = offsets.indices.filter { (plus[$0] | minus[$0]) & channels != 0 }
    let nonZeros = used.reduce(0) { $0 + ((plus[$1] | minus[$1]) & channels).nonzeroBitCount }
    return used.count + nonZeros - greedy(used, channels).reduce(0) { $0 + gain($1.0, $1.1, channels) }
  }

  /// Additions that a pair saves in a block of some channels.
  private func gain(_ a: Int, _ b: Int, _ channels: UInt64) -> Int {
    guard abs(offsets[a] - offsets[b]) < reach else { return 0 }
    let equal = (plus[a] & plus[b] | minus[a] & minus[b]) & channels
    let opposite = (plus[a] & minus[b] | minus[a] & plus[b]) & channels
    return max(0, equal.nonzeroBitCount - 1) + max(0, opposite.nonzeroBitCount - 1)
  }

  private func greedy(_ taps: [Int], _ channels: UInt64) -> [(Int, Int)] {
    var candidates: [(gain: Int, a: Int, b: Int)] = []
    for (i, a) in taps.enumerated() {
      for b in taps[(i + 1)...].prefix(Self.horizon) {
        let gain = gain(a, b, channels)
        if gain > 0 { candidates.append((gain, a, b)) }
      }
    }
    candidates.sort { ($1.gain, $0.a, $0.b) < ($0.gain, $1.a, $1.b) }
    var free = Set(taps)
    var pairs: [(Int, Int)] = []
    for (_, a, b) in candidates where free.contains(a) && free.contains(b) {
      free.subtract([a, b])
      pairs.append((a, b))
    }
    return pairs
  }

  /// Two pairs exchange partners while that saves more.
  private func improved(_ pairs: [(Int, Int)], _ channels: UInt64) -> [(Int, Int)] {
    var pairs = pairs
    var isImproving = pairs.count > 1
    while isImproving {
      isImproving = false
      for i in pairs.indices.dropLast() {
        for j in pairs.indices[(i + 1)...].prefix(Self.horizon) {
          let ((a, b), (c, d)) = (pairs[i], pairs[j])
          let now = gain(a, b, channels) + gain(c, d, channels)
          if gain(a, c, channels) + gain(b, d, channels) > now {
            (pairs[i], pairs[j]) = ((a, c), (b, d))
            isImproving = true
          } else if gain(a, d, channels) + gain(b, c, channels) > now {
            (pairs[i], pairs[j]) = ((a, d), (b, c))
            isImproving = true
          }
        }
      }
    }
    return pairs
  }

  private func group(_ a: Int, _ b: Int?) -> TapGroup {
    var (first, second, equal, opposite): ([TapGroup.Use], [TapGroup.Use], [Int], [Int]) = ([], [], [], [])
    for (channel, taps) in weights.enumerated() {
      let other = b.map { taps[$0] } ?? 0
      if taps[a] != 0, other != 0 {
        if taps[a] == other { equal.append(channel) } else { opposite.append(channel) }
      } else if taps[a] != 0 {
        first.append(.init(channel: channel, operand: .first, isNegative: taps[a] < 0))
      } else if other != 0 {
        second.append(.init(channel: channel, operand: .second, isNegative: other < 0))
      }
    }
    var shared: [TapGroup.Use] = []
    for (channels, operand) in [(equal, TapGroup.Operand.sum), (opposite, .difference)] {
      for channel in channels {
        let isNegative = weights[channel][a] < 0
        if channels.count > 1 {
          shared.append(.init(channel: channel, operand: operand, isNegative: isNegative))
        } else {
          first.append(.init(channel: channel, operand: .first, isNegative: isNegative))
          second.append(
            .init(channel: channel, operand: .second, isNegative: (operand == .difference) != isNegative))
        }
      }
    }
    return TapGroup(first: offsets[a], second: b.map { offsets[$0] }, uses: first + second + shared)
  }
}
