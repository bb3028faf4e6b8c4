import FoundationEssentials
import Scheduling
import Sterna
import Synchronization
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// Networks from the corners of what is legal, the emitted C against the interpreter: every value of every layer.
///
/// Of each network one goal, schedule, core and rung of a ladder of RAM or flash, sanitized every other time. `Tests/random.sh`
/// runs as many as it is asked for, from any seed on.
@Suite struct CornerNetworkTests {
  /// Seeds beyond the first 2000 of networks in which a form meets a corner that it meets in none of those.
  private static let rare: [UInt64] = [
    2393, 3295, 3628, 4049, 4170, 4488, 5088, 5100, 6173, 7109, 7366, 8471, 9042, 13216, 14184,
  ]

  /// What no random network has met, or hardly one: a sum of one bit alone; windows of one row and many taps with rows
  /// between; planes under kernels that are narrower than the padding on either side.
  private static let made: [(text: String, options: PlanningOptions)] = [
    (
      """
      network "n"
      input 2x1x1 range 0...1
      avgpool "one" kernel 1x1
      conv "mix" kernel 1x1
        weights
          +-
          ++
        logits
      """, PlanningOptions(name: "sums", schedule: .stream)
    ),
    (
      """
      network "n"
      input 64x7x8 range 0...255
      conv "wide" kernel 1x5 stride 3x1
        weights
          \([String](repeating: "+++++", count: 64).joined(separator: " "))
          \([String](repeating: "+-+++", count: 64).joined(separator: " "))
        logits
      """, PlanningOptions(name: "parts", schedule: .stream)
    ),
  ]

