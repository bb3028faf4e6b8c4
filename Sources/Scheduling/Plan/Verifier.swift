import Diagnostics

extension FirmwarePlan {
  /// What the emitted C relies on. Anything found is a defect of the compiler.
  package func problems() -> [Diagnostic] {
    var found: [Diagnostic] = []
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
      if !condition { found.append(.malformedPlan(message())) }
    }
    for (i, a) in buffers.enumerated() {
      require(a.offset >= 0 && a.offset + a.bytes <= canaryOffset, "buffer '\(a.name)' leaves the state")
      require(a.offset % ArenaAllocator.alignment == 0, "buffer '\(a.name)' is not aligned")
      for b in buffers[(i + 1)...] {
        require(!a.overlaps(b), "buffers '\(a.name)' and '\(b.name)' overlap while both live")
      }
    }
    require(fusionGroups.flatMap { Array($0) } == Array(stages.indices), "segments do not cover the stages in order")
    for (index, stage) in stages.enumerated() {
      let buffer = buffers[stage.lineBuffer.buffer]
      let fusionGroup = fusionGroup(of: index)
      if stage.lineBuffer.isInPlace {
        let maker = index > 0 ? stages[index - 1] : stage
        require(
          index > 0 && self.fusionGroup(of: index - 1) == fusionGroup
            && stage.lineBuffer.buffer == maker.lineBuffer.buffer
            && stage.lineBuffer.channelStride == maker.lineBuffer.channelStride
            && stage.lineBuffer.bytes <= maker.lineBuffer.rowBytes
            && stage.inputShape.width <= maker.inputShape.width && maker.widened != nil,
          "\(stage.name): its rows do not lie in place of others")
      } else if stage.lineBuffer.columnTile == nil {
        require(buffer.bytes == stage.lineBuffer.bytes, "\(stage.name): ring and buffer differ in size")
      } else {
        let end = scratch.columnTile + stage.lineBuffer.bytes
        require(end <= buffer.offset + buffer.bytes, "\(stage.name): strips leave the scratch memory")
        require(index > 0 && self.fusionGroup(of: index - 1) == fusionGroup, "\(stage.name): strips of another segment")
      }
      require(buffer.firstGroup <= fusionGroup && fusionGroup <= buffer.lastGroup, "\(stage.name): its input is dead")
      if index > 0 {
        require(
          buffer.firstGroup <= self.fusionGroup(of: index - 1), "\(stage.name): its input is written before it lives")
      }
      require(
        stage.lineBuffer.slots >= min(stage.windowRows, stage.inputShape.height),
        "\(stage.name): ring of \(stage.lineBuffer.slots) rows for a window of \(stage.windowRows)")
      if let widened = stage.widened {
        let end = scratch.accumulators + 4 * ((stage.accumulatorWords ?? 0) + widened.words)
        let memory = buffers[scratch.buffer]
        require(end <= memory.offset + memory.bytes, "\(stage.name): words leave the scratch memory")
      }
      require(
        stage.lineBuffer.paddingCode >= 0 && stage.lineBuffer.paddingCode <= stage.input.maximumCode,
        "\(stage.name): padding level \(stage.lineBuffer.paddingCode) outside 0...\(stage.input.maximumCode)")
      require(
        stage.input.maximumCode <= (stage.input.elementBytes == 1 ? 255 : 65535),
        "\(stage.name): level \(stage.input.maximumCode) does not fit its storage")
      require(tapOffsetBits == 32 || stage.lineBuffer.bytes < 0xFFFF, "\(stage.name): ring beyond tap offsets")
      if packsRows(of: index), case .dense = stage.work {
        require(false, "\(stage.name): a vector goes into rows of words")
      }
      if let lanes = stage.planes?.lanes, let epilogue = stage.epilogue {
        let guarded = epilogue.accumulators
        require(
          guarded.lowerBound + lanes.remainingGuardBias >= 0
            && guarded.upperBound + lanes.remainingGuardBias <= Int(UInt16.max),
          "\(stage.name): accumulators of its planes leave their lanes")
      }
      if let spread = stage.spreadPlane, case .lineBuffer(let next) = stage.destination {
        let lineBuffer = stages[next].lineBuffer
        require(
          (stage.outputShape.channels - 1) * lineBuffer.channelStride + spread.quarterBytes <= lineBuffer.bytes,
          "\(stage.name): rows behind its last map leave the buffer")
        require(
          spread.pitch
            >= max(stage.outputShape.width, stage.inputShape.width + max(stage.window.left, stage.window.right)),
          "\(stage.name): rows of words overlap")
        require(
          spread.rows * spread.pitch + (stage.inputShape.width + 3) / 4 <= spread.words,
          "\(stage.name): no room for a row of padding")
      }
      if let map = stage.lineBuffer.hwc, let problem = hwcProblem(of: index, map) {
        require(false, "\(stage.name): \(problem)")
      }
      if let columns = stage.columns {
        // The last window row's last channel begins a channel before the end of the rows.
        let read = (columns.sums - 1) * stage.window.strideWidth + stage.window.kernelWidth
        require(read <= stage.lineBuffer.channelStride + stage.lineBuffer.slack, "\(stage.name): sums leave the ring")
        require(
          columns.outputs * (stage.pool?.kernelWidth ?? 1) <= columns.sums
            && columns.outputs >= stage.outputShape.width, "\(stage.name): fewer sums than columns")
      }
      if let lanes = stage.lineBuffer.lanes, let epilogue = stage.epilogue {
        let guardBias = lanes.remainingGuardBias
        require(
          !stage.hasWordSums
            || epilogue.accumulators.lowerBound + guardBias >= 0
              && epilogue.accumulators.upperBound + guardBias < 1 << (stage.pool == nil ? 16 : 15),
          "\(stage.name): accumulators leave their lanes")
        if let taps = lanes.partTaps, case .convolution(let work) = stage.work {
          require(
            taps > 0 && taps % 4 == 0 && work.partsFit(taps, stage.input.maximumCode, guardBias: lanes.guardBias),
            "\(stage.name): sums of parts leave their lanes")
        }
        require(
          2 * lanes.outputs >= stage.accumulatorShape.width - (stage.pool?.kernelWidth ?? 1) + 1
            && lanes.distance == lanes.outputs * stage.window.strideWidth, "\(stage.name): lanes do not pair")
        require(
          index == 0 || stages[index - 1].outputWords.map { $0 == lanes.distance } ?? true,
          "\(stage.name): its words are not those that are made")
      }
      if let epilogue = stage.epilogue {
        require(
          Int32(exactly: epilogue.accumulators.lowerBound) != nil
            && Int32(exactly: epilogue.accumulators.upperBound) != nil,
          "\(stage.name): accumulators leave int32")
      }
      for problem in stage.columnProblems(pairedBy: index > 0 ? stages[index - 1] : nil) {
        require(false, "\(stage.name): \(problem)")
      }
    }
    // Rows are replayed only where they have places.
    if found.isEmpty { for problem in ScheduleReplay.problems(self) { require(false, problem) } }
    return found
  }
}

