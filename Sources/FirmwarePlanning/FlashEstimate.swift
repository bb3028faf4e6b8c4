/// Flash that a plan will take on a Cortex-M4 at -O2: tables to the byte, code from constants measured per kernel.
package struct FlashEstimate: Sendable, Equatable, Codable {
  package var weights = 0
  package var requantizers = 0
  package var code = 0
  package var bytes: Int { weights + requantizers + code }

  init() {}

  init(_ plan: FirmwarePlan) {
    for stage in plan.stages {
      switch stage.work {
      case .convolution(let work): weights += work.weights.reduce(0) { $0 + $1.count }
      case .dense(let work): weights += work.weights.reduce(0) { $0 + $1.count }
      case .maxPool, .averagePool: break
      }
      if let epilogue = stage.epilogue { requantizers += epilogue.tableBytes }
    }
  }
}

extension Epilogue {
  /// Bytes of the tables in flash.
  package var tableBytes: Int {
    switch form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      guard multipliers.count > 1 else { return 0 }
      return 4 * multipliers.count + (offsets.allSatisfy { Int32(exactly: $0) != nil } ? 4 : 8) * offsets.count
    case .thresholds(let lists, _): return lists.reduce(0) { $0 + 4 * $1.count }
    }
  }
}
