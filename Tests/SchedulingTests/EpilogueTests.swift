import ReferenceInterpreter
import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

@Suite struct EpilogueTests {
  private static func storage(
    _ range: ClosedRange<Int>, grid: ClosedRange<Int>? = nil, zero: Int = 0, kind: Tensor.Kind = .activation
  ) -> Storage {
    Storage(Tensor(name: "t", shape: Shape(1), kind: kind, range: range, grid: grid, zeroPoint: zero))
  }

  @Test func levelZeroIsTheSmallestIntegerOrTheEvenOneBelow() {
    #expect(Self.storage(0...255) == Storage(base: 0, maximumCode: 255, elementBytes: 1))
    #expect(Self.storage(-128...127) == Storage(base: -128, maximumCode: 255, elementBytes: 1))
    #expect(Self.storage(-127...127) == Storage(base: -128, maximumCode: 255, elementBytes: 1))
    #expect(Self.storage(3...9, grid: 1...15) == Storage(base: 2, maximumCode: 7, elementBytes: 1))
    #expect(Self.storage(-1...1) == Storage(base: -2, maximumCode: 3, elementBytes: 1))
    #expect(Self.storage(6...6, grid: 0...15, zero: 6) == Storage(base: 6, maximumCode: 0, elementBytes: 1))
  }

  /// Padding stores the zero point, also where no value of the tensor equals it.
  @Test func zeroPointsOfTheGridAreStorable() {
    #expect(Self.storage(5...9, grid: 0...15, zero: 0) == Storage(base: 0, maximumCode: 9, elementBytes: 1))
    #expect(Self.storage(5...9, grid: 0...15, zero: 12) == Storage(base: 4, maximumCode: 8, elementBytes: 1))
    #expect(Self.storage(5...9, grid: 5...9, zero: 200) == Storage(base: 4, maximumCode: 5, elementBytes: 1))
  }

  @Test func logitsTakeFourBytes() {
    #expect(Self.storage(-900...700, kind: .logits).elementBytes == 4)
    #expect(Self.storage(-900...700, kind: .logits).base == 0)
  }

  /// A pool's sums are stored as they come, over the sum of the bases.
  @Test func sumsTakeTwoBytes() throws {
    let (stage, _) = try Self.stage(
      """
      network "n"
      input 1x2x2 range -3...12
      avgpool "p" kernel 2x2
      dense "d"
        weights
          +
          -
        logits
      """)
    #expect(stage.input.storage == Storage(base: -4, maximumCode: 16, elementBytes: 1))
    #expect(stage.output.storage == Storage(base: -16, maximumCode: 64, elementBytes: 2))
  }

  // MARK: Epilogues

  /// What the emitted expression computes from an accumulator of levels; nil where a step leaves its type.
  private static func emitted(_ epilogue: Epilogue, _ a: Int, channel: Int) -> Int? {
    func checked(_ value: Int) -> Int? { epilogue.fits32 ? Int32(exactly: value).map(Int.init) : value }
    func product(_ multipliers: [Int], _ offsets: [Int]) -> Int? {
      let entry = multipliers.count == 1 ? 0 : channel
      let limits = epilogue.limits.first { $0.channel == channel }?.accumulators
      let a = limits.map { min(max(a, $0.lowerBound), $0.upperBound) } ?? a
      guard let product = checked(a * multipliers[entry]), checked(multipliers[entry]) != nil,
        checked(offsets[entry]) != nil
      else { return nil }
      return checked(product + offsets[entry])
    }
    switch epilogue.form {
    case .affine(let multipliers, let offsets, let shift, let low, let high):
      guard let v = product(multipliers, offsets), checked(low) != nil, checked(high) != nil, low >= 0 else {
        return nil
      }
      return min(max(v, low), high) >> shift
    case .halfEven(let multipliers, let offsets, let shift, let low, let high):
      guard let v = product(multipliers, offsets), checked(low) != nil, checked(high) != nil, low >= 0 else {
        return nil
      }
      let clamped = min(max(v, low), high)
      if shift == 0 { return clamped }
      guard let sum = checked(clamped + (1 << shift) / 2 - 1 + clamped >> shift & 1) else { return nil }
      return sum >> shift
    case .thresholds(let lists, let start):
      return start + lists[lists.count == 1 ? 0 : channel].count { $0 <= a }
    case .logits(let multipliers, let offsets):
      return product(multipliers, offsets).flatMap { Int32(exactly: $0) }.map(Int.init)
    }
  }

  /// What `requantize_swar2` computes; nil where the sum leaves 32 bits.
  private static func emitted(_ scale: ChannelScale, _ a: Int, bits: Int) -> Int? {
    let multiplier = scale.multiplier & 0xFFFF | (scale.bias & 32) << 11
    let sum = a * multiplier + scale.bias
    guard Int32(exactly: sum) != nil, Int32(exactly: scale.bias) != nil, scale.shift + bits <= 31 else { return nil }
    return min(max(sum, 0), 1 << (scale.shift + bits) - 1) >> scale.shift
  }

  /// All accumulators, or the ends and an odd stride where there are very many.
  private static func all(_ range: ClosedRange<Int>) -> [Int] {
    range.count <= 1500
      ? Array(range)
      : Array(range.prefix(100)) + stride(from: range.lowerBound, to: range.upperBound, by: range.count / 997 | 1)
        + Array(range.suffix(100))
  }

