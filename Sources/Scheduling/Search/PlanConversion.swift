import TernaryIR

/// From drafts, whose forms are flags, to edges and operations, whose forms are values.
extension FirmwarePlan {
  mutating func addGraph() {
    edges = stages.indices.map { edge(into: $0) } + [lastEdge]
    operations = stages.indices.map { index in
      let stage = stages[index]
      return Operation(
        name: stage.name, layer: stage.layer, layers: stage.layers, inputs: [index], output: index + 1,
        variant: variant(of: index))
    }
  }

  private func edge(into index: Int) -> Edge {
    let stage = stages[index]
    let lineBuffer = stage.lineBuffer
    var layout = Layout(
      element: .u8, left: lineBuffer.left, right: lineBuffer.right, paddingCode: lineBuffer.paddingCode,
      channelStride: lineBuffer.channelStride, rowStride: lineBuffer.rowStride, tailBytes: lineBuffer.tailBytes,
      slack: lineBuffer.slack)
    if let map = lineBuffer.hwc {
      (layout.element, layout.order) = (.swar2(distance: map.distance), .hwc(map))
    } else if lineBuffer.planeChannels != nil {
      layout.order = .planes
    } else if let distance = lineBuffer.fourLanes {
      layout.element = .swar4(distance: distance)
    } else if lineBuffer.holdsWords, let lanes = lineBuffer.lanes {
      layout.element = .swar2(distance: lanes.distance)
    } else if lineBuffer.elementBytes == 2 {
      layout.element = stage.input.elementBytes == 2 ? .u16 : .i16
    }
    let residency: Edge.Residency =
      lineBuffer.hwc != nil || lineBuffer.planeChannels != nil
      ? .whole
      : lineBuffer.isInPlace
        ? .inPlace(step: stepInPlace(of: index))
        : lineBuffer.columnTile.map { .columnTile(words: $0) }
          ?? .rows(
            slots: lineBuffer.slots,
            lineBuffer.isLinear ? .linear(above: stage.window.top, step: stage.isSliding ? stage.rowStep : 0) : .modulo)
    return Edge(
      shape: stage.inputShape, storage: stage.input, layout: layout, residency: residency,
      producer: index > 0 ? index - 1 : nil, consumers: [index], buffer: lineBuffer.buffer,
      offset: lineBufferOffset(of: stage))
  }

  private var lastEdge: Edge {
    let stage = stages[stages.count - 1]
    let shape = stage.outputShape
    guard case .result(let buffer) = stage.destination else {
      return Edge(
        shape: shape, storage: stage.output, layout: Layout(element: .i32, channelStride: 1, rowStride: shape.count),
        residency: .caller, producer: stages.count - 1, consumers: [], buffer: 0, offset: 0)
    }
    let element: Layout.Element =
      switch stage.output.elementBytes {
      case 1: .u8
      case 2: .u16
      default: .i32
      }
    return Edge(
      shape: shape, storage: stage.output,
      layout: Layout(
        element: element, order: .planes, channelStride: shape.height * shape.width, rowStride: shape.width),
      residency: .result, producer: stages.count - 1, consumers: [], buffer: buffer, offset: buffers[buffer].offset)
  }

  private func variant(of index: Int) -> (any KernelVariant)? {
    let stage = stages[index]
    let pool: Geometry.Pool = stage.pool.map { stage.hasRunningMaximum ? .running($0) : .window($0) } ?? .none
    let geometry = Geometry(
      input: stage.inputShape, window: stage.window, sums: stage.accumulatorShape, pool: pool, output: stage.outputShape
    )
    let sums = RunningSums(offset: buffers[stage.sumsBuffer].offset, buffer: stage.sumsBuffer)
    switch stage.work {
    case .maxPool: return MaxPoolRows(geometry: geometry)
    case .averagePool(let epilogue):
      let result = epilogue.map { PoolResult.requantized($0) } ?? .sums
      if stage.lineBuffer.hwc != nil { return HWCAveragePool(geometry: geometry, result: result) }
      return stage.hasRunningSum
        ? RunningAveragePool(geometry: geometry, result: result, sums: sums)
        : AveragePoolRows(geometry: geometry, result: result)
    case .dense(let work):
      let terms = DenseTerms(
        weights: work.weights, element: work.areBytes ? .bytes : .packed, nonZeros: work.nonZeros,
        epilogue: work.epilogue, geometry: geometry)
      if stage.hasRunningSum { return RunningDense(terms: terms, sums: sums) }
      return stage.destination == .output ? DenseOutput(terms: terms) : DenseRows(terms: terms)
    case .convolution(let work):
      let terms = ConvolutionTerms(
        weights: work.weights, groupChannels: work.groupChannels, outputsPerGroup: work.outputsPerGroup,
        nonZeros: work.nonZeros, epilogue: work.epilogue, geometry: geometry, constants: stage.constants)
      let lanes = (stage.lineBuffer.lanes ?? stage.planes?.lanes).map {
        Lanes(
          distance: $0.distance, outputs: $0.outputs, guardBias: $0.guardBias,
          remainingGuardBias: $0.remainingGuardBias)
      }
      if let form = stage.hwc {
        switch work.unrolled {
        case .taps(let taps, _)?: return HWCDepthwise(terms: terms, form: form, taps: taps)
        case .channelTiles(let tiles, _)?: return HWCTiles(terms: terms, form: form, tiles: tiles)
        case .columns?, nil: return nil
        }
      }
      if let planes = stage.planes {
        guard let lanes, let scales = work.scales else { return nil }
        switch planes.kind {
        case .rows: return PlaneRows(terms: terms, lanes: lanes, scales: scales)
        case .points: return PlanePoints(terms: terms, lanes: lanes, scales: scales)
        case .channels:
          return PlaneChannels(terms: terms, lanes: lanes, scales: scales, spread: SpreadPlane(stage))
        }
      }
      switch work.unrolled {
      case .channelTiles(let tiles, let columnTile)?:
        guard let lanes else { return nil }
        return UnrolledTiles(
          terms: terms, lanes: lanes, tiles: tiles, columnTile: columnTile,
          source: stage.widened.map { .widened(WidenedWindow($0)) } ?? .words,
          firing: stage.columnTilesPerRow.map { .perColumnTile(tiles: $0) }
            ?? (stage.hasRunningMaximum ? .perRow : .whenDue))
      case .taps(let taps, let areStatements)?:
        guard let lanes else { return nil }
        if !areStatements { return TapListDepthwise(terms: terms, lanes: lanes, taps: taps) }
        return UnrolledDepthwise(
          terms: terms, lanes: lanes, taps: taps,
          source: stage.gatheredWindow.map { .gathered(WidenedWindow($0)) } ?? (stage.widensBytes ? .bytes : .words))
      case .columns(let tiles)?:
        guard let columns = stage.columns else { return nil }
        return VectorColumns(terms: terms, tiles: tiles, columns: columns)
      case nil:
        guard let lanes else { return PackedBytes(terms: terms) }
        if stage.usesSharedConvolution, let scales = work.scales {
          return SharedPackedLanes(terms: terms, lanes: lanes, scales: scales)
        }
        return PackedLanes(
          terms: terms, lanes: lanes, sums: stage.lineBuffer.lanes?.partTaps.map { .parts(taps: $0) } ?? .whole)
      }
    }
  }
}

extension WidenedWindow {
  fileprivate init(_ window: Stage.WidenedWindow) {
    self.init(rows: window.rows, channels: window.channels, width: window.width, kept: window.kept)
  }
}
