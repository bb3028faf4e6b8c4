import Diagnostics
import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct SchedulerTests {
  private static func plan(
    _ network: TernaryNetwork, _ schedule: PlanningOptions.Schedule = .auto, ram: Int? = nil, flash: Int? = nil
  ) throws -> FirmwarePlan {
    try Scheduler.plan(network, PlanningOptions(name: "net", schedule: schedule, ram: ram, flash: flash))
  }

  /// Bytes of state without rows of two lanes.
  private static func leastBytes(
    _ network: TernaryNetwork, _ schedule: PlanningOptions.Schedule = .auto
  ) throws -> Int {
    try Scheduler.plan(network, PlanningOptions(name: "net", schedule: schedule, usesLanes: false)).stateBytes
  }

  private static let network = Result { try TernaryNetwork(parsing: PlanVerifierTests.text) }

  @Test func aBudgetThatIsJustMetIsNoProblem() throws {
    let network = try Self.network.get()
    let least = try Self.plan(network).stateBytes
    #expect(try Self.plan(network, ram: least).stateBytes == least)
  }

  @Test func refusalNamesTheLeastThatIsPossible() throws {
    let network = try Self.network.get()
    let least = try Self.leastBytes(network)
    let error = #expect(throws: ModelError.self) { try Self.plan(network, ram: least - 1) }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(error?.diagnostics.count == 1)
    #expect(diagnostic.code == "ram-budget")
    #expect(
      diagnostic.message
        == "the state needs \(least) bytes with --schedule auto, more than --ram \(least - 1): the least that is "
        + "possible is \(least)")
    #expect(diagnostic.fix == "give at least --ram \(least), or use fewer channels or a smaller input")
  }

  /// Layer by layer costs more here; the message says what would do.
  @Test func refusalRecommendsTheScheduleThatFits() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 1x21x21 range 0...255
        conv "first" kernel 3x3
          weights
            +0- +0- +0-
            000 +++ 000
          affine shift 2 clamp 0...255
        conv "second" kernel 3x3
          weights
            +0- +0- +0-  000 +++ 000
          affine shift 2 clamp 0...255
        """)
    let least = try Self.leastBytes(network)
    let frame = try Self.leastBytes(network, .frame)
    try #require(frame > least)
    let error = #expect(throws: ModelError.self) { try Self.plan(network, .frame, ram: least) }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(diagnostic.message.contains("needs \(frame) bytes with --schedule frame"))
    #expect(diagnostic.message.hasSuffix("the least that is possible is \(least)"))
    #expect(diagnostic.fix == "use --schedule auto")
  }

  @Test func flashBudgetIsKept() throws {
    let network = try Self.network.get()
    let bytes = try Self.plan(network).flash.bytes
    #expect(try Self.plan(network, flash: bytes).flash.bytes == bytes)
    let error = #expect(throws: ModelError.self) { try Self.plan(network, flash: bytes - 1) }
    #expect(error?.diagnostics.map(\.code) == ["flash-budget"])
  }

  /// "The least that is possible" must be: no schedule may beat auto.
  /// 400 plus ones of 255 are beyond a lane: two parts of 200. Behind it rows of bytes are paired again.
  @Test func sumsBeyondALaneAreMadeInParts() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "wide"
        input 100x4x4 range 0...255
        conv "wide" kernel 2x2
          weights
            \(Array(repeating: "++ ++", count: 100).joined(separator: "  "))
            \(Array(repeating: "+0 -0", count: 100).joined(separator: "  "))
          affine shift 9 clamp 0...255
        conv "narrow" kernel 1x2
          weights
            +-  0+
          affine shift 1 clamp 0...255
        """)
    let plan = try Self.plan(network)
    var variant = try #require(plan.operations[0].variant as? PackedLanes)
    let lanes = variant.lanes
    #expect(variant.sums == .parts(taps: 200))
    #expect(lanes.guardBias == 50 * 255)
    #expect(plan.contexts[0].packsRows)
    #expect(plan.stages[1].lanes != nil)
    var tooLong = plan
    variant.sums = .parts(taps: 208)
    tooLong.operations[0].variant = variant
    #expect(tooLong.problems().map(\.message).contains { $0.hasSuffix("sums of parts leave their lanes") })
  }

  @Test func autoIsNeverBeaten() throws {
    for seed: UInt64 in 1...200 {
      let network = RandomNetwork.make(seed: seed)
      let auto = try Self.leastBytes(network)
      for schedule in PlanningOptions.Schedule.allCases {
        let other = try Scheduler.plan(
          network, PlanningOptions(name: "net", schedule: schedule, usesLanes: false))
        #expect(other.stateBytes >= auto, "seed \(seed): \(schedule) takes \(other.stateBytes), auto \(auto)")
        #expect(other.stateBytes >= other.lowerBoundBytes)
      }
    }
  }

  @Test func streamingRingsHoldNoMoreThanAWindow() throws {
    let plan = try Scheduler.plan(
      Self.network.get(), PlanningOptions(name: "net", schedule: .stream, usesLanes: false))
    #expect(plan.fusionGroups == [0...1, 2...2])
    #expect(plan.stages.map(\.input.slots) == [4, 1, 4])
    // One channel with a column of halo on each side, a row more than the window for the fused pool; then two channels of
    // three, and the whole vector's rows.
    #expect(plan.stages.map(\.input.bytes) == [32, 6, 24])
  }
}
