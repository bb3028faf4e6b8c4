/// One way of computing one kind of layer, as a value: everything that is particular to it stands in the file of its
/// type. Planner, verifier, estimates and printer ask, and have no case for any variant.
package protocol KernelVariant: Sendable {
  /// Extents of its layer.
  var geometry: Geometry { get }
  /// When it works.
  var firing: Firing { get }
  /// Which input rows it needs at a time.
  var rows: RowWindow { get }
  /// Which rows an output row depends on, whether they are kept or not.
  var dependence: RowWindow { get }
  /// How it reads the columns of a channel's row.
  var columns: ColumnAccess { get }
  /// Who moves its input rows up.
  var movement: RowMovement { get }
  /// Indices of buffers of its own, that hold sums from row to row.
  var buffers: [Int] { get }
  /// What it makes of a channel's row, wherever that goes.
  var makes: RowElements { get }
  /// Memory that it uses while it works.
  var scratch: ScratchNeeds { get }
  /// From accumulators to what is stored; nil: values are stored as they come.
  var epilogue: Epilogue? { get }
  /// Reachable accumulators of codes, before they are biased; nil: it has none.
  var accumulators: ClosedRange<Int>? { get }
  /// Of the integers in which it makes them.
  var accumulatorBits: Int { get }
  /// Elements of a row of its layer before a pool.
  var layerWidth: Int { get }
  var weightForm: WeightForm { get }
  /// Bytes of code that no feature counts: loops for a host, where they hardly matter.
  var uncountedCode: Int { get }
  /// How its C reads a window of several rows.
  func access(_ context: Context) -> WindowAccess
  /// Whether a descriptor of windows and line buffers describes what it reads, and whether it reads that itself.
  var hasDescriptor: Bool { get }
  var readsDescriptor: Bool { get }

  /// Tables in flash, in the order in which they are printed.
  func tables(_ context: Context) -> [ConstantTable]
  /// Units of work of an inference beside those of its rows.
  func countWork(_ context: Context, _ counts: inout WorkFeature.Counts)
  /// What its functions consist of.
  func countCode(_ context: Context, _ counts: inout CodeFeature.Counts)
  /// Functions that it needs and that others may need, too.
  func sharedCode(_ context: Context) -> Set<CodeFeature>
  /// The functions that it consists of.
  func program(_ context: Context, _ out: inout ProgramBuilder)
  /// What the emitted C relies on and does not hold.
  func problems(_ context: Context) -> [String]
  /// What its comment says of the way in which it computes.
  func summary(_ context: Context) -> [String]
}

extension KernelVariant {
  package var dependence: RowWindow { rows }
  package var columns: ColumnAccess {
    .within((layerWidth - 1) * geometry.window.strideWidth + geometry.window.kernelWidth)
  }
  package var movement: RowMovement { .own }
  package var buffers: [Int] { [] }
  package var scratch: ScratchNeeds { ScratchNeeds() }
  package var makes: RowElements { .values }
  package var hasDescriptor: Bool { true }
  package var readsDescriptor: Bool { true }
  package var accumulators: ClosedRange<Int>? { epilogue?.accumulators }
  package var accumulatorBits: Int { 32 }
  package var layerWidth: Int { geometry.sums.width }
  package var weightForm: WeightForm { .none }
  package var uncountedCode: Int { 0 }
  package func tables(_ context: Context) -> [ConstantTable] { [] }
  package func problems(_ context: Context) -> [String] { [] }
  package func summary(_ context: Context) -> [String] { [] }
}

/// When an operation works.
package enum Firing: Sendable, Equatable {
  /// As soon as the rows of a window are there; asks whether they are.
  case whenDue
  /// Takes each row as it comes.
  case perRow
  /// Takes each column tile as it comes, so many a row.
  case perColumnTile(tiles: Int)
  /// When all rows are there; asks whether they are.
  case whenComplete
  /// When all rows are there, told by its fusion group.
  case afterGroup
  /// When the caller asks for the output.
  case onFinish

  /// Whether it is called as rows arrive; else when the caller asks for the output, by itself or with others.
  package var isToldOfRows: Bool {
    switch self {
    case .whenDue, .perRow, .perColumnTile, .whenComplete: true
    case .afterGroup, .onFinish: false
    }
  }
}

/// Who moves the rows of a line buffer up when an output row has been made.
package enum RowMovement: Sendable, Equatable {
  /// Its reader's own function, by constants.
  case own
  /// The function that convolutions share, by the numbers of their descriptors.
  case counted
}

/// How weights are stored.
package enum WeightForm: Sendable, Equatable {
  case none
  /// Unrolled: a zero takes nothing.
  case code
  /// Lists of taps: a zero is in none.
  case tapLists
  /// Two bits each.
  case packed
  case bytes

  /// Whether they have been unrolled, and nothing is done for a zero.
  package var isUnrolled: Bool { self == .code || self == .tapLists }
}

/// What a row is made as.
package enum RowElements: Sendable, Equatable {
  /// A value a column.
  case values
  /// Words of two lanes, so many.
  case words(Int)
}

/// How an operation reads the rows of a window.
package enum WindowAccess: Sendable, Equatable {
  /// Each is looked up by its number.
  case rowByRow
  /// As one block of memory, padding above and below included.
  case block
  /// The whole map.
  case whole
}

/// Memory that an operation uses while it makes a row.
package struct ScratchNeeds: Sendable, Equatable {
  /// Words of accumulators, and of what is unpacked for them behind those.
  package var accumulators = 0
  package var window = 0
  /// Offsets of rows or of a window's values, and of a channel's taps.
  package var rows = 0
  package var taps = 0
  /// Bytes of an output row of a channel, before it is packed for its reader.
  package var row = 0

  package init(accumulators: Int = 0, window: Int = 0, rows: Int = 0, taps: Int = 0, row: Int = 0) {
    self.accumulators = accumulators
    self.window = window
    self.rows = rows
    self.taps = taps
    self.row = row
  }
}
