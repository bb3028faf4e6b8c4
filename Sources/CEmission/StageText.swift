import FirmwarePlanning
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
    if stage.foldedChannels > 0 {
      lines.append(
        "Left out, as constant or unused: \(stage.foldedChannels) of the trained "
          + "\(stage.foldedChannels + stage.outputShape.channels) channels.")
    }
    if let weights { lines.append(weights) }
    if let accumulators = stage.accumulators {
      lines.append(
        "Accumulators of levels lie in [\(accumulators.lowerBound), \(accumulators.upperBound)], partial sums included."
      )
    }
    if let requantizer = stage.layer.requantizer, let epilogue = stage.epilogue {
      lines.append(describe(requantizer, epilogue))
    }
    if let columns = stage.columns { lines.append(describe(columns)) }
    if let maps = stage.maps { lines.append(describe(maps)) }
    if let form = stage.channelsLast { lines.append(describe(form)) }
    if stage.maps == nil, let lanes = stage.ring.lanes {
      let sums = lanes.partTaps.map { "sums of \($0) taps at a time" } ?? "sums"
      lines.append(
        "Two lanes a word: columns x and x + \(lanes.distance), \(sums) lifted by \(lanes.lift), so that none is negative."
          + (stage.ring.pairsAsRead ? " Rows are bytes, and become words as they are read." : "")
          + (stage.ring.unpacksChannels && stage.window.hasPadding ? " Padding left and right is never stored." : ""))
    }
    lines.append("Input: levels 0...\(stage.input.maximumLevel)\(meaning(stage.input)), \(inputPlace).")
    lines.append("Output: \(outputMeaning), \(outputPlace).")
    return lines
  }

  private func describe(_ columns: Columns) -> String {
    let (width, slack) = (stage.accumulatorShape.width, stage.ring.slack * stage.ring.elementBytes)
    var text = "Sums of \(columns.areShort ? 16 : 32) bits, \(columns.sums) columns a row"
    if columns.sums > width { text += ": a whole number of vectors, of which \(width) columns count" }
    if slack > 0 { text += ". The \(slack) bytes behind the last row hold levels too, so that all sums are in range" }
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
    case .affine where stage.usesSharedConvolution || stage.maps != nil:
      return "Requantizer: (a * m + b) >> s, the shift s of each channel in its b\(proof)"
    case .affine where stage.channelsLast != nil:
      guard let scales = stage.channelsLast?.scales else { return "" }
      let product = scales.drop == 0 ? "a * m + b" : "(a * m >> \(scales.drop)) + b"
      return "Requantizer: (\(product)) >> \(scales.shift) of lifted sums a\(proof)"
    case .affine(_, _, let shift, _, _): return "Requantizer: (a * m + b) >> \(shift)\(arithmetic)\(proof)"
    case .halfEven(_, _, let shift, _, _):
      return "Requantizer: (a * m + b) / 2^\(shift)\(arithmetic) rounded half to even\(proof)"
    case .thresholds(let lists, let start):
      let isOne = lists.first?.isEmpty ?? true
      return "Requantizer: \(isOne ? "the level \(start)" : "thresholds")\(proof)"
    case .logits: return "Logits: a * m + b\(arithmetic), all in one scale."
    }
  }

  private func describe(_ maps: MapForm) -> String {
    let words =
      switch maps.kind {
      case .rows: "two columns a word, x and x + \(maps.lanes.distance)"
      case .channels: "four rows a word, a quarter of the rows apart"
      case .points: "four values a word"
      }
    return "Whole maps, one output channel after the other: \(words), sums lifted by \(maps.lanes.lift), so that none "
      + "is negative."
  }

  private func describe(_ form: ChannelsLast) -> String {
    "Whole maps, all channels of a position together. Two lanes a word: rows y and y + \(form.half), sums lifted by "
      + "\(form.lift), so that none is negative."
  }

  private func meaning(_ storage: Storage) -> String {
    storage.base == 0 ? "" : " (the integer \(storage.base < 0 ? "plus" : "minus") \(abs(storage.base)))"
  }

  private var outputMeaning: String {
    if stage.output.elementBytes == 4 { return "int32 logits" }
    if case .output = stage.destination { return "integers" }
    return "levels 0...\(stage.output.maximumLevel)\(meaning(stage.output))"
  }

  private var inputPlace: String {
    if let strip = stage.ring.strip {
      return "\(strip) word(s) of each channel at a time, in scratch memory at \(plan.ringOffset(of: stage))"
    }
    let buffer = plan.buffers[stage.ring.buffer]
    if stage.ring.isInPlace {
      let place = plan.stepInPlace(of: index) > 0 ? "the rows" : "the oldest row"
      return "a row in place of \(place) of \(plan.stages[index - 1].name), at \(buffer.offset)"
    }
    if let map = stage.ring.channelsLast {
      let channels = map.pixel == 1 ? "" : ", \(map.pixel) words a position"
      return "\(map.rows) rows of \(map.rowWords) words\(channels), at \(buffer.offset)"
    }
    if let channels = stage.ring.mapChannels {
      return "\(channels) map(s) of \(stage.ring.channelStride) bytes at \(buffer.offset)"
    }
    let what = buffer.kind == .tensor ? "all \(stage.ring.slots) row(s)" : "a ring of \(stage.ring.slots) row(s)"
    return "\(what) of \(stage.ring.rowBytes) bytes at \(buffer.offset)"
  }

  private var outputPlace: String {
    switch stage.destination {
    case .ring(let next): return "into the input of \(plan.stages[next].name)"
    case .result(let buffer): return "\(plan.buffers[buffer].bytes) bytes at \(plan.buffers[buffer].offset)"
    case .output: return "to the caller"
    }
  }
}
