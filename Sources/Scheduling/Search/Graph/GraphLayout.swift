import TernaryIR

extension GraphScheduler {
  // MARK: Layouts

  private func needs(of tensor: Int, _ choice: [Int]) -> [EdgeNeed] {
    guard let known = graph.tensors[tensor] else { return [] }
    return known.consumers.flatMap { site in
      graph.sites[site].inputs.indices.filter { graph.sites[site].inputs[$0] == tensor }.map {
        ways[site][choice[site]].needs[$0]
      }
    }
  }

  /// How a tensor's rows are stored, so that all that read it find what they need; nil where they do not agree, or where
  /// it is not made like that.
  func layout(of tensor: Int, _ choice: [Int]) -> Layout? {
    guard let known = graph.tensors[tensor] else { return nil }
    let needs = needs(of: tensor, choice)
    let (shape, form) = (known.shape, needs.first?.form ?? .bytes)
    let padding = Set(needs.compactMap(\.padding))
    guard needs.allSatisfy({ $0.form == form }), padding.count <= 1 else { return nil }
    let (left, right) = (needs.map(\.left).max() ?? 0, needs.map(\.right).max() ?? 0)
    if needs.contains(where: \.isExact), left + right > 0 { return nil }
    var layout = Layout(
      element: .u8, left: left, right: right, paddingCode: padding.first ?? 0, channelStride: 0, rowStride: 0)
    switch form {
    case .sums:
      layout.element = .u16
      layout.channelStride = shape.width + left + right
      layout.rowStride = layout.channelStride * shape.channels
    case .bytes:
      let areShared = left + right > 0 && needs.allSatisfy { $0.sharesHalo || $0.left + $0.right == 0 }
      layout.channelStride = shape.width + (areShared ? max(left, right) : left + right)
      layout.rowStride = layout.channelStride * shape.channels
      // Words of four bytes move, and are filled.
      if !needs.contains(where: \.isExact) { layout.rowStride = ArenaAllocator.rounded(layout.rowStride) }
      let reach = needs.map { left - $0.left + $0.reach }.max() ?? 0
      let last = (shape.channels - 1) * layout.channelStride + max(reach, areShared ? left + shape.width + right : 0)
      layout.tailBytes = ArenaAllocator.rounded(max(0, last - layout.rowStride))
    case .words(let distance):
      layout.element = .swar2(distance: distance)
      layout.channelStride = left + (needs.map(\.reach).max() ?? 0)
      layout.rowStride = layout.channelStride * shape.channels
      guard let producer = known.producer else { break }
      switch ways[producer][choice[producer]].makes {
      case .values:
        if isVector(producer) || shape.width + left > layout.channelStride + distance { return nil }
      case .words(let count):
        // The halo is copied from columns of the row itself: it must not be wider than a lane.
        if count != distance || left > distance || layout.channelStride - left > 2 * distance { return nil }
      }
    }
    return layout
  }

  private func isVector(_ site: Int) -> Bool {
    if case .window(let draft) = graph.sites[site].kind, case .dense = draft.work { true } else { false }
  }

  // MARK: Plan

  /// The plan of a choice; nil where its ways do not fit together.
  mutating func layOut(_ choice: [Int], _ groups: [ClosedRange<Int>]) -> FirmwarePlan? {
    let places = GraphPlaces(self, choice, groups)
    var edges: [Edge] = []
    for tensor in places.order {
      guard let edge = places.edge(tensor, graph, edges.count, groups) else { return nil }
      edges.append(edge)
    }
    var buffers = [
      Buffer(name: "row counters", kind: .counters, bytes: 0, firstGroup: 0, lastGroup: groups.count - 1, offset: 0)
    ]
    // Counters of shared line buffers stand behind those of edges.
    var counters = edges.count
    for index in edges.indices {
      if case .rows(let slots, .shared(let above, _)) = edges[index].residency {
        edges[index].residency = .rows(slots: slots, .shared(above: above, counter: counters))
        counters += 2
      }
      places.addBuffer(of: index, &edges, &buffers, groups)
    }
    buffers[0].bytes = 2 * counters
    var operations: [Operation] = []
    for index in graph.sites.indices {
      let variant = variant(index, choice, edges, places, &buffers, groups)
      let site = graph.sites[index]
      operations.append(
        Operation(
          name: site.name, layer: site.layer, layers: site.layers, tensor: site.tensor,
          inputs: site.inputs.map { places.index[$0] ?? 0 },
          output: places.index[site.output] ?? 0, variant: variant))
    }
    return Scheduler.placed(network, options, edges, operations, buffers, groups) { tensor in
      places.index[graph.results[tensor.index] ?? tensor.index] ?? 0
    }
  }

