import Sterna
import TestSupport
import Testing

@testable import Scheduling

@Suite struct FusionSearchTests {
  /// Every way to cut a chain, by the bits of a number: bit `i` cuts behind stage `i`.
  private static func fusionGroups(_ count: Int, cuts: Int) -> [ClosedRange<Int>] {
    var fusionGroups: [ClosedRange<Int>] = []
    var start = 0
    for stage in 0..<count where stage == count - 1 || cuts >> stage & 1 == 1 {
      fusionGroups.append(start...stage)
      start = stage + 1
    }
    return fusionGroups
  }

  /// What lives while the busiest segment runs, spelt out stage by stage.
  private static func peak(_ search: FusionSearch, _ fusionGroups: [ClosedRange<Int>]) -> Int {
    fusionGroups.map { fusionGroup in
      var bytes = fusionGroup.upperBound == search.costs.count - 1 ? search.result : 0
      for stage in search.costs.indices {
        let isCut = stage > 0 && fusionGroups.contains { $0.lowerBound == stage }
        if fusionGroup.contains(stage) || (isCut && stage == fusionGroup.upperBound + 1) {
          bytes += isCut ? search.costs[stage].tensor : search.costs[stage].lineBuffer
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
        let lineBuffer = generator.pick(1...50)
        return FusionSearch.Cost(lineBuffer: lineBuffer, tensor: lineBuffer + generator.pick(0...150))
      }
      let forbidden = generator.chance(50) ? generator.pick(1...4) : 100
      let search = FusionSearch(
        costs: costs, result: generator.chance(50) ? generator.pick(0...200) : 0, isLastAlone: generator.chance(50),
        isAllowed: { $0.count <= forbidden })
      let found = search.run()
      #expect(found.flatMap { Array($0) } == Array(0..<count))

      let legal = (0..<(1 << (count - 1))).map { Self.fusionGroups(count, cuts: $0) }
        .filter { fusionGroups in
          fusionGroups.allSatisfy { $0.count == 1 || $0.count <= forbidden }
            && (!search.isLastAlone || fusionGroups[fusionGroups.count - 1].count == 1)
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
    let search = FusionSearch(
      costs: [.init(lineBuffer: 10, tensor: 80), .init(lineBuffer: 10, tensor: 80), .init(lineBuffer: 10, tensor: 80)],
      result: 0,
      isLastAlone: false, isAllowed: { _ in true })
    #expect(search.run() == [0...2])
  }

  @Test func cutsBeforeASmallTensor() {
    let search = FusionSearch(
      costs: [
        .init(lineBuffer: 100, tensor: 900), .init(lineBuffer: 4, tensor: 5), .init(lineBuffer: 90, tensor: 800),
      ], result: 0,
      isLastAlone: false, isAllowed: { _ in true })
    #expect(search.run() == [0...0, 1...2])
  }
}
