/// Ternary weights as straight-line code: additions and subtractions of words of two lanes, nothing for a zero.
package enum WeightCode: Sendable, Equatable {
  /// Depthwise: the non-zero taps of each output channel.
  case rows([[Tap]])
  /// Output channels in blocks as wide as there are registers for accumulators. `strip` words of the output row are made
  /// by all blocks before the next ones.
  case blocks([CodeBlock], strip: Int)

  /// A weight of +1 or −1.
  package struct Tap: Sendable, Equatable {
    package var ky: Int
    package var kx: Int
    package var isNegative: Bool
  }

  /// Additions and subtractions of a position, and words loaded for them.
  package var operations: (additions: Int, loads: Int) {
    switch self {
    case .rows(let channels):
      let taps = channels.reduce(0) { $0 + $1.count }
      return (taps, taps)
    case .blocks(let blocks, _):
      return blocks.reduce((0, 0)) { ($0.0 + $1.additions, $0.1 + $1.loads) }
    }
  }
}

/// The sums of some output channels at one position.
package struct CodeBlock: Sendable, Equatable {
  package var channels: Range<Int>
  /// Words from the window's first to that of the block's first input channel.
  package var input: Int
  package var nonZeros: Int
  package var groups: [TapGroup]

  package var additions: Int { groups.reduce(0) { $0 + $1.additions } }
  package var loads: Int { groups.reduce(0) { $0 + ($1.second == nil ? 1 : 2) } }
}

/// One word, or two whose sum or difference several channels share.
package struct TapGroup: Sendable, Equatable {
  package enum Operand: Sendable, Equatable {
    case first, second, sum, difference
  }

  package struct Use: Sendable, Equatable {
    /// Counted from the block's first.
    package var channel: Int
    package var operand: Operand
    package var isNegative: Bool
  }

  /// Words from the block's input.
  package var first: Int
  package var second: Int?
  /// In the order of their operands.
  package var uses: [Use]

  func uses(_ operand: Operand) -> Bool { uses.contains { $0.operand == operand } }
  /// A shared sum is made once.
  package var additions: Int {
    uses.count + (uses(.sum) ? 1 : 0) + (uses(.difference) ? 1 : 0)
  }
}
