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
    require(segments.flatMap { Array($0) } == Array(stages.indices), "segments do not cover the stages in order")
    for (index, stage) in stages.enumerated() {
      let buffer = buffers[stage.ring.buffer]
      let segment = segment(of: index)
      if stage.ring.isInPlace {
        let maker = index > 0 ? stages[index - 1] : stage
        require(
          index > 0 && self.segment(of: index - 1) == segment && stage.ring.buffer == maker.ring.buffer
            && stage.ring.channelStride == maker.ring.channelStride && stage.ring.bytes <= maker.ring.rowBytes
            && stage.inputShape.width <= maker.inputShape.width && maker.unpacked != nil,
          "\(stage.name): its rows do not lie in place of others")
      } else if stage.ring.strip == nil {
        require(buffer.bytes == stage.ring.bytes, "\(stage.name): ring and buffer differ in size")
      } else {
        let end = scratch.strip + stage.ring.bytes
        require(end <= buffer.offset + buffer.bytes, "\(stage.name): strips leave the scratch memory")
        require(index > 0 && self.segment(of: index - 1) == segment, "\(stage.name): strips of another segment")
      }
      require(buffer.firstSegment <= segment && segment <= buffer.lastSegment, "\(stage.name): its input is dead")
      if index > 0 {
        require(
          buffer.firstSegment <= self.segment(of: index - 1), "\(stage.name): its input is written before it lives")
      }
      require(
        stage.ring.slots >= min(stage.reach, stage.inputShape.height),
        "\(stage.name): ring of \(stage.ring.slots) rows for a window of \(stage.reach)")
      if let unpacked = stage.unpacked {
        let end = scratch.accumulators + 4 * ((stage.accumulatorWords ?? 0) + unpacked.words)
        let memory = buffers[scratch.buffer]
        require(end <= memory.offset + memory.bytes, "\(stage.name): words leave the scratch memory")
      }
      require(
        stage.ring.paddingLevel >= 0 && stage.ring.paddingLevel <= stage.input.maximumLevel,
        "\(stage.name): padding level \(stage.ring.paddingLevel) outside 0...\(stage.input.maximumLevel)")
      require(
        stage.input.maximumLevel <= (stage.input.elementBytes == 1 ? 255 : 65535),
        "\(stage.name): level \(stage.input.maximumLevel) does not fit its storage")
      require(tapOffsetBits == 32 || stage.ring.bytes < 0xFFFF, "\(stage.name): ring beyond tap offsets")
      if pairsRows(of: index), case .dense = stage.work {
        require(false, "\(stage.name): a vector goes into rows of words")
      }
      if let lanes = stage.maps?.lanes, let epilogue = stage.epilogue {
        let lifted = epilogue.accumulators
        require(
          lifted.lowerBound + lanes.remainingLift >= 0 && lifted.upperBound + lanes.remainingLift <= Int(UInt16.max),
          "\(stage.name): accumulators of its maps leave their lanes")
      }
      if let spread = stage.spreadMap, case .ring(let next) = stage.destination {
        let ring = stages[next].ring
        require(
          (stage.outputShape.channels - 1) * ring.channelStride + spread.quarterBytes <= ring.bytes,
          "\(stage.name): rows behind its last map leave the buffer")
        require(
          spread.rows * spread.pitch + (stage.inputShape.width + 3) / 4 <= spread.words,
          "\(stage.name): no room for a row of padding")
      }
      if let map = stage.ring.channelsLast, let problem = channelsLastProblem(of: index, map) {
        require(false, "\(stage.name): \(problem)")
      }
      if let columns = stage.columns {
        // The last window row's last channel begins a channel before the end of the rows.
        let read = (columns.sums - 1) * stage.window.strideWidth + stage.window.kernelWidth
        require(read <= stage.ring.channelStride + stage.ring.slack, "\(stage.name): sums leave the ring")
        require(
          columns.outputs * (stage.pool?.kernelWidth ?? 1) <= columns.sums
            && columns.outputs >= stage.outputShape.width, "\(stage.name): fewer sums than columns")
      }
      if let lanes = stage.ring.lanes, let epilogue = stage.epilogue {
        let lift = lanes.remainingLift
        require(
          !stage.hasWordSums
            || epilogue.accumulators.lowerBound + lift >= 0
              && epilogue.accumulators.upperBound + lift < 1 << (stage.pool == nil ? 16 : 15),
          "\(stage.name): accumulators leave their lanes")
        if let taps = lanes.partTaps, case .convolution(let work) = stage.work {
          require(
            taps > 0 && taps % 4 == 0 && work.partsFit(taps, stage.input.maximumLevel, lift: lanes.lift),
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
  fileprivate func channelsLastProblem(of index: Int, _ map: ChannelsLastMap) -> String? {
    let stage = stages[index]
    if map.pixel < stage.inputShape.channels { return "positions do not hold all channels" }
    guard let form = stage.channelsLast, let epilogue = stage.epilogue else {
      return map.isFilled || stage.window.hasPadding ? "a pool over padding" : nil
    }
    let window = stage.window
    // Of the last position's window, the last word's place behind the map's first.
    let row = (form.half - 1) * window.strideHeight + window.kernelHeight - 1
    let column = map.left - window.left + (stage.outputShape.width - 1) * window.strideWidth + window.kernelWidth - 1
    if map.left < window.left || row * map.rowWords + (column + 1) * map.pixel > map.words {
      return "windows leave the map"
    }
    if 2 * form.half < stage.outputShape.height { return "fewer rows than the output has" }
    let lifted = epilogue.accumulators
    if lifted.lowerBound + form.lift < 0 || lifted.upperBound + form.lift > Int(Int16.max) {
      return "accumulators leave 15 bits"
    }
    guard case .ring(let next) = stage.destination, let target = stages[next].ring.channelsLast else {
      return "its maps go elsewhere"
    }
    if target.pixel < form.scales.padded { return "output positions do not hold all channels" }
    guard stage.ring.buffer == stages[next].ring.buffer else { return nil }
    if case .taps? = stage.code {
      // It replaces its windows' first words.
      return target.left == map.left - window.left && stages[next].window.top == 0 ? nil : "its output lies elsewhere"
    }
    return window.kernelHeight == 1 || stages[next].window.top == 0
      ? nil : "rows replace some that are still to be seen"
  }
}

extension ConvolutionWork {
  /// Whether the sums of every part of every channel, in any order, stay within a lane.
  fileprivate func partsFit(_ taps: Int, _ maximumLevel: Int, lift: Int) -> Bool {
    weights.allSatisfy { packed in
      stride(from: 0, to: packed.count, by: taps / 4).allSatisfy { start in
        let bytes = packed[start..<min(start + taps / 4, packed.count)]
        let minus = bytes.reduce(0) { $0 + ($1 & $1 >> 1 & 0x55).nonzeroBitCount }
        let plus = bytes.reduce(0) { $0 + ($1 & 0x55).nonzeroBitCount } - minus
        return minus * maximumLevel <= lift && plus * maximumLevel + lift <= Int(UInt16.max)
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
