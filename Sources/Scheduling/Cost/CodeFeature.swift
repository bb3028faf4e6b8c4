import TernaryIR

/// A property of a plan that costs code. Prices in bytes for each core stand in `CodeTable.swift`.
package enum CodeFeature: String, CaseIterable, Sendable {
  // Of the network.
  case network, inputChannels, inputClamp, inputLanes, fusionGroup
  // Of a stage.
  case descriptor, result, lineBufferWithHalo, closedRows, slidRows, constantChannel, wordRows, pairedRows
  case maxPool, averagePool, sums, dense, lastDense, wideDense, denseRows
  case packed, packedAlone, packedColumns, packedWide, groupedConvolution, packedConstants, fusedPool, packedPool,
    packedParts
  case affine, saturated, affine64, halfEven, halfEven64, thresholds, logits, singleEntry, limits, laneLimits
  // Of unrolled weights.
  case unrolledPlan, codedStrips, codedPool, block, blockLoad, blockFarLoad, blockAddition, blockSubtraction,
    blockHighSubtraction, blockSum, storeCall
  case codedDepthwise, depthwiseChannel, depthwiseTap, byteTap, gatheredWindow, unpackedRows, unpackedWord, stripRows,
    tapTables, keptRows, quadRows, orderedChannels
  case addedRows
  // Of whole maps.
  case planes
  // Of those whose positions hold all channels.
  case pixels, pixelBlock, pixelLoad, pixelFarLoad, pixelAddition, pixelSum, pixelClosed, hwcPool, pixelShift
  // Functions of depthwise convolutions: those that loop, those that name columns, columns and taps at columns.
  case pixelLoop, pixelLoopTap, pixelRows, pixelColumn, pixelColumnTap
  // Of all stages together: functions that they share, paid once.
  case anyPacked, anyPackedLanes, anyConvolve, anyPackedColumns, anyPackedWide, anyLookup, anyLineBuffer, anyLanePool,
    anyColumnPool
  case anyDense, anyWideDense, anyMaxPool, anyAveragePool, anyFilling, anyHalo, anySliding, anyThresholds,
    anyTaps, anyQuadTaps, anyAddedRows, anyPairing, anyMapRows, anyMapChannels, anyMapPoints, anyPixels, anyPixelTaps

  package typealias Counts = [CodeFeature: Int]

  /// How often a plan has each of them.
  package static func counts(_ plan: FirmwarePlan) -> Counts {
    var counts = network(plan)
    var shared: Set<CodeFeature> = []
    for context in plan.contexts {
      counts.merge(operation(context), uniquingKeysWith: +)
      shared.formUnion(context.variant.sharedCode(context))
    }
    for feature in shared { counts[feature] = 1 }
    return counts
  }

  /// Those that do not depend on the operations.
  static func network(_ plan: FirmwarePlan) -> Counts {
    var counts: Counts = [.network: 1, .fusionGroup: plan.fusionGroups.count]
    if plan.input.shape.channels > 1 { counts[.inputChannels] = 1 }
    if plan.input.maximumCode < 255 { counts[.inputClamp] = 1 }
    if plan.edges[0].layout.holdsWords { counts[.inputLanes] = 1 }
    for function in HWCFunctions(plan).depthwiseFunctions {
      if function.namesColumns {
        let width = plan.contexts[0].output.shape.width
        counts[.pixelRows, default: 0] += 1
        counts[.pixelColumn, default: 0] += width
        counts[.pixelColumnTap, default: 0] += width * function.taps
      } else {
        counts[.pixelLoop, default: 0] += 1
        counts[.pixelLoopTap, default: 0] += function.taps
      }
    }
    return counts
  }

  /// What the functions of one operation consist of.
  static func operation(_ context: Context) -> Counts {
    var counts: Counts = [:]
    context.variant.countCode(context, &counts)
    return counts
  }
}

extension ChannelTile {
  /// Loads beyond the reach of one of 16 bits.
  var farLoads: Int {
    groups.reduce(0) { $0 + ($1.first >= 32 ? 1 : 0) + (($1.second ?? 0) >= 32 ? 1 : 0) }
  }
}