  /// The way of a site as a variant, for the layouts that its edges have.
  private mutating func variant(
    _ index: Int, _ choice: [Int], _ edges: [Edge], _ places: GraphPlaces, _ buffers: inout [Buffer],
    _ groups: [ClosedRange<Int>]
  ) -> any KernelVariant {
    let site = graph.sites[index]
    let way = ways[index][choice[index]]
    let edge = edges[places.index[site.inputs[0]] ?? 0]
    let group = groups.firstIndex { $0.contains(index) } ?? 0
    switch site.kind {
    case .add(let multipliers, let epilogue):
      let source: AddRows.Source = if case .words(let count) = way.makes { .words(count) } else { .values }
      return AddRows(geometry: site.geometry, multipliers: multipliers, terms: epilogue, source: source)
    case .concatenate(let parts): return ConcatenateRows(geometry: site.geometry, parts: parts)
    case .slice(let first): return SliceRows(geometry: site.geometry, first: first)
    case .resize(let resize): return ResizeRows(geometry: site.geometry, resize: resize)
    case .window(var draft):
      draft.destination = isLast(index) ? .output : .lineBuffer(stage: 0)
      draft.hasRunningSum = draft.hasRunningSum && places.runs(index)
      if draft.hasRunningSum {
        draft.sumsBuffer = buffers.count
        buffers.append(
          Buffer(
            name: "\(site.name) sums", kind: .sums, bytes: draft.sumsBytes, firstGroup: group, lastGroup: group,
            offset: 0))
      }
      return realized(draft, index, way, edge)
    }
  }

  /// A convolution's draft in a way, over rows as they are stored.
  private mutating func realized(_ given: Draft, _ index: Int, _ way: Way, _ edge: Edge) -> any KernelVariant {
    var draft = given
    let layout = edge.layout
    func place(_ draft: inout Draft) {
      (draft.lineBuffer.left, draft.lineBuffer.right) = (layout.left, layout.right)
      (draft.lineBuffer.channelStride, draft.lineBuffer.rowStride) = (layout.channelStride, layout.rowStride)
      draft.lineBuffer.isLinear = edge.isLinear
    }
    guard way.kind != .plain, let lanes = Scheduler.lanes(of: given) else {
      place(&draft)
      return draft.variant
    }
    draft.pair(lanes, words: layout.channelStride)
    place(&draft)
    guard way.kind != .packed, case .convolution(var work) = draft.work, let words = draft.outputWords else {
      return draft.variant
    }
    if way.kind == .widened {
      draft.lineBuffer.widensOnLoad = true
      draft.lineBuffer.elementBytes = 1
    }
    if work.groupChannels == 1, draft.inputShape.channels > 1 {
      work.unrolled = .taps(Scheduler.tapLists(draft, work), areStatements: true)
    } else {
      let constants = Set(draft.constants.map(\.channel))
      let width =
        Scheduler.groups(work, without: constants).map { Scheduler.widths($0.count, options.core)[0] }.max() ?? 1
      let most = way.kind == .widened ? 256 : 160
      let columnTile =
        (1...words).last { tile in
          words % tile == 0
            && draft.scratchWords(tile, channels: width, takesColumnTiles: false, asBytes: way.kind == .widened) <= most
        } ?? 1
      let key = Scheduler.ChannelTileKey(stage: index, strides: draft.strides(columnTile: columnTile))
      work.unrolled = .channelTiles([], columnTile: columnTile)
      draft.work = .convolution(work)
      let strides = draft.strides(columnTile: columnTile)
      let offsets = Scheduler.tapOffsets(draft.window, strides, channels: work.groupChannels)
      let partition = known.partitions[index] ?? Scheduler.partition(work, offsets, options.core, without: constants)
      known.partitions[index] = partition
      let tiles =
        known.channelTiles[key]
        ?? Scheduler.channelTiles(work, offsets, options.core, partition, channelStride: strides.channel)
      known.channelTiles[key] = tiles
      work.unrolled = .channelTiles(tiles, columnTile: columnTile)
    }
    draft.work = .convolution(work)
    return draft.variant
  }
}

