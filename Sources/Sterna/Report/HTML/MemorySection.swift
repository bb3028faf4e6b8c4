import Scheduling

// The state's bytes, from the first segment to the last, and below it when each layer makes its rows.

extension ReportPage {
  var memorySection: Markup {
    section(
      "Memory over time", id: "memory",
      "Left to right: the segments as they run, each as wide as the rows that it reads. Bottom to top: the bytes "
        + "of the state. What stands above one another lives together, rows side by side in one segment take turns, and "
        + "places that are free again are used again."
    ) {
      tag("div", ["class": "timeline"]) {
        memoryAxis
        memoryMap
      }
      Draw.legend(
        plan.kinds.map { ($0.style, $0.title) }
          + [
            ("track", "not in use"),
            ("line-bound", "lower bound of these buffers, \(PageNumber.bytes(plan.lowerBoundBytes))"),
          ])
      tag("h3") { "Rows through the layers" }
      tag("p", ["class": "lead"]) {
        "A stroke for every row that a layer makes, at the moment when the rows of its window have arrived."
      }
      tag("div", ["class": "timeline lanes"]) { lanes }
      tag("details") {
        tag("summary") { "All \(plan.buffers.count) buffers" }
        bufferTable
      }
    }
  }

  // MARK: Map

  private static let planeHeight = 380.0
  private static let bandHeight = 48.0
  private static var pictureHeight: Int { Int(planeHeight + bandHeight) + 8 }

  /// Height of a byte in the picture.
  private func y(_ bytes: Int) -> Double {
    Self.bandHeight + Self.planeHeight * (1 - Double(bytes) / Double(plan.stateBytes))
  }

  /// Round steps, about five of them, and the state's end.
  private var ticks: [Int] {
    var step = 16
    while plan.stateBytes / step > 6 { step *= 2 }
    let round = stride(from: 0, to: plan.stateBytes, by: step).filter { y($0) - y(plan.stateBytes) > 16 }
    return round + [plan.stateBytes]
  }

  private var memoryAxis: Markup {
    tag("svg", ["class": "plot axis", "width": "100%", "height": "\(Self.pictureHeight)", "aria-hidden": "true"]) {
      Draw.text("live", x: 0.92, y: 33, anchor: .end, class: "label quiet")
      for tick in ticks {
        Draw.text(
          PageNumber.grouped(tick), x: 0.92, y: y(tick) + 4, anchor: .end,
          class: tick == plan.stateBytes ? "label strong" : "label")
      }
    }
  }

  private var memoryMap: Markup {
    let timeline = Timeline(plan)
    let fusionGroups = plan.fusionGroups.count == 1 ? "one segment" : "\(plan.fusionGroups.count) segments"
    return Draw.picture(
      height: Self.pictureHeight,
      label:
        "Memory map: \(plan.stateBytes) bytes of state over \(fusionGroups), lower bound \(plan.lowerBoundBytes) bytes"
    ) {
      Draw.rectangle(x: 0, width: 1, y: Self.bandHeight, height: Self.planeHeight, class: "track")
      for tick in ticks { Draw.horizontal(y: y(tick), class: "grid") }
      for index in plan.buffers.indices { block(index, timeline) }
      for (number, span) in timeline.spans.enumerated() {
        tag(
          "svg",
          [
            "x": PageNumber.share(span.lowerBound), "width": PageNumber.share(span.upperBound - span.lowerBound),
            "height": "48",
          ]
        ) {
          Draw.tooltip(groupTooltip(number))
          Draw.text("S\(number + 1)", x: 0.5, y: 15, anchor: .middle, class: "label strong")
          Draw.text(PageNumber.grouped(plan.liveBytes(in: number)), x: 0.5, y: 33, anchor: .middle)
        }
        if number > 0 {
          Draw.vertical(x: span.lowerBound, from: 4, to: Self.bandHeight + Self.planeHeight, class: "line-segment")
        }
      }
      Draw.horizontal(y: y(plan.lowerBoundBytes), class: "line-bound")
    }
  }

  /// A buffer, as long as it lives and as high as it is large. A picture within the picture clips its text.
  private func block(_ index: Int, _ timeline: Timeline) -> Markup {
    let buffer = plan.buffers[index]
    let life = timeline.span(buffer.firstGroup, buffer.lastGroup)
    // Side by side: they take turns with every row.
    let turns = plan.turns(with: index)
    let share = (life.upperBound - life.lowerBound) / Double(turns.count)
    let start = life.lowerBound + share * Double(turns.firstIndex(of: index) ?? 0)
    let span = start..<(start + share)
    let top = y(buffer.offset + buffer.bytes)
    let height = max(y(buffer.offset) - top, 1.5)
    let slots = plan.reader(of: index)?.slots ?? 1
    let rowHeight = height / Double(slots)
    return tag(
      "svg",
      [
        "class": "\(buffer.kind.style) block", "x": PageNumber.share(span.lowerBound),
        "width": PageNumber.share(span.upperBound - span.lowerBound), "y": PageNumber.coordinate(top),
        "height": PageNumber.coordinate(height),
      ]
    ) {
      Draw.tooltip(description(index))
      tag("rect", ["class": "block", "width": "100%", "height": "100%"])
      if slots > 1, rowHeight >= 5 {
        for slot in 1..<slots { Draw.horizontal(y: rowHeight * Double(slot), class: "slot") }
      }
      if height >= 15 {
        tag(
          "text",
          [
            "class": "label inside", "x": "7",
            "y": PageNumber.coordinate(min((rowHeight >= 15 ? rowHeight : height) / 2, 40) + 4),
          ]
        ) {
          buffer.name
          tag("tspan", ["class": "quiet", "dx": "8"]) { PageNumber.bytes(buffer.bytes) }
        }
      }
    }
  }

