import FirmwarePlanning
import FoundationEssentials
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
  /// Seeds beyond the first ones that found a fault: logits of channels without weights, in a block of their own.
  private static let found: [UInt64] = [5480]

  @Test func cEqualsInterpreter() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["STERNA_RANDOM_NETWORKS"].flatMap(UInt64.init) ?? 240
    let first = environment["STERNA_RANDOM_FIRST"].flatMap(UInt64.init) ?? 0
    let tally = Tally(seeds: Array(first..<(first + count)) + (first == 0 ? Self.found.filter { $0 >= count } : []))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask {
          while let seed = tally.next() { await Self.check(seed, tally) }
        }
      }
    }
    #expect(tally.failures == [])
    let coverage = tally.coverage
    print("\(count) networks, \(coverage.count) combinations of a form and a corner:")
    for line in coverage.map({ "\($0.key)\t\($0.value)" }).sorted() { print(line) }
    guard first == 0, count >= 240 else { return }
    let found = coverage.keys.map { $0.split(separator: "\t").map(String.init) }
    for form in LayerForm.allCases where !Self.ofOtherNetworks.contains(form) {
      #expect(found.contains { $0[0] == form.rawValue }, "no layer is computed as '\(form.rawValue)'")
    }
    for corner in LayerCorner.all { #expect(found.contains { $0[1] == corner.name }, "no layer has \(corner.name)") }
  }

  /// Forms that need a whole network to be of one shape: `RandomNetworkDifferentialTests` makes such networks.
  private static let ofOtherNetworks: [LayerForm] = [
    .mapRows, .mapChannels, .mapPoints, .blocksRowByRow, .tapsOfQuads,
  ]

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
      let compilation = try Compilation(network: network, options)
      tally.add(compilation.plan)
      let (host, level, flags) = Self.compilers[Int(seed % UInt64(Self.compilers.count))]
      let inputs = randomInputs(for: compilation.network, count: 12, seed: seed)
      let outcome = try await RandomNetworkDifferentialTests.verify(compilation, inputs, host, level, flags)
      if !outcome.isEqual { tally.fail("\(text): \(outcome.text.prefix(3000))") }
    } catch {
      tally.fail("\(text): \(error)")
    }
  }

  /// Goals, cores and schedules in turn; a rung of the ladder of RAM or of flash.
  static func options(_ network: TernaryNetwork, _ seed: UInt64) throws -> PlanningOptions {
    var generator = SplitMix64(seed: seed ^ 0x0971_0915)
    var options = PlanningOptions(
      name: "net\(seed)", schedule: generator.pick(PlanningOptions.Schedule.allCases),
      goal: generator.pick([.size, .speed]), core: generator.pick(Core.allCases), fusesPools: generator.chance(75))
    let folded = try Compilation(network: network, options).folded.network
    var rungs = [options]
    switch generator.pick(0...2) {
    case 0: break
    case 1:
      while rungs.count < 20 {
        guard let plan = try? Planner.plan(folded, options) else { break }
        options.ram = plan.stateBytes - 1
        rungs.append(options)
        rungs[rungs.count - 2].ram = plan.stateBytes
      }
      if rungs.count > 1, rungs.count < 20 { rungs.removeLast() }
    default:
      let most = try Planner.plan(folded, options).flash.bytes
      for step in 1...10 {
        options.flash = most - most * step / 20
        guard (try? Planner.plan(folded, options)) != nil else { break }
        rungs.append(options)
      }
    }
    let rung = generator.pick(rungs)
    return (try? Planner.plan(folded, rung)) == nil ? rungs[0] : rung
  }
}

/// What several tasks count together.
final class Tally: Sendable {
  private let state: Mutex<(seeds: ArraySlice<UInt64>, coverage: [String: Int], failures: [String])>

  init(seeds: [UInt64]) { state = Mutex((seeds[...], [:], [])) }

  var coverage: [String: Int] { state.withLock { $0.coverage } }
  var failures: [String] { state.withLock { $0.failures } }

  func next() -> UInt64? { state.withLock { $0.seeds.popFirst() } }

  func fail(_ text: String) {
    print("FAIL \(text)")
    state.withLock { $0.failures.append(text) }
  }

  func add(_ plan: FirmwarePlan) {
    for stage in plan.stages {
      let form = LayerForm(stage).rawValue
      let corners = LayerCorner.all.filter { $0.holds(stage) }.map { "\(form)\t\($0.name)" }
      state.withLock { state in for corner in corners { state.coverage[corner, default: 0] += 1 } }
    }
  }
}
