import TernaryIR

/// Chooses where a chain of stages is cut into fusion groups.
///
/// Inside a fusion group a stage keeps only the rows of its window; the first stage of every later fusion group keeps
/// its whole input, and while a fusion group runs nothing lives but its own line buffers and the next fusion group's
/// input. The peak is the largest fusion group, and the search makes that least (dynamic programming over the chain).
struct FusionSearch {
  /// What one stage's input costs in a line buffer of its window, and as a whole tensor; bytes.
  struct Cost {
    var lineBuffer: Int
    var tensor: Int
  }

  var costs: [Cost]
  /// Bytes of a result that lives until the end, written by the last stage; 0 where there is none.
  var result: Int
  /// Whether the last stage has to stand alone, because it runs when the caller asks for the output.
  var isLastAlone: Bool
  /// Whether stages `first...last` may share a fusion group.
  var isAllowed: (ClosedRange<Int>) -> Bool

  /// - Returns: The fusion groups, in order. With equal peaks the one with fewer cuts wins.
  func run() -> [ClosedRange<Int>] {
    let count = costs.count
    /// Best way to run the stages from `start` on, where `start` begins a fusion group.
    var best = [(peak: Int, fusionGroups: [ClosedRange<Int>])?](repeating: nil, count: count + 1)
    best[count] = (0, [])
    for start in stride(from: count - 1, through: 0, by: -1) {
      for end in stride(from: count - 1, through: start, by: -1) {
        guard let rest = best[end + 1], isAllowed(start...end) || start == end else { continue }
        if isLastAlone, end == count - 1, start < end { continue }
        let peak = max(bytes(start...end), rest.peak)
        let fusionGroups = [start...end] + rest.fusionGroups
        guard let known = best[start] else {
          best[start] = (peak, fusionGroups)
          continue
        }
        if (peak, fusionGroups.count) < (known.peak, known.fusionGroups.count) { best[start] = (peak, fusionGroups) }
      }
    }
    return best[0]?.fusionGroups ?? [0...(count - 1)]
  }

  /// Bytes that live while a fusion group runs.
  private func bytes(_ fusionGroup: ClosedRange<Int>) -> Int {
    var sum = fusionGroup.lowerBound == 0 ? costs[0].lineBuffer : costs[fusionGroup.lowerBound].tensor
    for stage in fusionGroup.dropFirst() { sum += costs[stage].lineBuffer }
    if fusionGroup.upperBound + 1 < costs.count {
      sum += costs[fusionGroup.upperBound + 1].tensor
    } else {
      sum += result
    }
    return sum
  }
}