extension FirmwarePlan {
  /// What is wrong with a stage whose input's positions hold all channels.
  fileprivate func hwcProblem(of index: Int, _ map: HWCMap) -> String? {
    let stage = stages[index]
    if map.positionWords < stage.inputShape.channels { return "positions do not hold all channels" }
    guard let form = stage.hwc, let epilogue = stage.epilogue else {
      return map.isFilled || stage.window.hasPadding ? "a pool over padding" : nil
    }
    let window = stage.window
    // Of the last position's window, the last word's place behind the map's first.
    let row = (form.half - 1) * window.strideHeight + window.kernelHeight - 1
    let column = map.left - window.left + (stage.outputShape.width - 1) * window.strideWidth + window.kernelWidth - 1
    if map.left < window.left || row * map.rowWords + (column + 1) * map.positionWords > map.words {
      return "windows leave the map"
    }
    if 2 * form.half < stage.outputShape.height { return "fewer rows than the output has" }
    let guarded = epilogue.accumulators
    if guarded.lowerBound + form.guardBias < 0 || guarded.upperBound + form.guardBias > Int(Int16.max) {
      return "accumulators leave 15 bits"
    }
    guard case .lineBuffer(let next) = stage.destination, let target = stages[next].lineBuffer.hwc else {
      return "its planes go elsewhere"
    }
    if target.positionWords < form.scales.padded { return "output positions do not hold all channels" }
    guard stage.lineBuffer.buffer == stages[next].lineBuffer.buffer else { return nil }
    if case .taps? = stage.unrolled {
      // It replaces its windows' first words.
      return target.left == map.left - window.left && stages[next].window.top == 0 ? nil : "its output lies elsewhere"
    }
    return window.kernelHeight == 1 || stages[next].window.top == 0
      ? nil : "rows replace some that are still to be seen"
  }
}

extension ConvolutionWork {
  /// Whether the sums of every part of every channel, in any order, stay within a lane.
  fileprivate func partsFit(_ taps: Int, _ maximumCode: Int, guardBias: Int) -> Bool {
    weights.allSatisfy { weights in
      stride(from: 0, to: weights.count, by: taps).allSatisfy { start in
        let part = weights[start..<min(start + taps, weights.count)]
        let (plus, minus) = (part.count { $0 > 0 }, part.count { $0 < 0 })
        return minus * maximumCode <= guardBias && plus * maximumCode + guardBias <= Int(UInt16.max)
      }
    }
  }
}

extension Diagnostic {
  fileprivate static func malformedPlan(_ message: String) -> Diagnostic {
    Diagnostic(
      code: "internal-malformed-plan", message: message,
      fix: "this is a defect of sterna; please report it together with the model")
  }
}
