import TernaryIR

/// From drafts, whose forms are flags, to edges and operations, whose forms are values.
extension Scheduler {
  static func operations(_ stages: [Draft], _ variants: [any KernelVariant]) -> [Operation] {
    stages.indices.map { index in
      let stage = stages[index]
      return Operation(
        name: stage.name, layer: stage.layer, layers: stage.layers, inputs: [index], output: index + 1,
        variant: variants[index])
    }
  }

  static func edges(_ stages: [Draft], _ buffers: [Buffer], _ scratch: Scratch) -> [Edge] {
    stages.indices.map { edge(into: $0, stages, buffers, scratch) } + [lastEdge(stages, buffers)]
  }

  /// Bytes from one row to the next where rows lie in place of rows of a whole tensor; 0: all lie in the same place.
  private static func stepInPlace(_ stages: [Draft], _ index: Int) -> Int {
    guard let owner = stages[..<index].last(where: { !$0.lineBuffer.isInPlace }) else { return 0 }
    return owner.isSliding || owner.lineBuffer.slots == 1 ? 0 : owner.rowStep * owner.lineBuffer.rowBytes
  }

  private static func edge(into index: Int, _ stages: [Draft], _ buffers: [Buffer], _ scratch: Scratch) -> Edge {
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
        ? .inPlace(step: stepInPlace(stages, index))
        : lineBuffer.columnTile.map { .columnTile(words: $0) }
          ?? .rows(
            slots: lineBuffer.slots,
            lineBuffer.isLinear ? .linear(above: stage.window.top, step: stage.isSliding ? stage.rowStep : 0) : .modulo)
    return Edge(
      shape: stage.inputShape, storage: stage.input, layout: layout, residency: residency,
      producer: index > 0 ? index - 1 : nil, consumers: [index], told: stage.variant.firing.isToldOfRows ? [index] : [],
      buffer: lineBuffer.buffer,
      offset: lineBuffer.columnTile == nil ? buffers[lineBuffer.buffer].offset : scratch.columnTile)
  }

  private static func lastEdge(_ stages: [Draft], _ buffers: [Buffer]) -> Edge {
    let stage = stages[stages.count - 1]
    let shape = stage.outputShape
    guard case .result(let buffer) = stage.destination else {
      return Edge(
        shape: shape, storage: stage.output, layout: Layout(element: .i32, channelStride: 1, rowStride: shape.count),
        residency: .caller, producer: stages.count - 1, consumers: [], told: [], buffer: 0, offset: 0)
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
      residency: .result, producer: stages.count - 1, consumers: [], told: [], buffer: buffer,
      offset: buffers[buffer].offset)
  }
}

extension Draft {
  var geometry: Geometry {
    let pool: Geometry.Pool = pool.map { hasRunningMaximum ? .running($0) : .window($0) } ?? .none
    return Geometry(input: inputShape, window: window, sums: accumulatorShape, pool: pool, output: outputShape)
  }

  /// The way of computing that its flags stand for.
  var variant: any KernelVariant {
    switch work {
    case .maxPool: return MaxPoolRows(geometry: geometry)
    case .averagePool(let epilogue):
      let result = epilogue.map { PoolResult.requantized($0) } ?? .sums
      if lineBuffer.hwc != nil { return HWCAveragePool(geometry: geometry, result: result) }
      return hasRunningSum
        ? RunningAveragePool(geometry: geometry, result: result, sums: sumsBuffer)
        : AveragePoolRows(geometry: geometry, result: result)
    case .dense(let work):
      let terms = DenseTerms(
        weights: work.weights, element: work.areBytes ? .bytes : .packed, nonZeros: work.nonZeros,
        epilogue: work.epilogue, geometry: geometry)
      if hasRunningSum { return RunningDense(terms: terms, sums: sumsBuffer) }
      return destination == .output ? DenseOutput(terms: terms) : DenseRows(terms: terms)
    case .convolution(let work):
      let terms = ConvolutionTerms(
        weights: work.weights, groupChannels: work.groupChannels, outputsPerGroup: work.outputsPerGroup,
        nonZeros: work.nonZeros, epilogue: work.epilogue, geometry: geometry, constants: constants)
      let lanes = (lineBuffer.lanes ?? planes?.lanes).map {
        Lanes(
          distance: $0.distance, outputs: $0.outputs, guardBias: $0.guardBias,
          remainingGuardBias: $0.remainingGuardBias)
      }
      if let form = hwc {
        switch work.unrolled {
        case .taps(let taps, _)?: return HWCDepthwise(terms: terms, form: form, taps: taps)
        case .channelTiles(let tiles, _)?: return HWCTiles(terms: terms, form: form, tiles: tiles)
        case .columns?, nil: fatalError("no variant")
        }
      }
      if let planes = planes {
        guard let lanes, let scales = work.scales else { fatalError("no variant") }
        switch planes.kind {
        case .rows: return PlaneRows(terms: terms, lanes: lanes, scales: scales)
        case .points: return PlanePoints(terms: terms, lanes: lanes, scales: scales)
        case .channels:
          return PlaneChannels(terms: terms, lanes: lanes, scales: scales, spread: SpreadPlane(geometry))
        }
      }
      switch work.unrolled {
      case .channelTiles(let tiles, let columnTile)?:
        guard let lanes else { fatalError("no variant") }
        return UnrolledTiles(
          terms: terms, lanes: lanes, tiles: tiles, columnTile: columnTile,
          source: widened.map { .widened($0) } ?? .words,
          firing: columnTilesPerRow.map { .perColumnTile(tiles: $0) }
            ?? (hasRunningMaximum ? .perRow : .whenDue))
      case .taps(let taps, let areStatements)?:
        guard let lanes else { fatalError("no variant") }
        if !areStatements { return TapListDepthwise(terms: terms, lanes: lanes, taps: taps) }
        return UnrolledDepthwise(
          terms: terms, lanes: lanes, taps: taps,
          source: gatheredWindow.map { .gathered($0) } ?? (widensBytes ? .bytes : .words))
      case .columns(let tiles)?:
        guard let columns = columns else { fatalError("no variant") }
        return VectorColumns(terms: terms, tiles: tiles, vectors: columns)
      case nil:
        guard let lanes else { return PackedBytes(terms: terms) }
        if usesSharedConvolution, let scales = work.scales {
          return SharedPackedLanes(terms: terms, lanes: lanes, scales: scales)
        }
        return PackedLanes(
          terms: terms, lanes: lanes, sums: lineBuffer.lanes?.partTaps.map { .parts(taps: $0) } ?? .whole)
      }
    }
  }
}
