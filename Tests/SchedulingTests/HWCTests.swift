import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct HWCTests {
  private static func plan(
    seed: UInt64, _ core: Core = .cortexM4, schedule: PlanningOptions.Schedule = .auto, ram: Int? = nil,
    flash: Int? = nil
  ) throws -> FirmwarePlan {
    try Scheduler.plan(
      RandomNetwork.pooledKeyword(seed: seed),
      PlanningOptions(name: "net", schedule: schedule, goal: .speed, core: core, ram: ram, flash: flash))
  }

  /// Plans of random networks that take the form on some core.
  private static func plans(_ core: Core, _ seeds: Range<Int> = 0..<100) throws -> [(seed: UInt64, plan: FirmwarePlan)]
  {
    try seeds.map { (UInt64($0), try plan(seed: UInt64($0), core)) }
      .filter { $0.plan.stages.contains { $0.hwc != nil } }
  }

  @Test func mapsAreFasterThanRows() throws {
    let plans = try Self.plans(.cortexM4)
    #expect(plans.count > 10)
    for (seed, plan) in plans {
      let rows = try Self.plan(seed: seed, schedule: .stream)
      #expect(!rows.stages.contains { $0.hwc != nil })
      #expect(CostEstimate(plan).instructions < CostEstimate(rows).instructions, "seed \(seed)")
    }
  }

  @Test func budgetsAreKept() throws {
    var unnamed = 0
    for (seed, plan) in try Self.plans(.cortexM4) {
      if let tight = try? Self.plan(seed: seed, ram: plan.stateBytes - 1) {
        #expect(tight.stateBytes < plan.stateBytes, "seed \(seed)")
      }
      guard let small = try? Self.plan(seed: seed, flash: plan.flash.bytes - 1) else { continue }
      #expect(small.flash.bytes < plan.flash.bytes, "seed \(seed)")
      if small.stages.contains(where: { $0.hwc?.namesColumns == false }) { unnamed += 1 }
    }
    #expect(unnamed > 0, "loops over columns take less flash than their names")
  }

  @Test func coresWithoutWideMultiplicationDropNoBits() throws {
    for core in [Core.cortexM0, .cortexM3, .riscv32, .generic] {
      for (_, plan) in try Self.plans(core, 0..<30) {
        #expect(plan.stages.allSatisfy { $0.hwc.map { $0.scales.drop == 0 } ?? true }, "\(core)")
      }
    }
  }

  @Test func spoiltPlansAreFound() throws {
    let plans = try Self.plans(.cortexM4)
    func isFound(_ message: String, _ spoil: (inout Stage) -> Bool) -> Bool {
      plans.contains { _, plan in
        plan.stages.indices.contains { index in
          var plan = plan
          return spoil(&plan.stages[index]) && plan.problems().contains { $0.message.contains(message) }
        }
      }
    }
    #expect(
      isFound("windows leave the map") { stage in
        stage.lineBuffer.hwc?.left = 0
        return stage.hwc != nil && stage.window.left > 0
      })
    #expect(
      isFound("accumulators leave 15 bits") { stage in
        stage.hwc?.guardBias = 0
        return stage.hwc != nil
      })
    #expect(
      isFound("fewer rows than the output has") { stage in
        stage.hwc?.half -= 1
        return stage.hwc != nil
      })
    #expect(
      isFound("its output lies elsewhere") { stage in
        guard case .taps? = stage.unrolled, stage.hwc != nil, stage.window.right > 0 else { return false }
        stage.lineBuffer.hwc?.left += 1
        return true
      })
    #expect(
      isFound("rows replace some that are still to be seen") { stage in
        guard case .channelTiles? = stage.unrolled, stage.lineBuffer.hwc?.isFilled == false else { return false }
        stage.window.kernelHeight = 2
        return true
      })
  }
}
