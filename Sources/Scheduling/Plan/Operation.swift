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
  package var variant: (any KernelVariant)?
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
  package var variant: any KernelVariant { operation.variant ?? Unported(stage: plan.stages[index]) }
  package var input: Edge { plan.edges[operation.inputs[0]] }
  package var output: Edge { plan.edges[operation.output] }
  /// The descriptor that says where the output's rows go: that of its first reader.
  package var successors: [Context] { output.consumers.map { Context(plan, $0) } }
  package var core: Core { plan.core }
}

struct Unported: KernelVariant {
  let stage: Stage
  var firing: Firing { stage.hasRunningMaximum ? .perRow : .whenDue }
  var rows: RowWindow {
    RowWindow(
      rows: stage.windowRows, step: stage.rowStep, top: stage.window.top, bottom: stage.window.bottom,
      input: stage.inputShape.height, output: stage.outputShape.height)
  }
  var makes: RowElements { stage.outputWords.map { .words($0) } ?? .values }
  var epilogue: Epilogue? { stage.epilogue }
  func access(_ context: Context) -> WindowAccess { .block }
  func countWork(_ context: Context, _ counts: inout WorkFeature.Counts) {}
  func countCode(_ context: Context, _ counts: inout CodeFeature.Counts) {}
  func sharedCode(_ context: Context) -> Set<CodeFeature> { [] }
  func program(_ context: Context, _ out: inout ProgramBuilder) {}
}
