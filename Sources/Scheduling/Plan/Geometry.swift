import TernaryIR

/// The extents of a layer that looks at windows of its input, and of the max pool that may be fused into it.
package struct Geometry: Sendable, Equatable {
  package var input: Shape
  /// Of a dense layer: all rows at once.
  package var window: Window
  /// Extents of the layer's own result, before a fused pool.
  package var sums: Shape
  package var pool: Pool
  package var output: Shape

  /// A max pool of the accumulators, before they are requantized: the requantizer does not decrease, so the bits are the
  /// same, and there are fewer values to requantize and to keep.
  package enum Pool: Sendable, Equatable {
    case none
    /// Of all rows under a window at once.
    case window(Window)
    /// Takes the layer's rows one at a time, as they come, into the output row. The largest code belongs to the largest
    /// accumulator.
    case running(Window)
  }

  package var poolWindow: Window? {
    switch pool {
    case .none: nil
    case .window(let window), .running(let window): window
    }
  }
  package var isPooled: Bool { pool != .none }
  package var hasRunningMaximum: Bool { if case .running = pool { true } else { false } }
  package var poolHeight: Int { poolWindow?.kernelHeight ?? 1 }
  package var poolWidth: Int { poolWindow?.kernelWidth ?? 1 }

  /// Rows of the layer that make one row of the operation.
  package var rowsPerOutput: Int { hasRunningMaximum ? 1 : poolHeight }

  /// Input rows under an output row, where all rows of a fused pool's window are made at once.
  package var rows: RowWindow { rows(under: rowsPerOutput) }

  /// Input rows that an output row depends on, whether they are kept or not.
  package var dependence: RowWindow { rows(under: poolHeight) }

  private func rows(under count: Int) -> RowWindow {
    RowWindow(
      rows: window.kernelHeight + (count - 1) * window.strideHeight, step: count * window.strideHeight, top: window.top,
      bottom: window.bottom, input: input.height, output: output.height)
  }
}

/// Which rows of its input an operation needs for a row of its output.
package struct RowWindow: Sendable, Equatable {
  /// Input rows under one output row, and from an output row to the next.
  package var rows: Int
  package var step: Int
  /// Rows of padding.
  package var top: Int
  package var bottom: Int
  /// Rows of the input and of the output.
  package var input: Int
  package var output: Int

  /// Output rows that each input row makes, where a map is made larger.
  package var repeats = 1

  package init(rows: Int, step: Int, top: Int, bottom: Int, input: Int, output: Int) {
    (self.rows, self.step, self.top, self.bottom) = (rows, step, top, bottom)
    (self.input, self.output) = (input, output)
  }

  /// The first input row under an output row, counted from the first on the map.
  package func first(_ oy: Int) -> Int { oy / repeats * step - top }

  /// One row at a time.
  package static func single(input: Int, output: Int) -> RowWindow {
    RowWindow(rows: 1, step: 1, top: 0, bottom: 0, input: input, output: output)
  }

  /// Whether any window reaches into the padding below: strides may end before it.
  package var seesPaddingBelow: Bool { bottom > 0 && rowsBeforePadding < output }
  /// Output rows after which padding comes in behind the last row of the map: the next window reaches below it.
  package var rowsBeforePadding: Int { max(0, input - rows + top + step) / step }

  /// The slot of the first row of output row `oy`'s window, where a window is read as one block of memory.
  package func place(in edge: Edge) -> WindowPlace {
    switch edge.rowPlace {
    case .single: .front
    case .modulo: .modulo
    case .linear(let above, let slide): slide > 0 ? .front : .steps(skipped: above - top)
    case .shared(let above, let counter): .shared(skipped: above - top, counter: counter)
    }
  }

  /// Whether rows move up within the line buffer, or padding comes in behind the last of them.
  package func movesRows(of edge: Edge) -> Bool { edge.slide > 0 && (rows > step || seesPaddingBelow) }
}
