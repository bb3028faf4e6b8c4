import Scheduling

// Flash by what fills it, and both memories against what the user allows.

extension ReportPage {
  var budgetSection: Markup {
    section(
      "Flash and budgets", id: "budgets",
      budgets.ram == nil && budgets.flash == nil
        ? "What fills the flash. With --ram and --flash the page also shows what is left of them."
        : "What is used of the bytes that --ram and --flash allow."
    ) {
      tag("div", ["class": "rows"]) {
        if let ram = budgets.ram {
          budgetRow("RAM", [Draw.Part(style: "bar", title: "state", amount: plan.stateBytes)], ram)
        }
        budgetRow("flash", flashParts, budgets.flash)
      }
      Draw.legend(
        flashParts.map { ($0.style, "\($0.title), \(PageNumber.bytes($0.amount))") }
          + (budgets.ram == nil && budgets.flash == nil ? [] : [("track", "left of the budget")]))
      if plan.flash.code == 0 {
        tag("p", ["class": "remark"]) { "Tables only: the code that reads them is not part of this estimate." }
      }
    }
  }

  private var flashParts: [Draw.Part] {
    [
      Draw.Part(style: "f-weights", title: "weights", amount: plan.flash.weights),
      Draw.Part(style: "f-requantizers", title: "requantizers", amount: plan.flash.requantizers),
      Draw.Part(style: "f-code", title: "code", amount: plan.flash.code),
    ].filter { $0.amount > 0 }
  }

  @MarkupBuilder private func budgetRow(
    _ name: String, _ parts: [Draw.Part], _ budget: Int?
  ) -> [Markup] {
    let used = parts.reduce(0) { $0 + $1.amount }
    let whole = max(used, budget ?? 0, 1)
    tag("span", ["class": "row-name"]) { name }
    Draw.picture(
      height: 22, label: "\(name): \(used) bytes" + (budget.map { " of \($0)" } ?? ""), class: "plot small"
    ) {
      Draw.stack(parts, of: whole, height: 22)
    }
    tag("span", ["class": "row-value"]) {
      tag("strong") { PageNumber.bytes(used) }
      if let budget {
        " of \(PageNumber.bytes(budget)): \(PageNumber.percent(used, of: budget)), "
          + (used <= budget
            ? "\(PageNumber.bytes(budget - used)) left" : "\(PageNumber.bytes(used - budget)) too many")
      }
    }
  }
}
