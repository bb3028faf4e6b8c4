internal import GraphIR
internal import ONNXFormat

/// A tensor known while importing: an initializer, or computed from initializers alone.
struct Constant {
  enum Numbers {
    case floats([Float])
    case integers([Int64])
    /// Integers times scales: what a quantizer makes of a constant. `scaleShape` has the rank of the constant; each of
    /// its extents is 1 or the constant's.
    case scaled([Int64], scales: [Float], scaleShape: [Int])
  }

  /// The initializer that it stems from, for messages and comments.
  var origin: String
  var shape: [Int]
  var numbers: Numbers
  /// The element type in the file; of integers it decides how they saturate.
  var type: ElementType
  /// Of a quantized constant, for messages.
  var bitWidth: Int?
  /// Stands for a constant whose problem has been reported.
  var isPlaceholder = false

  init(origin: String, shape: [Int], numbers: Numbers, type: ElementType) {
    self.origin = origin
    self.shape = shape
    self.numbers = numbers
    self.type = type
  }

  init(_ tensor: Tensor) {
    let numbers: Numbers =
      switch tensor.elements {
      case .floats(let values): .floats(values)
      case .integers(let values): .integers(values)
      }
    self.init(origin: tensor.name, shape: tensor.shape, numbers: numbers, type: tensor.type)
  }

  var count: Int {
    switch numbers {
    case .floats(let values): values.count
    case .integers(let values): values.count
    case .scaled(let values, _, _): values.count
    }
  }

  /// The elements in float32, as the executors see them.
  var floats: [Float] {
    switch numbers {
    case .floats(let values): return values
    case .integers(let values): return values.map { Float($0) }
    case .scaled(let integers, let scales, let scaleShape):
      let indices = broadcastIndices(of: scaleShape, over: shape) ?? []
      return zip(integers, indices).map { Float($0) * scales[$1] }
    }
  }

  /// The integers of an integer constant.
  var integers: [Int64]? {
    if case .integers(let values) = numbers { return values }
    return nil
  }

  /// The one value that all elements have; nil where they differ, or there are none.
  var uniform: Float? {
    let values = floats
    guard let first = values.first, values.allSatisfy({ $0 == first || ($0.isNaN && first.isNaN) }) else { return nil }
    return first
  }

  /// The elements with integer and scale kept apart.
  var exact: [ExactConstant] {
    switch numbers {
    case .scaled(let integers, let scales, let scaleShape):
      let indices = broadcastIndices(of: scaleShape, over: shape) ?? []
      return zip(integers, indices).map { ExactConstant(integer: $0, scale: scales[$1]) }
    case .floats, .integers:
      return floats.map { ExactConstant(scale: $0) }
    }
  }
}

/// For each element of `shape` in row-major order, the element of a tensor of shape `small` that broadcasting puts there.
/// Nil where `small` does not broadcast to `shape`, by the rules of NumPy and ONNX.
///
/// The caller has paid for `shape`'s elements.
func broadcastIndices(of small: [Int], over shape: [Int]) -> [Int]? {
  let excess = small.count - shape.count
  if excess > 0 {
    guard small.prefix(excess).allSatisfy({ $0 == 1 }) else { return nil }
    return broadcastIndices(of: Array(small.dropFirst(excess)), over: shape)
  }
  let padded = [Int](repeating: 1, count: -excess) + small
  guard zip(padded, shape).allSatisfy({ $0 == 1 || $0 == $1 }) else { return nil }

  var strides = [Int](repeating: 0, count: shape.count)
  var stride = 1
  for axis in shape.indices.reversed() {
    strides[axis] = padded[axis] == 1 ? 0 : stride
    stride *= padded[axis]
  }
  return stridedIndices(shape: shape, strides: strides)
}

/// The offsets that a row-major walk over `shape` meets in memory with the given strides.
func stridedIndices(shape: [Int], strides: [Int]) -> [Int] {
  let count = shape.reduce(1, *)
  var result: [Int] = []
  result.reserveCapacity(count)
  var position = [Int](repeating: 0, count: shape.count)
  var offset = 0
  while result.count < count {
    result.append(offset)
    var axis = shape.count - 1
    while axis >= 0 {
      position[axis] += 1
      offset += strides[axis]
      if position[axis] < shape[axis] { break }
      offset -= strides[axis] * shape[axis]
      position[axis] = 0
      axis -= 1
    }
  }
  return result
}

extension Array {
  /// The elements at `indices`, which lie inside.
  func gathered(_ indices: [Int]) -> [Element] { indices.map { self[$0] } }
}
