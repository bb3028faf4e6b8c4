/// A family of cores, as far as the choice of kernels depends on it.
package enum Core: String, Sendable, CaseIterable, Codable {
  /// No core in particular: what is good on all of them.
  case generic
  case cortexM0 = "cortex-m0"
  case cortexM3 = "cortex-m3"
  case cortexM4 = "cortex-m4"
  case cortexM7 = "cortex-m7"
  case cortexM33 = "cortex-m33"
  case cortexM55 = "cortex-m55"
  case riscv32
  /// A 64-bit processor with vector instructions, whose C compiler vectorizes loops.
  case host

  /// Accumulators that stay in registers beside a pointer and three operands: the width of a block of straight-line
  /// code.
  package var accumulators: Int {
    switch self {
    // Eight low registers; the high ones only add in place.
    case .cortexM0: 5
    case .riscv32: 16
    default: 8
    }
  }

  /// Whether a block loops over positions itself; else a loop calls it, and its registers are all for operands.
  package var tilesLoop: Bool { self != .cortexM0 }

  /// Whether it multiplies one lane of a word by 32 bits and keeps the upper 32 of the product's 48 in one instruction:
  /// the DSP extension.
  package var multipliesLanes: Bool {
    switch self {
    case .cortexM4, .cortexM7, .cortexM33, .cortexM55: true
    case .generic, .cortexM0, .cortexM3, .riscv32, .host: false
    }
  }

  /// Words that a load reaches from its base register in one instruction: 5 bits on Armv6-M, 32 on a host, 12
  /// elsewhere.
  package var reachableWords: Int {
    switch self {
    case .cortexM0: 32
    case .host: 1 << 29
    default: 512
    }
  }
}
