import TernaryIR

/// One tensor that flows from its producer to any number of consumers.
package struct Edge: Sendable, Equatable {
  package var shape: Shape
  package var storage: Storage
  package var layout: Layout
  package var residency: Residency
  /// Index of the operation that makes it; nil: the caller does.
  package var producer: Int?
  /// Indices of the operations that read it.
  package var consumers: [Int]
  /// Those of them that are told of a new row, in this order: it may be the one that they wait for.
  package var told: [Int]
  /// Index of the buffer that it lies in, and its offset in the state.
  package var buffer: Int
  package var offset: Int

  /// How much of a tensor is there at a time, and where.
  package enum Residency: Sendable, Equatable {
    /// Rows in slots of a buffer of its own: a line buffer, or the whole map.
    case rows(slots: Int, RowPlace)
    /// The whole map, which has no rows that stand by themselves.
    case whole
    /// Words of each channel at a time, in scratch memory: the producer makes a row in column tiles.
    case columnTile(words: Int)
    /// A single row in place of a row of another edge, that lies `step` bytes behind the one before; 0: all lie in the
    /// same place.
    case inPlace(step: Int)
    /// All rows, in the state, to be handed out at the end.
    case result
    /// A vector, straight into the caller's array.
    case caller
  }

  /// Rows that there is room for.
  package var slots: Int {
    switch residency {
    case .rows(let slots, _): slots
    case .columnTile, .inPlace: 1
    case .whole, .result, .caller: shape.height
    }
  }

  package var bytes: Int {
    switch layout.order {
    case .hwc(let map): 4 * map.words
    case .planes: shape.channels * layout.channelStride * layout.elementBytes + layout.tailBytes
    case .rows: slots * layout.rowBytes + layout.tailBytes + layout.slack * layout.elementBytes
    }
  }

  /// Words of each channel that are there at a time; nil: all.
  package var columnTile: Int? { if case .columnTile(let words) = residency { words } else { nil } }
  package var isInPlace: Bool { if case .inPlace = residency { true } else { false } }

  /// Rows lie in the order of the map, padding above and below among them: a window is one block of memory.
  package var isLinear: Bool {
    switch residency {
    case .rows(_, .linear), .rows(_, .shared): true
    default: false
    }
  }

  /// The row counter of rows that have gone, where several operations read a line buffer.
  package var goneCounter: Int? { if case .rows(_, .shared(_, let counter)) = residency { counter } else { nil } }

  /// Where its rows stand.
  package var rowPlace: RowPlace {
    guard slots > 1 else { return .single }
    return if case .rows(_, let place) = residency { place } else { .modulo }
  }

  /// Rows of padding above the first one in the buffer.
  package var storedAbove: Int {
    switch residency {
    case .rows(_, .linear(let above, _)), .rows(_, .shared(let above, _)): above
    default: 0
    }
  }

  /// Rows by which those of a linear buffer move up with every output row of its reader; 0: they stay.
  package var slide: Int { if case .rows(_, .linear(_, let step)) = residency { step } else { 0 } }

  /// Whether padding is written once and for all; words of two lanes carry their halo with every row.
  package var needsFilling: Bool {
    switch layout.order {
    case .hwc(let map): map.isFilled
    case .planes, .rows: isLinear || layout.slack > 0 || (layout.hasHalo && !layout.holdsWords && layout.order == .rows)
    }
  }
}
