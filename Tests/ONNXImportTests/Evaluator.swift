import ModelBuilding
import ONNXFormat

/// A tensor of real numbers, row-major.
struct Reals: Equatable {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) {
    self.shape = shape
    self.values = values
  }

  /// One value for each place.
  init(_ shape: [Int], _ value: ([Int]) -> Double) {
    self.shape = shape
    values = Reals.places(shape).map(value)
  }

  static func places(_ shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { places, extent in places.flatMap { place in (0..<extent).map { place + [$0] } } }
  }

  /// The element at a place, which broadcasting may have made of fewer axes.
  subscript(place: [Int]) -> Double {
    var index = 0
    for (axis, extent) in shape.enumerated() {
      index = index * extent + (extent == 1 ? 0 : place[axis + place.count - shape.count])
    }
    return values[index]
  }

  func map(_ function: (Double) -> Double) -> Reals { Reals(shape, values.map(function)) }

  func combined(_ other: Reals, _ function: (Double, Double) -> Double) -> Reals {
    let rank = max(shape.count, other.shape.count)
    let left = [Int](repeating: 1, count: rank - shape.count) + shape
    let right = [Int](repeating: 1, count: rank - other.shape.count) + other.shape
    return Reals(zip(left, right).map { $0 == 1 ? $1 : $0 }) { function(self[$0], other[$0]) }
  }

  /// Bounds that mean "as far as it goes" are brought into range.
  var integers: [Int] { values.map { Int(min(max($0, -1e15), 1e15)) } }
}

/// Runs a built model node by node, each operator as ONNX's and QONNX's documents define it, in plain real arithmetic and
/// without anything of the importer's. With dyadic constants every value is exact.
struct Evaluator {
  private var values: [String: Reals] = [:]
  /// Element types of initializers: of a zero point it decides how integers saturate.
  private var types: [String: Int32] = [:]
  private var node = ONNXNodeProto()
  /// The results of a model with one input, in the order of its outputs.
  static func outputs(_ model: ModelBuilder, _ input: [Double]) -> [Reals] {
    var evaluator = Evaluator()
    let dims = model.proto.graph.input[0].type.tensorType.shape.dim.map { dim -> Int in
      if case .dimValue(let extent) = dim.value { Int(extent) } else { 1 }
    }
    evaluator.values["x"] = Reals(dims, input)
    for tensor in model.initializers {
      evaluator.values[tensor.name] = Reals(tensor)
      evaluator.types[tensor.name] = tensor.dataType
    }
    for node in model.nodes {
      evaluator.node = node
      if node.opType == "Split" {
        for (name, part) in zip(node.output, evaluator.parts()) { evaluator.values[name] = part }
      } else {
        evaluator.values[node.output[0]] = evaluator.result()
      }
    }
    return model.proto.graph.output.map { evaluator.values[$0.name] ?? Reals([], [.nan]) }
  }

  static func run(_ model: ModelBuilder, _ input: [Double]) -> Reals { outputs(model, input)[0] }

  private init() {}

  private func has(_ position: Int) -> Bool { position < node.input.count && !node.input[position].isEmpty }

  private func input(_ position: Int = 0) -> Reals { values[node.input[position]] ?? Reals([], [.nan]) }

  private func attribute(_ name: String) -> ONNXAttributeProto? { node.attribute.first { $0.name == name } }

  private func int(_ name: String, _ fallback: Int) -> Int { attribute(name).map { Int($0.i) } ?? fallback }

  private func ints(_ name: String, _ fallback: [Int]) -> [Int] {
    attribute(name).map { $0.ints.map { Int($0) } } ?? fallback
  }

  private func float(_ name: String, _ fallback: Double) -> Double { attribute(name).map { Double($0.f) } ?? fallback }

  private func string(_ name: String, _ fallback: String) -> String {
    attribute(name).map { String(decoding: $0.s, as: UTF8.self) } ?? fallback
  }

