import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct HWCScalesTests {
  /// For every accumulator that can occur, with and without dropped bits, in the arithmetic of the kernels.
  @Test func scalesGiveTheEpiloguesLevels() throws {
    var (channels, accumulators) = ([0: 0, 16: 0], 0)
    for seed in 0..<120 as Range<UInt64> {
      let plan = try Scheduler.plan(RandomNetwork.pooledKeyword(seed: seed), PlanningOptions(name: "net"))
      for stage in plan.stages {
        guard stage.variant is PackedBytes, let epilogue = stage.variant.epilogue else { continue }
        let guardBias = (-epilogue.accumulators.lowerBound).rounded(toMultipleOf: 256)
        guard guardBias + epilogue.accumulators.upperBound <= Int(Int16.max) else { continue }
        for core in [Core.cortexM0, .cortexM4] {
          let count = stage.outputShape.channels
          guard let scales = HWCScales(epilogue, channels: count, guardBias: guardBias, core) else { continue }
          channels[scales.drop, default: 0] += count
          for channel in 0..<count {
            for a in epilogue.domains[min(channel, epilogue.domains.count - 1)] {
              accumulators += 1
              let expected = level(a, epilogue, channel)
              #expect(kernel(a + guardBias, scales, channel) == expected, "seed \(seed), \(stage.name), \(core): \(a)")
            }
          }
        }
      }
    }
    #expect(channels.values.allSatisfy { $0 > 200 } && accumulators > 10_000, "\(channels) \(accumulators)")
  }

  private func level(_ a: Int, _ epilogue: Epilogue, _ channel: Int) -> Int {
    guard case .affine(let multipliers, let offsets, let shift, let low, let high) = epilogue.form else { return -1 }
    let m = multipliers[min(channel, multipliers.count - 1)]
    return min(max(a * m + offsets[min(channel, offsets.count - 1)], low), high) >> shift
  }

  /// Traps where something leaves its 32 bits.
  private func kernel(_ a: Int, _ scales: HWCScales, _ channel: Int) -> Int {
    let scale = scales.scales[channel]
    let product = Int64(a) * Int64(Int32(scale.multiplier))
    let scaled = Int32(product >> Int64(scales.drop) + Int64(Int32(scale.bias)))
    return min(max(Int(scaled) >> scales.shift, 0), 1 << scales.bits - 1)
  }
}
