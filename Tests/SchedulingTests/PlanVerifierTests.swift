import TernaryIR
import Testing

@testable import Scheduling

/// A sound plan, and what the verifier says when one thing in it is spoilt.
@Suite struct PlanVerifierTests {
  static let text = """
    network "n"
    input 1x9x6 range 0...15
    conv "first" kernel 3x3 pad 1 1 1 1
      weights
        +0- +0- +0-
        000 +++ 000
      affine shift 2 clamp 0...7
    maxpool "pool" kernel 2x2 stride 2x2
    conv "second" kernel 1x1
      weights
        +-
        ++
      affine clamp 0...15
    dense "classes"
      weights
        ++++++++++++++++++++++++
        0-0-0-0-0-0-0-0-0-0-0-0-
      logits
    """

  private static func plan(_ schedule: PlanningOptions.Schedule = .frame) throws -> FirmwarePlan {
    try Scheduler.plan(TernaryNetwork(parsing: text), PlanningOptions(name: "net", schedule: schedule))
  }

  private static func problems(_ spoil: (inout FirmwarePlan) -> Void) throws -> [String] {
    var plan = try plan()
    spoil(&plan)
    return plan.problems().map(\.message)
  }

  @Test(arguments: PlanningOptions.Schedule.allCases) func soundPlansPass(schedule: PlanningOptions.Schedule) throws {
    #expect(try Self.plan(schedule).problems().isEmpty)
  }

  @Test func overlapIsFound() throws {
    let found = try Self.problems { plan in
      let scratch = plan.scratch.buffer
      plan.buffers[plan.stages[1].lineBuffer.buffer].offset = plan.buffers[scratch].offset
    }
    #expect(found.contains("buffers 'second input' and 'scratch' overlap while both live"))
  }

  @Test func deadInputIsFound() throws {
    let found = try Self.problems { plan in
      let buffer = plan.stages[2].lineBuffer.buffer
      plan.buffers[buffer].firstGroup = 0
      plan.buffers[buffer].lastGroup = 0
    }
    #expect(found.contains("classes: its input is dead"))
  }

  @Test func inputThatIsWrittenTooEarlyIsFound() throws {
    let found = try Self.problems { plan in
      plan.buffers[plan.stages[2].lineBuffer.buffer].firstGroup = plan.fusionGroups.count - 1
    }
    #expect(found.contains("classes: its input is written before it lives"))
  }

  @Test func tooFewRowsAreFound() throws {
    let found = try Self.problems { plan in
      plan.stages[0].lineBuffer.slots = 2
      plan.buffers[plan.stages[0].lineBuffer.buffer].bytes = plan.stages[0].lineBuffer.bytes
    }
    #expect(found == ["first: ring of 2 rows for a window of 4"])
  }

  @Test func otherDefectsAreFound() throws {
    #expect(
      try Self.problems { $0.stages[0].lineBuffer.slots = 5 }.contains("first: ring and buffer differ in size"))
    #expect(try Self.problems { $0.stateBytes -= 8 }.contains { $0.hasSuffix("leaves the state") })
    #expect(
      try Self.problems { $0.buffers[$0.scratch.buffer].offset += 2 }.contains("buffer 'scratch' is not aligned"))
    #expect(try Self.problems { $0.fusionGroups.removeLast() }.contains("segments do not cover the stages in order"))
    #expect(
      try Self.problems { $0.stages[0].lineBuffer.paddingCode = 16 } == ["first: padding level 16 outside 0...15"])
    #expect(
      try Self.problems { $0.stages[0].input.maximumCode = 256 } == ["first: level 256 does not fit its storage"])
  }
}
