import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

/// Dense layers that add rows as they come.
@Suite struct DenseRowsTests {
  @Test func theyAreTakenWhereTheBudgetAsksForThem() throws {
    var count = 0
    for seed in 0..<100 as Range<UInt64> {
      let network = RandomNetwork.make(seed: seed)
      var options = PlanningOptions(name: "net", usesLanes: false)
      let plan = try Scheduler.plan(network, options)
      let hasDense = if case .dense? = plan.stages.last?.layer.kind { true } else { false }
      if hasDense { #expect(plan.stages.last?.hasRunningSum == false, "seed \(seed)") }
      options.ram = plan.stateBytes - 4
      guard let lean = try? Scheduler.plan(network, options), let last = lean.stages.last else { continue }
      count += 1
      #expect(last.hasRunningSum, "seed \(seed)")
      #expect(
        last.input.slots == 1
          && last.variant.buffers.map { lean.buffers[$0].bytes } == [4 * network[network.outputTensor].shape.count])
      #expect(
        last.variant.tables(last)[0].bytes == last.outputShape.count * last.inputShape.height
          * PackedWeights.bytes(last.input.layout.rowStride))
    }
    #expect(count >= 5, "\(count) networks")
  }

  /// For size they are taken without a budget, too, where they take hardly any time.
  @Test func theyAreTakenForSizeWhereTheyCostHardlyAnything() throws {
    var (lean, wide) = (0, 0)
    for seed in 0..<200 as Range<UInt64> {
      let network = RandomNetwork.make(seed: seed)
      let plan = try Scheduler.plan(network, PlanningOptions(name: "net"))
      guard plan.stages.contains(where: { $0.lanes != nil }), let last = plan.stages.last,
        case .dense = last.layer.kind, plan.stages.count > 1, !plan.stages.contains(where: { $0.planes != nil })
      else { continue }
      let speed = try Scheduler.plan(network, PlanningOptions(name: "net", goal: .speed))
      #expect(speed.stages.last?.hasRunningSum == false, "seed \(seed)")
      if last.hasRunningSum { lean += 1 } else { wide += 1 }
    }
    #expect(lean > 0 && wide > 0, "\(lean) lean, \(wide) not")
  }
}
