import Sterna
import TestSupport
import Testing

@testable import FirmwarePlanning

@Suite struct SegmentSearchTests {
  /// Every way to cut a chain, by the bits of a number: bit `i` cuts behind stage `i`.
  private static func segments(_ count: Int, cuts: Int) -> [ClosedRange<Int>] {
    var segments: [ClosedRange<Int>] = []
    var start = 0
    for stage in 0..<count where stage == count - 1 || cuts >> stage & 1 == 1 {
      segments.append(start...stage)
      start = stage + 1
    }
    return segments
  }

  /// What lives while the busiest segment runs, spelt out stage by stage.
  private static func peak(_ search: SegmentSearch, _ segments: [ClosedRange<Int>]) -> Int {
    segments.map { segment in
      var bytes = segment.upperBound == search.costs.count - 1 ? search.result : 0
      for stage in search.costs.indices {
        let isCut = stage > 0 && segments.contains { $0.lowerBound == stage }
        if segment.contains(stage) || (isCut && stage == segment.upperBound + 1) {
          bytes += isCut ? search.costs[stage].tensor : search.costs[stage].ring
        }
      }
      return bytes
    }.max() ?? 0
  }

  @Test func findsTheLeastPeakOfAllCuts() throws {
    var generator = SplitMix64(seed: 3)
    for _ in 0..<3000 {
      let count = generator.pick(1...8)
      let costs = (0..<count).map { _ in
        let ring = generator.pick(1...50)
        return SegmentSearch.Cost(ring: ring, tensor: ring + generator.pick(0...150))
      }
      let forbidden = generator.chance(50) ? generator.pick(1...4) : 100
      let search = SegmentSearch(
        costs: costs, result: generator.chance(50) ? generator.pick(0...200) : 0, isLastAlone: generator.chance(50),
        isAllowed: { $0.count <= forbidden })
      let found = search.run()
      #expect(found.flatMap { Array($0) } == Array(0..<count))

      let legal = (0..<(1 << (count - 1))).map { Self.segments(count, cuts: $0) }
        .filter { segments in
          segments.allSatisfy { $0.count == 1 || $0.count <= forbidden }
            && (!search.isLastAlone || segments[segments.count - 1].count == 1)
        }
      #expect(legal.contains(found))
      let least = try #require(legal.map { Self.peak(search, $0) }.min())
      #expect(Self.peak(search, found) == least)
      // Of those with the least peak, none that is found has needless cuts all through.
      #expect(
        found.count <= (legal.filter { Self.peak(search, $0) == least }.map(\.count).max() ?? 0))
    }
  }

  @Test func streamsWhereNothingIsGainedByCutting() {
    let search = SegmentSearch(
      costs: [.init(ring: 10, tensor: 80), .init(ring: 10, tensor: 80), .init(ring: 10, tensor: 80)], result: 0,
      isLastAlone: false, isAllowed: { _ in true })
    #expect(search.run() == [0...2])
  }

  @Test func cutsBeforeASmallTensor() {
    let search = SegmentSearch(
      costs: [.init(ring: 100, tensor: 900), .init(ring: 4, tensor: 5), .init(ring: 90, tensor: 800)], result: 0,
      isLastAlone: false, isAllowed: { _ in true })
    #expect(search.run() == [0...0, 1...2])
  }
}