  /// Compares one stage over every accumulator that its layer can reach.
  private static func check(_ stage: Context, _ network: TernaryNetwork) -> (checked: Int, wrong: [String]) {
    guard let epilogue = stage.variant.epilogue, let requantizer = stage.layer.requantizer else { return (0, []) }
    let domains: [ClosedRange<Int>]
    let weights: [ArraySlice<Int8>]
    switch stage.layer.kind {
    case .convolution(let convolution):
      domains = convolution.accumulators
      weights = (0..<convolution.outputChannels).map { c in
        convolution.weights[(c * convolution.taps)..<((c + 1) * convolution.taps)]
      }
    case .dense(let dense):
      domains = dense.accumulators
      weights = (0..<dense.outputs).map { dense.weights[($0 * dense.taps)..<(($0 + 1) * dense.taps)] }
    case .averagePool(let pool):
      domains = [pool.accumulators]
      weights = [ArraySlice(repeating: 1, count: pool.window.kernelHeight * pool.window.kernelWidth)]
    case .maxPool, .add, .concatenate, .slice, .resize: return (0, [])
    }
    let weightSums = weights.map { $0.reduce(0) { $0 + Int($1) } }
    let reachable = weights.map { row in
      (-row.count { $0 < 0 } * stage.input.storage.maximumCode)...(row.count { $0 > 0 }
        * stage.input.storage.maximumCode)
    }
    var count = 0
    var wrong: [String] = []
    for channel in domains.indices {
      for a in all(domains[channel]) {
        let levels = a - stage.input.storage.base * weightSums[channel]
        // A bound of partial sums of integers may lie outside of what sums of levels reach.
        guard reachable[channel].contains(levels) else { continue }
        count += 1
        let expected = requantizer.apply(a, channel: channel) - stage.output.storage.base
        let guardBias = stage.lanes?.guardInEpilogue ?? 0
        if let scale = (stage.variant as? SharedPackedLanes)?.scales[channel] {
          let compact = emitted(scale, levels + (stage.lanes?.guardBias ?? 0), bits: epilogue.codeBits ?? 0)
          if compact != expected, wrong.count < 3 {
            wrong.append(
              "\(stage.name), channel \(channel), accumulator \(a): expected \(expected), got \(compact.map { "\($0)" } ?? "overflow") from \(scale)"
            )
          }
        }
        let found = emitted(epilogue, levels + guardBias, channel: channel)
        if found != expected, wrong.count < 3 {
          wrong.append(
            "\(stage.name), channel \(channel), accumulator \(a): expected \(expected), got \(found.map { "\($0)" } ?? "overflow") from \(epilogue) of \(requantizer)"
          )
        }
      }
    }
    return (count, wrong)
  }

  @Test func epiloguesEqualTheInterpreterOnEveryAccumulator() throws {
    var checked = 0
    var scaled = 0
    var forms = Set<String>()
    for seed: UInt64 in 1...120 {
      let network = RandomNetwork.make(seed: seed)
      let plan = try Scheduler.plan(network, PlanningOptions(name: "net"))
      for stage in plan.stages {
        let (count, wrong) = Self.check(stage, network)
        checked += count
        #expect(wrong.isEmpty, "seed \(seed): \(wrong)")
        if stage.variant is SharedPackedLanes { scaled += 1 }
        if let epilogue = stage.variant.epilogue {
          let form = "\(epilogue.form)".prefix { $0 != "(" }
          forms.insert("\(form)\(epilogue.fits32 ? "" : "64")\(stage.input.storage.base == 0 ? "" : " based")")
        }
      }
    }
    #expect(checked > 300_000)
    #expect(scaled > 20, "\(scaled) stages have scales of six bytes")
    for form in ["affine", "halfEven", "thresholds", "logits"] {
      #expect(forms.contains(form) && forms.contains("\(form) based"), "no \(form) among \(forms.sorted())")
    }
  }

  private static func stage(_ text: String) throws -> (Context, TernaryNetwork) {
    let network = try TernaryNetwork(parsing: text)
    return (try Scheduler.plan(network, PlanningOptions(name: "net")).stages[0], network)
  }

  /// `q = u − 4`: two plus ones and a minus one move the accumulator by −4, three plus ones by −12.
  @Test func biasHoldsTheBaseOfTheInput() throws {
    let (stage, network) = try Self.stage(
      """
      network "n"
      input 3x1x1 range -4...3
      conv "c" kernel 1x1
        weights
          ++-
          +++
        affine shift 1 clamp -2...5
        multipliers 3
        offsets 1
      """)
    #expect(
      stage.variant.epilogue?.form
        == .affine(multipliers: [3, 3], offsets: [1 - 12 + 4, 1 - 36 + 4], shift: 1, low: 0, high: 15))
    #expect(stage.variant.epilogue?.fits32 == true)
    #expect(Self.check(stage, network).wrong.isEmpty)
  }

  @Test func sharedEntryIsSplitWhereTheBaseMovesChannelsApart() throws {
    let (stage, network) = try Self.stage(
      """
      network "n"
      input 2x1x1 range -4...3
      conv "c" kernel 1x1
        weights
          ++
          +-
        thresholds clamp 0...2
        at 0 3
      """)
    #expect(stage.variant.epilogue?.form == .thresholds([[8, 11], [0, 3]], start: 0))
    #expect(Self.check(stage, network).wrong.isEmpty)
  }

  /// 2^31 − 1 is the last value that 32 bits hold.
  @Test(arguments: [(0, true), (1, false)]) func widthIsDecidedAtTheEdge(excess: Int, fits: Bool) throws {
    let (stage, network) = try Self.stage(
      """
      network "n"
      input 1x1x1 range 0...1
      conv "c" kernel 1x1
        weights
          +
        affine shift 23 clamp 0...255
        multipliers 1000
        offsets \(Int(Int32.max) - 1000 + excess)
      """)
    #expect(stage.variant.epilogue?.fits32 == fits)
    #expect(Self.check(stage, network).wrong.isEmpty)
  }
}
