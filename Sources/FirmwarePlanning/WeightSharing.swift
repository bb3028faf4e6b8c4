/// Finds pairs of taps whose sum or difference several channels of a block add, so that it is made once.
///
/// A pair helps by one addition for each channel but the first that adds both with equal signs, and likewise with opposite
/// ones. Every tap belongs to one pair at most, so that all operands are short-lived; the pairs are a matching of large
/// weight: greedy, then improved by exchanging partners.
struct WeightSharing {
  /// `weights[channel][tap]`.
  let weights: [[Int8]]
  /// Of each tap, in words.
  let offsets: [Int]
  /// Most words between the taps of a pair.
  let reach: Int

  /// Taps farther apart than this are not compared: the search stays linear in the number of taps.
  private static let horizon = 128

  func groups() -> [TapGroup] {
    let used = offsets.indices.filter { tap in weights.contains { $0[tap] != 0 } }
    var partner = [Int?](repeating: nil, count: offsets.count)
    for (a, b) in improved(greedy(used)) { (partner[a], partner[b]) = (b, a) }
    return used.sorted { offsets[$0] < offsets[$1] }.compactMap { tap in
      guard let other = partner[tap] else { return group(tap, nil) }
      return offsets[tap] < offsets[other] ? group(tap, other) : nil
    }
  }

  /// Additions that a pair saves.
  private func gain(_ a: Int, _ b: Int) -> Int {
    guard abs(offsets[a] - offsets[b]) < reach else { return 0 }
    var (equal, opposite) = (0, 0)
    for channel in weights {
      let product = channel[a] * channel[b]
      if product > 0 { equal += 1 } else if product < 0 { opposite += 1 }
    }
    return max(0, equal - 1) + max(0, opposite - 1)
  }

  private func greedy(_ taps: [Int]) -> [(Int, Int)] {
    var candidates: [(gain: Int, a: Int, b: Int)] = []
    for (i, a) in taps.enumerated() {
      for b in taps[(i + 1)...].prefix(Self.horizon) {
        let gain = gain(a, b)
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
  private func improved(_ pairs: [(Int, Int)]) -> [(Int, Int)] {
    var pairs = pairs
    var isImproving = pairs.count > 1
    while isImproving {
      isImproving = false
      for i in pairs.indices.dropLast() {
        for j in pairs.indices[(i + 1)...].prefix(Self.horizon) {
          let ((a, b), (c, d)) = (pairs[i], pairs[j])
          let now = gain(a, b) + gain(c, d)
          if gain(a, c) + gain(b, d) > now {
            (pairs[i], pairs[j]) = ((a, c), (b, d))
            isImproving = true
          } else if gain(a, d) + gain(b, c) > now {
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
