import Scheduling
import TernaryIR

extension Stage {
  /// The C name of the stage's window and line buffer. No identifier is a layer's bare name: whatever a file calls its
  /// layers, they meet neither each other's tables nor the names of C, of the kernels and of local variables.
  var descriptor: String { "\(name)_stage" }
}

extension Stage {
  /// C expression of the offset of input row `y` from slot 0, in values, to be added; empty where there is one row.
  /// `made` is the number of rows that the stage has made.
  func rowOffset(_ descriptor: String, _ y: String, made: String) -> String {
    switch rowPlace {
    case .single: return ""
    case .modulo: return " + row_offset(\(descriptor), \(y))"
    case .linear(let above, let step):
      let top = above > 0 ? "\(y) + \(above)U" : y
      let row = step > 0 ? "\(top) - \(step > 1 ? "\(step)U * " : "")\(made)" : top
      return " + \(row == y ? y : "(\(row))") * \(descriptor)->row_stride"
    }
  }

  /// Bits that one operation saturates to. Vectors are clamped by two comparisons instead.
  func saturatedBits(_ epilogue: Epilogue) -> Int? { columns == nil ? epilogue.saturatedBits : nil }

  /// Whether it is a dense layer whose weights take a byte each.
  var hasByteWeights: Bool { if case .dense(let work) = work { work.areBytes } else { false } }

  /// Whether a loop goes over the list of a channel's taps.
  var hasTapLists: Bool { if case .taps(_, areStatements: false)? = unrolled { hwc == nil } else { false } }

  /// What is added to a row's codes before they are clamped, where 16 bits hold them and their sums.
  func shortGuardBias(_ epilogue: Epilogue) -> Int? {
    columns?.areShort == true && output.elementBytes == 1 ? epilogue.shortGuardBias : nil
  }

  /// Whether it is told which column tile of its row is there.
  var takesColumnTiles: Bool {
    guard let columnTile = lineBuffer.columnTile, let lanes = lineBuffer.lanes else { return false }
    return columnTile < lanes.outputs
  }
}
