import Diagnostics
import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

/// Rows of columns, for hosts.
@Suite struct ColumnTests {
  private static func plan(
    _ network: TernaryNetwork, ram: Int? = nil, flash: Int? = nil, core: Core = .host
  ) throws -> FirmwarePlan {
    try Scheduler.plan(network, PlanningOptions(name: "net", core: core, ram: ram, flash: flash))
  }

  private static func convolution(width: Int, kernel: Int, pool: Int? = nil, channels: Int = 1) throws
    -> TernaryNetwork
  {
    let row = (0..<(channels * kernel * kernel)).map { $0 % 2 == 0 ? "+" : "-" }.joined()
    let pooled = pool.map { "\n  maxpool \"pool\" kernel \($0)x\($0) stride \($0)x\($0)" } ?? ""
    return try TernaryNetwork(
      parsing: """
        network "n"
          input \(channels)x\(max(kernel, pool ?? 1) * 2)x\(width) range 0...255
          conv "c" kernel \(kernel)x\(kernel)
            weights
              \(row)
            affine shift 4 clamp 0...255\(pooled)
        """)
  }

  /// Rows are summed up in whole vectors, and what is read behind the last row belongs to its ring.
  @Test(arguments: [3, 8, 9, 16, 17, 40, 64], [1, 3]) func windowsStayInTheirRings(width: Int, kernel: Int) throws {
    let plan = try Self.plan(Self.convolution(width: width, kernel: kernel))
    let stage = plan.stages[0]
    let columns = try #require(stage.vectors)
    #expect(columns.sums % 8 == 0 && columns.sums >= stage.variant.geometry.sums.width)
    let channelTiles = try #require(stage.variant as? VectorColumns).tiles
    let offsets = channelTiles.flatMap { block in
      block.groups.flatMap { [$0.first, $0.second ?? 0].map { block.input + $0 } }
    }
    let last = (offsets.max() ?? 0) + (columns.sums - 1) * stage.window.strideWidth
    #expect(last * stage.input.layout.elementBytes < stage.input.bytes)
    #expect(plan.buffers[stage.input.buffer].bytes == stage.input.bytes)
  }

  /// A whole number of vectors of pooled columns needs as many sums.
  @Test func poolsHaveTheirSums() throws {
    let columns = try #require(try Self.plan(Self.convolution(width: 50, kernel: 1, pool: 2)).stages[0].vectors)
    #expect(columns.outputs == 32 && columns.sums == 64 && columns.pooled == 128)
  }

  @Test func longSumsTake32Bits() throws {
    let short = try Self.plan(Self.convolution(width: 9, kernel: 3)).stages[0]
    #expect(short.vectors?.areShort == true)
    let long = try Self.plan(Self.convolution(width: 9, kernel: 3, channels: 40)).stages[0]
    #expect(long.vectors?.areShort == false)
  }

  /// No loop has more taps than compilers vectorize; the sums of its channels go on in the next.
  @Test func longChannelsAreSeveralLoops() throws {
    let stage = try Self.plan(Self.convolution(width: 9, kernel: 3, channels: 70)).stages[0]
    let channelTiles = try #require(stage.variant as? VectorColumns).tiles
    #expect(channelTiles.map(\.isContinued) == [false, true, true])
    #expect(channelTiles.reduce(0) { $0 + $1.nonZeros } == 630)
    #expect(channelTiles.map(\.input) == [0, 28, 56].map { $0 * stage.input.layout.channelStride })
  }

  /// A budget that rows of columns do not keep is kept by rows of bytes, or refused.
  @Test func budgetsAreKept() throws {
    let network = RandomNetwork.make(seed: 7)
    let wide = try Self.plan(network)
    try #require(wide.stages.contains { $0.vectors != nil })
    let lean = try Self.plan(network, ram: wide.stateBytes - 1)
    #expect(lean.stateBytes < wide.stateBytes && lean.stages.allSatisfy { $0.vectors == nil })
    let small = try Self.plan(network, flash: wide.flash.bytes - 1)
    #expect(small.flash.bytes < wide.flash.bytes)
    #expect(throws: ModelError.self) { try Self.plan(network, ram: 8) }
    #expect(throws: ModelError.self) { try Self.plan(network, flash: 8) }
  }

  @Test func nothingIsPredictedButBytes() throws {
    let plan = try Self.plan(RandomNetwork.make(seed: 7))
    #expect(CostEstimate(plan).instructions == 0 && !plan.core.hasInstructionCounts)
    #expect(plan.flash.code > 0)
  }

  /// The offsets that keep shifted numbers from being negative leave 16 bits enough for every level.
  @Test func liftsCoverTheDomain() throws {
    for seed: UInt64 in 0..<60 {
      for stage in try Self.plan(RandomNetwork.make(seed: seed)).stages where stage.vectors != nil {
        guard let epilogue = stage.variant.epilogue, let guardBias = epilogue.shortGuardBias,
          case .affine(let multipliers, let offsets, let shift, _, _) = epilogue.form
        else { continue }
        for channel in 0..<stage.outputShape.channels {
          let (m, b) = (multipliers[min(channel, multipliers.count - 1)], offsets[min(channel, offsets.count - 1)])
          let domain =
            epilogue.limits.first { $0.channel == channel }?.accumulators
            ?? epilogue.domains[min(channel, epilogue.domains.count - 1)]
          for a in [domain.lowerBound, domain.upperBound] {
            let guarded = a * m + b + guardBias << shift
            #expect(guarded >= 0 && guarded <= Int(Int32.max) && guarded >> shift <= Int(Int16.max))
          }
        }
      }
    }
  }
}
