import Scheduling

extension ConstantTable {
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

extension FirmwarePlan {
  /// The tables that an operation's code refers to, in the order in which they are printed.
  func tables(_ index: Int) -> [ConstantTable] {
    operations[index].variant.map { $0.tables(Context(self, index)) } ?? stages[index].tables
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
        let taps = ConstantTable("\(name)_taps", .weights, .uint16, offsets.isEmpty ? [0] : offsets)
        tables.append(taps)
        tables.append(ConstantTable("\(name)_counts", .weights, .uint16, rows: live.map { [$0.plus, $0.minus] }))
      case .channelTiles?, .columns?:
        // Channels of a depthwise convolution have a loop each, over columns.
        let isDepthwise = work.groupChannels == 1 && work.outputsPerGroup == 1 && outputShape.channels > 1
        let hasLoops = columns != nil && isDepthwise
        guard hwc == nil, !hasLoops, let order else { break }
        tables.append(ConstantTable("\(name)_order", .weights, .uint16, order))
      case .taps?: break
      }
    case .dense(let work):
      if work.areBytes {
        tables.append(ConstantTable("\(name)_weights", .weights, .int8, rows: work.weights.map { $0.map(Int.init) }))
      } else {
        // Where rows are added as they come, the weights of each begin on a byte.
        tables.append(weightTable(work.weights, run: hasRunningSum ? lineBuffer.rowStride : work.taps))
      }
    case .maxPool, .averagePool: break
    }
    if usesSharedConvolution || planes != nil, case .convolution(let work) = work, let scales = work.scales {
      let rows = scales.map { [$0.multiplier & 0xFFFF, $0.bias & 0xFFFF, $0.bias >> 16 & 0xFFFF] }
      return tables + [ConstantTable("\(name)_scale", .requantizer, .uint16, rows: rows)]
    }
    if let form = hwc {
      let missing = form.scales.padded - form.scales.scales.count
      if let bytes = tapBytes {
        tables.append(ConstantTable("\(name)_taps", .weights, .packed, bytes))
      }
      let rows = form.scales.scales.map { [$0.multiplier, $0.bias] } + [[Int]](repeating: [0, 0], count: missing)
      return tables + [ConstantTable("\(name)_scales", .requantizer, .int32, rows: rows)]
    }
    if requantizesNothing { return tables }
    if let limits = limitTable { tables.append(limits) }
    switch epilogue?.form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      // A single entry is printed where it is used.
      guard multipliers.count > 1 else { break }
      if Set(multipliers).count > 1 { tables.append(ConstantTable("\(name)_multiplier", .requantizer, multipliers)) }
      tables.append(ConstantTable("\(name)_bias", .requantizer, offsets))
    case .thresholds(let lists, _):
      if !(lists.first?.isEmpty ?? true) {
        tables.append(ConstantTable("\(name)_thresholds", .requantizer, .int32, rows: lists))
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
    return ConstantTable("\(name)_limits", .requantizer, hasWordSums ? .uint16 : .int32, rows: rows)
  }

  /// - Parameter run: Weights that are packed together, from a byte of their own on.
  private func weightTable(_ weights: [[Int8]], run: Int) -> ConstantTable {
    ConstantTable(
      "\(name)_weights", .weights, .packed,
      rows: weights.map { weights in
        stride(from: 0, to: weights.count, by: run).flatMap {
          PackedWeights.pack(weights[$0..<($0 + run)]).map(Int.init)
        }
      })
  }
}
