import Diagnostics
import Scheduling
import TernaryIR
import TestSupport
import Testing

@testable import Sterna

@Suite struct ReportPageTests {
  /// The built-in model with the default options; a page takes a while in a debug build, so all tests share it.
  private static let compilation = Result { try Compilation(BuiltInModel.model, PlanningOptions(name: "har")) }
  private static let page = Result { try ReportPage(compilation.get(), samples: 1).html }

  @Test func isWellFormedAndAlone() throws {
    let page = try Self.page.get()
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(Page(page).problems == [])
    for foreign in ["<script", "<link", "<img", "<iframe", "href=", "src=", "url(", "@import", "http:", "https:"] {
      #expect(!page.contains(foreign), "\(foreign)")
    }
  }

  @Test func isTheSameEveryTime() throws {
    #expect(try ReportPage(Self.compilation.get(), samples: 1).html == Self.page.get())
  }

  @Test func saysWhatThePlanSays() throws {
    let compilation = try Self.compilation.get()
    let plan = compilation.plan
    let report = Report(compilation)
    let page = Page(try Self.page.get())

    #expect(page.figures["RAM"] == "\(plan.stateBytes) B")
    #expect(page.figures["Instructions"] == report.predictedInstructions.map { "\($0)" })
    #expect(page.figures["Flash"] == "\(plan.flash.bytes) B")
    #expect(page.figures["Weights"] == "\(report.layers.reduce(0) { $0 + $1.weights })")
    #expect(page.figures["Additions"] == "\(report.layers.reduce(0) { $0 + $1.additions })")
    #expect(page.figures["Exactness"] == "0 exceptions")

    let buffers = page.tables[0].map { [$0[0], $0[2], $0[3]] }
    #expect(Set(buffers) == Set(plan.buffers.map { [$0.name, "\($0.offset)", "\($0.bytes)"] }))

    func shown(_ number: Int) -> String { number == 0 ? "–" : "\(number)" }
    let choices = try compilation.choices()
    #expect(page.tables[1].count <= choices.count)
    let marked = try #require(page.tables[1].first { $0[0].contains("chosen") })
    #expect(marked[1] == report.predictedInstructions.map { "\($0)" })
    #expect(marked[2] == "\(plan.stateBytes)")
    #expect(marked[3] == "\(plan.flash.bytes)")
    for choice in choices {
      let isShown = page.tables[1].contains {
        $0[1...3] == ["\(choice.instructions)", "\(choice.plan.stateBytes)", "\(choice.plan.flash.bytes)"]
      }
      #expect(isShown, "\(choice.goal), \(choice.plan.schedule)")
    }
    for (row, layer) in zip(page.tables[2], report.layers) {
      #expect(row[0].hasPrefix(layer.identifier))
      #expect(row[2].hasPrefix(shown(layer.additions)))
      #expect(row[3].hasPrefix(shown(layer.predictedInstructions ?? 0)))
      #expect(row[4].hasPrefix(shown(layer.predictedFlashBytes)))
      #expect(row[5].hasPrefix("\(layer.ringBytes)"))
    }
    let totals = try #require(page.tables[2].last)
    #expect(totals[2] == "\(report.layers.reduce(0) { $0 + $1.additions })")
    #expect(totals[3] == "\(report.layers.reduce(0) { $0 + ($1.predictedInstructions ?? 0) })")
    #expect(totals[4] == "\(report.layers.reduce(0) { $0 + $1.predictedFlashBytes })")

    let proven = page.tables[3].map { [$0[0], $0[6], $0[7]] }
    #expect(proven == report.layers.compactMap { layer in layer.pairs.map { [layer.identifier, "\($0)", "0"] } })

    for schedule in PlanningOptions.Schedule.allCases {
      let other = try Scheduler.plan(compilation.reduced.network, PlanningOptions(name: "har", schedule: schedule))
      #expect(
        page.labels.contains(
          "\(schedule.rawValue): \(other.stateBytes) bytes, lower bound \(other.lowerBoundBytes)"))
    }
  }

  @Test func showsBudgets() throws {
    let compilation = try Self.compilation.get()
    let state = compilation.plan.stateBytes
    let page = try Page(ReportPage(compilation, budgets: .init(ram: state + 24, flash: 2), samples: 0).html)
    #expect(page.problems == [])
    #expect(page.text.contains("\(state) B of \(state + 24) B"))
    #expect(page.text.contains("24 B left"))
    #expect(page.text.contains("B too many"))
    #expect(page.text.contains("No samples were run"))
  }

  @Test func namesFromTheModelStayText() throws {
    let hostile = [
      "</title></svg><script>alert(1)</script>", "\" onload=\"alert(1)", "' x='", "<!--", "]]>", "&lt;b&gt;",
      "\u{0}\u{1B}[31m\u{202E}evil\u{2066}", String(repeating: "w<", count: 5000), "</style>",
    ]
    var compilation = try Self.compilation.get()
    for index in compilation.plan.operations.indices {
      compilation.plan.operations[index].layer.name = hostile[index % hostile.count] + "\(index)"
      // The planner makes identifiers; the page does not rely on that.
      compilation.plan.operations[index].name = hostile[index % hostile.count]
      compilation.plan.buffers[index].name = hostile[index % hostile.count]
    }
    compilation.provenance.modelFile = hostile.joined()
    compilation.provenance.options = hostile[0]
    compilation.warnings = hostile.map {
      Diagnostic(.warning, code: "hostile", location: .init(node: $0), message: $0, fix: $0)
    }
    let page = try ReportPage(compilation, samples: 0).html
    #expect(Page(page).problems == [])
    #expect(!page.contains("<script"))
    #expect(!page.contains("<!--"))
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    for scalar in ["\u{0}", "\u{1B}", "\u{202E}", "\u{2066}"] as [Unicode.Scalar] {
      #expect(!page.unicodeScalars.contains(scalar))
    }
  }

  /// Networks of many shapes: the page holds together, and nothing observed lies outside of what is proven.
  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func holdsForRandomNetworks(seed: UInt64) throws {
    let schedules = PlanningOptions.Schedule.allCases
    let compilation = try Compilation(
      network: RandomNetwork.make(seed: seed),
      PlanningOptions(name: "random", schedule: schedules[Int(seed) % schedules.count]))
    let page = try ReportPage(compilation, samples: 2)
    #expect(Page(page.html).problems == [])
    #expect(page.observations.samples == 2)
    for (stage, observed) in zip(compilation.plan.stages, page.observations.layers) {
      guard let proven = stage.variant.accumulators, let observed else { continue }
      #expect(proven.contains(observed.range.lowerBound) && proven.contains(observed.range.upperBound), "\(stage.name)")
      #expect(observed.counts.values.reduce(0, +) == 2 * stage.variant.geometry.sums.count)
    }
  }

  @Test func rowsComeWhenTheirWindowsAreFull() throws {
    let plan = try Self.compilation.get().plan
    let flow = RowFlow(plan)
    // 7x7 with three rows of padding, pooled by two: the first row after five; the last ones need nothing that has not
    // come.
    #expect(flow.readyAfter[0].prefix(2) == [5, 7])
    #expect(flow.readyAfter[0].suffix(4) == [61, 63, 64, 64])
    // 3x3 with a row of padding behind it.
    #expect(flow.readyAfter[1].prefix(2) == [7, 9])
    for (stage, ready) in zip(plan.stages, flow.readyAfter) {
      #expect(ready.count == stage.outputShape.height)
      #expect(ready == ready.sorted())
    }
  }

  @Test func timelineCoversItsWidth() throws {
    for schedule in PlanningOptions.Schedule.allCases {
      let network = try Self.compilation.get().network
      let plan = try Scheduler.plan(network, PlanningOptions(name: "har", schedule: schedule))
      let spans = Timeline(plan).spans
      #expect(spans.count == plan.fusionGroups.count)
      #expect(spans.first?.lowerBound == 0)
      #expect(abs((spans.last?.upperBound ?? 0) - 1) < 1e-9)
      #expect(spans.allSatisfy { $0.upperBound - $0.lowerBound > 0.05 })
    }
  }

  @Test func numbersAreWrittenAlikeEverywhere() {
    #expect(PageNumber.grouped(0) == "0")
    #expect(PageNumber.grouped(-1_234_567) == "\u{2212}1\u{202F}234\u{202F}567")
    #expect(PageNumber.percent(1, of: 3) == "33.3\u{A0}%")
    #expect(PageNumber.percent(1, of: 100_000) == "<\u{202F}0.1\u{A0}%")
    #expect(PageNumber.percent(99_999, of: 100_000) == "99.9\u{A0}%")
    #expect(PageNumber.percent(5, of: 0) == "0\u{A0}%")
    #expect(PageNumber.coordinate(-0.25) == "-0.25")
    #expect(PageNumber.coordinate(12.5) == "12.5")
    #expect(PageNumber.coordinate(3.046) == "3.05")
    #expect(PageNumber.coordinate(0.001) == "0")
  }

  @Test func logarithmicScaleMeetsTheLimitsOfIntegers() {
    #expect(SignedLogScale.share(0) == 0.5)
    #expect(SignedLogScale.share(Int(Int32.max)) == 1)
    #expect(SignedLogScale.share(Int(Int32.min)) == 0)
    #expect(SignedLogScale.share(127) == 0.5 + 7.0 / 62)
    #expect(SignedLogScale.share(-32767) == 0.5 - 15.0 / 62)
  }

  @Test func histogramKeepsEveryCount() {
    for high in [0, 1, 47, 48, 49, 1000] {
      let values = Dictionary(uniqueKeysWithValues: (-5...high).map { ($0, $0 + 6) })
      let histogram = Histogram(values, -5...high)
      #expect(histogram.counts.count <= 48)
      #expect(histogram.counts.reduce(0, +) == values.values.reduce(0, +))
      #expect(histogram.values(of: 0).lowerBound == -5)
    }
  }
}

