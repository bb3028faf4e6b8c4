import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct GraphSchedulerTests {
  /// The verifier, which replays the rows, has nothing to say of plans of graphs, nor of chains that are planned like
  /// graphs.
  @Test(arguments: PlanningOptions.Schedule.allCases) func plansAreSound(schedule: PlanningOptions.Schedule) throws {
    for seed: UInt64 in 0..<150 {
      for network in [RandomNetwork.branching(seed: seed), RandomNetwork.make(seed: seed)] {
        for goal in PlanningOptions.Goal.allCases {
          var options = PlanningOptions(name: "net", schedule: schedule, goal: goal)
          var scheduler = GraphScheduler(network, options)
          let found = scheduler.attempt()
          let plan = try #require(found?.plan)
          #expect(plan.problems().map(\.message) == [], "seed \(seed), \(goal)")
          options.ram = plan.stateBytes * 2 / 3
          scheduler = GraphScheduler(network, options)
          let leaner = scheduler.attempt()
          let lean = try #require(leaner?.plan)
          #expect(lean.problems().map(\.message) == [] && lean.stateBytes <= plan.stateBytes, "seed \(seed), \(goal)")
        }
      }
    }
  }

  private static let residual = """
    network "n"
    input 2x8x8 range 0...15
    conv "a" kernel 3x3 pad 1 1 1 1
      weights
        +0- +0- +0-  0+0 -0- 0+0
        000 +++ 000  +00 00- +00
      affine shift 2 clamp 0...15
    conv "b" kernel 3x3 pad 1 1 1 1
      weights
        +0- +0- +0-  0+0 -0- 0+0
        000 +++ 000  +00 00- +00
      affine shift 2 clamp 0...15
    add "sum" %2 %0 factors 1 1
      affine shift 1 clamp 0...15
    """

  /// The skip of a residual block gets no buffer of its own, and its delay by itself: the input is read by the first
  /// convolution and by the addition, which is two rows behind.
  @Test func skipsShareTheirLineBuffer() throws {
    let network = try TernaryNetwork(parsing: Self.residual)
    let plan = try Scheduler.plan(network, PlanningOptions(name: "net", schedule: .stream))
    #expect(plan.edges[0].consumers == [0, 2])
    #expect(plan.edges[0].goneCounter != nil && plan.edges[0].slots == 3)
    // The addition waits for the second convolution, which is told of every row.
    #expect(plan.edges[0].told == [0] && plan.edges[2].told == [2])
    let buffers = plan.buffers.filter { $0.kind == .lineBuffer }
    #expect(buffers.count == 3)
  }
}
