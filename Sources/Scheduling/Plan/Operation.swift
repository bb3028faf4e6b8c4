import TernaryIR

/// One layer at work, or a convolution and the max pool that is fused into it: how it is computed is its variant's.
package struct Operation: Sendable {
  /// C identifier, unique in the plan.
  package var name: String
  package var layer: Layer
  /// The network's layers that it stands for.
  package var layers: ClosedRange<Int>
  /// Output channels of the trained layer that are not computed: they are the same for every input, or unused.
  package var deadChannels = 0
  /// Indices of edges.
  package var inputs: [Int]
  package var output: Int
  package var variant: any KernelVariant
}

/// An operation among the others: what its variant goes by where the plan is laid out.
package struct Context: Sendable {
  package let plan: FirmwarePlan
  package let index: Int

  package init(_ plan: FirmwarePlan, _ index: Int) {
    self.plan = plan
    self.index = index
  }

  package var operation: Operation { plan.operations[index] }
  package var name: String { operation.name }
  package var layer: Layer { operation.layer }
  package var variant: any KernelVariant { operation.variant }
  package var input: Edge { plan.edges[operation.inputs[0]] }
  package var inputs: [Edge] { operation.inputs.map { plan.edges[$0] } }
  package var output: Edge { plan.edges[operation.output] }
  /// Those that read what it makes.
  package var successors: [Context] { output.consumers.map { Context(plan, $0) } }
  /// Those of them that work while it is made.
  package var told: [Context] {
    output.told.map { Context(plan, $0) }.filter { plan.fusionGroup(of: $0.index) == plan.fusionGroup(of: index) }
  }
  package var core: Core { plan.core }

  /// Whether it is called as rows arrive; else when the caller asks for the output, by itself or with others.
  package var advances: Bool { variant.firing.isToldOfRows }
}

extension FirmwarePlan {
  /// All operations, in the order of execution.
  package var contexts: [Context] { operations.indices.map { Context(self, $0) } }

  /// Operations that a later fusion group begins with: all that they read is there as whole tensors.
  package func starters(ofGroup group: Int) -> [Context] {
    fusionGroups[group].map { Context(self, $0) }.filter { context in
      context.variant.firing != .onFinish
        && context.operation.inputs.allSatisfy { edges[$0].producer.map { fusionGroup(of: $0) != group } ?? true }
    }
  }
}
