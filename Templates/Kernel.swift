/// The kernels, in the order in which a source file needs them.
package enum Kernel: String, Sendable, CaseIterable, Comparable {
  case inFlash
  case plainLoop
  case stage
  case outside
  case rowOffset
  case rowsNeeded
  case rowIsDue
  case locateRows
  case decodeTaps
  case accumulateRow
  case accumulateRow16
  case poolAccumulators
  case pairRow
  case pairColumns
  case listTaps
  case sumEight
  case sumFour
  case sumThree
  case sumStrided
  case addLanes
  case maxLanes
  case poolLanes
  case poolLanes2x2
  case poolLanesRow
  case noInline
  case keepOrder
  case keepPointer
  case closeRow
  case closeQuads
  case sumTaps
  case quads
  case sumQuadTaps
  case keepLarger
  case splitRow
  case slideRows
  case moveRows
  case slideBytes
  case ternaryDot
  case ternaryDotFours
  case ternaryDot16
  case maxPoolRow
  case sumPoolRow
  case addPoolRow
  case sumPoolBlock
  case limitAccumulators
  case limitLanes
  case limitSums
  case requantize
  case requantizeSaturating
  case requantizeLanes
  case makeQuads
  case pixelLevels
  case pixelLevelsDSP
  case requantizePixels
  case closePixels
  case sumPixels
  case requantize64
  case requantizeHalfEven
  case requantizeHalfEven64
  case countThresholds
  case fillRing
  case fillRing16
  case fillWords
  case maps
  case convolveMaps
  case convolveRows

  /// The C file's text.
  package var source: String {
    let bytes: [UInt8] =
      switch self {
      case .inFlash: PackageResources.in_flash_c
      case .plainLoop: PackageResources.plain_loop_c
      case .stage: PackageResources.stage_c
      case .outside: PackageResources.outside_c
      case .rowOffset: PackageResources.row_offset_c
      case .rowsNeeded: PackageResources.rows_needed_c
      case .rowIsDue: PackageResources.row_is_due_c
      case .locateRows: PackageResources.locate_rows_c
      case .decodeTaps: PackageResources.decode_taps_c
      case .accumulateRow: PackageResources.accumulate_row_c
      case .accumulateRow16: PackageResources.accumulate_row16_c
      case .poolAccumulators: PackageResources.pool_accumulators_c
      case .pairRow: PackageResources.pair_row_c
      case .pairColumns: PackageResources.pair_columns_c
      case .listTaps: PackageResources.list_taps_c
      case .sumEight: PackageResources.sum_eight_c
      case .sumFour: PackageResources.sum_four_c
      case .sumThree: PackageResources.sum_three_c
      case .sumStrided: PackageResources.sum_strided_c
      case .addLanes: PackageResources.add_lanes_c
      case .maxLanes: PackageResources.max_lanes_c
      case .keepOrder: PackageResources.keep_order_c
      case .noInline: PackageResources.no_inline_c
      case .keepPointer: PackageResources.keep_pointer_c
      case .closeQuads: PackageResources.close_quads_c
      case .sumTaps: PackageResources.sum_taps_c
      case .sumQuadTaps: PackageResources.sum_quad_taps_c
      case .keepLarger: PackageResources.keep_larger_c
      case .closeRow: PackageResources.close_row_c
      case .splitRow: PackageResources.split_row_c
      case .slideRows: PackageResources.slide_rows_c
      case .moveRows: PackageResources.move_rows_c
      case .slideBytes: PackageResources.slide_bytes_c
      case .poolLanes: PackageResources.pool_lanes_c
      case .poolLanes2x2: PackageResources.pool_lanes_2x2_c
      case .poolLanesRow: PackageResources.pool_lanes_row_c
      case .requantizeLanes: PackageResources.requantize_lanes_c
      case .ternaryDot: PackageResources.ternary_dot_c
      case .ternaryDotFours: PackageResources.ternary_dot_fours_c
      case .ternaryDot16: PackageResources.ternary_dot16_c
      case .maxPoolRow: PackageResources.max_pool_row_c
      case .addPoolRow: PackageResources.add_pool_row_c
      case .sumPoolRow: PackageResources.sum_pool_row_c
      case .sumPoolBlock: PackageResources.sum_pool_block_c
      case .limitAccumulators: PackageResources.limit_accumulators_c
      case .limitLanes: PackageResources.limit_lanes_c
      case .limitSums: PackageResources.limit_sums_c
      case .requantize: PackageResources.requantize_c
      case .requantizeSaturating: PackageResources.requantize_saturating_c
      case .requantize64: PackageResources.requantize64_c
      case .requantizeHalfEven: PackageResources.requantize_half_even_c
      case .requantizeHalfEven64: PackageResources.requantize_half_even64_c
      case .countThresholds: PackageResources.count_thresholds_c
      case .fillRing: PackageResources.fill_ring_c
      case .fillRing16: PackageResources.fill_ring16_c
      case .fillWords: PackageResources.fill_words_c
      case .quads: PackageResources.quads_c
      case .makeQuads: PackageResources.make_quads_c
      case .pixelLevels: PackageResources.pixel_levels_c
      case .pixelLevelsDSP: PackageResources.pixel_levels_dsp_c
      case .requantizePixels: PackageResources.requantize_pixels_c
      case .closePixels: PackageResources.close_pixels_c
      case .sumPixels: PackageResources.sum_pixels_c
      case .maps: PackageResources.maps_c
      case .convolveMaps: PackageResources.convolve_maps_c
      case .convolveRows: PackageResources.convolve_rows_c
      }
    return Templates.text(bytes)
  }

  package static func < (a: Kernel, b: Kernel) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}