  /// A list that is an attribute or an input.
  private func list(_ name: String, _ position: Int) -> [Int]? {
    attribute(name).map { $0.ints.map { Int($0) } } ?? (has(position) ? input(position).integers : nil)
  }

  private func axes(_ position: Int, rank: Int) -> [Int]? {
    list("axes", position).map { $0.map { $0 < 0 ? $0 + rank : $0 } }
  }

  private func result() -> Reals {
    let x = node.input.isEmpty ? Reals([], []) : input()
    switch node.opType {
    case "Identity", "Dropout", "Cast", "Softmax", "LogSoftmax", "Sigmoid", "ArgMax", "TopK": return x
    case "Constant": return attribute("value").map { Reals($0.t) } ?? constant()
    case "Quant": return quant(x)
    case "BipolarQuant": return x.combined(input(1)) { $0 >= 0 ? $1 : -$1 }
    case "Trunc": return trunc(x)
    case "QuantizeLinear": return quantizeLinear(x)
    case "DequantizeLinear":
      let zero = has(2) ? perChannel(input(2), x) : Reals([], [0])
      return x.combined(zero, -).combined(perChannel(input(1), x), *)
    case "Conv": return convolution(x)
    case "Gemm": return gemm(x)
    case "MatMul": return multiplied(x, input(1))
    case "BatchNormalization": return normalized(x)
    case "Relu": return x.map { max($0, 0) }
    case "Clip":
      let low: Double = has(1) ? input(1).values[0] : float("min", -.infinity)
      let high: Double = has(2) ? input(2).values[0] : float("max", .infinity)
      return x.map { min(max($0, low), high) }
    case "Add": return x.combined(input(1), +)
    case "Sub": return x.combined(input(1), -)
    case "Mul": return x.combined(input(1), *)
    case "Div": return x.combined(input(1), /)
    case "Neg": return x.map { -$0 }
    case "Sqrt": return x.map { $0.squareRoot() }
    case "Ceil": return x.map { $0.rounded(.up) }
    case "Floor": return x.map { $0.rounded(.down) }
    case "Round": return x.map { $0.rounded(.toNearestOrEven) }
    case "Pow":
      return x.combined(input(1)) { (base: Double, exponent: Double) -> Double in
        if exponent == 0.5 { return base.squareRoot() }
        var product = 1.0
        for _ in 0..<Int(exponent.magnitude) { product *= base }
        return exponent < 0 ? 1 / product : product
      }
    case "Pad": return padded(x)
    case "MaxPool", "AveragePool": return pooled(x)
    case "GlobalAveragePool": return reduced(x, Array(2..<x.shape.count), keepsAxes: true, isMean: true)
    case "GlobalMaxPool": return reduced(x, Array(2..<x.shape.count), keepsAxes: true, isMean: false)
    case "ReduceMean", "ReduceMax":
      return reduced(
        x, axes(1, rank: x.shape.count) ?? Array(x.shape.indices), keepsAxes: int("keepdims", 1) == 1,
        isMean: node.opType == "ReduceMean")
    case "Flatten":
      let axis = int("axis", 1)
      let split = axis < 0 ? axis + x.shape.count : axis
      return Reals([x.shape[..<split].reduce(1, *), x.shape[split...].reduce(1, *)], x.values)
    case "Reshape": return reshaped(x, input(1).integers)
    case "Squeeze":
      let gone = axes(1, rank: x.shape.count) ?? x.shape.indices.filter { x.shape[$0] == 1 }
      return Reals(x.shape.indices.filter { !gone.contains($0) }.map { x.shape[$0] }, x.values)
    case "Unsqueeze":
      let new = axes(1, rank: x.shape.count + (list("axes", 1) ?? []).count) ?? []
      var extents = x.shape[...]
      return Reals((0..<x.shape.count + new.count).map { new.contains($0) ? 1 : extents.removeFirst() }, x.values)
    case "Transpose":
      let order = ints("perm", Array(x.shape.indices.reversed()))
      return Reals(order.map { x.shape[$0] }) { place in
        var source = place
        for (axis, from) in order.enumerated() { source[from] = place[axis] }
        return x[source]
      }
    case "Shape": return Reals([x.shape.count], x.shape.map(Double.init))
    case "ConstantOfShape":
      return Reals(x.integers) { _ in attribute("value").map { Reals($0.t).values[0] } ?? 0 }
    case "Gather": return gathered(x)
    case "Slice": return sliced(x)
    case "Concat": return joined()
    case "Sum": return node.input.indices.dropFirst().reduce(x) { $0.combined(input($1), +) }
    case "Resize", "Upsample": return resized(x)
    default: return Reals([], [.nan])
    }
  }

