import Scheduling

// What the other options would give, side by side.

extension ReportPage {
  var choiceSection: Markup {
    section(
      "Choices", id: "choices",
      "\(plan.core.hasInstructionCounts ? "Instructions of one inference, " : "")RAM and flash with other options, predicted for a \(plan.core.title). "
        + "Bars compare the rows of a column."
    ) {
      dataTable(
        ["optimize, schedule"] + (plan.core.hasInstructionCounts ? ["instructions"] : []) + ["RAM", "flash"],
        differing.map(choiceRow))
    }
  }

  private var differing: [Choice] { choices.differing }

  private func choiceRow(_ choice: Choice) -> [[Markup]] {
    let name = "--optimize \(choice.goal.rawValue) --schedule \(choice.plan.schedule.rawValue)"
    var title: [Markup] = [tag("strong") { "\(choice.goal.rawValue), \(choice.plan.schedule.rawValue)" }]
    if choice.isChosen { title.append(tag("span", ["class": "badge"]) { "chosen" }) }
    func cell(_ value: (Choice) -> Int, _ unit: String) -> [Markup] {
      let largest = differing.map(value).max() ?? 1
      return [
        tag("span", ["class": "number"]) { PageNumber.grouped(value(choice)) },
        Draw.bar(
          Double(value(choice)) / Double(max(largest, 1)), height: 9, class: choice.isChosen ? "bar" : "other",
          label: "\(name): \(PageNumber.grouped(value(choice))) \(unit)"),
      ]
    }
    let instructions = plan.core.hasInstructionCounts ? [cell(\.instructions, "instructions")] : []
    return [title] + instructions
      + [cell(\.plan.stateBytes, "bytes of RAM"), cell(\.plan.flash.bytes, "bytes of flash")]
  }
}