  @Test func cEqualsInterpreter() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["STERNA_RANDOM_NETWORKS"].flatMap(UInt64.init) ?? 240
    let first = environment["STERNA_RANDOM_FIRST"].flatMap(UInt64.init) ?? 0
    // As many have to reach every legal pair of a form and a corner.
    let isWhole = first == 0 && count >= 2000
    let tally = Tally()
    await concurrently(Array(first..<(first + count)) + (isWhole ? Self.rare.filter { $0 >= count } : [])) { seed in
      await Self.check(seed, tally)
    }
    let planes = try Data(contentsOf: URL(filePath: fixture("planes_under_padding.txt")))
    let file = (String(decoding: planes, as: UTF8.self), PlanningOptions(name: "planes"))
    for (text, options) in Self.made + [file] {
      let compilation = try Compilation(network: TernaryNetwork(parsing: text), options)
      if options.name == "planes" {
        let spread = try #require(compilation.plan.stages[4].variant as? PlaneChannels).spread
        #expect(spread.pitch >= 9 && compilation.plan.stages[4].inputShape.width == 5)
      }
      for seed: UInt64 in 0...3 { try await Self.check(compilation, options.name, seed: seed, tally) }
    }
    #expect(tally.failures == [])
    let coverage = tally.coverage
    print("\(count) networks, \(coverage.pairs.count) combinations of a form and a corner:")
    for line in coverage.pairs.map({ "\($0.key.form.rawValue)\t\($0.key.corner)\t\($0.value)" }).sorted() {
      print(line)
    }
    guard first == 0, count >= 240 else { return }
    for corner in LayerExclusion.all.flatMap(\.corners) {
      #expect(LayerCorner.all.contains { $0.name == corner }, "no corner is called \(corner)")
    }
    for corner in LayerCorner.all {
      #expect(LayerForm.allCases.contains { coverage[$0, corner.name] > 0 }, "no layer has \(corner.name)")
    }
    for form in LayerForm.allCases where !LayerExclusion.ofOtherNetworks.contains(form) {
      #expect(LayerCorner.all.contains { coverage[form, $0.name] > 0 }, "no layer is computed as '\(form.rawValue)'")
    }
    for form in LayerForm.allCases {
      for corner in LayerCorner.all {
        let (isExcluded, count) = (LayerExclusion.holds(form, corner.name), coverage[form, corner.name])
        #expect(!isExcluded || count == 0, "'\(form.rawValue)' has \(corner.name) \(count) times: it is said not to")
        // A legal pair that never occurs proves nothing: with this many networks each has to.
        if isWhole, !isExcluded, !LayerExclusion.ofOtherNetworks.contains(form) {
          #expect(count > 0, "'\(form.rawValue)' never has \(corner.name)")
        }
      }
    }
  }

  /// In turn, every other one sanitized; of two levels the last counts.
  private static let compilers: [(host: Target, level: Optimization, flags: [String])] = [
    (.hostGCC, .none, sanitizing), (.hostClang, .standard, ["-O1"]), (.hostClang, .none, sanitizing),
    (.hostGCC, .standard, []),
  ]
  private static let sanitizing = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

  private static func check(_ seed: UInt64, _ tally: Tally) async {
    var text = "seed \(seed)"
    do {
      let network = RandomNetwork.corner(seed: seed)
      let options = try options(network, seed)
      text += ", \(options.commandLine)"
      try await check(Compilation(network: network, options), text, seed: seed, tally)
    } catch {
      tally.fail("\(text): \(error)")
    }
  }

  private static func check(
    _ compilation: Compilation, _ text: String, seed: UInt64, _ tally: Tally
  ) async throws {
    tally.add(compilation.plan)
    let (host, level, flags) = compilers[Int(seed % UInt64(compilers.count))]
    let inputs = randomInputs(for: compilation.network, count: 12, seed: seed)
    let outcome = try await RandomNetworkDifferentialTests.verify(compilation, inputs, host, level, flags)
    if !outcome.isEqual { tally.fail("\(text): \(outcome.text.prefix(3000))") }
  }

  /// Goals, cores and schedules in turn; a rung of the ladder of RAM or of flash.
  static func options(_ network: TernaryNetwork, _ seed: UInt64) throws -> PlanningOptions {
    var generator = SplitMix64(seed: seed ^ 0x0971_0915)
    var options = PlanningOptions(
      name: "net\(seed)", schedule: generator.pick(PlanningOptions.Schedule.allCases),
      goal: generator.pick([.size, .speed]), core: generator.pick(Core.allCases), fusesPools: generator.chance(75))
    let reduced = try Compilation(network: network, options).reduced.network
    var rungs = [options]
    switch generator.pick(0...2) {
    case 0: break
    case 1:
      while rungs.count < 20 {
        guard let plan = try? Scheduler.plan(reduced, options) else { break }
        options.ram = plan.stateBytes - 1
        rungs.append(options)
        rungs[rungs.count - 2].ram = plan.stateBytes
      }
      if rungs.count > 1, rungs.count < 20 { rungs.removeLast() }
    default:
      let most = try Scheduler.plan(reduced, options).flash.bytes
      for step in 1...10 {
        options.flash = most - most * step / 20
        guard (try? Scheduler.plan(reduced, options)) != nil else { break }
        rungs.append(options)
      }
    }
    let rung = generator.pick(rungs)
    return (try? Scheduler.plan(reduced, rung)) == nil ? rungs[0] : rung
  }
}

/// How often which form has met which corner.
struct Coverage: Sendable {
  struct Pair: Hashable {
    var form: LayerForm
    var corner: String
  }

  private(set) var pairs: [Pair: Int] = [:]

  subscript(form: LayerForm, corner: String) -> Int { pairs[Pair(form: form, corner: corner)] ?? 0 }

  mutating func add(_ stage: Context) {
    let form = LayerForm(stage)
    for corner in LayerCorner.all where corner.holds(stage) {
      pairs[Pair(form: form, corner: corner.name), default: 0] += 1
    }
  }
}

/// What several tasks count together.
final class Tally: Sendable {
  private let state = Mutex((coverage: Coverage(), failures: [String]()))

  var coverage: Coverage { state.withLock { $0.coverage } }
  var failures: [String] { state.withLock { $0.failures } }

  func fail(_ text: String) {
    print("FAIL \(text)")
    state.withLock { $0.failures.append(text) }
  }

  func add(_ plan: FirmwarePlan) {
    state.withLock { state in for stage in plan.stages { state.coverage.add(stage) } }
  }
}
