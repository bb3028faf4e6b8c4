/// A bound on the stack below a caller of the model's functions, gcc at -O2.
///
/// Which frames lie below each other is the compiler's choice, what it inlines above all, so the bound is a sum of
/// allowances (`StackTable.swift`): fitted to the deepest paths of call graphs (`Tests/bench/weigh.py`) so that none is
/// beyond it.
package enum StackFeature: String, CaseIterable, Sendable {
  case network
  /// Stages that may call each other: those of the longest fusion group.
  case depth
  /// Four bytes each: the self-test keeps them on the stack.
  case outputs
  // Forms that occur, once each.
  case unrolledPlan, packed, byteRows, planes, pixels, thresholds, wideProducts, pools

  package typealias Counts = [StackFeature: Int]

  package static func counts(_ plan: FirmwarePlan) -> Counts {
    var counts: Counts = [
      .network: 1, .depth: plan.fusionGroups.map(\.count).max() ?? 0, .outputs: 4 * plan.outputCount,
    ]
    let code = CodeFeature.counts(plan)
    func occurs(_ features: CodeFeature...) -> Bool { features.contains { code[$0] ?? 0 > 0 } }
    let forms: [(StackFeature, Bool)] = [
      (.unrolledPlan, occurs(.unrolledPlan, .codedDepthwise)), (.packed, occurs(.packed, .packedAlone, .packedParts)),
      (.byteRows, occurs(.packedColumns, .packedWide)), (.planes, occurs(.planes)), (.pixels, occurs(.pixels)),
      (.thresholds, occurs(.thresholds)), (.wideProducts, occurs(.affine64, .halfEven64)),
      (.pools, occurs(.packedPool, .fusedPool, .codedPool, .averagePool, .sums)),
    ]
    for (form, isThere) in forms where isThere { counts[form] = 1 }
    return counts
  }
}

extension FirmwarePlan {
  /// Most bytes of stack on a core; without one, on any. Nil on a host, where compilers vectorize and nobody counts.
  package func stackBound(on core: Core? = nil) -> Int? {
    let core = core ?? self.core
    guard core != .host else { return nil }
    let counts = StackFeature.counts(self)
    let cores = core == .generic ? Core.measured : [core]
    return cores.map { core in counts.reduce(0) { $0 + $1.key.bytes[core.column] * $1.value } }.max()
  }
}
