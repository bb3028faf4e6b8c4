// Written by Tests/bench/fit.py --write.

extension StackFeature {
  /// Most bytes of stack that one adds, for the cores of `Core.measured` in their order: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, riscv32.
  var bytes: [Int] {
    switch self {
    case .network: [72, 72, 72, 72, 72, 72, 72]
    case .depth: [8, 8, 8, 8, 8, 8, 10]
    case .outputs: [1, 1, 1, 1, 1, 1, 1]
    case .unrolledPlan: [90, 90, 90, 90, 90, 90, 104]
    case .packed: [200, 190, 190, 190, 190, 190, 200]
    case .byteRows: [160, 160, 160, 160, 160, 160, 160]
    case .planes: [300, 290, 290, 290, 290, 290, 300]
    case .pixels: [130, 130, 130, 130, 130, 130, 130]
    case .thresholds: [40, 40, 40, 40, 40, 40, 40]
    case .wideProducts: [40, 40, 40, 40, 40, 40, 40]
    case .pools: [24, 24, 24, 24, 24, 24, 24]
    }
  }
}
