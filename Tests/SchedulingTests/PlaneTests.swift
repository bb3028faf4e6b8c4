import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct PlaneTests {
  private static func plan(
    _ network: TernaryNetwork, _ schedule: PlanningOptions.Schedule, ram: Int? = nil
  ) throws -> FirmwarePlan {
    try Scheduler.plan(network, PlanningOptions(name: "net", schedule: schedule, ram: ram))
  }

  /// Without a budget they are taken where they cost nothing.
  @Test func mapsAreFasterThanRowsAndTakeNoMoreRAM() throws {
    var count = 0
    for seed in 0..<60 as Range<UInt64> {
      let network = RandomNetwork.keyword(seed: seed)
      let plan = try Self.plan(network, .auto)
      guard plan.stages.contains(where: { $0.planes != nil }) else { continue }
      count += 1
      let rows = try Self.plan(network, .stream)
      #expect(!rows.stages.contains { $0.planes != nil })
      #expect(CostEstimate(plan).instructions < CostEstimate(rows).instructions, "seed \(seed)")
    }
    #expect(count > 0)
  }

  @Test func mapsKeepTheirBudget() throws {
    for seed in 0..<60 as Range<UInt64> {
      let network = RandomNetwork.keyword(seed: seed)
      let roomy = try Self.plan(network, .auto, ram: 1 << 20)
      guard roomy.stages.contains(where: { $0.planes != nil }) else { continue }
      guard let tight = try? Self.plan(network, .auto, ram: roomy.stateBytes - 1) else { continue }
      #expect(tight.stateBytes < roomy.stateBytes, "seed \(seed)")
    }
  }

  /// Every word that a tap of a sum that is stored reaches has been spread.
  @Test func spreadMapsHoldWhatTapsReach() throws {
    for seed in 0..<60 as Range<UInt64> {
      let plan = try Self.plan(RandomNetwork.keyword(seed: seed), .auto, ram: 1 << 20)
      for stage in plan.stages {
        guard let spread = (stage.variant as? PlaneChannels)?.spread else { continue }
        let window = stage.window
        let last = (spread.quarter - 1) * spread.pitch + stage.outputShape.width - 1
        let reached = spread.halo - window.left + (window.kernelHeight - 1) * spread.pitch + window.kernelWidth - 1
        #expect(spread.sums % 4 == 0 && last < spread.sums)
        #expect(last + reached < (spread.quarter + window.kernelHeight - 1) * spread.pitch + spread.halo)
        #expect(spread.sums - 1 + reached < spread.words)
        #expect(4 * spread.quarter >= stage.outputShape.height)
        #expect(spread.fourLanes > last && spread.fourLanes <= spread.sums)
        // The last map's rows too many are still in its buffer.
        let edge = stage.output
        let end = (edge.shape.channels - 1) * edge.layout.channelStride + spread.quarterBytes
        #expect(end <= edge.bytes && edge.bytes <= plan.buffers[edge.buffer].bytes)
      }
    }
  }
}
