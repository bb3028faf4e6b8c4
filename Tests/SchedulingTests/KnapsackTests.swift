import Sterna
import TestSupport
import Testing

@testable import Scheduling

@Suite struct KnapsackTests {
  /// The sum of a choice, shared functions paid once.
  private static func total(_ knapsack: Knapsack, _ forms: [Int]) -> (bytes: Int, cost: Int) {
    var (bytes, cost, functions) = (0, 0, UInt64(0))
    for (thing, form) in zip(knapsack.things, forms) {
      bytes += thing[form].bytes
      cost += thing[form].cost
      functions |= thing[form].functions
    }
    for (index, price) in knapsack.shared.enumerated() where functions >> UInt64(index) & 1 == 1 { bytes += price }
    return (bytes, cost)
  }

  private static func allChoices(_ knapsack: Knapsack) -> [[Int]] {
    knapsack.things.reduce([[]]) { choices, thing in
      choices.flatMap { choice in thing.indices.map { choice + [$0] } }
    }
  }

  private static func random(_ generator: inout SplitMix64) -> Knapsack {
    let functions = generator.pick(0...3)
    return Knapsack(
      things: (0..<generator.pick(1...7)).map { _ in
        (0..<generator.pick(1...3)).map { _ in
          Knapsack.Form(
            bytes: generator.pick(-20...300), cost: generator.pick(0...1000),
            functions: UInt64(generator.pick(0...((1 << functions) - 1))))
        }
      }, shared: (0..<functions).map { _ in generator.pick(-10...200) })
  }

  @Test func equalsBruteForce() throws {
    var generator = SplitMix64(seed: 1)
    var (found, refused) = (0, 0)
    for _ in 0..<400 {
      let knapsack = Self.random(&generator)
      let all = Self.allChoices(knapsack).map { Self.total(knapsack, $0) }
      let budget = generator.pick(0...1200)
      let best = all.filter { $0.bytes <= budget }.map(\.cost).min()
      let forms = knapsack.forms(within: budget)
      #expect((forms == nil) == (best == nil))
      if let forms {
        let total = Self.total(knapsack, forms)
        #expect(total.bytes <= budget)
        #expect(total.cost == best)
        found += 1
      } else {
        refused += 1
      }
      #expect(Self.total(knapsack, knapsack.smallest()).bytes == all.map(\.bytes).min())
    }
    #expect(found > 100 && refused > 20)
  }

  /// With few choices kept the answer may be worse, never over the budget, and there still is one.
  @Test func thinnedChoicesKeepTheBudget() throws {
    var generator = SplitMix64(seed: 2)
    for _ in 0..<50 {
      var knapsack = Self.random(&generator)
      knapsack.things += Self.random(&generator).things.map { $0.map { .init(bytes: $0.bytes, cost: $0.cost) } }
      let exact = knapsack
      knapsack.most = 5
      let budget = generator.pick(0...2000)
      let (best, thinned) = (exact.forms(within: budget), knapsack.forms(within: budget))
      if let thinned, let best {
        #expect(Self.total(knapsack, thinned).bytes <= budget)
        #expect(Self.total(knapsack, thinned).cost >= Self.total(exact, best).cost)
      }
      #expect(Self.total(knapsack, knapsack.smallest()).bytes == Self.total(exact, exact.smallest()).bytes)
    }
  }
}
