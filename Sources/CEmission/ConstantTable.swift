import Scheduling

/// A table of a stage in flash: the one place that says which there are, for the printer and for the self-test's
/// checksum.
struct ConstantTable {
  enum Element {
    /// Four packed weights.
    case packed
    /// A weight each.
    case int8
    case uint16
    case int16
    case int32
    case int64
  }

  /// C identifier.
  var name: String
  var element: Element
  /// One row for each output channel of a matrix; a single row of a vector.
  var rows: [[Int]]
  var isMatrix: Bool

  /// A vector of the smallest signed type of 16, 32 or 64 bits.
  init(_ name: String, _ values: [Int]) {
    self.name = name
    element = [2: .int16, 4: .int32][Epilogue.elementBytes(values)] ?? .int64
    rows = [values]
    isMatrix = false
  }

  init(_ name: String, _ element: Element, rows: [[Int]]) {
    self.name = name
    self.element = element
    self.rows = rows
    isMatrix = true
  }

  var columns: Int { rows.first?.count ?? 0 }

  var cType: String {
    switch element {
    case .packed: "uint8_t"
    case .int8: "int8_t"
    case .uint16: "uint16_t"
    case .int16: "int16_t"
    case .int32: "int32_t"
    case .int64: "int64_t"
    }
  }

  func literal(_ value: Int) -> String {
    switch element {
    case .packed: "0x" + (value < 16 ? "0" : "") + String(value, radix: 16)
    case .int8, .uint16, .int16: "\(value)"
    // The most negative int32 has no literal of its own.
    case .int32: value == Int(Int32.min) ? "(-2147483647 - 1)" : "\(value)"
    case .int64: "INT64_C(\(value))"
    }
  }
}

extension Stage {
  /// The tables that the stage's code refers to, in the order in which they are printed.
  var tables: [ConstantTable] {
    var tables: [ConstantTable] = []
    switch work {
    case .convolution(let work):
      switch work.unrolled {
      case nil: tables.append(weightTable(work.weights, run: work.taps))
      case .taps? where hwc != nil: break
      case .taps(let channels, areStatements: false)?:
        let constants = Set(constants.map(\.channel))
        let live = channels.indices.map { constants.contains($0) ? TapList(offsets: [], plus: 0) : channels[$0] }
        // A list without taps has a place too: C has no empty arrays.
        let offsets = live.flatMap(\.offsets)
        var taps = ConstantTable("\(name)_taps", offsets.isEmpty ? [0] : offsets)
        taps.element = .uint16
        tables.append(taps)
        tables.append(ConstantTable("\(name)_counts", .uint16, rows: live.map { [$0.plus, $0.minus] }))
      case .channelTiles?, .columns?:
        // Channels of a depthwise convolution have a loop each, over columns.
        let isDepthwise = work.groupChannels == 1 && work.outputsPerGroup == 1 && outputShape.channels > 1
        let hasLoops = columns != nil && isDepthwise
        guard hwc == nil, !hasLoops, let order else { break }
        var table = ConstantTable("\(name)_order", order)
        table.element = .uint16
        tables.append(table)
      case .taps?: break
      }
    case .dense(let work):
      if work.areBytes {
        tables.append(ConstantTable("\(name)_weights", .int8, rows: work.weights.map { $0.map(Int.init) }))
      } else {
        // Where rows are added as they come, the weights of each begin on a byte.
        tables.append(weightTable(work.weights, run: hasRunningSum ? lineBuffer.rowStride : work.taps))
      }
    case .maxPool, .averagePool: break
    }
    if usesSharedConvolution || planes != nil, case .convolution(let work) = work, let scales = work.scales {
      let rows = scales.map { [$0.multiplier & 0xFFFF, $0.bias & 0xFFFF, $0.bias >> 16 & 0xFFFF] }
      return tables + [ConstantTable("\(name)_scale", .uint16, rows: rows)]
    }
    if let form = hwc {
      let missing = form.scales.padded - form.scales.scales.count
      if let bytes = tapBytes {
        var taps = ConstantTable("\(name)_taps", bytes)
        taps.element = .packed
        tables.append(taps)
      }
      let rows = form.scales.scales.map { [$0.multiplier, $0.bias] } + [[Int]](repeating: [0, 0], count: missing)
      return tables + [ConstantTable("\(name)_scales", .int32, rows: rows)]
    }
    if requantizesNothing { return tables }
    if let limits = limitTable { tables.append(limits) }
    switch epilogue?.form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      // A single entry is printed where it is used.
      guard multipliers.count > 1 else { break }
      if Set(multipliers).count > 1 { tables.append(ConstantTable("\(name)_multiplier", multipliers)) }
      tables.append(ConstantTable("\(name)_bias", offsets))
    case .thresholds(let lists, _):
      if !(lists.first?.isEmpty ?? true) {
        tables.append(ConstantTable("\(name)_thresholds", .int32, rows: lists))
      }
    case nil: break
    }
    return tables
  }

  /// Each channel's least and largest accumulator that makes a difference; of a channel without limits all that it
  /// reaches.
  private var limitTable: ConstantTable? {
    guard let epilogue, hasLimitTable else { return nil }
    let guardBias = hasWordSums ? lineBuffer.lanes?.remainingGuardBias ?? 0 : 0
    var ranges = (0..<outputShape.channels).map { epilogue.domains[min($0, epilogue.domains.count - 1)] }
    for limit in epilogue.limits { ranges[limit.channel] = limit.accumulators }
    let rows = ranges.map { [$0.lowerBound + guardBias, $0.upperBound + guardBias] }
    return ConstantTable("\(name)_limits", hasWordSums ? .uint16 : .int32, rows: rows)
  }

  /// - Parameter run: Weights that are packed together, from a byte of their own on.
  private func weightTable(_ weights: [[Int8]], run: Int) -> ConstantTable {
    ConstantTable(
      "\(name)_weights", .packed,
      rows: weights.map { weights in
        stride(from: 0, to: weights.count, by: run).flatMap {
          PackedWeights.pack(weights[$0..<($0 + run)]).map(Int.init)
        }
      })
  }
}