  private func constant() -> Reals {
    if let one = attribute("value_float") { return Reals([], [Double(one.f)]) }
    if let one = attribute("value_int") { return Reals([], [Double(one.i)]) }
    if let many = attribute("value_floats") { return Reals([many.floats.count], many.floats.map(Double.init)) }
    let many = attribute("value_ints")?.ints ?? []
    return Reals([many.count], many.map(Double.init))
  }

  // MARK: Quantizers

  private func rounded(_ value: Double, _ fallback: String) -> Double {
    switch string("rounding_mode", fallback).uppercased() {
    case "FLOOR": value.rounded(.down)
    case "CEIL": value.rounded(.up)
    default: value.rounded(.toNearestOrEven)
    }
  }

  private func limits(bits: Double) -> (Double, Double) {
    let levels = Double(1 << Int(bits))
    let narrow = Double(int("narrow", 0))
    return int("signed", 1) == 1 ? (-levels / 2 + narrow, levels / 2 - 1) : (0, levels - 1 - narrow)
  }

  private func quant(_ x: Reals) -> Reals {
    let (low, high) = limits(bits: input(3).values[0])
    let zero = input(2).values[0]
    return x.combined(input(1)) { (value: Double, scale: Double) -> Double in
      let clipped: Double = min(max(value / scale + zero, low), high)
      return (rounded(clipped, "ROUND") - zero) * scale
    }
  }

  private func trunc(_ x: Reals) -> Reals {
    let (scale, zero) = (input(1).values[0], input(2).values[0])
    if node.input.count == 5 {
      let unit = Double(1 << Int(input(3).values[0] - input(4).values[0]))
      return x.map { (value: Double) -> Double in
        let sum: Double = (value / scale + zero).rounded(.toNearestOrEven)
        return (rounded(sum / unit, "FLOOR") - zero) * scale
      }
    }
    let output = input(4).values[0]
    let (low, high) = limits(bits: input(5).values[0])
    let unit = output / scale
    return x.map { (value: Double) -> Double in
      let sum: Double = (value / scale + zero).rounded(.toNearestOrEven)
      let clipped: Double = min(max(sum / unit, low), high)
      return (rounded(clipped, "FLOOR") - zero / unit) * output
    }
  }

  private func quantizeLinear(_ x: Reals) -> Reals {
    let zero = has(2) ? perChannel(input(2), x) : Reals([], [0])
    let isSigned = has(2) ? types[node.input[2]] == ElementType.int8.rawValue : false
    let steps = x.combined(perChannel(input(1), x)) { ($0 / $1).rounded(.toNearestOrEven) }
    let (low, high): (Double, Double) = isSigned ? (-128, 127) : (0, 255)
    return steps.combined(zero, +).map { min(max($0, low), high) }
  }

  private func perChannel(_ parameter: Reals, _ x: Reals) -> Reals {
    if parameter.values.count == 1 { return Reals([], parameter.values) }
    var shape = [Int](repeating: 1, count: x.shape.count)
    let axis = int("axis", 1)
    shape[axis < 0 ? axis + shape.count : axis] = parameter.values.count
    return Reals(shape, parameter.values)
  }

