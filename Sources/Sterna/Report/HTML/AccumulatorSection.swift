import Scheduling

// How far sums can go, against the widths of integers, and how far they go on samples.

extension ReportPage {
  var accumulatorSection: Markup {
    section(
      "Accumulators", id: "accumulators",
      "What sums can reach, proven for every input, on a logarithmic scale against the limits of integers. "
        + observedLead
    ) {
      Draw.legend(
        [("proven", "proven range")] + (observations.samples > 0 ? [("observed", "observed on samples")] : [])
          + [("line-limit", "limits of int8, int16, int32")])
      tag("div", ["class": "rows"]) {
        tag("span", ["class": "row-name"]) { "" }
        scale
        tag("span", ["class": "row-value"]) { "" }
        for (index, stage) in plan.contexts.enumerated() {
          if let range = provenRange(index) { rangeRow(stage.name, range, observations.layers[index]?.range) }
        }
      }
      if observations.samples > 0 {
        tag("h3") { "Observed sums" }
        tag("p", ["class": "lead"]) {
          "From the smallest to the largest sum that occurred; heights are square roots of counts, so that rare sums "
            + "are seen."
        }
        tag("div", ["class": "gallery small"]) {
          for (index, stage) in plan.contexts.enumerated() {
            if let layer = observations.layers[index] { histogram(stage.name, layer, provenRange(index)) }
          }
        }
      }
    }
  }

  private var observedLead: String {
    observations.samples > 0
      ? "Inside: the sums of \(observations.samples) seeded sample "
        + "\(observations.samples == 1 ? "input" : "inputs") (noise and blobs; not your data)."
      : "No samples were run: the network is too large for a quick look."
  }

  /// Sums of levels that a stage can reach; nil of a max pool.
  private func provenRange(_ index: Int) -> ClosedRange<Int>? {
    let stage = plan.contexts[index]
    if let accumulators = stage.variant.accumulators { return accumulators }
    guard case .averagePool = stage.layer.kind else { return nil }
    return 0...stage.output.storage.maximumCode
  }

  // MARK: Ranges

  private var scale: Markup {
    tag("svg", ["class": "plot small", "width": "100%", "height": "20", "aria-hidden": "true"]) {
      for (bits, name) in [(8, "int8"), (16, "int16"), (32, "int32")] {
        let high = SignedLogScale.share(Int(1) << (bits - 1))
        let isEdge = bits == 32
        Draw.text("−\(name)", x: 1 - high, y: 14, anchor: isEdge ? .start : .middle, class: "label quiet")
        Draw.text(name, x: high, y: 14, anchor: isEdge ? .end : .middle, class: "label quiet")
      }
      Draw.text("0", x: 0.5, y: 14, anchor: .middle, class: "label quiet")
    }
  }

  @MarkupBuilder private func rangeRow(
    _ name: String, _ proven: ClosedRange<Int>, _ observed: ClosedRange<Int>?
  ) -> [Markup] {
    tag("span", ["class": "row-name"]) { name }
    Draw.picture(
      height: 22,
      label: "\(name): sums proven within \(proven.lowerBound) and \(proven.upperBound)"
        + (observed.map { ", observed within \($0.lowerBound) and \($0.upperBound)" } ?? ""), class: "plot small"
    ) {
      Draw.rectangle(x: 0, width: 1, y: 0, height: 22, class: "track")
      rangeBar(proven, y: 4, height: 14, class: "proven", title: "proven")
      if let observed { rangeBar(observed, y: 8, height: 6, class: "observed", title: "observed") }
      for bits in [8, 16] {
        let high = SignedLogScale.share(Int(1) << (bits - 1))
        Draw.vertical(x: high, from: 0, to: 22, class: "line-limit")
        Draw.vertical(x: 1 - high, from: 0, to: 22, class: "line-limit")
      }
      Draw.vertical(x: 0.5, from: 0, to: 22, class: "line-zero")
    }
    tag("span", ["class": "row-value"]) {
      tag("strong") { Self.width(of: proven) }
      " \(PageNumber.range(proven))"
    }
  }

  private func rangeBar(_ range: ClosedRange<Int>, y: Double, height: Double, class style: String, title: String)
    -> Markup
  {
    let low = SignedLogScale.share(range.lowerBound)
    let high = SignedLogScale.share(range.upperBound)
    return Draw.rectangle(
      x: low, width: max(high - low, 0.004), y: y, height: height, class: style,
      tooltip: "\(title): \(PageNumber.range(range))")
  }

  /// The narrowest type that holds a range.
  private static func width(of range: ClosedRange<Int>) -> String {
    let ends = [range.lowerBound, range.upperBound]
    if ends.allSatisfy({ Int8(exactly: $0) != nil }) { return "int8" }
    if range.lowerBound >= 0, range.upperBound <= 255 { return "uint8" }
    if ends.allSatisfy({ Int16(exactly: $0) != nil }) { return "int16" }
    if range.lowerBound >= 0, range.upperBound <= 65535 { return "uint16" }
    return "int32"
  }

  // MARK: Histograms

  private func histogram(_ name: String, _ layer: Observations.Layer, _ proven: ClosedRange<Int>?) -> Markup {
    let bins = Histogram(layer.counts, layer.range)
    let largest = Double(bins.counts.max() ?? 1).squareRoot()
    let height = 72.0
    let total = bins.counts.reduce(0, +)
    return tag("figure") {
      tag("figcaption") { tag("strong") { name } }
      Draw.picture(
        height: Int(height),
        label: "\(name): \(total) sums between \(layer.range.lowerBound) and \(layer.range.upperBound)",
        class: "plot small"
      ) {
        for (index, count) in bins.counts.enumerated() where count > 0 {
          let tall = max(height * Double(count).squareRoot() / largest, 1)
          Draw.rectangle(
            x: Double(index) / Double(bins.counts.count), width: 0.9 / Double(bins.counts.count), y: height - tall,
            height: tall, class: "observed",
            tooltip: "\(PageNumber.range(bins.values(of: index))): \(PageNumber.grouped(count))")
        }
        Draw.horizontal(y: height - 0.5, class: "grid")
      }
      tag("p", ["class": "ends"]) {
        tag("span") { PageNumber.grouped(layer.range.lowerBound) }
        tag("span") { PageNumber.grouped(layer.range.upperBound) }
      }
      if let proven {
        tag("p", ["class": "note"]) {
          "\(PageNumber.percent(layer.range.count, of: proven.count)) of the proven range"
        }
      }
    }
  }
}

/// Shares of an axis from −2^31 to 2^31, logarithmic to both sides of zero. Between powers of two it is straight, so
/// that no mathematical library has a say in the page's bytes.
enum SignedLogScale {
  static func share(_ value: Int) -> Double {
    let magnitude = Double(value.magnitude) + 1
    let logarithm = Double(magnitude.exponent) + magnitude.significand - 1
    let half = min(logarithm / 31, 1) / 2
    return value < 0 ? 0.5 - half : 0.5 + half
  }
}

/// Counts in at most 48 bins of equal width.
struct Histogram {
  private(set) var counts: [Int]
  private let low: Int
  private let binWidth: Int

  init(_ values: [Int: Int], _ range: ClosedRange<Int>) {
    low = range.lowerBound
    binWidth = (range.count + 47) / 48
    counts = [Int](repeating: 0, count: (range.count + binWidth - 1) / binWidth)
    for (value, count) in values { counts[(value - low) / binWidth] += count }
  }

  func values(of bin: Int) -> ClosedRange<Int> { (low + bin * binWidth)...(low + (bin + 1) * binWidth - 1) }
}
