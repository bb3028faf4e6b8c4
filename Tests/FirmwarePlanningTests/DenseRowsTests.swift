import TernaryIR
import TestSupport
import Testing

@testable import FirmwarePlanning

/// Dense layers that add rows as they come.
@Suite struct DenseRowsTests {
  @Test func theyAreTakenWhereTheBudgetAsksForThem() throws {
    var count = 0
    for seed in 0..<100 as Range<UInt64> {
      let network = RandomNetwork.make(seed: seed)
      var options = PlanningOptions(name: "net", pairsColumns: false)
      let plan = try Planner.plan(network, options)
      let hasDense = if case .dense? = plan.stages.last?.work { true } else { false }
      if hasDense { #expect(plan.stages.last?.addsRowByRow == false, "seed \(seed)") }
      options.ram = plan.stateBytes - 4
      guard let lean = try? Planner.plan(network, options), let last = lean.stages.last else { continue }
      count += 1
      #expect(last.addsRowByRow, "seed \(seed)")
      guard case .dense(let work) = last.work else {
        Issue.record("seed \(seed): not dense")
        continue
      }
      #expect(last.ring.slots == 1 && last.sumsBytes == 4 * network[network.outputTensor].shape.count)
      let rowBytes = (last.ring.rowStride + 3) / 4
      #expect(work.weights.allSatisfy { $0.count == last.inputShape.height * rowBytes })
    }
    #expect(count >= 5, "\(count) networks")
  }
}
