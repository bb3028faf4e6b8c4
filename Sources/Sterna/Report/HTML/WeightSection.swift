import Scheduling
import TernaryIR

// Shares of −1, 0 and +1, and the weights themselves: they are small enough to be looked at.

extension ReportPage {
  var weightSection: Markup {
    section(
      "Weights", id: "weights", "Shares of −1, 0 and +1 in each layer, and the weights as pictures. Zeros cost no time."
    ) {
      Draw.legend([("minus", "−1"), ("zero", "0"), ("plus", "+1")])
      tag("div", ["class": "rows"]) {
        for stage in plan.contexts {
          if let weights = stage.layer.ternaryWeights { shares(stage.name, weights) }
        }
      }
      tag("h3") { "What they look like" }
      tag("div", ["class": "gallery"]) {
        for stage in plan.contexts {
          if let picture = WeightPicture(stage) { figure(stage.name, picture) }
        }
      }
    }
  }

  @MarkupBuilder private func shares(_ name: String, _ weights: [Int8]) -> [Markup] {
    let minus = weights.count { $0 < 0 }
    let zero = weights.count { $0 == 0 }
    let plus = weights.count - minus - zero
    tag("span", ["class": "row-name"]) { name }
    Draw.picture(
      height: 22, label: "\(name): \(minus) times −1, \(zero) times 0, \(plus) times +1", class: "plot small"
    ) {
      Draw.stack(
        [
          Draw.Part(style: "minus", title: "−1", amount: minus), Draw.Part(style: "zero", title: "0", amount: zero),
          Draw.Part(style: "plus", title: "+1", amount: plus),
        ], of: max(weights.count, 1), height: 22, unit: "")
      // Where there is room for it.
      if minus * 8 > weights.count {
        Draw.text(PageNumber.percent(minus, of: weights.count), x: 0.01, y: 15.5, class: "label on-fill")
      }
      if plus * 8 > weights.count {
        Draw.text(PageNumber.percent(plus, of: weights.count), x: 0.99, y: 15.5, anchor: .end, class: "label on-fill")
      }
    }
    tag("span", ["class": "row-value"]) {
      tag("strong") { PageNumber.percent(zero, of: weights.count) }
      " zeros of \(PageNumber.grouped(weights.count)) weights"
    }
  }

  private func figure(_ name: String, _ picture: WeightPicture) -> Markup {
    tag("figure") {
      tag("figcaption") {
        tag("strong") { name }
        " \(picture.caption)"
      }
      tag(
        "svg",
        [
          "class": "weights", "width": "\(picture.width * picture.scale)",
          "viewBox": "0 0 \(picture.width) \(picture.height)", "role": "img",
          "aria-label": "weights of \(name): \(picture.caption)",
        ]
      ) {
        tag("path", ["class": "zero", "d": picture.zero])
        tag("path", ["class": "minus", "d": picture.minus])
        tag("path", ["class": "plus", "d": picture.plus])
      }
    }
  }
}

/// Weights as pixels: a tile for each kernel, output channels downwards, input channels to the right; kernels of a
/// single input channel in lines of eight or sixteen.
struct WeightPicture {
  private(set) var width = 0
  private(set) var height = 0
  private(set) var minus = ""
  private(set) var zero = ""
  private(set) var plus = ""
  let caption: String
  /// Pixels of a weight, where there is room.
  var scale: Int { max(2, min(8, 520 / max(width, 1))) }

  /// Most weights that are drawn.
  private static let limit = 6000

  /// nil where the layer has no weights, or kernels too large for a picture.
  init?(_ stage: Context) {
    let weights: [Int8]
    let (outputs, inputs, rows, columns): (Int, Int, Int, Int)
    switch stage.layer.kind {
    case .convolution(let convolution):
      weights = convolution.weights
      (outputs, inputs) = (convolution.outputChannels, convolution.groupChannels)
      (rows, columns) = (convolution.window.kernelHeight, convolution.window.kernelWidth)
    case .dense(let dense):
      weights = dense.weights
      (outputs, inputs) = (dense.outputs, stage.input.shape.channels)
      (rows, columns) = (stage.input.shape.height, stage.input.shape.width)
    case .maxPool, .averagePool, .add, .concatenate, .slice, .resize: return nil
    }
    let kernel = rows * columns
    let shownInputs = min(inputs, 128, Self.limit / kernel)
    guard shownInputs > 0 else { return nil }
    let shownOutputs = max(1, min(outputs, Self.limit / (kernel * shownInputs)))
    let gap = kernel > 1 ? 1 : 0
    let perLine = inputs > 1 ? shownInputs : shownOutputs > 32 ? 16 : 8
    let size = kernel > 1 ? "\(rows)×\(columns)" : "1×1"
    let isWhole = shownOutputs == outputs && shownInputs == inputs
    caption =
      "\(outputs)×\(inputs) kernels of \(size)" + (isWhole ? "" : ", the first \(shownOutputs)×\(shownInputs) of them")
    for output in 0..<shownOutputs {
      for input in 0..<shownInputs {
        let tile = inputs == 1 ? output : output * perLine + input
        let left = tile % perLine * (columns + gap)
        let top = tile / perLine * (rows + gap)
        width = max(width, left + columns)
        height = max(height, top + rows)
        let start = (output * inputs + input) * kernel
        for row in 0..<rows {
          draw(weights[(start + row * columns)..<(start + (row + 1) * columns)], x: left, y: top + row)
        }
      }
    }
  }

  /// Runs of equal weights, each a rectangle of its path.
  private mutating func draw(_ row: ArraySlice<Int8>, x: Int, y: Int) {
    var start = row.startIndex
    while start < row.endIndex {
      var end = start
      while end < row.endIndex, row[end] == row[start] { end += 1 }
      let run = "M\(x + start - row.startIndex) \(y)h\(end - start)v1h-\(end - start)z"
      if row[start] < 0 { minus += run } else if row[start] > 0 { plus += run } else { zero += run }
      start = end
    }
  }
}
