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

  private static func resize(_ edge: inout Edge, to slots: Int) {
    if case .rows(_, let place) = edge.residency { edge.residency = .rows(slots: slots, place) }
  }

  @Test(arguments: PlanningOptions.Schedule.allCases) func soundPlansPass(schedule: PlanningOptions.Schedule) throws {
    #expect(try Self.plan(schedule).problems().isEmpty)
  }

  @Test func overlapIsFound() throws {
    let found = try Self.problems { plan in
      let scratch = plan.scratch.buffer
      plan.buffers[plan.edges[1].buffer].offset = plan.buffers[scratch].offset
    }
    #expect(found.contains("buffers 'second input' and 'scratch' overlap while both live"))
  }

  @Test func deadInputIsFound() throws {
    let found = try Self.problems { plan in
      let buffer = plan.edges[2].buffer
      plan.buffers[buffer].firstGroup = 0
      plan.buffers[buffer].lastGroup = 0
    }
    #expect(found.contains("classes: its input is dead"))
  }

  @Test func inputThatIsWrittenTooEarlyIsFound() throws {
    let found = try Self.problems { plan in
      plan.buffers[plan.edges[2].buffer].firstGroup = plan.fusionGroups.count - 1
    }
    #expect(found.contains("classes: its input is written before it lives"))
  }

  @Test func tooFewRowsAreFound() throws {
    let found = try Self.problems { plan in
      Self.resize(&plan.edges[0], to: 2)
      plan.buffers[plan.edges[0].buffer].bytes = plan.edges[0].bytes
    }
    #expect(found == ["first: line buffer of 2 rows for a window of 4"])
  }

  @Test func otherDefectsAreFound() throws {
    #expect(
      try Self.problems { Self.resize(&$0.edges[0], to: 5) }
        .contains("first: line buffer and buffer differ in size"))
    #expect(try Self.problems { $0.stateBytes -= 8 }.contains { $0.hasSuffix("leaves the state") })
    #expect(
      try Self.problems { $0.buffers[$0.scratch.buffer].offset += 2 }.contains("buffer 'scratch' is not aligned"))
    #expect(
      try Self.problems { $0.fusionGroups.removeLast() }.contains("fusion groups do not cover the layers in order"))
    #expect(
      try Self.problems { $0.edges[0].layout.paddingCode = 16 } == ["first: padding code 16 outside 0...15"])
    #expect(
      try Self.problems { $0.edges[0].storage.maximumCode = 256 } == ["first: code 256 does not fit its storage"])
  }
}
