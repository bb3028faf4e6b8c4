import Scheduling
import TernaryIR

/// What the comment above a stage says.
struct StageText {
  let plan: FirmwarePlan
  let index: Int
  private var stage: Stage { plan.stages[index] }

  init(_ plan: FirmwarePlan, _ index: Int) {
    self.plan = plan
    self.index = index
  }

  var paragraphs: [String] {
    var lines = ["Stage \(index + 1) of \(plan.stages.count): \"\(stage.layer.name.inComment)\"", ""]
    lines.append("\(kind), \(stage.inputShape) -> \(stage.accumulatorShape).")
    if let pool = stage.pool {
      lines.append(
        "Max pool \(pool.kernelHeight)x\(pool.kernelWidth) of the accumulators -> \(stage.outputShape).")
    }
    if stage.deadChannels > 0 {
      lines.append(
        "Left out, as constant or unused: \(stage.deadChannels) of the trained "
          + "\(stage.deadChannels + stage.outputShape.channels) channels.")
    }
    if let weights { lines.append(weights) }
    if let accumulators = stage.accumulators {
      lines.append(
        "Accumulators of codes lie in [\(accumulators.lowerBound), \(accumulators.upperBound)], partial sums included."
      )
    }
    if let requantizer = stage.layer.requantizer, let epilogue = stage.epilogue {
      lines.append(describe(requantizer, epilogue))
    }
    if let columns = stage.columns { lines.append(describe(columns)) }
    if let planes = stage.planes { lines.append(describe(planes)) }
    if let form = stage.hwc { lines.append(describe(form)) }
    if stage.planes == nil, let lanes = stage.lineBuffer.lanes {
      let sums = lanes.partTaps.map { "sums of \($0) taps at a time" } ?? "sums"
      lines.append(
        "Two lanes a word: columns x and x + \(lanes.distance), \(sums) biased by \(lanes.guardBias), so that none is negative."
          + (stage.lineBuffer.widensOnLoad ? " Rows are bytes, and become words as they are read." : "")
          + (stage.lineBuffer.gathersWindow && stage.window.hasPadding
            ? " Padding left and right is never stored." : ""))
    }
    lines.append("Input: codes 0...\(stage.input.maximumCode)\(meaning(stage.input)), \(inputPlace).")
    lines.append("Output: \(outputMeaning), \(outputPlace).")
    return lines
  }

  private func describe(_ columns: Columns) -> String {
    let (width, slack) = (stage.accumulatorShape.width, stage.lineBuffer.slack * stage.lineBuffer.elementBytes)
    var text = "Sums of \(columns.areShort ? 16 : 32) bits, \(columns.sums) columns a row"
    if columns.sums > width { text += ": a whole number of vectors, of which \(width) columns count" }
    if slack > 0 { text += ". The \(slack) bytes behind the last row hold codes too, so that all sums are in range" }
    return text + "."
  }

  private var kind: String {
    let window = stage.window
    var text: String
    switch stage.layer.kind {
    case .convolution(let convolution):
      text = convolution.isDepthwise ? "Depthwise convolution" : "Convolution"
      if convolution.groups > 1, !convolution.isDepthwise { text += " in \(convolution.groups) groups" }
    case .dense: return "Dense layer"
    case .maxPool: text = "Max pool"
    case .averagePool: text = "Average pool"
    }
    text += " \(window.kernelHeight)x\(window.kernelWidth)"
    if window.strideHeight != 1 || window.strideWidth != 1 {
      text += ", stride \(window.strideHeight)x\(window.strideWidth)"
    }
    if window.hasPadding {
      text += ", padding \(window.top) \(window.left) \(window.bottom) \(window.right) (top, left, bottom, right)"
    }
    return text
  }

  private var weights: String? {
    let (taps, outputs, nonZeros): (Int, Int, Int)
    switch stage.work {
    case .convolution(let work): (taps, outputs, nonZeros) = (work.taps, work.weights.count, work.nonZeros)
    case .dense(let work): (taps, outputs, nonZeros) = (work.taps, work.weights.count, work.nonZeros)
    case .maxPool, .averagePool: return nil
    }
    let zeros = taps * outputs - nonZeros
    return "\(taps * outputs) weights, \(zeros) of them zero (\(100 * zeros / max(taps * outputs, 1)) %)."
  }

