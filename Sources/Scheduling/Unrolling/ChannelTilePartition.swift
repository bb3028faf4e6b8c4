/// Which output channels make a block: those that share most.
struct ChannelTilePartition {
  let subexpressions: CommonSubexpressions

  /// Pairs of taps that may be looked at, over all exchanges: a bound on time, which only large layers reach.
  private static let effort = 400_000

  /// Blocks of `widths` channels, from the order of the channels by exchanging pairs while that saves operations.
  func channelTiles(widths: [Int]) -> [[Int]] {
    var channelTiles: [[Int]] = []
    var next = 0
    for width in widths {
      channelTiles.append(Array(next..<(next + width)))
      next += width
    }
    let taps = subexpressions.offsets.count
    var budget = Self.effort / max(1, taps * min(taps, 128))
    var costs = channelTiles.map(cost)
    var isImproving = channelTiles.count > 1
    while isImproving, budget > 0 {
      isImproving = false
      for a in channelTiles.indices.dropLast() {
        for b in (a + 1)..<channelTiles.count {
          for i in channelTiles[a].indices {
            for j in channelTiles[b].indices where budget > 0 {
              budget -= 1
              var (first, second) = (channelTiles[a], channelTiles[b])
              swap(&first[i], &second[j])
              let (left, right) = (cost(first), cost(second))
              guard left + right < costs[a] + costs[b] else { continue }
              (channelTiles[a], channelTiles[b]) = (first, second)
              (costs[a], costs[b]) = (left, right)
              isImproving = true
            }
          }
        }
      }
    }
    return channelTiles.map { $0.sorted() }
  }

  private func cost(_ channels: [Int]) -> Int {
    subexpressions.cost(of: channels.reduce(0) { $0 | 1 << UInt64($1) })
  }
}
