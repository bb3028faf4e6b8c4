import Scheduling

// What the other schedules would need.

extension ReportPage {
  var scheduleSection: Markup {
    let longest = (schedules.map(\.stateBytes) + [plan.input.bytes, budgets.ram ?? 0]).max() ?? 1
    return section(
      "RAM by schedule", id: "schedules",
      "Bytes of state for each --schedule, by what is alive when most is. The dashed line is the lower bound of its "
        + "segments."
    ) {
      tag("div", ["class": "rows"]) {
        for other in schedules {
          let isChosen = other.schedule == plan.schedule
          tag("span", ["class": isChosen ? "row-name chosen" : "row-name"]) {
            other.schedule.rawValue
            if isChosen { tag("span", ["class": "badge"]) { "chosen" } }
          }
          scheduleBar(other, longest)
          tag("span", ["class": "row-value"]) {
            tag("strong") { PageNumber.bytes(other.stateBytes) }
            " in \(other.fusionGroups.count) \(other.fusionGroups.count == 1 ? "segment" : "segments"), "
              + gap(other)
          }
        }
        tag("span", ["class": "row-name"]) { "input frame" }
        Draw.bar(
          Double(plan.input.bytes) / Double(longest), height: 22, class: "reference",
          label: "the input frame: \(PageNumber.bytes(plan.input.bytes))")
        tag("span", ["class": "row-value"]) {
          tag("strong") { PageNumber.bytes(plan.input.bytes) }
          " for comparison: rows can be pushed one by one"
        }
      }
      Draw.legend(
        plan.kinds.map { ($0.style, $0.title) }
          + [("rest", "canary and alignment"), ("line-bound", "lower bound")]
          + (budgets.ram == nil ? [] : [("line-budget", "--ram")]))
      tag("p", ["class": "remark"]) {
        "Whole tensors, layer by layer, would need \(PageNumber.bytes(wholeTensors)) at least: "
          + "the largest input and output of one layer together, "
          + "\(times(wholeTensors, plan.stateBytes)) this plan's state."
      }
    }
  }

  private func gap(_ plan: FirmwarePlan) -> String {
    let gap = plan.stateBytes - plan.lowerBoundBytes
    return gap == 0 ? "at the lower bound" : "\(PageNumber.bytes(gap)) above the lower bound"
  }

  private func scheduleBar(_ plan: FirmwarePlan, _ longest: Int) -> Markup {
    let live = plan.live(in: plan.peakGroup)
    var parts = plan.kinds.map { kind in
      Draw.Part(
        style: kind.style, title: kind.title, amount: live.filter { $0.kind == kind }.reduce(0) { $0 + $1.bytes })
    }
    let rest = plan.stateBytes - parts.reduce(0) { $0 + $1.amount }
    if rest < 0, let lineBuffers = parts.firstIndex(where: { $0.style == Buffer.Kind.lineBuffer.style }) {
      // Rows that take turns share their bytes.
      parts[lineBuffers].amount += rest
    }
    parts.append(Draw.Part(style: "rest", title: "canary and alignment", amount: max(rest, 0)))
    return Draw.picture(
      height: 22, label: "\(plan.schedule.rawValue): \(plan.stateBytes) bytes, lower bound \(plan.lowerBoundBytes)",
      class: "plot small"
    ) {
      Draw.stack(parts, of: longest, height: 22)
      Draw.vertical(x: Double(plan.lowerBoundBytes) / Double(longest), from: 0, to: 22, class: "line-bound")
      if let ram = budgets.ram {
        Draw.vertical(x: Double(ram) / Double(longest), from: 0, to: 22, class: "line-budget")
      }
    }
  }

  /// Input and output of the layer where they are largest together, in bytes.
  private var wholeTensors: Int {
    plan.contexts.map {
      $0.input.shape.count * $0.input.storage.elementBytes + $0.output.shape.count * $0.output.storage.elementBytes
    }.max() ?? 0
  }

  private func times(_ a: Int, _ b: Int) -> String {
    let tenths = Int((10 * Double(a) / Double(max(b, 1))).rounded())
    return tenths >= 100 ? "\(tenths / 10) times" : "\(tenths / 10).\(tenths % 10) times"
  }
}
