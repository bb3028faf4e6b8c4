import Diagnostics
import TernaryIR

/// What is said where a budget can not be kept: the least that any goal and schedule reaches, and the options that
/// reach it.
extension Scheduler {
  /// Options that have been tried, and what they gave.
  private struct Way {
    var options: PlanningOptions
    var plan: FirmwarePlan

    /// Whether they keep the budgets that were asked for.
    func keeps(_ asked: PlanningOptions) -> Bool { keepsRAM(asked) && keepsFlash(asked) }
    func keepsRAM(_ asked: PlanningOptions) -> Bool { plan.stateBytes <= asked.ram ?? .max }
    func keepsFlash(_ asked: PlanningOptions) -> Bool { plan.flash.bytes <= asked.flash ?? .max }

    /// The goal and the schedule as one types them, where they are not those that were asked for.
    func words(_ asked: PlanningOptions) -> String? {
      var words: [String] = []
      if options.goal != asked.goal { words.append("--optimize \(options.goal.rawValue)") }
      if options.schedule != asked.schedule { words.append("--schedule \(options.schedule.rawValue)") }
      return words.isEmpty ? nil : words.joined(separator: " ")
    }
  }

  /// Nil where the plan keeps the budgets.
  static func refusal(
    of attempt: (plan: FirmwarePlan, least: Int), _ network: TernaryNetwork, _ asked: PlanningOptions
  ) throws(ModelError) -> Diagnostic? {
    let own = Way(options: asked, plan: attempt.plan)
    if own.keeps(asked) { return nil }
    var others: [Way] = []
    // The schedule alone first, then the goal.
    for goal in PlanningOptions.Goal.allCases.sorted(by: { ($0 == asked.goal ? 0 : 1) < ($1 == asked.goal ? 0 : 1) }) {
      for schedule in PlanningOptions.Schedule.allCases where (goal, schedule) != (asked.goal, asked.schedule) {
        var options = asked
        (options.goal, options.schedule) = (goal, schedule)
        let way = Way(options: options, plan: try Self.attempt(network, options).plan)
        if way.keeps(asked), let words = way.words(asked) {
          return own.keepsRAM(asked)
            ? .flashBudget(asked.flash ?? 0, way.plan.flash.bytes, fix: "use \(words)")
            : .ramBudget(asked.ram ?? 0, attempt.least, asked.schedule, best: way.plan.stateBytes, fix: "use \(words)")
        }
        others.append(way)
      }
    }
    let ways = [own] + others
    // What can be had of the one memory within the budget of the other; where nothing is, without that.
    if !own.keepsRAM(asked) {
      let (best, way) = try least(ways, network, asked, \.ram, \.stateBytes)
      let fix = "give at least --ram \(best)" + advice(way, asked, isFlashKept: way.keepsFlash(asked))
      return .ramBudget(
        asked.ram ?? 0, attempt.least, asked.schedule, best: best,
        fix: fix + ", or use fewer channels or a smaller input")
    }
    let (best, way) = try least(ways, network, asked, \.flash, \.flash.bytes)
    let fix = "give at least --flash \(best)" + advice(way, asked, isFlashKept: true)
    return .flashBudget(asked.flash ?? 0, best, fix: fix + ", or use fewer weights")
  }

  private static func advice(_ way: Way, _ asked: PlanningOptions, isFlashKept: Bool) -> String {
    (way.words(asked).map { " with \($0)" } ?? "")
      + (isFlashKept ? "" : "\(way.words(asked) == nil ? " with" : " and") --flash \(way.plan.flash.bytes)")
  }

  /// The least bytes of a memory that the planner accepts as its budget, and how.
  private static func least(
    _ ways: [Way], _ network: TernaryNetwork, _ asked: PlanningOptions,
    _ budget: WritableKeyPath<PlanningOptions, Int?>, _ bytes: KeyPath<FirmwarePlan, Int>
  ) throws(ModelError) -> (Int, Way) {
    let isRAM = budget == \PlanningOptions.ram
    var best: (bytes: Int, way: Way)?
    for way in ways {
      let found = try accepted(way.options, network, budget, bytes)
      if isRAM ? found.1.keepsFlash(asked) : found.1.keepsRAM(asked), found.0 < best?.bytes ?? .max { best = found }
    }
    if let best { return best }
    // Of RAM, if no plan that small keeps the flash: what there is without that budget, whose least is then named as
    // well.
    for way in ways {
      var options = way.options
      options.flash = nil
      let found = try accepted(options, network, budget, bytes)
      if found.0 < best?.bytes ?? .max { best = found }
    }
    return best ?? (ways[0].plan[keyPath: bytes], ways[0])
  }

  /// The least budget of these options that is kept, and the plan that keeps it.
  private static func accepted(
    _ options: PlanningOptions, _ network: TernaryNetwork, _ budget: WritableKeyPath<PlanningOptions, Int?>,
    _ bytes: KeyPath<FirmwarePlan, Int>
  ) throws(ModelError) -> (Int, Way) {
    var options = options
    options[keyPath: budget] = 1
    var found = try attempt(network, options)
    var limit = budget == \PlanningOptions.ram ? found.least : found.plan[keyPath: bytes]
    // A plan that is asked for less than it can may not be the least; one or two rounds settle it.
    for _ in 0..<8 {
      options[keyPath: budget] = limit
      found = try attempt(network, options)
      if found.plan[keyPath: bytes] <= limit { break }
      limit = found.plan[keyPath: bytes]
    }
    return (limit, Way(options: options, plan: found.plan))
  }
}

extension Diagnostic {
  fileprivate static func ramBudget(
    _ ram: Int, _ found: Int, _ schedule: PlanningOptions.Schedule, best: Int, fix: String
  ) -> Diagnostic {
    Diagnostic(
      code: "ram-budget",
      message:
        "the state needs \(found) bytes with --schedule \(schedule.rawValue), more than --ram \(ram): "
        + "the least that is possible is \(best)", fix: fix)
  }

  fileprivate static func flashBudget(_ flash: Int, _ found: Int, fix: String) -> Diagnostic {
    Diagnostic(
      code: "flash-budget",
      message:
        "code and tables are estimated at \(found) bytes, the least that is possible: more than --flash \(flash)",
      fix: fix)
  }
}
