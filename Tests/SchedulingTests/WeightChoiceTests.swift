import Diagnostics
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

/// Packed weights and weights as code, mixed under a flash budget.
@Suite struct WeightChoiceTests {
  private static func plan(
    _ network: TernaryNetwork, _ goal: PlanningOptions.Goal = .speed, _ core: Core = .cortexM4,
    schedule: PlanningOptions.Schedule? = nil, flash: Int? = nil
  ) throws -> FirmwarePlan {
    var options = PlanningOptions(name: "net", goal: goal, core: core, flash: flash)
    if let schedule { options.schedule = schedule }
    return try Scheduler.plan(network, options)
  }

  /// Three convolutions of which the last sees the fewest positions.
  private static let network = Result {
    func rows(_ channels: Int, _ taps: Int, _ seed: UInt64) -> String {
      var generator = SplitMix64(seed: seed)
      return (0..<channels).map { _ in
        "    " + (0..<taps).map { _ in generator.pick(["+", "-", "0"]) }.joined()
      }.joined(separator: "\n")
    }
    return try TernaryNetwork(
      parsing: """
        network "n"
        input 1x32x32 range 0...255
        conv "a" kernel 3x3 pad 1 1 1 1
          weights
        \(rows(8, 9, 1))
          affine shift 3 clamp 0...255
        maxpool "p" kernel 2x2 stride 2x2
        conv "b" kernel 3x3 pad 1 1 1 1
          weights
        \(rows(12, 72, 2))
          affine shift 5 clamp 0...255
        maxpool "q" kernel 2x2 stride 2x2
        conv "c" kernel 3x3 pad 1 1 1 1
          weights
        \(rows(16, 108, 3))
          affine shift 6 clamp 0...255
        """)
  }

  private static func unrolledStageCount(_ plan: FirmwarePlan) -> Int { plan.stages.count(where: \.isUnrolled) }

  @Test func aLargeBudgetIsNone() throws {
    let network = try Self.network.get()
    let unrolledPlan = try Self.plan(network)
    #expect(Self.unrolledStageCount(unrolledPlan) == 3)
    for flash in [unrolledPlan.flash.bytes, 1_000_000] {
      let plan = try Self.plan(network, flash: flash)
      #expect(plan.buffers == unrolledPlan.buffers && Self.unrolledStageCount(plan) == 3)
    }
  }

  @Test func sizeIsAllPacked() throws {
    let network = try Self.network.get()
    #expect(Self.unrolledStageCount(try Self.plan(network, .size)) == 0)
    #expect(Self.unrolledStageCount(try Self.plan(network, .size, flash: 1_000_000)) == 0)
  }

  /// More flash never costs instructions, and no budget is broken.
  @Test(arguments: [Core.cortexM0, .cortexM4, .riscv32]) func budgetsAreKept(core: Core) throws {
    let network = try Self.network.get()
    let (packed, unrolledPlan) = (try Self.plan(network, .size, core), try Self.plan(network, .speed, core))
    let (least, most) = (packed.flash.bytes, unrolledPlan.flash.bytes)
    try #require(least < most)
    var last = Int.max
    var mixes: Set<Int> = []
    for step in 0...20 {
      let budget = least + (most - least) * step / 20
      let plan = try Self.plan(network, .speed, core, flash: budget)
      let cost = CostEstimate(plan).instructions
      #expect(plan.flash.bytes <= budget)
      #expect(cost <= last)
      last = cost
      mixes.insert(Self.unrolledStageCount(plan))
    }
    #expect(mixes.count > 2, "\(mixes)")
    #expect(last == CostEstimate(unrolledPlan).instructions)
  }

  /// Every choice laid out and weighed: none within the budget is predicted faster.
  @Test func noOtherChoiceIsFaster() throws {
    let network = try Self.network.get()
    let packed = try Self.plan(network, .size)
    let most = try Self.plan(network).flash.bytes
    let unrolledPlan = try Self.plan(network)
    let all = (0..<(1 << packed.operations.count)).map { choice in
      var plan = packed
      // Line buffers keep their places: what is compared is counted from operations.
      for index in plan.operations.indices where choice >> index & 1 == 1 {
        plan.operations[index].variant = unrolledPlan.operations[index].variant
      }
      return (bytes: FlashEstimate(plan).bytes, cost: CostEstimate(plan).instructions)
    }
    for step in 0...10 {
      let budget = packed.flash.bytes + (most - packed.flash.bytes) * step / 10
      let found = CostEstimate(try Self.plan(network, flash: budget)).instructions
      let best = all.filter { $0.bytes <= budget }.map(\.cost).min() ?? .max
      // Line buffers that slide are counted where they are laid out, a little above.
      #expect(Double(found) <= 1.02 * Double(best), "\(budget): \(found), \(best)")
    }
  }

  @Test func refusalNamesTheLeastThatIsPossible() throws {
    let network = try Self.network.get()
    let error = #expect(throws: ModelError.self) { try Self.plan(network, flash: 100) }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(diagnostic.code == "flash-budget")
    let least = try #require(diagnostic.message.split(separator: " ").compactMap { Int($0) }.first)
    #expect(
      diagnostic.message
        == "code and tables are estimated at \(least) bytes, the least that is possible: more than --flash 100")
    let fix = try #require(diagnostic.fix)
    let (beginning, end) = ("give at least --flash \(least)", ", or use fewer weights")
    #expect(fix.hasPrefix(beginning) && fix.hasSuffix(end))
    // Another schedule may take less.
    let advice = fix.dropFirst(beginning.count).dropLast(end.count).split(separator: " ")
    #expect(advice.isEmpty || advice.dropLast() == ["with", "--schedule"], "\(fix)")
    let schedule = try advice.last.map { try #require(PlanningOptions.Schedule(rawValue: String($0))) }
    #expect(try Self.plan(network, schedule: schedule, flash: least).flash.bytes == least)
    for schedule in PlanningOptions.Schedule.allCases {
      #expect(throws: ModelError.self) { try Self.plan(network, schedule: schedule, flash: least - 1) }
    }
  }
}
