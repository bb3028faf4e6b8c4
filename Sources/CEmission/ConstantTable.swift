import Scheduling

extension ConstantTable {
  var cType: String {
    switch element {
    case .packed: "uint8_t"
    case .int8: "int8_t"
    case .uint16: "uint16_t"
    case .int16: "int16_t"
    case .int32: "int32_t"
    case .int64: "int64_t"
    }
  }

  func literal(_ value: Int) -> String {
    switch element {
    case .packed: "0x" + (value < 16 ? "0" : "") + String(value, radix: 16)
    case .int8, .uint16, .int16: "\(value)"
    // The most negative int32 has no literal of its own.
    case .int32: value == Int(Int32.min) ? "(-2147483647 - 1)" : "\(value)"
    case .int64: "INT64_C(\(value))"
    }
  }
}

extension FirmwarePlan {
  /// The tables that an operation's code refers to, in the order in which they are printed.
  func tables(_ index: Int) -> [ConstantTable] { operations[index].variant.tables(Context(self, index)) }
}