/// Where the tensors of a graph lie: which are there as a whole, how many rows others hold, who is told of them.
struct GraphPlaces {
  /// Tensors in the order of their edges, and the place of each there.
  let order: [Int]
  let index: [Int: Int]
  private let layouts: [Int: Layout]
  private let needs: [Int: [Int: EdgeNeed]]
  private let capacities: [Int: Int]
  private let told: [Int: [Int]]
  private let isWhole: [Int: Bool]
  private let graph: SiteGraph
  private let isLast: (Int) -> Bool

  init(_ scheduler: GraphScheduler, _ choice: [Int], _ groups: [ClosedRange<Int>]) {
    let graph = scheduler.graph
    self.graph = graph
    isLast = scheduler.isLast
    order = [graph.input] + graph.sites.map(\.output)
    index = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    var (layouts, needs, isWhole): ([Int: Layout], [Int: [Int: EdgeNeed]], [Int: Bool]) = ([:], [:], [:])
    func group(_ site: Int) -> Int { groups.firstIndex { $0.contains(site) } ?? 0 }
    for tensor in order {
      guard let known = graph.tensors[tensor] else { continue }
      if !known.consumers.isEmpty, let layout = scheduler.layout(of: tensor, choice) { layouts[tensor] = layout }
      let own = known.producer.map(group) ?? 0
      // What another group reads, or what is read when all rows are there.
      isWhole[tensor] = known.consumers.contains { group($0) != own || scheduler.isLast($0) || graph.sites[$0].isDense }
      for site in known.consumers {
        let position = graph.sites[site].inputs.firstIndex(of: tensor) ?? 0
        needs[site, default: [:]][tensor] = scheduler.ways[site][choice[site]].needs[position]
      }
    }
    var (capacities, told): ([Int: Int], [Int: [Int]]) = ([:], [:])
    for (number, range) in groups.enumerated() {
      let inner = order.filter { tensor in
        guard let known = graph.tensors[tensor], known.consumers.contains(where: range.contains) else { return false }
        return known.producer.map { range.contains($0) } ?? (number == 0)
      }
      Self.simulate(scheduler, range, number, inner, needs, isWhole, &capacities, &told)
    }
    (self.layouts, self.needs, self.isWhole, self.capacities, self.told) = (layouts, needs, isWhole, capacities, told)
  }

  private static func simulate(
    _ scheduler: GraphScheduler, _ range: ClosedRange<Int>, _ number: Int, _ inner: [Int],
    _ needs: [Int: [Int: EdgeNeed]], _ isWhole: [Int: Bool], _ capacities: inout [Int: Int], _ told: inout [Int: [Int]]
  ) {
    let graph = scheduler.graph
    func runs(_ site: Int) -> Bool { graph.sites[site].runs && !(isWhole[graph.sites[site].inputs[0]] ?? false) }
    func rows(_ site: Int) -> RowWindow {
      graph.sites[site].runs && !runs(site) ? graph.sites[site].geometry.rows : graph.sites[site].rows
    }
    let places = Dictionary(uniqueKeysWithValues: inner.enumerated().map { ($1, $0) })
    let tensors = inner.map { tensor in
      RowSimulation.Tensor(
        height: graph.tensors[tensor]?.shape.height ?? 0,
        readers: (graph.tensors[tensor]?.consumers ?? []).filter { range.contains($0) && !scheduler.isLast($0) }.map {
          site in
          RowSimulation.Reader(
            operation: site - range.lowerBound, rows: rows(site), takesSingleRows: runs(site),
            storesPadding: needs[site]?[tensor]?.isBlock ?? false)
        })
    }
    let operations = range.map { site in
      RowSimulation.Operation(
        inputs: graph.sites[site].inputs.compactMap { places[$0] }, rows: rows(site),
        takesSingleRows: runs(site),
        dependence: runs(site) ? graph.sites[site].geometry.dependence : rows(site),
        output: places[graph.sites[site].output])
    }
    var simulation = RowSimulation(tensors: tensors, operations: operations)
    let starters = operations.indices.filter { operations[$0].inputs.isEmpty }
    simulation.run(source: places[graph.input], starters: number > 0 ? starters : [])
    for (place, tensor) in inner.enumerated() {
      if !(isWhole[tensor] ?? false) { capacities[tensor] = simulation.capacities[place] }
      told[tensor] = (graph.tensors[tensor]?.consumers ?? []).filter {
        range.contains($0) && simulation.hasWorked.contains([place, $0 - range.lowerBound])
      }
    }
  }

