import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct CostEstimateTests {
  /// A convolution of three channels whose weights a test sets.
  private static func network(_ weights: [String], clamp: String = "0...255") throws -> TernaryNetwork {
    try TernaryNetwork(
      parsing: """
        network "n"
        input 1x12x12 range 0...255
        conv "c" kernel 3x3
          weights
        \(weights.map { "    \($0)" }.joined(separator: "\n"))
          affine shift 3 clamp \(clamp)
        """)
  }

  private static func plan(
    _ network: TernaryNetwork, _ goal: PlanningOptions.Goal = .size, _ core: Core = .cortexM4, flash: Int? = nil
  ) throws -> FirmwarePlan {
    try Scheduler.plan(network, PlanningOptions(name: "net", goal: goal, core: core, flash: flash))
  }

  @Test func partsAddUp() throws {
    for seed: UInt64 in 0..<40 {
      let network = RandomNetwork.make(seed: seed)
      for goal in PlanningOptions.Goal.allCases {
        for core in Core.allCases {
          let plan = try Self.plan(network, goal, core)
          let cost = CostEstimate(plan)
          #expect(cost.operations.count == plan.operations.count)
          #expect(cost.instructions == cost.network + cost.operations.reduce(0, +))
          #expect(cost.network >= 0 && cost.operations.allSatisfy { $0 >= 0 })
          // Code is a bound: the sum of its features, and what such sums have been found short by.
          let counts = CodeFeature.counts(plan)
          let cores = core == .generic ? Core.measured : [core]
          let sums = cores.map { core in counts.reduce(0) { $0 + $1.key.bytes(on: core) * $1.value } }
          let code =
            plan.flash.bytes - FlashEstimate.tables(plan) - plan.operations.reduce(0) { $0 + $1.variant.uncountedCode }
          #expect(code == cores.map { CodeFeature.bytes(counts, on: $0) }.max())
          #expect(code >= sums.max()! && code <= sums.max()! * 3 / 2 + 500)
        }
      }
    }
  }

  /// Work counts are not negative, and prices of work neither: more work never costs less.
  @Test func workIsNotNegative() throws {
    for feature in WorkFeature.allCases {
      #expect(feature.instructions.count == Core.measured.count)
      #expect(feature.instructions.allSatisfy { $0 >= 0 })
    }
    for feature in CodeFeature.allCases { #expect(feature.bytes.count == Core.measured.count) }
    for seed: UInt64 in 0..<60 {
      let plan = try Self.plan(RandomNetwork.make(seed: seed), seed % 2 == 0 ? .size : .speed)
      for context in plan.contexts { #expect(WorkFeature.operation(context).values.allSatisfy { $0 >= 0 }) }
    }
  }

  @Test(arguments: PlanningOptions.Goal.allCases)
  func moreWeightsCostMore(goal: PlanningOptions.Goal) throws {
    let lists = [
      ["+00 000 000", "0+0 000 000"], ["+00 0-0 000", "0+0 000 00-"], ["+0- 0-+ 0+0", "0+- +00 +0-"],
      ["+-- +-+ -+-", "+++ +-- ++-"],
    ]
    for core in Core.allCases where core.hasInstructionCounts {
      let costs = try lists.map { CostEstimate(try Self.plan(Self.network($0), goal, core)).instructions }
      #expect(zip(costs, costs.dropFirst()).allSatisfy { $0 < $1 }, "\(core): \(costs)")
    }
  }

  /// Without weights a channel is the same for every input: nothing but its row is written.
  @Test(arguments: PlanningOptions.Goal.allCases)
  func constantChannelsAreNotComputed(goal: PlanningOptions.Goal) throws {
    let with = try Self.plan(Self.network(["+0- 0-+ 0+0", "000 000 000"]), goal)
    let without = try Self.plan(Self.network(["+0- 0-+ 0+0"]), goal)
    try #require(with.stages[0].constants.count == 1)
    var work = WorkFeature.operation(with.contexts[0])
    let written: Set<WorkFeature> = [.constantChannel, .constantWord, .closedChannel, .closedWord]
    for feature in written { work[feature] = nil }
    var alone = WorkFeature.operation(without.contexts[0])
    for feature in written { alone[feature] = nil }
    #expect(work.filter { $0.value != 0 } == alone.filter { $0.value != 0 })
  }

  @Test func codeIsFasterThanPackedWeights() throws {
    let network = try Self.network(["+-0 +-+ -0-", "+0+ +-- ++-", "+-0 +0+ -+-"])
    for core in Core.allCases where core.hasInstructionCounts {
      let (packed, unrolledPlan) = (try Self.plan(network, .size, core), try Self.plan(network, .speed, core))
      #expect(CostEstimate(unrolledPlan).instructions < CostEstimate(packed).instructions)
    }
  }

  @Test func genericIsCortexM4() throws {
    let network = try Self.network(["+-0 +-+ -0-"])
    #expect(
      CostEstimate(try Self.plan(network, .size, .generic)) == CostEstimate(try Self.plan(network, .size, .cortexM4)))
  }
}
