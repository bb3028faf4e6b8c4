/// The kernels, in the order in which a source file needs them.
package enum Kernel: String, Sendable, CaseIterable, Comparable {
  case inFlash
  case plainLoop
  case stage
  case outside
  case rowOffset
  case rowsNeeded
  case rowIsDue
  case nextRowIsDue
  case locateRows
  case locateMovedRows
  case decodeTaps
  case convolveRowU8
  case convolveRowU16
  case maxPoolSums
  case packRowSwar2
  case loadSwar2
  case listTaps
  case convolveRowSwar2X8
  case convolveRowSwar2X4
  case convolveRowSwar2X3
  case convolveRowSwar2Strided
  case addRowSwar2
  case maxSwar2
  case maxPoolSwar2
  case maxPoolSwar2By2x2
  case maxPoolRowSwar2
  case noInline
  case keepOrder
  case keepPointer
  case fillHaloSwar2
  case fillHaloSwar4
  case sumTapsSwar2
  case swar4
  case sumTapsSwar4
  case keepLarger
  case unpackRowSwar2
  case slideRows
  case moveRows
  case slideBytes
  case ternaryDot
  case ternaryDotFours
  case ternaryDotU16
  case maxPoolRowU8
  case sumPoolRowU8
  case addPoolRowU8
  case sumPoolBlockU8
  case clampSumsI32
  case clampSumsSwar2
  case clampSumsI16
  case requantize
  case requantizeSaturating
  case requantizeSwar2
  case makeSwar4
  case hwcCodes
  case hwcCodesDSP
  case requantizeHwc
  case fillHaloHwc
  case sumHwc
  case requantize64
  case requantizeHalfEven
  case requantizeHalfEven64
  case countThresholds
  case fillU8
  case fillU16
  case fillU32
  case planes
  case convolvePlanes
  case convolvePlaneRows

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
      case .nextRowIsDue: PackageResources.next_row_is_due_c
      case .locateRows: PackageResources.locate_rows_c
      case .locateMovedRows: PackageResources.locate_moved_rows_c
      case .decodeTaps: PackageResources.decode_taps_c
      case .convolveRowU8: PackageResources.convolve_row_u8_c
      case .convolveRowU16: PackageResources.convolve_row_u16_c
      case .maxPoolSums: PackageResources.max_pool_sums_c
      case .packRowSwar2: PackageResources.pack_row_swar2_c
      case .loadSwar2: PackageResources.load_swar2_c
      case .listTaps: PackageResources.list_taps_c
      case .convolveRowSwar2X8: PackageResources.convolve_row_swar2_x8_c
      case .convolveRowSwar2X4: PackageResources.convolve_row_swar2_x4_c
      case .convolveRowSwar2X3: PackageResources.convolve_row_swar2_x3_c
      case .convolveRowSwar2Strided: PackageResources.convolve_row_swar2_strided_c
      case .addRowSwar2: PackageResources.add_row_swar2_c
      case .maxSwar2: PackageResources.max_swar2_c
      case .keepOrder: PackageResources.keep_order_c
      case .noInline: PackageResources.no_inline_c
      case .keepPointer: PackageResources.keep_pointer_c
      case .fillHaloSwar4: PackageResources.fill_halo_swar4_c
      case .sumTapsSwar2: PackageResources.sum_taps_swar2_c
      case .sumTapsSwar4: PackageResources.sum_taps_swar4_c
      case .keepLarger: PackageResources.keep_larger_c
      case .fillHaloSwar2: PackageResources.fill_halo_swar2_c
      case .unpackRowSwar2: PackageResources.unpack_row_swar2_c
      case .slideRows: PackageResources.slide_rows_c
      case .moveRows: PackageResources.move_rows_c
      case .slideBytes: PackageResources.slide_bytes_c
      case .maxPoolSwar2: PackageResources.max_pool_swar2_c
      case .maxPoolSwar2By2x2: PackageResources.max_pool_swar2_2x2_c
      case .maxPoolRowSwar2: PackageResources.max_pool_row_swar2_c
      case .requantizeSwar2: PackageResources.requantize_swar2_c
      case .ternaryDot: PackageResources.ternary_dot_c
      case .ternaryDotFours: PackageResources.ternary_dot_fours_c
      case .ternaryDotU16: PackageResources.ternary_dot_u16_c
      case .maxPoolRowU8: PackageResources.max_pool_row_u8_c
      case .addPoolRowU8: PackageResources.add_pool_row_u8_c
      case .sumPoolRowU8: PackageResources.sum_pool_row_u8_c
      case .sumPoolBlockU8: PackageResources.sum_pool_block_u8_c
      case .clampSumsI32: PackageResources.clamp_sums_i32_c
      case .clampSumsSwar2: PackageResources.clamp_sums_swar2_c
      case .clampSumsI16: PackageResources.clamp_sums_i16_c
      case .requantize: PackageResources.requantize_c
      case .requantizeSaturating: PackageResources.requantize_saturating_c
      case .requantize64: PackageResources.requantize64_c
      case .requantizeHalfEven: PackageResources.requantize_half_even_c
      case .requantizeHalfEven64: PackageResources.requantize_half_even64_c
      case .countThresholds: PackageResources.count_thresholds_c
      case .fillU8: PackageResources.fill_u8_c
      case .fillU16: PackageResources.fill_u16_c
      case .fillU32: PackageResources.fill_u32_c
      case .swar4: PackageResources.swar4_c
      case .makeSwar4: PackageResources.make_swar4_c
      case .hwcCodes: PackageResources.hwc_codes_c
      case .hwcCodesDSP: PackageResources.hwc_codes_dsp_c
      case .requantizeHwc: PackageResources.requantize_hwc_c
      case .fillHaloHwc: PackageResources.fill_halo_hwc_c
      case .sumHwc: PackageResources.sum_hwc_c
      case .planes: PackageResources.planes_c
      case .convolvePlanes: PackageResources.convolve_planes_c
      case .convolvePlaneRows: PackageResources.convolve_plane_rows_c
      }
    return Templates.text(bytes)
  }

  package static func < (a: Kernel, b: Kernel) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}
