import FirmwarePlanning
import TernaryIR

extension Stage {
  /// The C name of the stage's window and ring. No identifier is a layer's bare name: whatever a file calls its layers, they
  /// meet neither each other's tables nor the names of C, of the kernels and of local variables.
  var descriptor: String { "\(name)_stage" }
}

extension Stage {
  /// C expression of the offset of input row `y` from slot 0, in values, to be added; empty where there is one row.
  /// `made` is the number of rows that the stage has made.
  func rowOffset(_ descriptor: String, _ y: String, made: String) -> String {
    if ring.slots == 1 { return "" }
    guard ring.isLinear else { return " + row_offset(\(descriptor), \(y))" }
    let top = window.top > 0 ? "\(y) + \(window.top)U" : y
    let row = isSliding ? "\(top) - \(advance > 1 ? "\(advance)U * " : "")\(made)" : top
    return " + \(row == y ? y : "(\(row))") * \(descriptor)->row_stride"
  }

  /// Whether it is called as rows arrive; else when the caller asks for the output, by itself or with all layers of maps.
  var advances: Bool {
    if let maps, maps.kind != .rows { return false }
    if case .output = destination { return addsRowByRow }
    return true
  }

  /// Bits that one operation saturates to. Vectors are clamped by two comparisons instead.
  func saturatedBits(_ epilogue: Epilogue) -> Int? { columns == nil ? epilogue.saturatedBits : nil }

  /// Whether it is a dense layer whose weights take a byte each.
  var hasByteWeights: Bool { if case .dense(let work) = work { work.areBytes } else { false } }

  /// Whether a loop goes over the list of a channel's taps.
  var hasTapLists: Bool { if case .taps(_, areStatements: false)? = code { channelsLast == nil } else { false } }

  /// What is added to a row's levels before they are clamped, where 16 bits hold them and their sums.
  func shortLift(_ epilogue: Epilogue) -> Int? {
    columns?.areShort == true && output.elementBytes == 1 ? epilogue.shortLift : nil
  }

  /// Whether it looks how many rows have arrived; others take each row as it comes.
  var firesWhenDue: Bool {
    if case .output = destination { return false }
    return maps == nil && ring.channelsLast == nil && !poolsRowByRow && !addsRowByRow && ring.strip == nil
  }

  /// Whether it is told which strip of its row is there.
  var takesStrips: Bool {
    guard let strip = ring.strip, let lanes = ring.lanes else { return false }
    return strip < lanes.outputs
  }

  /// Whether it is an average pool whose windows' rows always follow one another in its ring, none of padding among them.
  var hasContiguousWindows: Bool {
    guard case .averagePool = work, window.top + window.bottom == 0 else { return false }
    return ring.slots == inputShape.height || (ring.slots == reach && reach == advance)
  }

  /// Whether its code, or its predecessor's, looks a row's place up with `row_offset`.
  func needsRowOffset(madeBy predecessor: Stage?) -> Bool {
    if maps != nil || ring.channelsLast != nil { return false }
    if predecessor?.maps == nil, predecessor?.usesSharedConvolution != true { return true }
    if case .dense = work { return false }
    return !hasContiguousWindows
  }
}
