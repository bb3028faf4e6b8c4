// Written by Tests/bench/fit.py --write.

extension CodeFeature {
  /// Per cent of the code that is added to the sum of prices, so that no network of the fit is above its forecast; for the
  /// cores of `Core.measured` in their order: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, riscv32.
  static let margin = [6, 6, 6, 6, 6, 6, 8]
  /// The same where layers work on rows of bytes or sums of 16 bits, which compilers inline in many ways.
  static let byteRowsMargin = [24, 22, 22, 22, 22, 22, 34]
}
