package import Diagnostics
internal import FoundationEssentials

extension Tensor {
  /// The number of elements that a tensor of the file declares; 0 for one whose shape decoding refuses.
  package static func declaredElements(_ proto: ONNXTensorProto) -> Int {
    (try? checkedShape(proto, name: ""))?.count ?? 0
  }

  /// Decodes a tensor of the file.
  ///
  /// Nothing is allocated by the declared shape before the data that must fill it has been seen.
  ///
  /// - Parameters:
  ///   - proto: An initializer, or the value of a `Constant` node.
  ///   - name: What messages call it.
  ///   - folder: Where external data is looked for; nil refuses it.
  /// - Throws: The first thing that is wrong with the tensor.
  package init(decoding proto: ONNXTensorProto, name: String, folder: String?) throws(Diagnostic) {
    guard let type = ElementType(rawValue: proto.dataType) else {
      throw .elementType(tensor: name, number: proto.dataType)
    }
    let (shape, count) = try checkedShape(proto, name: name)
    self.init(name: name, shape: shape, type: type, elements: .integers([]))

    let isExternal = proto.dataLocation != 0 || !proto.externalData.isEmpty
    if isExternal && proto.storedFields > 0 {
      throw .ambiguousData(tensor: name)
    } else if isExternal {
      let data = try ExternalData(proto, tensor: name).read(expecting: byteCount(count, type), folder: folder)
      elements = try decodeRaw(data, type: type, count: count, name: name)
    } else if proto.storedFields > 1 {
      throw .ambiguousData(tensor: name)
    } else if proto.hasRawData {
      elements = try decodeRaw([UInt8](proto.rawData), type: type, count: count, name: name)
    } else {
      elements = try decodeTyped(proto, type: type, count: count, name: name)
    }
  }
}

extension ONNXTensorProto {
  /// How many of the fields that can hold elements do.
  fileprivate var storedFields: Int {
    [
      hasRawData, !floatData.isEmpty, !int32Data.isEmpty, !int64Data.isEmpty, !doubleData.isEmpty, !uint64Data.isEmpty,
    ].count { $0 }
  }
}

private func checkedShape(_ proto: ONNXTensorProto, name: String) throws(Diagnostic) -> (shape: [Int], count: Int) {
  guard proto.dims.count <= ONNXLimits.tensorRank else { throw .rank(tensor: name, rank: proto.dims.count) }
  var shape: [Int] = []
  // Of the extents other than 0, so that no product of some extents of an empty tensor can overflow later.
  var count = 1
  for dim in proto.dims {
    guard let extent = Int(exactly: dim), extent >= 0 else { throw .negativeDimension(tensor: name, dims: proto.dims) }
    let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
    guard !overflow, product <= ONNXLimits.tensorElements else {
      throw .tooManyElements(tensor: name, dims: proto.dims)
    }
    shape.append(extent)
    count = product
  }
  return (shape, shape.contains(0) ? 0 : count)
}

/// Bytes of `count` elements, the last byte padded; no overflow, as `count` is within the limits.
private func byteCount(_ count: Int, _ type: ElementType) -> Int {
  (count * type.bits + 7) / 8
}

private func decodeRaw(
  _ data: [UInt8], type: ElementType, count: Int, name: String
) throws(Diagnostic) -> Tensor.Elements {
  guard data.count == byteCount(count, type) else {
    throw .dataSize(tensor: name, found: "\(data.count) bytes", expected: "\(byteCount(count, type)) bytes")
  }
  if type.bits < 8 {
    return .integers((0..<count).map { unpack(UInt64(data[$0 * type.bits / 8]), index: $0, type: type) })
  }
  let width = type.bits / 8
  let words = (0..<count).lazy.map { index in
    (0..<width).reduce(UInt64(0)) { $0 | UInt64(data[index * width + $1]) << UInt64(8 * $1) }
  }
  if type.isFloatingPoint {
    return .floats(try floats(words, type: type, name: name))
  }
  return .integers(words.map { signExtend($0, type: type) })
}

/// The element at `index` of a byte that holds several, low bits first.
private func unpack(_ byte: UInt64, index: Int, type: ElementType) -> Int64 {
  let perByte = 8 / type.bits
  return signExtend(byte >> UInt64(index % perByte * type.bits), type: type)
}

private func signExtend(_ word: UInt64, type: ElementType) -> Int64 {
  let unused = Int64(64 - type.bits)
  let top = Int64(bitPattern: word << UInt64(unused))
  return type.isSigned ? top >> unused : Int64(bitPattern: UInt64(bitPattern: top) >> UInt64(unused))
}

