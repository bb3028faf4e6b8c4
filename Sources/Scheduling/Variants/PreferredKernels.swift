extension FirmwarePlan {
  /// Names of kernels that are to be taken where several define the same function: each suits all operations that call
  /// it.
  package var preferredKernels: Set<String> {
    var names: Set<String> = []
    if pools2x2Only { names.insert("maxPoolSwar2By2x2") }
    if HWCFunctions(self).dropsBits { names.insert("hwcCodesDSP") }
    if addsFourWeights { names.insert("ternaryDotFours") }
    return names
  }

  /// Whether all pools of words of sums have windows of 2x2.
  private var pools2x2Only: Bool {
    operations.compactMap { $0.variant as? any PackedLaneSums }
      .filter { $0.makes != .values && $0.geometry.isPooled }
      .allSatisfy { $0.geometry.poolHeight == 2 && $0.geometry.poolWidth == 2 }
  }

  /// Whether dense layers take the longer and faster form, which adds four weights at a time: beside unrolled weights.
  private var addsFourWeights: Bool {
    operations.contains { $0.variant.weightForm.isUnrolled }
      && contexts.allSatisfy { context in
        guard case .dense = context.layer.kind, context.input.storage.elementBytes == 1 else { return true }
        let run =
          context.variant.firing == .perRow ? context.input.layout.rowStride : context.variant.geometry.input.count
        return run % 4 == 0
      }
  }
}