  // MARK: Layers

  private func multiplied(_ a: Reals, _ b: Reals) -> Reals {
    let features = a.shape[a.shape.count - 1]
    return Reals(Array(a.shape.dropLast()) + [b.shape[1]]) { place -> Double in
      var sum = 0.0
      for feature in 0..<features {
        sum += a[Array(place.dropLast()) + [feature]] * b[[feature, place[place.count - 1]]]
      }
      return sum
    }
  }

  private func gemm(_ x: Reals) -> Reals {
    let b = input(1)
    let weights = int("transB", 0) == 1 ? Reals(Array(b.shape.reversed())) { b[Array($0.reversed())] } : b
    let product = multiplied(x, weights).map { $0 * float("alpha", 1) }
    return has(2) ? product.combined(input(2).map { $0 * float("beta", 1) }, +) : product
  }

  private func normalized(_ x: Reals) -> Reals {
    let epsilon = Double(attribute("epsilon")?.f ?? 1e-5)
    return Reals(x.shape) { place -> Double in
      let c = [place[1]]
      let centred: Double = x[place] - input(3)[c]
      let root: Double = (input(4)[c] + epsilon).squareRoot()
      return centred / root * input(1)[c] + input(2)[c]
    }
  }

  /// Top, left, bottom, right, for a kernel with its gaps.
  private func pads(_ x: Reals, _ kernel: [Int], _ strides: [Int]) -> [Int] {
    let mode = string("auto_pad", "NOTSET")
    guard mode.hasPrefix("SAME") else { return mode == "VALID" ? [0, 0, 0, 0] : ints("pads", [0, 0, 0, 0]) }
    let total = (0..<2).map { axis -> Int in
      let (extent, stride) = (x.shape[axis + 2], strides[axis])
      let positions = (extent + stride - 1) / stride
      return max((positions - 1) * stride + kernel[axis] - extent, 0)
    }
    let begin = total.map { (sum: Int) -> Int in mode == "SAME_UPPER" ? sum / 2 : sum - sum / 2 }
    return begin + [total[0] - begin[0], total[1] - begin[1]]
  }

  private func convolution(_ x: Reals) -> Reals {
    let weights = input(1)
    let (strides, dilations, groups) = (ints("strides", [1, 1]), ints("dilations", [1, 1]), int("group", 1))
    let kernel = (0..<2).map { axis -> Int in (weights.shape[axis + 2] - 1) * dilations[axis] + 1 }
    let pads = pads(x, kernel, strides)
    let size = (0..<2).map { axis -> Int in
      let room = x.shape[axis + 2] + pads[axis] + pads[axis + 2] - kernel[axis]
      return room / strides[axis] + 1
    }
    let perGroup = weights.shape[0] / groups
    return Reals([1, weights.shape[0], size[0], size[1]]) { place -> Double in
      var sum: Double = has(2) ? input(2).values[input(2).values.count == 1 ? 0 : place[1]] : 0
      for tap in Reals.places(Array(weights.shape.dropFirst())) {
        let y: Int = place[2] * strides[0] - pads[0] + tap[1] * dilations[0]
        let column: Int = place[3] * strides[1] - pads[1] + tap[2] * dilations[1]
        guard (0..<x.shape[2]).contains(y), (0..<x.shape[3]).contains(column) else { continue }
        let channel: Int = place[1] / perGroup * weights.shape[1] + tap[0]
        sum += weights[[place[1]] + tap] * x[[0, channel, y, column]]
      }
      return sum
    }
  }