  private func description(_ index: Int) -> String {
    let buffer = plan.buffers[index]
    var text = "\(buffer.name): "
    if let lineBuffer = plan.reader(of: index) {
      text +=
        "\(lineBuffer.slots) \(lineBuffer.slots == 1 ? "row" : "rows") of \(PageNumber.bytes(lineBuffer.layout.rowBytes)), "
    }
    text += "\(PageNumber.bytes(buffer.bytes)) at \(PageNumber.grouped(buffer.offset)), "
    return text + "\(buffer.kind.title), \(life(buffer))"
  }

  private func life(_ buffer: Buffer) -> String {
    buffer.firstGroup == buffer.lastGroup
      ? "S\(buffer.firstGroup + 1)" : "S\(buffer.firstGroup + 1) to S\(buffer.lastGroup + 1)"
  }

  private func groupTooltip(_ number: Int) -> String {
    let names = plan.contexts[plan.fusionGroups[number]].map(\.name).joined(separator: ", ")
    return "segment \(number + 1): \(names); \(PageNumber.bytes(plan.liveBytes(in: number))) live"
  }

  private var bufferTable: Markup {
    let order = plan.buffers.indices.sorted {
      (plan.buffers[$0].offset, plan.buffers[$0].firstGroup) < (
        plan.buffers[$1].offset, plan.buffers[$1].firstGroup
      )
    }
    return dataTable(
      ["buffer", "kind", "offset", "bytes", "rows", "lives in"],
      order.map { index in
        let buffer = plan.buffers[index]
        let rows = plan.reader(of: index).map { "\($0.slots) × \(PageNumber.bytes($0.layout.rowBytes))" }
        return [
          [.text(buffer.name)], [.text(buffer.kind.title)], [.text(PageNumber.grouped(buffer.offset))],
          [.text(PageNumber.grouped(buffer.bytes))], [.text(rows ?? "–")], [.text(life(buffer))],
        ]
      })
  }

  // MARK: Rows

  @MarkupBuilder private var lanes: [Markup] {
    let timeline = Timeline(plan)
    let flow = RowFlow(plan)
    let first = plan.contexts[0].input.shape.height
    tag("span", ["class": "lane-name"]) { "input" }
    lane(
      timeline.spans[0], ready: Array(1...first), of: first, class: "lane input",
      label: "\(first) input rows, as the sensor delivers them")
    for (index, stage) in plan.contexts.enumerated() {
      let fusionGroup = plan.fusionGroup(of: index)
      let rows = plan.contexts[plan.fusionGroups[fusionGroup].lowerBound].input.shape.height
      let ready = flow.readyAfter[index]
      let count = stage.output.shape.height == 1 ? "1 row" : "\(stage.output.shape.height) rows"
      tag("span", ["class": "lane-name", "title": stage.layer.name.shortened()]) { stage.name }
      lane(
        timeline.spans[fusionGroup], ready: ready, of: rows, class: "lane",
        label:
          "\(stage.name) makes \(count); the first after row \(ready.first ?? 0) of \(rows) of segment \(fusionGroup + 1)"
      )
    }
  }

  private func lane(
    _ span: Range<Double>, ready: [Int], of rows: Int, class style: String, label: String
  ) -> Markup {
    // Rows that fall on the same place are drawn once: a picture needs no more strokes than it has pixels.
    var path = ""
    var last = -1
    for row in ready {
      let x = Int((1000 * (Double(row) - 0.5) / Double(rows)).rounded())
      if x != last { path += "M\(x) 0v10" }
      last = x
    }
    return Draw.picture(height: 14, label: label, class: "plot small") {
      Draw.rectangle(x: 0, width: 1, y: 6.5, height: 1, class: "rail")
      tag(
        "svg",
        [
          "x": PageNumber.share(span.lowerBound), "width": PageNumber.share(span.upperBound - span.lowerBound),
          "height": "14", "viewBox": "0 0 1000 10", "preserveAspectRatio": "none",
        ]
      ) {
        Draw.tooltip(label)
        tag("rect", ["class": "track", "width": "1000", "height": "10"])
        tag("path", ["class": style, "d": path])
      }
    }
  }
}