  /// Whether an average pool adds its rows as they come.
  func runs(_ site: Int) -> Bool { graph.sites[site].runs && !(isWhole[graph.sites[site].inputs[0]] ?? false) }

  func edge(_ tensor: Int, _ graph: SiteGraph, _ index: Int, _ groups: [ClosedRange<Int>]) -> Edge? {
    guard let known = graph.tensors[tensor] else { return nil }
    var edge = Edge(
      shape: known.shape, storage: known.storage,
      layout: Layout(element: .i32, channelStride: 1, rowStride: known.shape.count),
      residency: .caller, producer: known.producer, consumers: known.consumers, told: told[tensor] ?? [], buffer: 0,
      offset: 0)
    if known.consumers.isEmpty {
      if known.producer.map(isLast) ?? false { return edge }
      let element: Layout.Element =
        switch known.storage.elementBytes {
        case 1: .u8
        case 2: .u16
        default: .i32
        }
      edge.layout = Layout(
        element: element, order: .planes, channelStride: known.shape.height * known.shape.width,
        rowStride: known.shape.width)
      edge.residency = .result
      return edge
    }
    guard let layout = layouts[tensor] else { return nil }
    edge.layout = layout
    edge.residency = residency(tensor, known)
    return edge
  }

  private func residency(_ tensor: Int, _ known: SiteTensor) -> Edge.Residency {
    let readers = known.consumers.map { (site: graph.sites[$0], need: needs[$0]?[tensor] ?? EdgeNeed(form: .bytes)) }
    let blocks = readers.filter(\.need.isBlock)
    let above = blocks.map(\.site.rows.top).max() ?? 0
    let all = known.shape.height + above + (blocks.map(\.site.rows.bottom).max() ?? 0)
    // Padding can keep the rows of every window fewer than its height: a buffer has slots for all of them even so.
    let window = readers.filter { !$0.site.runs }.map { min($0.site.rows.rows, known.shape.height) }.max() ?? 1
    let capacity = min(all, max(capacities[tensor] ?? all, window))
    if isWhole[tensor] ?? false || capacity == all {
      return .rows(slots: all, blocks.isEmpty ? .modulo : .linear(above: above, step: 0))
    }
    guard readers.count == 1, readers[0].site.inputs.count == 1 else {
      if capacity == 1 { return .rows(slots: 1, .modulo) }
      return .rows(slots: capacity, blocks.isEmpty ? .modulo : .shared(above: above, counter: 0))
    }
    let site = readers[0].site
    if site.runs { return .rows(slots: 1, .modulo) }
    let slots = min(site.rows.rows, all)
    if blocks.isEmpty { return .rows(slots: slots, .modulo) }
    return .rows(slots: slots, .linear(above: above, step: slots < all ? site.rows.step : 0))
  }

  /// The buffer of an edge.
  func addBuffer(of index: Int, _ edges: inout [Edge], _ buffers: inout [Buffer], _ groups: [ClosedRange<Int>]) {
    let edge = edges[index]
    if edge.residency == .caller { return }
    func group(_ site: Int) -> Int { groups.firstIndex { $0.contains(site) } ?? 0 }
    let first = edge.producer.map(group) ?? 0
    // What is read when the caller asks for the output matters to the end.
    let last =
      edge.consumers.map { isLast($0) ? groups.count - 1 : group($0) }.max() ?? (groups.count - 1)
    let isTensor = isWhole[order[index]] ?? false
    edges[index].buffer = buffers.count
    let names = edge.consumers.map { graph.sites[$0].name }
    buffers.append(
      Buffer(
        name: names.isEmpty ? "result" : "\(names.joined(separator: ", ")) input",
        kind: names.isEmpty ? .result : isTensor ? .tensor : .lineBuffer, bytes: edge.bytes, firstGroup: first,
        lastGroup: last, offset: 0))
  }
}

extension Site {
  var isDense: Bool { if case .window(let draft) = kind, case .dense = draft.work { true } else { false } }

  /// Whether rows can be added to sums as they come.
  var runs: Bool { if case .window(let draft) = kind { draft.hasRunningSum } else { false } }

  /// Input rows under an output row, where they are not added as they come.
  var rows: RowWindow {
    var rows = runs ? .single(input: geometry.input.height, output: geometry.output.height) : geometry.rows
    if case .resize(let resize) = kind { rows.repeats = resize.rows }
    return rows
  }
}
