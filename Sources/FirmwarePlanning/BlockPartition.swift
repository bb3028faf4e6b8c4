/// Which output channels make a block: those that share most.
struct BlockPartition {
  let sharing: WeightSharing

  /// Pairs of taps that may be looked at, over all exchanges: a bound on time, which only large layers reach.
  private static let effort = 400_000

  /// Blocks of `widths` channels, from the order of the channels by exchanging pairs while that saves operations.
  func blocks(widths: [Int]) -> [[Int]] {
    var blocks: [[Int]] = []
    var next = 0
    for width in widths {
      blocks.append(Array(next..<(next + width)))
      next += width
    }
    let taps = sharing.offsets.count
    var budget = Self.effort / max(1, taps * min(taps, 128))
    var costs = blocks.map(cost)
    var isImproving = blocks.count > 1
    while isImproving, budget > 0 {
      isImproving = false
      for a in blocks.indices.dropLast() {
        for b in (a + 1)..<blocks.count {
          for i in blocks[a].indices {
            for j in blocks[b].indices where budget > 0 {
              budget -= 1
              var (first, second) = (blocks[a], blocks[b])
              swap(&first[i], &second[j])
              let (left, right) = (cost(first), cost(second))
              guard left + right < costs[a] + costs[b] else { continue }
              (blocks[a], blocks[b]) = (first, second)
              (costs[a], costs[b]) = (left, right)
              isImproving = true
            }
          }
        }
      }
    }
    return blocks.map { $0.sorted() }
  }

  private func cost(_ channels: [Int]) -> Int {
    sharing.cost(of: channels.reduce(0) { $0 | 1 << UInt64($1) })
  }
}
