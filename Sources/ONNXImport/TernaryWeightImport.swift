internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// The weights of a layer, checked to be ternary.
///
/// - Parameters:
///   - constant: A quantized constant, or plain floats with at most the levels −a, 0, +a per output.
///   - shape: What the layer makes of it: `[outputs, …]`, with as many elements as the constant has.
/// - Returns: Zeros in place of weights whose problem is reported here or was before, so that the layer still has a shape.
func ternaryWeights(
  _ constant: Constant, shape: [Int], _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> TernaryWeights {
  try state.spend(constant.count, for: constant.origin)
  do throws(Diagnostic) {
    if !constant.isPlaceholder { return try checkedWeights(constant, shape: shape, node) }
  } catch {
    state.report(error)
  }
  return TernaryWeights(
    name: constant.origin, values: [Int8](repeating: 0, count: constant.count), shape: shape, scales: [1])
}

private func checkedWeights(
  _ constant: Constant, shape: [Int], _ node: OperatorNode
) throws(Diagnostic) -> TernaryWeights {
  switch constant.numbers {
  case .floats(let values):
    return try threeLevelWeights(values, constant, shape: shape, node)
  case .integers:
    throw .integerWeights(node, constant)
  case .scaled(let integers, let scales, let scaleShape):
    guard scaleShape.dropFirst().allSatisfy({ $0 == 1 }) else { throw .inputScales(node, constant, scaleShape) }
    var values: [Int8] = []
    values.reserveCapacity(integers.count)
    for integer in integers {
      guard (-1...1).contains(integer), let value = Int8(exactly: integer) else {
        throw .notTernary(node, constant, integers)
      }
      values.append(value)
    }
    return TernaryWeights(name: constant.origin, values: values, shape: shape, scales: scales)
  }
}

/// Floats without a quantizer, as files have them whose weights were put on the grid before the export.
private func threeLevelWeights(
  _ values: [Float], _ constant: Constant, shape: [Int], _ node: OperatorNode
) throws(Diagnostic) -> TernaryWeights {
  let outputs = shape.first ?? 1
  let fanIn = outputs > 0 ? values.count / outputs : 0
  var ternary: [Int8] = []
  ternary.reserveCapacity(values.count)
  var scales: [Float] = []
  for output in 0..<outputs {
    let row = values[output * fanIn..<(output + 1) * fanIn]
    // An output without weights other than 0 has no scale of its own; any will do.
    let scale = row.first { $0 != 0 }?.magnitude ?? 1
    guard scale.isNormal, row.allSatisfy({ $0 == 0 || $0.magnitude == scale }) else {
      throw .unquantizedWeights(node, constant, levels: distinct(values))
    }
    scales.append(scale)
    ternary.append(contentsOf: row.map { $0 == 0 ? 0 : $0 < 0 ? -1 : 1 })
  }
  if Set(scales).count == 1 { scales = Array(scales.prefix(1)) }
  return TernaryWeights(name: constant.origin, values: ternary, shape: shape, scales: scales)
}

extension Constant {
  /// A matrix with its axes exchanged.
  var transposedMatrix: Constant {
    permuted([1, 0])
  }

  /// The axes in another order. `permutation` holds each axis once.
  func permuted(_ permutation: [Int]) -> Constant {
    func moved(_ shape: [Int]) -> [Int] { permutation.map { shape[$0] } }
    func indices(_ shape: [Int]) -> [Int] {
      var strides = [Int](repeating: 1, count: shape.count)
      for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
      return stridedIndices(shape: moved(shape), strides: moved(strides))
    }
    var result = self
    result.shape = moved(shape)
    switch numbers {
    case .floats(let values): result.numbers = .floats(values.gathered(indices(shape)))
    case .integers(let values): result.numbers = .integers(values.gathered(indices(shape)))
    case .scaled(let values, let scales, let scaleShape):
      result.numbers = .scaled(
        values.gathered(indices(shape)), scales: scales.gathered(indices(scaleShape)), scaleShape: moved(scaleShape))
    }
    return result
  }
}

/// A layer's bias: one constant for each output.
///
/// - Parameter position: The node's input that holds it; a missing one gives nil.
func bias(
  _ node: OperatorNode, _ position: Int, outputs: Int, _ state: inout ImportState
) throws(Diagnostic) -> [ExactConstant]? {
  guard let constant = try state.constant(node, position) else { return nil }
  let isPerOutput = constant.shape.dropLast().allSatisfy { $0 == 1 } && constant.count == outputs
  guard isPerOutput || constant.count == 1 else { throw .biasShape(node, constant, outputs: outputs) }
  let constants = constant.exact
  if let bad = constant.floats.first(where: { !$0.isFinite }) { throw .biasValue(node, constant, bad) }
  if case .integers = constant.numbers { throw .integerBias(node, constant) }
  return isPerOutput ? constants : constants.flatMap { [ExactConstant](repeating: $0, count: outputs) }
}

/// Reports an input that lies on no quantizer's grid: its values are real numbers, which integers cannot stand for.
func checkQuantized(_ input: Graph.ValueID, _ node: OperatorNode, _ state: inout ImportState) {
  guard state.graph.grid(of: input) == nil, !state.graph.isAssumedQuantized(input), !state.isFull else { return }
  let source = state.graph.source(of: input)
  state.report(.unquantizedActivation(node, state[input].name, source: source.value, computedBy: source.node))
}

/// The different values in order; no more than `mostLevels`.
private func distinct<Value: Hashable & Comparable>(_ values: [Value]) -> [Value] {
  var levels = Set<Value>()
  for value in values where levels.count < mostLevels { levels.insert(value) }
  return levels.sorted()
}

/// So many levels are told apart in messages.
private let mostLevels = 256

private func counted(_ levels: [some Any]) -> String {
  levels.count < mostLevels ? "\(levels.count)" : "\(mostLevels) or more"
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func notTernary(_ node: OperatorNode, _ constant: Constant, _ integers: [Int64]) -> Diagnostic {
    let levels = distinct(integers)
    let shown = levels.prefix(17).map(String.init).joined(separator: ", ") + (levels.count > 17 ? ", …" : "")
    let width = constant.bitWidth.map { " at a bit width of \($0)" } ?? ""
    return Diagnostic(
      code: "weights-not-ternary", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights take \(counted(levels)) levels\(width): \(shown); expected −1, 0 and +1 only",
      fix: node.framework.ternaryWeights)
  }

  fileprivate static func unquantizedWeights(_ node: OperatorNode, _ constant: Constant, levels: [Float]) -> Diagnostic
  {
    Diagnostic(
      code: "weights-not-ternary", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights are floats without a quantizer, with \(counted(levels)) different values: "
        + "expected −a, 0 and +a for each output", fix: node.framework.ternaryWeights)
  }

  fileprivate static func integerWeights(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "weights-without-scale", location: Location(node: node.name, tensor: constant.origin),
      message: "integers without a scale: expected a DequantizeLinear between them and \(node.type)",
      fix: "export QDQ: int8 weights with a DequantizeLinear behind them (Brevitas: export_onnx_qcdq)")
  }

  fileprivate static func integerBias(_ node: OperatorNode, _ constant: Constant) -> Diagnostic {
    Diagnostic(
      code: "bias-without-scale", location: Location(node: node.name, tensor: constant.origin),
      message:
        "the bias is integers without a scale: expected floats, or a DequantizeLinear between them and \(node.type)",
      fix: "export QDQ: an int32 bias with a DequantizeLinear behind it, or a float bias")
  }

  fileprivate static func inputScales(_ node: OperatorNode, _ constant: Constant, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "weights-scale-axis", location: Location(node: node.name, tensor: constant.origin),
      message: "the weights have scales of shape \(shape): expected one for the tensor or one for each output",
      fix: node.framework == .onnxRuntime || node.framework == .keras
        ? "quantize the weights per tensor, or per output channel (axis 0 of Conv, the outputs' axis of MatMul)"
        : "use scaling_per_output_type 'tensor' or 'channel' in the weight quantizer")
  }

  fileprivate static func biasShape(_ node: OperatorNode, _ constant: Constant, outputs: Int) -> Diagnostic {
    Diagnostic(
      code: "bias-shape", location: Location(node: node.name, tensor: constant.origin),
      message: "the bias has shape \(constant.shape): expected \(outputs) elements, one for each output",
      fix: "give the layer one bias per output, as nn.Linear and nn.Conv2d have it")
  }

  fileprivate static func biasValue(_ node: OperatorNode, _ constant: Constant, _ value: Float) -> Diagnostic {
    Diagnostic(
      code: "not-finite", location: Location(node: node.name, tensor: constant.origin),
      message: "the bias holds \(value): expected finite numbers",
      fix: "the training has diverged: train again, with a smaller learning rate")
  }

  fileprivate static func unquantizedActivation(
    _ node: OperatorNode, _ tensor: String, source: Graph.Value, computedBy producer: Graph.Node?
  ) -> Diagnostic {
    let origin = producer.map { "the result of \($0.operation.kind) '\($0.name)'" } ?? "the model's input"
    let isJoin = ["Add", "Sub", "Sum", "Concat"].contains(node.type)
    let fix =
      if producer == nil {
        node.framework.quantizeInput
      } else if isJoin || producer?.operation == .concatenation {
        node.framework.quantizeOperands(isConcatenation: node.type == "Concat" || !isJoin)
      } else {
        node.framework.quantizeActivation(behindRelu: producer?.operation == .relu)
      }
    return Diagnostic(
      code: "unquantized-activation", location: Location(node: node.name, tensor: source.name),
      message: "\(node.type) computes with real numbers: '\(source.name)', \(origin), reaches it"
        + (tensor == source.name ? "" : " as '\(tensor)'")
        + (producer?.operation == .concatenation ? " of parts that do not lie on one grid" : "")
        + " without a quantizer: expected integers of at most 8 bits",
      fix: fix)
  }
}
