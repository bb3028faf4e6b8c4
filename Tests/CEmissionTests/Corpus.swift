import FoundationEssentials
import ModelBuilding
import Scheduling
import Sterna
import Templates
import TernaryIR
import TestSupport

/// Compilations in which every kernel and every form of the emitted C occurs: fixtures, small networks and random ones, by
/// goals, cores, schedules and budgets.
let corpus = Result {
  let cores: [Core] = [.generic, .cortexM4, .host, .cortexM0, .riscv32, .cortexM3, .cortexM55]
  let goals = PlanningOptions.Goal.allCases
  var all =
    try leanCompilations.get() + hwcCompilations.get() + planeCompilations.get() + constantCompilations.get()
    + graphCompilations.get()
  for (index, entry) in smallNetworks.enumerated() {
    for (number, core) in [Core.generic, .cortexM4, .host].enumerated() {
      let options = PlanningOptions(
        name: "\(entry.name)_\(number)", schedule: schedule(index + number), goal: goals[(index + number) % 2],
        core: core)
      all.append(try Compilation(network: small(entry.name), options))
    }
  }
  func add(_ network: TernaryNetwork, _ name: String, _ number: Int) {
    var options = PlanningOptions(
      name: name, schedule: schedule(number), goal: goals[number / 2 % 2], core: cores[number % cores.count],
      fusesPools: number % 5 != 0, usesLanes: number % 9 != 0)
    guard let first = try? Compilation(network: network, options) else { return }
    all.append(first)
    guard number % 3 == 0 else { return }
    // Less than it would like: other forms.
    for share in [90, 75, 60] {
      options.name = "\(name)_\(share)"
      options.ram = first.plan.stateBytes * share / 100
      if let lean = try? Compilation(network: network, options) { all.append(lean) }
    }
  }
  // A table of limits is rare: the first plan with one.
  for seed in 0..<120 as Range<UInt64> {
    let network = RandomNetwork.make(seed: seed / 2, isWide: seed % 2 == 0)
    let options = PlanningOptions(name: "limits\(seed)", goal: .speed)
    guard let plan = try? Scheduler.plan(network, options), plan.stages.contains(where: \.hasLimitTable) else {
      continue
    }
    all.append(try Compilation(network: network, options))
    break
  }
  for ram in [7000, 5400] {
    let options = PlanningOptions(name: "swar4\(ram)", goal: .speed, core: ram == 7000 ? .cortexM4 : .generic, ram: ram)
    all.append(try Compilation(BuiltInModel.model, options))
  }
  for number in 0..<100 {
    let seed = UInt64(3000 + number)
    var network =
      switch number % 6 {
      case 0: RandomNetwork.separable(seed: seed)
      case 1: RandomNetwork.keyword(seed: seed)
      case 2: RandomNetwork.pooledKeyword(seed: seed)
      case 3: RandomNetwork.make(seed: seed, isWide: number % 12 == 3)
      default: RandomNetwork.make(seed: seed)
      }
    if number % 4 == 1 { network = network.withDeadChannels(seed: seed) }
    if number % 6 == 4, let pooled = network.withMaxPool(seed: seed) { network = pooled }
    add(number % 7 == 0 ? renamed(network) : network, "net\(number)", number)
  }
  for (number, model) in ["max2_pc_qonnx_ts", "const_pt_qcdq_ts", "act4_qonnx_ts", "floatpool_outq_qonnx_ts"]
    .enumerated()
  {
    let file = Model(bytes: Fixtures.model("har/\(model).onnx"), path: "\(model).onnx")
    for (index, goal) in goals.enumerated() {
      let options = PlanningOptions(
        name: "har\(number)_\(goal.rawValue)", goal: goal,
        core: number == 0 ? .generic : cores[(number + 3 * index) % cores.count],
        ram: index == 1 && number == 0 ? 6200 : nil)
      all.append(try Compilation(file, options))
    }
  }
  return all
}

/// Networks that branch: additions, concatenations, slices, resizes, several readers and outputs; every second with less RAM
/// than it would like, where there is a plan for that.
let graphCompilations = Result {
  try (0..<28).map { number in
    let network = RandomNetwork.branching(seed: UInt64(700 + number))
    var options = PlanningOptions(
      name: "graph\(number)", schedule: schedule(number), goal: PlanningOptions.Goal.allCases[number / 2 % 2],
      core: [.generic, .cortexM4, .host, .cortexM0, .riscv32][number % 5], fusesPools: number % 5 != 0,
      usesLanes: number % 9 != 0)
    let first = try Compilation(network: number % 3 == 0 ? renamed(network) : network, options)
    options.ram = first.plan.stateBytes * 3 / 4
    guard number % 2 == 0, let lean = try? Compilation(network: network, options) else { return first }
    return lean
  }
}

/// What an emitted file says, comments apart from code.
struct EmittedText {
  /// One after the other, each as a line, without the marks.
  var comments: [String] = []
  /// Comments replaced by blanks, texts in quotes by nothing.
  var code = ""

  init(_ text: String) {
    let bytes = Array(text.utf8)
    var (index, kept): (Int, [UInt8]) = (0, [])
    while index < bytes.count {
      if bytes[index] == 47, index + 1 < bytes.count, bytes[index + 1] == 42 {
        var end = index + 2
        while !(bytes[end] == 42 && bytes[end + 1] == 47) { end += 1 }
        let lines = String(decoding: bytes[(index + 2)..<end], as: UTF8.self).split(separator: "\n")
        let words = lines.flatMap { line in
          let words = line.split(separator: " ")
          return lines.count > 1 && words.first == "*" ? words.dropFirst() : words[...]
        }
        comments.append(words.joined(separator: " "))
        kept.append(32)
        index = end + 2
      } else {
        kept.append(bytes[index])
        index += 1
      }
    }
    code = String(decoding: kept, as: UTF8.self)
  }

  static func words(_ text: some StringProtocol) -> [Substring] {
    Substring(text).split { !($0 == "_" || $0.isLetter || $0.isNumber) }
  }
}
