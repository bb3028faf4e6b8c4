import TernaryIR

/// Everything that the emitted C says, decided: names, constants, offsets and the order in which rows flow. The emitter
/// prints it and changes nothing.
///
/// Activations are stored as *codes* `u = q − base`, which are never negative: a byte each, or 16 bits for the exact
/// sums of an average pool. Accumulators here are sums of codes; what that shifts is folded into the requantizer's
/// bias.
package struct FirmwarePlan: Sendable {
  /// Prefix of every external symbol, and of the macros in upper case.
  package var name: String
  package var macroPrefix: String { name.uppercased() }
  package var input: InputPlan
  package var output: OutputPlan
  /// Tensors that flow; the first is the input.
  package var edges: [Edge]
  /// In the order of execution.
  package var operations: [Operation]
  /// Runs of operations that work row by row together; between two runs lies a whole tensor.
  package var fusionGroups: [ClosedRange<Int>]
  package var buffers: [Buffer]
  package var scratch: Scratch
  /// Bytes of the caller's state, the canary at its end included.
  package var stateBytes: Int
  /// No arrangement of these buffers can need less.
  package var lowerBoundBytes: Int
  /// Bits of an offset into a line buffer: 16 wherever every line buffer is below 64 KiB.
  package var tapOffsetBits: Int
  package var schedule: PlanningOptions.Schedule
  package var core: Core
  package var flash: FlashEstimate

  /// Offset of the row counters: one `uint16_t` for the input and one for each stage's output.
  package static let countersOffset = 0
  package var counterCount: Int {
    // Line buffers that several operations read have two more each.
    edges.count + 2 * edges.count { $0.goneCounter != nil }
  }
  package var canaryOffset: Int { stateBytes - 4 }

  /// The fusion group that a stage belongs to.
  package func fusionGroup(of stage: Int) -> Int {
    fusionGroups.firstIndex { $0.contains(stage) } ?? 0
  }
}

package struct InputPlan: Sendable, Equatable {
  package var shape: Shape
  package var quantization: InputQuantization
  /// The integer that is stored as code 0.
  package var base: Int
  /// Codes below or above these are not the quantizer's: a caller's stray byte is clamped.
  package var minimumCode: Int
  package var maximumCode: Int
  /// Whether the caller's bytes are the codes.
  package var isStoredAsIs: Bool { hasAllCodes && base == 0 }
  /// No byte is stray.
  package var hasAllCodes: Bool { minimumCode == 0 && maximumCode == 255 }
  package var bytes: Int { shape.count }
  package var rowBytes: Int { shape.channels * shape.width }
}

package struct OutputPlan: Sendable, Equatable {
  package var tensor: Tensor
  package var base: Int
  /// Bound on |logit · scale − real value| in units of the scale; 0 where the integers are exact.
  package var resolution: Double
  package var count: Int { tensor.shape.count }
}

/// How integers of a tensor are stored.
package struct Storage: Sendable, Equatable {
  /// The integer that is stored as code 0.
  package var base: Int
  /// The largest code that can occur.
  package var maximumCode: Int
  /// 1, 2 or 4 (logits).
  package var elementBytes: Int
}

/// Memory that every stage may use while it makes one row.
package struct Scratch: Sendable, Equatable {
  package var buffer: Int
  /// Offsets in the state.
  package var accumulators: Int
  package var rows: Int
  package var taps: Int
  /// An output row of a channel, before it is paired for the next stage.
  package var row: Int?
  /// Column tiles of rows that the next stage takes at once.
  package var columnTile: Int
  /// A channel of an input row as codes, where the caller's bytes are not codes already.
  package var levels: Int?
}
