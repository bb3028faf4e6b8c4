import TernaryIR

/// Plans networks whose tensors have any number of readers.
///
/// Tensors that a site reads together, and all that read one of them, agree on how rows are stored. Each such set has a
/// few options. The search begins with the fastest that fit together and trades instructions for RAM or flash, the
/// cheapest trade first, until the budgets are kept; each step is laid out exactly.
struct GraphScheduler {
  let network: TernaryNetwork
  let options: PlanningOptions
  let graph: SiteGraph
  let ways: [[Way]]
  /// Sites that agree on how their inputs are stored.
  private let sets: [[Int]]
  var known = Scheduler.KnownTiles()

  init(_ network: TernaryNetwork, _ options: PlanningOptions) {
    self.network = network
    self.options = options
    let graph = SiteGraph(network, options)
    self.graph = graph
    ways = graph.sites.map { $0.ways(graph.tensors, options) }
    sets = Self.sets(graph)
  }

  private static func sets(_ graph: SiteGraph) -> [[Int]] {
    var label = Array(graph.sites.indices)
    var isChanging = true
    while isChanging {
      isChanging = false
      for tensor in graph.tensors.values where !tensor.consumers.isEmpty {
        let least = tensor.consumers.map { label[$0] }.min() ?? 0
        for site in tensor.consumers where label[site] != least { (label[site], isChanging) = (least, true) }
      }
    }
    return Set(label).sorted().map { least in label.indices.filter { label[$0] == least } }
  }

  /// Options of a set: rows of words; rows of bytes; rows of bytes by the plainest ways.
  private enum Form: CaseIterable {
    case words, bytes, plain
  }

  /// The way of a site in an option of its set; nil: it has none.
  private func way(_ site: Int, _ form: Form) -> Int? {
    func isWords(_ way: Way) -> Bool { way.needs.contains { if case .words = $0.form { true } else { false } } }
    return switch form {
    case .words: ways[site].firstIndex(where: isWords)
    case .bytes: ways[site].firstIndex { !isWords($0) }
    case .plain: ways[site].lastIndex { !isWords($0) }
    }
  }

  private func with(_ choice: [Int], _ set: [Int], _ form: Form) -> [Int]? {
    var choice = choice
    for site in set {
      guard let way = way(site, form) else { return nil }
      choice[site] = way
    }
    return choice
  }

  /// The plan that keeps the budgets if one does, and the least RAM of those that were looked at; nil where no ways fit
  /// together.
  mutating func attempt() -> (plan: FirmwarePlan, least: Int)? {
    var best: FirmwarePlan?
    var least = Int.max
    for groups in groupings() {
      guard var choice = firstChoice(), var plan = layOut(choice, groups) else { continue }
      while true {
        least = min(least, plan.stateBytes)
        if best.map({ isBetter(plan, $0) }) ?? true { best = plan }
        if overRAM(plan) == 0, overFlash(plan) == 0 { break }
        guard let next = cheapestTrade(choice, plan, groups) else { break }
        (choice, plan) = next
      }
    }
    return best.map { ($0, least) }
  }

  /// The fastest options that fit together, from the input on.
  private func firstChoice() -> [Int]? {
    var choice = ways.map { $0.count - 1 }
    for set in sets {
      let found = Form.allCases.lazy.compactMap { with(choice, set, $0) }.first { fits($0, set) }
      guard let found else { return nil }
      choice = found
    }
    return choice
  }

  /// Whether those that read the same tensors, and those that make them, agree.
  private func fits(_ choice: [Int], _ set: [Int]) -> Bool {
    Set(set.flatMap { graph.sites[$0].inputs }).allSatisfy { layout(of: $0, choice) != nil }
  }

  private func overRAM(_ plan: FirmwarePlan) -> Int { max(0, plan.stateBytes - (options.ram ?? .max)) }
  private func overFlash(_ plan: FirmwarePlan) -> Int {
    options.flash.map { max(0, FlashEstimate(plan).bytes - $0) } ?? 0
  }

  /// Budgets first, then instructions, then RAM.
  private func isBetter(_ a: FirmwarePlan, _ b: FirmwarePlan) -> Bool {
    let (x, y) = (rank(a), rank(b))
    return x < y
  }
  private func rank(_ plan: FirmwarePlan) -> (Int, Int, Int, Int) {
    (overRAM(plan), overFlash(plan), CostEstimate(plan).instructions, plan.stateBytes)
  }

  /// Of all changes of one set that save bytes of what is over its budget, the one that costs the fewest instructions a
  /// byte.
  private mutating func cheapestTrade(
    _ choice: [Int], _ plan: FirmwarePlan, _ groups: [ClosedRange<Int>]
  ) -> (choice: [Int], plan: FirmwarePlan)? {
    let isOverRAM = overRAM(plan) > 0
    func bytes(_ plan: FirmwarePlan) -> Int { isOverRAM ? plan.stateBytes : FlashEstimate(plan).bytes }
    let (size, cost) = (bytes(plan), CostEstimate(plan).instructions)
    var best: (price: Double, choice: [Int], plan: FirmwarePlan)?
    for set in sets {
      for form in Form.allCases {
        guard let changed = with(choice, set, form), changed != choice, let other = layOut(changed, groups) else {
          continue
        }
        let saved = size - bytes(other)
        guard saved > 0 else { continue }
        let price = Double(CostEstimate(other).instructions - cost) / Double(saved)
        if price < best?.price ?? .infinity { best = (price, changed, other) }
      }
    }
    return best.map { ($0.choice, $0.plan) }
  }

  // MARK: Fusion groups

  /// Last sites that work when the caller asks for the output stand alone.
  func isLast(_ site: Int) -> Bool {
    if case .window(let draft) = graph.sites[site].kind, case .dense = draft.work {
      return graph.tensors[graph.sites[site].output]?.isOutput ?? false
    }
    return false
  }

  /// Ways to cut the sites into groups that work row by row together, as far as the schedule allows them.
  private func groupings() -> [[ClosedRange<Int>]] {
    let count = graph.sites.count
    var end = count
    while end > 0, isLast(end - 1) { end -= 1 }
    let tail = (end..<count).map { $0...$0 }
    let stream = (end > 0 ? [0...(end - 1)] : []) + tail
    let frame = (0..<end).map { $0...$0 } + tail
    return switch options.schedule {
    case .stream: [stream]
    case .frame: [frame]
    case .auto: [stream, frame]
    }
  }
}
