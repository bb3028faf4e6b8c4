import TernaryIR

/// Chooses where a chain of stages is cut into segments.
///
/// Inside a segment a stage keeps only the rows of its window; the first stage of every later segment keeps its whole
/// input, and while a segment runs nothing lives but its own rings and the next segment's input. The peak is the largest
/// segment, and the search makes that least (dynamic programming over the chain).
struct SegmentSearch {
  /// What one stage's input costs in a ring of its window, and as a whole tensor; bytes.
  struct Cost {
    var ring: Int
    var tensor: Int
  }

  var costs: [Cost]
  /// Bytes of a result that lives until the end, written by the last stage; 0 where there is none.
  var result: Int
  /// Whether the last stage has to stand alone, because it runs when the caller asks for the output.
  var isLastAlone: Bool
  /// Whether stages `first...last` may share a segment.
  var isAllowed: (ClosedRange<Int>) -> Bool

  /// - Returns: The segments, in order. With equal peaks the one with fewer cuts wins.
  func run() -> [ClosedRange<Int>] {
    let count = costs.count
    /// Best way to run the stages from `start` on, where `start` begins a segment.
    var best = [(peak: Int, segments: [ClosedRange<Int>])?](repeating: nil, count: count + 1)
    best[count] = (0, [])
    for start in stride(from: count - 1, through: 0, by: -1) {
      for end in stride(from: count - 1, through: start, by: -1) {
        guard let rest = best[end + 1], isAllowed(start...end) || start == end else { continue }
        if isLastAlone, end == count - 1, start < end { continue }
        let peak = max(bytes(start...end), rest.peak)
        let segments = [start...end] + rest.segments
        guard let known = best[start] else {
          best[start] = (peak, segments)
          continue
        }
        if (peak, segments.count) < (known.peak, known.segments.count) { best[start] = (peak, segments) }
      }
    }
    return best[0]?.segments ?? [0...(count - 1)]
  }

  /// Bytes that live while a segment runs.
  private func bytes(_ segment: ClosedRange<Int>) -> Int {
    var sum = segment.lowerBound == 0 ? costs[0].ring : costs[segment.lowerBound].tensor
    for stage in segment.dropFirst() { sum += costs[stage].ring }
    if segment.upperBound + 1 < costs.count {
      sum += costs[segment.upperBound + 1].tensor
    } else {
      sum += result
    }
    return sum
  }
}
