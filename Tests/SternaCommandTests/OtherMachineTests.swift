import FirmwarePlanning
import Foundation
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// Random networks where a word's most significant byte comes first, and where an int has 16 bits: the same values.
@Suite struct OtherMachineTests {
  /// What emitted C can be made of, as far as it handles words and sums differently.
  private static let forms: [(name: String, occurs: @Sendable (FirmwarePlan) -> Bool)] = [
    ("packed weights", { $0.stages.contains(where: \.isPackedConvolution) }),
    ("packed weights over rows of bytes", { $0.stages.contains { $0.isPackedConvolution && $0.ring.lanes == nil } }),
    ("weights as code", { $0.stages.contains { if case .blocks? = $0.code { true } else { false } } }),
    ("sums of parts", { $0.stages.contains { $0.ring.lanes?.partTaps != nil } }),
    ("words of four columns", { $0.stages.contains { $0.ring.quads != nil } }),
    ("unpacked windows", { $0.stages.contains { $0.unpacked != nil } }),
    ("pairs as they are read", { $0.stages.contains { $0.ring.pairsAsRead && $0.unpacked == nil } }),
    ("strips", { $0.stages.contains { $0.ring.strip != nil } }),
    ("windows of a channel", { $0.stages.contains { $0.channelWindow != nil } }),
    ("rows in place", { $0.stages.contains { $0.ring.isInPlace } }),
    ("maps of rows", { $0.stages.contains { $0.maps?.kind == .rows } }),
    ("maps of points", { $0.stages.contains { $0.maps?.kind == .points } }),
    ("maps of channels", { $0.stages.contains { $0.maps?.kind == .channels } }),
    ("channels last", { $0.stages.contains { $0.channelsLast?.scales.drop == 0 } }),
    ("channels last, multiplied lanes", { $0.stages.contains { $0.channelsLast?.scales.drop == 16 } }),
    ("columns of 16 bits", { $0.stages.contains { $0.columns?.areShort == true } }),
    ("columns of 32 bits", { $0.stages.contains { $0.columns?.areShort == false } }),
    ("pools of sums", { $0.stages.contains { $0.pool != nil } }),
    ("sums of 16 bits", { $0.stages.contains { $0.input.elementBytes == 2 } }),
    ("requantizers of 64 bits", { $0.stages.contains { $0.epilogue?.fits32 == false } }),
    ("ties to even", { $0.stages.contains { if case .halfEven? = $0.epilogue?.form { true } else { false } } }),
    ("thresholds", { $0.stages.contains { if case .thresholds? = $0.epilogue?.form { true } else { false } } }),
  ]

  /// Of each seed a network of another kind, with options under which it takes its forms.
  private static func compilation(_ seed: UInt64) throws -> Compilation {
    var options = RandomNetworkDifferentialTests.options(seed: seed)
    switch seed % 5 {
    case 0:
      options.core = .host
      return try Compilation(network: RandomNetwork.make(seed: seed), options)
    case 1:
      options.goal = .size
      options.ram = 1 << 20
      return try Compilation(network: RandomNetwork.keyword(seed: seed), options)
    case 2:
      options.goal = .speed
      options.schedule = .auto
      options.core = [.cortexM4, .cortexM0, .riscv32][Int(seed / 5 % 3)]
      return try Compilation(network: RandomNetwork.pooledKeyword(seed: seed), options)
    case 3:
      options.goal = .speed
      let network = seed % 2 == 0 ? RandomNetwork.separable(seed: seed) : RandomNetwork.keyword(seed: seed)
      while let plan = try? Planner.plan(network, options), plan.stages.contains(where: { $0.code != nil }) {
        options.ram = plan.stateBytes - 1
      }
      options.ram = options.ram.map { $0 + 1 + Int(seed / 10 % 3) * 64 }
      return try Compilation(network: network, options)
    default: return try Compilation(network: RandomNetwork.make(seed: seed, isWide: seed % 10 == 4), options)
    }
  }

  /// An int of 16 bits: as small as it must be for an AVR.
  @Test(arguments: [Target.s390x, .avr]) func everyFormEqualsInterpreter(on machine: Target) async throws {
    var seen = [Int](repeating: 0, count: Self.forms.count)
    var networks = 0
    let wanted = machine.vectorBytes == nil ? 3 : 1
    for seed in 0..<600 as Range<UInt64> where seen.contains(where: { $0 < wanted }) {
      let compilation = try Self.compilation(seed)
      let plan = compilation.plan
      let occurring = seen.indices.filter { Self.forms[$0].occurs(plan) }
      // Compilation is the cost: a network that shows nothing new is passed over.
      guard occurring.contains(where: { seen[$0] < wanted }) else { continue }
      let inputs = randomInputs(for: compilation.network, count: 8, seed: seed)
      let bytes = plan.input.bytes + plan.expectedBytes
      guard let count = try? machine.fitting(inputs.count, bytesEach: bytes) else { continue }
      do {
        let outcome = try await RandomNetworkDifferentialTests.verify(
          compilation, inputs.suffix(count), machine, .standard, [])
        #expect(outcome.isEqual, "seed \(seed), \(plan.name): \(outcome.text)")
      } catch ToolchainError.doesNotFit {
        continue
      }
      for form in occurring { seen[form] += 1 }
      FileHandle.standardError.write(Data("\(machine.name) \(seed) \(occurring.map { Self.forms[$0].name })\n".utf8))
      networks += 1
    }
    #expect(networks >= 10)
    print("\(machine.name): \(networks) networks")
    for (form, count) in zip(Self.forms, seen) { #expect(count >= 1, "\(form.name): \(count) networks") }
  }
}

extension Stage {
  fileprivate var isPackedConvolution: Bool {
    if case .convolution(let work) = work { work.code == nil } else { false }
  }
}