private func floats(
  _ words: some Sequence<UInt64>, type: ElementType, name: String
) throws(Diagnostic) -> [Float] {
  var result: [Float] = []
  for word in words {
    switch type {
    case .float16: result.append(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: word))))
    case .bfloat16: result.append(Float(bitPattern: UInt32(truncatingIfNeeded: word) << 16))
    case .double: result.append(try narrowed(Double(bitPattern: word), name: name))
    default: result.append(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
    }
  }
  return result
}

private func narrowed(_ value: Double, name: String) throws(Diagnostic) -> Float {
  if value.isNaN { return .nan }
  guard let float = Float(exactly: value) else { throw .doublePrecision(tensor: name, value: value) }
  return float
}

/// Elements from the typed fields. Small integers and 16-bit floats stand in `int32_data`, 4- and 2-bit ones packed.
private func decodeTyped(
  _ proto: ONNXTensorProto, type: ElementType, count: Int, name: String
) throws(Diagnostic) -> Tensor.Elements {
  let found: Int
  switch type {
  case .float: found = proto.floatData.count
  case .double: found = proto.doubleData.count
  case .int64: found = proto.int64Data.count
  case .uint32: found = proto.uint64Data.count
  default: found = proto.int32Data.count
  }
  let expected = type.bits < 8 ? byteCount(count, type) : count
  guard found == expected else {
    throw .dataSize(tensor: name, found: "\(found) stored numbers", expected: "\(expected)")
  }

  switch type {
  case .float: return .floats(proto.floatData)
  case .double:
    var values: [Float] = []
    for value in proto.doubleData { values.append(try narrowed(value, name: name)) }
    return .floats(values)
  case .float16, .bfloat16:
    return .floats(try floats(proto.int32Data.lazy.map { UInt64(UInt32(bitPattern: $0)) }, type: type, name: name))
  case .uint2, .int2, .uint4, .int4:
    return .integers(
      (0..<count).map { unpack(UInt64(UInt32(bitPattern: proto.int32Data[$0 * type.bits / 8])), index: $0, type: type) }
    )
  case .int64: return .integers(proto.int64Data)
  case .uint32: return try .integers(checked(proto.uint64Data, type: type, name: name))
  default: return try .integers(checked(proto.int32Data, type: type, name: name))
  }
}

private func checked(
  _ values: [some BinaryInteger], type: ElementType, name: String
) throws(Diagnostic) -> [Int64] {
  var result: [Int64] = []
  for value in values {
    guard let integer = Int64(exactly: value), type.integerRange?.contains(integer) == true else {
      throw .outOfRange(tensor: name, value: "\(value)", type: type)
    }
    result.append(integer)
  }
  return result
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func elementType(tensor: String, number: Int32) -> Diagnostic {
    Diagnostic(
      code: "element-type", location: Location(tensor: tensor),
      message: "elements of type \(ElementType.name(number)): expected float or integers",
      fix: "export the model in float32 (model.float())")
  }

  fileprivate static func rank(tensor: String, rank: Int) -> Diagnostic {
    Diagnostic(
      code: "tensor-rank", location: Location(tensor: tensor),
      message: "\(rank) dimensions: expected at most \(ONNXLimits.tensorRank)",
      fix: "store parameters as tensors of at most \(ONNXLimits.tensorRank) axes")
  }

  fileprivate static func negativeDimension(tensor: String, dims: [Int64]) -> Diagnostic {
    Diagnostic(
      code: "tensor-shape", location: Location(tensor: tensor),
      message: "shape \(dims) has a negative extent: expected 0 or more", fix: "export the model again")
  }

  fileprivate static func tooManyElements(tensor: String, dims: [Int64]) -> Diagnostic {
    Diagnostic(
      code: "tensor-too-large", location: Location(tensor: tensor),
      message: "shape \(dims) has more than \(ONNXLimits.tensorElements) elements",
      fix: "compile a network that a microcontroller can hold")
  }

  fileprivate static func ambiguousData(tensor: String) -> Diagnostic {
    Diagnostic(
      code: "tensor-data", location: Location(tensor: tensor),
      message: "the data is stored in more than one place: expected one of raw_data, a typed field or an external file",
      fix: "export the model again")
  }

  fileprivate static func dataSize(tensor: String, found: String, expected: String) -> Diagnostic {
    Diagnostic(
      code: "tensor-data", location: Location(tensor: tensor),
      message: "\(found) of data: the shape needs \(expected)", fix: "export the model again")
  }

  fileprivate static func doublePrecision(tensor: String, value: Double) -> Diagnostic {
    Diagnostic(
      code: "element-type", location: Location(tensor: tensor),
      message: "holds \(value), which is no float32 number: expected float32", fix: "export model.float()")
  }

  fileprivate static func outOfRange(tensor: String, value: String, type: ElementType) -> Diagnostic {
    Diagnostic(
      code: "tensor-data", location: Location(tensor: tensor),
      message: "holds \(value), which is no number of its type \(ElementType.name(type.rawValue))",
      fix: "export the model again")
  }
}
