import TernaryIR

extension Context {
  /// What the comment above an operation says.
  package var comment: [String] {
    let (geometry, window) = (variant.geometry, variant.geometry.window)
    var lines = ["Stage \(index + 1) of \(plan.operations.count): \"\(layer.name.inComment)\"", ""]
    let shapes = inputs.map { "\($0.shape)" }.joined(separator: ", ")
    lines.append("\(kind(window)), \(shapes) -> \(geometry.sums).")
    if geometry.isPooled {
      lines.append("Max pool \(geometry.poolHeight)x\(geometry.poolWidth) of the accumulators -> \(geometry.output).")
    }
    if operation.deadChannels > 0 {
      lines.append(
        "Left out, as constant or unused: \(operation.deadChannels) of the trained "
          + "\(operation.deadChannels + geometry.output.channels) channels.")
    }
    if let weights = layer.ternaryWeights {
      let zeros = weights.count { $0 == 0 }
      lines.append("\(weights.count) weights, \(zeros) of them zero (\(100 * zeros / max(weights.count, 1)) %).")
    }
    if let range = variant.accumulators {
      lines.append(
        "Accumulators of codes lie in [\(range.lowerBound), \(range.upperBound)], partial sums included.")
    }
    lines += variant.summary(self)
    for (place, edge) in inputs.enumerated() {
      let which = inputs.count > 1 ? " \(place + 1)" : ""
      let codes = "codes 0...\(edge.storage.maximumCode)\(Self.meaning(edge.storage))"
      lines.append("Input\(which): \(codes), \(self.place(edge)).")
    }
    lines.append("Output: \(outputMeaning), \(outputPlace).")
    return lines
  }

  private func kind(_ window: Window) -> String {
    var text: String
    switch layer.kind {
    case .convolution(let convolution):
      text = convolution.isDepthwise ? "Depthwise convolution" : "Convolution"
      if convolution.groups > 1, !convolution.isDepthwise { text += " in \(convolution.groups) groups" }
    case .dense: return "Dense layer"
    case .maxPool: text = "Max pool"
    case .averagePool: text = "Average pool"
    case .add: return "Addition"
    case .concatenate: return "Concatenation"
    case .slice(let slice) where slice.count == variant.geometry.input.channels: return "Copy"
    case .slice(let slice) where slice.count == 1: return "Slice of channel \(slice.first)"
    case .slice(let slice): return "Slice of channels \(slice.first) to \(slice.first + slice.count - 1)"
    case .resize(let resize): return "Nearest neighbours, each value \(resize.rows)x\(resize.columns) times"
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

  private static func meaning(_ storage: Storage) -> String {
    storage.base == 0 ? "" : " (the integer \(storage.base < 0 ? "plus" : "minus") \(abs(storage.base)))"
  }

  private var outputMeaning: String {
    if output.storage.elementBytes == 4 { return "int32 logits" }
    if output.residency == .caller { return "integers" }
    return "codes 0...\(output.storage.maximumCode)\(Self.meaning(output.storage))"
  }

  private func place(_ input: Edge) -> String {
    let layout = input.layout
    switch input.residency {
    case .columnTile(let words):
      return "\(words) word(s) of each channel at a time, in scratch memory at \(input.offset)"
    case .inPlace(let step):
      let owner = input.producer.map { Context(plan, $0).name } ?? ""
      return "a row in place of \(step > 0 ? "the rows" : "the oldest row") of \(owner), at \(input.offset)"
    case .whole, .result, .caller:
      if let map = input.hwc {
        let channels = map.positionWords == 1 ? "" : ", \(map.positionWords) words a position"
        return "\(map.rows) rows of \(map.rowWords) words\(channels), at \(input.offset)"
      }
      return "\(input.shape.channels) map(s) of \(layout.channelStride) bytes at \(input.offset)"
    case .rows(let slots, _):
      let isTensor = plan.buffers[input.buffer].kind == .tensor
      let what = isTensor ? "all \(slots) row(s)" : "a line buffer of \(slots) row(s)"
      return "\(what) of \(layout.rowBytes) bytes at \(input.offset)"
    }
  }

  private var outputPlace: String {
    switch output.residency {
    case .caller: "to the caller"
    case .result: "\(output.bytes) bytes at \(output.offset)"
    case .rows, .whole, .columnTile, .inPlace:
      "into the input of \(successors.map(\.name).joined(separator: " and "))"
    }
  }
}

extension String {
  /// Text of a user's file, safe inside a C comment: printable ASCII without comment marks, line splices or trigraphs.
  package var inComment: String {
    String(
      map { character in
        let isSafe =
          character.isASCII && (character.isLetter || character.isNumber || "_.:/+-()[]=, ".contains(character))
        return isSafe ? character : "_"
      })
  }
}
