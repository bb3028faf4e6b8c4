/// The element types that a tensor of a ternary network may have, by their numbers in ONNX's `TensorProto.DataType`.
package enum ElementType: Int32, Sendable {
  case float = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case double = 11
  case uint32 = 12
  case bfloat16 = 16
  case uint4 = 21
  case int4 = 22
  case uint2 = 25
  case int2 = 26

  package var bits: Int {
    switch self {
    case .uint2, .int2: 2
    case .uint4, .int4: 4
    case .uint8, .int8, .bool: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float, .int32, .uint32: 32
    case .int64, .double: 64
    }
  }

  package var isFloatingPoint: Bool {
    switch self {
    case .float, .float16, .bfloat16, .double: true
    default: false
    }
  }

  package var isSigned: Bool {
    switch self {
    case .int2, .int4, .int8, .int16, .int32, .int64: true
    default: isFloatingPoint
    }
  }

  /// The integers of the type; nil for floating point.
  package var integerRange: ClosedRange<Int64>? {
    if isFloatingPoint { return nil }
    if self == .bool { return 0...1 }
    if self == .int64 { return .min ... .max }
    return isSigned ? -(Int64(1) << (bits - 1))...(Int64(1) << (bits - 1)) - 1 : 0...(Int64(1) << bits) - 1
  }

  /// ONNX's spelling of any data type number, for messages.
  package static func name(_ number: Int32) -> String {
    let names = [
      "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE",
      "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
      "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2",
    ]
    guard let index = Int(exactly: number), names.indices.contains(index) else { return "type number \(number)" }
    return names[index]
  }
}
