/// Ternary weights in the form that takes the fewest instructions: nothing is done for a zero.
package enum UnrolledWeights: Sendable, Equatable {
  /// Depthwise: the taps of each output channel, as a statement for each channel or as tables. A channel has too few
  /// weights for sums to be shared.
  case taps([TapList], areStatements: Bool)
  /// Output channels in blocks as wide as there are registers for accumulators. `columnTile` words of the output row
  /// are made by all blocks before the next ones.
  case channelTiles([ChannelTile], columnTile: Int)
  /// Output channels in blocks, each over whole rows of single columns: loops that compilers vectorize.
  case columns([ChannelTile])

  /// Additions and subtractions of a position, and words loaded for them.
  package var operations: (additions: Int, loads: Int) {
    switch self {
    case .taps(let channels, _):
      let taps = channels.reduce(0) { $0 + $1.offsets.count }
      return (taps, taps)
    case .channelTiles(let channelTiles, _), .columns(let channelTiles):
      return channelTiles.reduce((0, 0)) { ($0.0 + $1.additions, $0.1 + $1.loads) }
    }
  }
}

/// The non-zero weights of an output channel: where the words lie that it adds, and then those that it subtracts.
package struct TapList: Sendable, Equatable {
  /// Words from the window's first word of the channel; positions where those hold all channels.
  package var offsets: [Int]
  /// How many of them are added.
  package var plus: Int
  package var minus: Int { offsets.count - plus }

  package init(offsets: [Int], plus: Int) {
    self.offsets = offsets
    self.plus = plus
  }
}

/// The sums of some output channels at one position.
package struct ChannelTile: Sendable, Equatable {
  package var channels: [Int]
  /// Words from the window's first to that of the block's first input channel.
  package var input: Int
  package var nonZeros: Int
  package var groups: [TapGroup]
  /// Whether it goes on with the sums of the block before, of the same channels: those with more taps than a loop
  /// should have.
  package var isContinued = false

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

  package func uses(_ operand: Operand) -> Bool { uses.contains { $0.operand == operand } }
  /// A shared sum is made once.
  package var additions: Int {
    uses.count + (uses(.sum) ? 1 : 0) + (uses(.difference) ? 1 : 0)
  }
}