  private func describe(_ requantizer: Requantizer, _ epilogue: Epilogue) -> String {
    let pairs = requantizer.proof.pairs
    // A network that came as text has been proven by nobody.
    let proof = pairs == 0 ? "." : ", exact for all \(pairs) reachable accumulators."
    let arithmetic = !epilogue.fits32 ? " in 64 bits" : epilogue.limits.isEmpty ? "" : " of a within its limits"
    switch epilogue.form {
    case .affine where stage.usesSharedConvolution || stage.planes != nil:
      return "Requantizer: (a * m + b) >> s, the shift s of each channel in its b\(proof)"
    case .affine where stage.hwc != nil:
      guard let scales = stage.hwc?.scales else { return "" }
      let product = scales.drop == 0 ? "a * m + b" : "(a * m >> \(scales.drop)) + b"
      return "Requantizer: (\(product)) >> \(scales.shift) of biased sums a\(proof)"
    case .affine(_, _, let shift, _, _): return "Requantizer: (a * m + b) >> \(shift)\(arithmetic)\(proof)"
    case .halfEven(_, _, let shift, _, _):
      return "Requantizer: (a * m + b) / 2^\(shift)\(arithmetic) rounded half to even\(proof)"
    case .thresholds(let lists, let start):
      let isOne = lists.first?.isEmpty ?? true
      return "Requantizer: \(isOne ? "the code \(start)" : "thresholds")\(proof)"
    case .logits: return "Logits: a * m + b\(arithmetic), all in one scale."
    }
  }

  private func describe(_ planes: PlaneForm) -> String {
    let words =
      switch planes.kind {
      case .rows: "two columns a word, x and x + \(planes.lanes.distance)"
      case .channels: "four rows a word, a quarter of the rows apart"
      case .points: "four values a word"
      }
    return
      "Whole planes, one output channel after the other: \(words), sums biased by \(planes.lanes.guardBias), so that none "
      + "is negative."
  }

  private func describe(_ form: HWCForm) -> String {
    "Whole maps, all channels of a position together (HWC). Two lanes a word: rows y and y + \(form.half), sums biased by "
      + "\(form.guardBias), so that none is negative."
  }

  private func meaning(_ storage: Storage) -> String {
    storage.base == 0 ? "" : " (the integer \(storage.base < 0 ? "plus" : "minus") \(abs(storage.base)))"
  }

  private var outputMeaning: String {
    if stage.output.elementBytes == 4 { return "int32 logits" }
    if case .output = stage.destination { return "integers" }
    return "codes 0...\(stage.output.maximumCode)\(meaning(stage.output))"
  }

  private var inputPlace: String {
    if let columnTile = stage.lineBuffer.columnTile {
      return "\(columnTile) word(s) of each channel at a time, in scratch memory at \(plan.lineBufferOffset(of: stage))"
    }
    let buffer = plan.buffers[stage.lineBuffer.buffer]
    if stage.lineBuffer.isInPlace {
      let place = plan.stepInPlace(of: index) > 0 ? "the rows" : "the oldest row"
      return "a row in place of \(place) of \(plan.stages[index - 1].name), at \(buffer.offset)"
    }
    if let map = stage.lineBuffer.hwc {
      let channels = map.positionWords == 1 ? "" : ", \(map.positionWords) words a position"
      return "\(map.rows) rows of \(map.rowWords) words\(channels), at \(buffer.offset)"
    }
    if let channels = stage.lineBuffer.planeChannels {
      return "\(channels) map(s) of \(stage.lineBuffer.channelStride) bytes at \(buffer.offset)"
    }
    let what =
      buffer.kind == .tensor
      ? "all \(stage.lineBuffer.slots) row(s)" : "a line buffer of \(stage.lineBuffer.slots) row(s)"
    return "\(what) of \(stage.lineBuffer.rowBytes) bytes at \(buffer.offset)"
  }

  private var outputPlace: String {
    switch stage.destination {
    case .lineBuffer(let next): return "into the input of \(plan.stages[next].name)"
    case .result(let buffer): return "\(plan.buffers[buffer].bytes) bytes at \(plan.buffers[buffer].offset)"
    case .output: return "to the caller"
    }
  }
}
