import Diagnostics
import TernaryIR
import TestSupport
import Testing

@testable import Scheduling

/// A refusal's advice is taken to the letter, and has to work.
@Suite struct BudgetRefusalTests {
  private static let seeds: [UInt64] = [3, 8, 21, 34]

  /// The options with what a fix says to give.
  private static func taking(_ fix: String, _ options: PlanningOptions) throws -> PlanningOptions {
    var options = options
    let words = fix.split(separator: " ").map { $0.trimming(",") }
    var isAdvice = false
    for (option, value) in zip(words, words.dropFirst()) where option.hasPrefix("--") {
      isAdvice = true
      switch option {
      case "--ram": options.ram = try #require(Int(value))
      case "--flash": options.flash = try #require(Int(value))
      case "--optimize": options.goal = try #require(PlanningOptions.Goal(rawValue: value))
      case "--schedule": options.schedule = try #require(PlanningOptions.Schedule(rawValue: value))
      default: Issue.record("\(option): unknown")
      }
    }
    #expect(isAdvice, "\(fix)")
    return options
  }

  private static func refusal(_ network: TernaryNetwork, _ options: PlanningOptions) -> Diagnostic? {
    do {
      _ = try Scheduler.plan(network, options)
      return nil
    } catch { return error.diagnostics.first }
  }

  @Test(arguments: seeds) func takingTheAdviceWorks(seed: UInt64) throws {
    for network in [RandomNetwork.make(seed: seed), RandomNetwork.keyword(seed: seed)] {
      for goal in PlanningOptions.Goal.allCases {
        for schedule in PlanningOptions.Schedule.allCases {
          let free = PlanningOptions(name: "net", schedule: schedule, goal: goal)
          let plan = try Scheduler.plan(network, free)
          let budgets: [(ram: Int?, flash: Int?)] = [
            (1, nil), (plan.stateBytes / 2, nil), (nil, 1), (nil, plan.flash.bytes * 3 / 4),
            (plan.stateBytes / 2, plan.flash.bytes / 2),
          ]
          for budget in budgets {
            var options = free
            (options.ram, options.flash) = (budget.ram, budget.flash)
            // With both budgets the one that is named first may be followed by the other.
            var refusals = 0
            while let refusal = Self.refusal(network, options), refusals < 3 {
              let fix = try #require(refusal.fix)
              let advised = try Self.taking(fix, options)
              #expect(advised != options, "\(goal) \(schedule) \(budget): \(fix)")
              refusals += 1
              if Self.refusal(network, advised)?.code == refusal.code {
                Issue.record("seed \(seed), \(goal) \(schedule) \(budget): refused again: \(fix)")
                break
              }
              options = advised
            }
            #expect(refusals <= 2)
          }
        }
      }
    }
  }

  /// Nothing that was named as the least may be beaten by another goal or schedule.
  @Test(arguments: seeds) func noOptionsBeatTheLeast(seed: UInt64) throws {
    let network = RandomNetwork.make(seed: seed)
    let refusal = try #require(Self.refusal(network, PlanningOptions(name: "net", schedule: .frame, ram: 1)))
    let least = try #require(Int(refusal.message.split(separator: " ").last ?? ""))
    for goal in PlanningOptions.Goal.allCases {
      for schedule in PlanningOptions.Schedule.allCases {
        let options = PlanningOptions(name: "net", schedule: schedule, goal: goal, ram: least - 1)
        #expect(throws: ModelError.self, "\(goal) \(schedule)") { try Scheduler.plan(network, options) }
      }
    }
  }
}

extension Substring {
  fileprivate func trimming(_ end: String) -> String { hasSuffix(end) ? String(dropLast(end.count)) : String(self) }
}