/// A page taken apart by a reader as plain as it can be, which shares nothing with the writer.
private struct Page {
  private(set) var problems: [String] = []
  /// Everything between tags, narrow blanks taken out of numbers.
  private(set) var text = ""
  /// Headline figures by name.
  private(set) var figures: [String: String] = [:]
  /// Cells of all table rows but the heads.
  private(set) var tables: [[[String]]] = []
  /// What pictures say of themselves.
  private(set) var labels: [String] = []

  private var open: [String] = []
  private var figureName = ""
  private var span = ""

  init(_ page: String) {
    var rest = Substring(page.replacing("\u{202F}", with: "").replacing("\u{A0}", with: " "))
    while let start = rest.firstIndex(of: "<") {
      take(text: String(rest[..<start]))
      var end = rest.index(after: start)
      var isQuoted = false
      while end < rest.endIndex, isQuoted || rest[end] != ">" {
        if rest[end] == "\"" { isQuoted.toggle() }
        if rest[end] == "<" { problems.append("< within a tag") }
        end = rest.index(after: end)
      }
      guard end < rest.endIndex else {
        problems.append("a tag does not end")
        return
      }
      take(tag: String(rest[rest.index(after: start)..<end]))
      rest = rest[rest.index(after: end)...]
    }
    take(text: String(rest))
    if !open.isEmpty { problems.append("left open: \(open)") }
  }