  private func pooled(_ x: Reals) -> Reals {
    let kernel = ints("kernel_shape", [])
    let strides = ints("strides", [1, 1])
    let pads = pads(x, kernel, strides)
    let size = (0..<2).map { axis -> Int in
      let room: Int = x.shape[axis + 2] + pads[axis] + pads[axis + 2] - kernel[axis]
      var count = room / strides[axis] + 1
      if int("ceil_mode", 0) == 1, room % strides[axis] != 0, count * strides[axis] < x.shape[axis + 2] + pads[axis] {
        count += 1
      }
      return count
    }
    return Reals([1, x.shape[1], size[0], size[1]]) { place -> Double in
      var elements: [Double] = []
      for tap in Reals.places(kernel) {
        let y: Int = place[2] * strides[0] - pads[0] + tap[0]
        let column: Int = place[3] * strides[1] - pads[1] + tap[1]
        guard (0..<x.shape[2]).contains(y), (0..<x.shape[3]).contains(column) else { continue }
        elements.append(x[[0, place[1], y, column]])
      }
      if node.opType == "MaxPool" { return elements.max() ?? -.infinity }
      let count = int("count_include_pad", 0) == 1 ? kernel[0] * kernel[1] : elements.count
      return elements.reduce(0, +) / Double(count)
    }
  }

