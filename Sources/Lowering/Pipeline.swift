import Diagnostics
import GraphIR
import TernaryIR

/// Graph to integer-only network.
package enum Lowering {
  /// The passes in order. `GraphLowering` walks the graph; on the way it uses `PendingLayer` (signs and ranges),
  /// `ClosedLayers` (what branches share), `AdditionSearch` (sums of two activations),
  /// `StepFunction`, `RequantizerSearch`, `RequantizerProof` and `Logits`, a file each.
  ///
  /// - Throws: `ModelError` with everything that is wrong.
  package static func lower(_ graph: Graph) throws(ModelError) -> TernaryNetwork {
    var lowering = GraphLowering(graph)
    let network = try lowering.run()
    let problems = network.problems()
    guard problems.isEmpty else { throw ModelError(problems) }
    return network
  }
}