  private mutating func take(tag: String) {
    if tag == "!DOCTYPE html" { return }
    let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
    guard !name.isEmpty else {
      problems.append("a tag without a name: \(tag.prefix(40))")
      return
    }
    if tag.hasPrefix("/") {
      if open.last == name { open.removeLast() } else { problems.append("</\(name)> in \(open)") }
      return
    }
    if let label = tag.firstRange(of: "aria-label=\"") {
      labels.append(String(tag[label.upperBound...].prefix { $0 != "\"" }))
    }
    let parts = tag.split(separator: "\"", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() where index % 2 == 0 && index + 1 < parts.count {
      if part.last != "=" { problems.append("an attribute without =: \(tag.prefix(40))") }
      if part.drop(while: { $0 == " " }).lowercased().hasPrefix("on") { problems.append("a handler: \(part)") }
    }
    if parts.count % 2 == 0 { problems.append("odd quotes: \(tag.prefix(40))") }
    switch name {
    case "tbody": tables.append([])
    case "tr": if open.last == "tbody" { tables[tables.count - 1].append([]) }
    case "td": tables[tables.count - 1][tables[tables.count - 1].count - 1].append("")
    default: break
    }
    span = name == "span" ? tag : ""
    if !tag.hasSuffix("/") { open.append(name) }
  }

  private mutating func take(text piece: String) {
    if open.last == "style" { return }
    var rest = Substring(piece)
    while let start = rest.firstIndex(of: "&") {
      let entity = rest[start...].prefix { $0 != ";" }
      if !["&amp", "&lt", "&gt", "&quot", "&#39"].contains(String(entity)) { problems.append("bare &: \(entity)") }
      rest = rest[start...].dropFirst()
    }
    text += piece
    // Tooltips are not part of what a cell shows.
    guard open.last != "title" else { return }
    let piece = piece.replacing("\n", with: "")
    if open.contains("td") {
      let (table, row) = (tables.count - 1, tables[tables.count - 1].count - 1)
      tables[table][row][tables[table][row].count - 1] += piece
    }
    if span.contains("class=\"name\""), !piece.isEmpty { figureName = piece }
    if span.contains("class=\"value\""), !piece.isEmpty { figures[figureName] = piece }
  }
}
