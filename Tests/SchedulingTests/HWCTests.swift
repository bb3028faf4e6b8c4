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
    func isFound(
      _ message: String, _ spoil: (_ plan: inout FirmwarePlan, _ context: Context, _ map: HWCMap) -> Bool
    ) -> Bool {
      plans.contains { _, sound in
        sound.contexts.contains { context in
          var plan = sound
          guard context.variant is any HWCVariant, let map = context.input.hwc, spoil(&plan, context, map) else {
            return false
          }
          return plan.problems().contains { $0.message.contains(message) }
        }
      }
    }
    func spoil<Variant: HWCVariant>(
      _ plan: inout FirmwarePlan, _ context: Context, _ change: (inout Variant) -> Void
    ) -> Bool {
      guard var variant = context.variant as? Variant else { return false }
      change(&variant)
      plan.operations[context.index].variant = variant
      return true
    }
    func move(_ plan: inout FirmwarePlan, _ context: Context, _ map: HWCMap, to left: Int) {
      var map = map
      map.left = left
      plan.edges[context.operation.inputs[0]].layout.order = .hwc(map)
    }
    #expect(
      isFound("windows leave the map") { plan, context, map in
        move(&plan, context, map, to: 0)
        return context.window.left > 0
      })
    #expect(
      isFound("accumulators leave 15 bits") { plan, context, _ in
        spoil(&plan, context) { (variant: inout HWCTiles) in variant.form.guardBias = 0 }
      })
    #expect(
      isFound("fewer rows than the output has") { plan, context, _ in
        spoil(&plan, context) { (variant: inout HWCDepthwise) in variant.form.half -= 1 }
      })
    #expect(
      isFound("its output lies elsewhere") { plan, context, map in
        guard context.variant is HWCDepthwise, context.window.right > 0 else { return false }
        move(&plan, context, map, to: map.left + 1)
        return true
      })
    #expect(
      isFound("rows replace some that are still to be seen") { plan, context, map in
        if map.isFilled { return false }
        return spoil(&plan, context) { (variant: inout HWCTiles) in variant.terms.geometry.window.kernelHeight = 2 }
      })
  }
}