  private func reduced(_ x: Reals, _ axes: [Int], keepsAxes: Bool, isMean: Bool) -> Reals {
    let full = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
    let inner = x.shape.indices.map { axes.contains($0) ? x.shape[$0] : 1 }
    let result = Reals(full) { place -> Double in
      let elements: [Double] = Reals.places(inner).map { offset in x[zip(place, offset).map(+)] }
      return isMean ? elements.reduce(0, +) / Double(elements.count) : elements.max() ?? .nan
    }
    return keepsAxes ? result : Reals(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }, result.values)
  }

  // MARK: Shapes

  private func reshaped(_ x: Reals, _ target: [Int]) -> Reals {
    var shape = target
    if int("allowzero", 0) == 0 { for axis in shape.indices where shape[axis] == 0 { shape[axis] = x.shape[axis] } }
    if let open = shape.firstIndex(of: -1) {
      shape[open] = x.values.count / shape.filter { $0 != -1 }.reduce(1, *)
    }
    return Reals(shape, x.values)
  }

  private func padded(_ x: Reals) -> Reals {
    var pads = list("pads", 1) ?? []
    if has(3) {
      let chosen = input(3).integers.map { $0 < 0 ? $0 + x.shape.count : $0 }
      var all = [Int](repeating: 0, count: 2 * x.shape.count)
      for (index, axis) in chosen.enumerated() {
        (all[axis], all[axis + x.shape.count]) = (pads[index], pads[index + chosen.count])
      }
      pads = all
    }
    let shape = x.shape.indices.map { axis -> Int in x.shape[axis] + pads[axis] + pads[axis + x.shape.count] }
    return Reals(shape) { place -> Double in
      let source: [Int] = zip(place, pads).map { $0 - $1 }
      return zip(source, x.shape).allSatisfy { (0..<$1).contains($0) } ? x[source] : 0
    }
  }

  private func gathered(_ x: Reals) -> Reals {
    let axis = int("axis", 0) < 0 ? int("axis", 0) + x.shape.count : int("axis", 0)
    let indices = input(1)
    let shape = Array(x.shape[..<axis]) + indices.shape + Array(x.shape[(axis + 1)...])
    return Reals(shape) { place -> Double in
      let index = Int(indices[Array(place[axis..<axis + indices.shape.count])])
      let rest = Array(place[(axis + indices.shape.count)...])
      return x[Array(place[..<axis]) + [index < 0 ? index + x.shape[axis] : index] + rest]
    }
  }

  private func joined() -> Reals {
    let all = node.input.indices.map { input($0) }
    let rank = all[0].shape.count
    let axis = int("axis", 0) < 0 ? int("axis", 0) + rank : int("axis", 0)
    var shape = all[0].shape
    shape[axis] = all.reduce(0) { $0 + $1.shape[axis] }
    return Reals(shape) { place -> Double in
      var (part, rest) = (0, place)
      while rest[axis] >= all[part].shape[axis] {
        rest[axis] -= all[part].shape[axis]
        part += 1
      }
      return all[part][rest]
    }
  }

  private func parts() -> [Reals] {
    let x = input()
    let axis = int("axis", 0) < 0 ? int("axis", 0) + x.shape.count : int("axis", 0)
    let count = node.output.count
    // Where the lengths are not given, the last part may be shorter.
    let length = (x.shape[axis] + count - 1) / count
    let lengths = list("split", 1) ?? (0..<count).map { min(length, x.shape[axis] - $0 * length) }
    var start = 0
    return lengths.map { length in
      defer { start += length }
      var shape = x.shape
      shape[axis] = length
      return Reals(shape) { place -> Double in
        var source = place
        source[axis] += start
        return x[source]
      }
    }
  }

  /// By ONNX's formulas, in Double: exact for the small factors here.
  private func resized(_ x: Reals) -> Reals {
    let scales = attribute("scales").map { $0.floats.map(Double.init) } ?? (has(1) && !has(2) ? input(1).values : [])
    let shape: [Int]
    if has(3) {
      shape = input(3).integers
    } else {
      let given = has(2) ? input(2).values : scales
      var factors = [Double](repeating: 1, count: x.shape.count)
      for (axis, factor) in zip(ints("axes", Array(x.shape.indices)), given) { factors[axis] = factor }
      shape = zip(x.shape, factors).map { Int((Double($0) * $1).rounded(.down)) }
    }
    let isOld = node.opType == "Upsample" || (has(1) && !has(2))
    return Reals(shape) { place -> Double in
      let source = place.indices.map { axis -> Int in
        let (new, old) = (Double(shape[axis]), Double(x.shape[axis]))
        let scale = new / old
        let at: Double =
          switch string("coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel") {
          case "asymmetric": Double(place[axis]) / scale
          case "align_corners": new > 1 ? Double(place[axis]) * (old - 1) / (new - 1) : 0
          default: (Double(place[axis]) + 0.5) / scale - 0.5
          }
        let element: Double =
          switch string("nearest_mode", isOld ? "floor" : "round_prefer_floor") {
          case "floor": at.rounded(.down)
          case "ceil": at.rounded(.up)
          case "round_prefer_ceil": (at + 0.5).rounded(.down)
          default: (at - 0.5).rounded(.up)
          }
        return Int(min(max(element, 0), old - 1))
      }
      return x[source]
    }
  }

  private func sliced(_ x: Reals) -> Reals {
    let starts = list("starts", 1) ?? []
    let ends = list("ends", 2) ?? []
    let axes = axes(3, rank: x.shape.count) ?? Array(starts.indices)
    let steps = has(4) ? input(4).integers : starts.map { _ in 1 }
    var taken = x.shape.map { Array(0..<$0) }
    for (index, axis) in axes.enumerated() {
      let count = x.shape[axis]
      func bound(_ value: Int, _ range: ClosedRange<Int>) -> Int {
        min(max(value < 0 ? max(value, -count - 1) + count : value, range.lowerBound), range.upperBound)
      }
      let range = steps[index] > 0 ? 0...count : -1...count - 1
      taken[axis] = Array(
        stride(from: bound(starts[index], range), to: bound(ends[index], range), by: steps[index]))
    }
    return Reals(taken.map(\.count)) { place in x[place.indices.map { taken[$0][place[$0]] }] }
  }
}

extension Reals {
  init(_ tensor: ONNXTensorProto) {
    let values: [Double] =
      if !tensor.floatData.isEmpty { tensor.floatData.map(Double.init) } else if !tensor.int64Data.isEmpty {
        tensor.int64Data.map(Double.init)
      } else { tensor.int32Data.map(Double.init) }
    self.init(tensor.dims.map { Int($0) }, values)
  }
}
