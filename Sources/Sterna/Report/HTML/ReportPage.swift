import Diagnostics
import Scheduling

/// What `sterna report` writes: one page with everything in it, to be looked at rather than read.
///
/// It needs no script, no network and no other file, and it holds no date: the same model and options give the same
/// bytes.
package struct ReportPage: Sendable {
  /// What the user allows; nil: no limit.
  package struct Budgets: Sendable {
    package var ram: Int?
    package var flash: Int?

    package init(ram: Int? = nil, flash: Int? = nil) {
      self.ram = ram
      self.flash = flash
    }
  }

  let plan: FirmwarePlan
  let report: Report
  let warnings: [Diagnostic]
  let budgets: Budgets
  /// One for each schedule; the chosen one among them.
  let schedules: [FirmwarePlan]
  /// One for each goal and schedule; the chosen one among them.
  let choices: [Choice]
  let costs: [LayerCost]
  let observations: Observations

  /// - Parameter samples: Most sample inputs to look at accumulators with; large networks get fewer.
  package init(_ compilation: Compilation, budgets: Budgets = Budgets(), samples: Int = 8) throws(ModelError) {
    plan = compilation.plan
    report = Report(compilation)
    warnings = compilation.warnings
    self.budgets = budgets
    choices = try compilation.choices()
    let goal = choices.first(where: \.isChosen)?.goal
    schedules = choices.filter { $0.goal == goal }.map(\.plan)
    costs = LayerCost.columns(plan, choices: choices)
    observations = Observations(compilation.reduced.network, plan, wanted: samples)
  }

  package var html: String { "<!DOCTYPE html>\n" + page.rendered }

  private var page: Markup {
    tag("html", ["lang": "en"]) {
      tag("head") {
        tag("meta", ["charset": "utf-8"])
        tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        tag("meta", ["name": "color-scheme", "content": "light dark"])
        // Nothing is fetched and nothing runs, even if a name in the model should find a way to ask for it.
        tag(
          "meta",
          ["http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"])
        tag("meta", ["name": "generator", "content": report.tool])
        tag("title") { "\(plan.name) · sterna report" }
        tag("style") { Markup.stylesheet(stylesheet) }
      }
      tag("body") {
        header
        tag("main") {
          memorySection
          scheduleSection
          choiceSection
          budgetSection
          layerSection
          weightSection
          accumulatorSection
          proofSection
        }
        footer
      }
    }
  }

  private var footer: Markup {
    tag("footer") {
      tag("p") {
        "Written by \(report.tool). The page is one file: no script, nothing fetched; the same model and options give "
          + "the same bytes."
      }
    }
  }
}
