import GraphIR

/// Numerical Recipes' 64-bit congruential generator: enough to vary a test.
struct Generator {
  var state: UInt64

  mutating func pick(_ range: ClosedRange<Int>) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return range.lowerBound + Int(state >> 33) % range.count
  }
}

/// What a graph means, in Double and as plainly as can be; it shares nothing with Lowering. Exact wherever the graph's
/// constants are short dyadic numbers.
enum Reference {
  /// The integer that a quantizer makes of a real number.
  static func integer(_ x: Double, _ quantizer: Quantizer) -> Int {
    let (low, high) = (Double(quantizer.minimum), Double(quantizer.maximum))
    let zero = Double(quantizer.zeroPoint)
    func clamp(_ value: Double) -> Double { min(max(value, low), high) }
    let scaled = x / Double(quantizer.scale)
    if let truncation = quantizer.truncation {
      let n = (scaled + zero).rounded(.toNearestOrEven)
      return Int(clamp(round(n / Double(1 << truncation.shift), quantizer.rounding)))
    }
    switch quantizer.zeroPointOrder {
    case .beforeRounding: return Int(round(clamp(scaled + zero), quantizer.rounding))
    case .afterRounding: return Int(clamp(round(scaled, quantizer.rounding) + zero))
    }
  }

  /// The real number that the integer stands for.
  static func real(_ x: Double, _ quantizer: Quantizer) -> Double {
    let q = Double(integer(x, quantizer))
    guard let truncation = quantizer.truncation else {
      return Double(quantizer.scale) * (q - Double(quantizer.zeroPoint))
    }
    return Double(truncation.outputScale) * (q - Double(quantizer.zeroPoint) / Double(1 << truncation.shift))
  }

  private static func round(_ x: Double, _ rounding: Quantizer.Rounding) -> Double {
    switch rounding {
    case .halfEven: x.rounded(.toNearestOrEven)
    case .floor: x.rounded(.down)
    case .ceiling: x.rounded(.up)
    }
  }

  /// Runs a graph on one sample; what its first output is.
  static func run(_ graph: Graph, _ input: [Double]) -> [Double] {
    outputs(graph, input)[0]
  }

  /// Runs a graph on one sample.
  static func outputs(_ graph: Graph, _ input: [Double]) -> [[Double]] {
    var values = [graph.input: input]
    for node in graph.nodes {
      let shape = graph[node.inputs[0]].shape
      let inputs = node.inputs.map { values[$0] ?? [] }
      values[node.output] = apply(node.operation, inputs, shape.count == 3 ? shape : [shape[0], 1, 1])
    }
    return graph.outputs.map { values[$0] ?? [] }
  }

  /// - Parameter shape: Of the first input.
  private static func apply(_ operation: GraphIR.Operation, _ inputs: [[Double]], _ shape: [Int]) -> [Double] {
    let x = inputs[0]
    let plane = shape[1] * shape[2]
    switch operation {
    case .quantize(let quantizer): return x.map { real($0, quantizer) }
    case .relu: return x.map { max($0, 0) }
    case .clip(let low, let high):
      return x.map { min(max($0, low.map(Double.init) ?? -.infinity), high.map(Double.init) ?? .infinity) }
    case .flatten: return x
    case .addition(let addition):
      return x.indices.map { i in zip(inputs, addition.signs).reduce(0) { $0 + Double($1.1) * $1.0[i] } }
    case .concatenation: return inputs.flatMap { $0 }
    case .slice(let slice): return Array(x[(slice.first * plane)..<((slice.first + slice.count) * plane)])
    case .resize(let resize):
      var result: [Double] = []
      for c in 0..<shape[0] {
        for y in 0..<shape[1] {
          let row = (0..<shape[2]).flatMap { column in
            [Double](repeating: x[c * plane + y * shape[2] + column], count: resize.columns)
          }
          for _ in 0..<resize.rows { result += row }
        }
      }
      return result
    case .arithmetic(let arithmetic):
      return x.indices.map { i in
        let constant = arithmetic.constants[arithmetic.constants.count == 1 ? 0 : i / plane]
        let value = Double(constant.integer) * Double(constant.scale)
        return switch arithmetic.kind {
        case .add: x[i] + value
        case .subtract: x[i] - value
        case .multiply: x[i] * value
        case .divide: x[i] / value
        case .subtractFrom: value - x[i]
        }
      }
    case .batchNormalization(let n):
      return x.indices.map { i in
        let c = i / plane
        let root = (Double(n.variance[c]) + Double(n.epsilon)).squareRoot()
        return Double(n.gamma[c]) * (x[i] - Double(n.mean[c])) / root + Double(n.beta[c])
      }
    case .dense(let dense):
      let outputs = dense.weights.shape[0]
      return (0..<outputs).map { o in
        let scale = Double(dense.weights.scales[dense.weights.scales.count == 1 ? 0 : o])
        var sum = dense.bias.map { Double($0[o].integer) * Double($0[o].scale) } ?? 0
        for i in x.indices { sum += scale * Double(dense.weights.values[o * x.count + i]) * x[i] }
        return sum
      }
    case .convolution(let convolution):
      let outputs = convolution.weights.shape[0]
      let perGroup = convolution.weights.shape[1]
      let window = convolution.window
      return windows(window, shape, channels: outputs) { o, positions in
        let scale = Double(convolution.weights.scales[convolution.weights.scales.count == 1 ? 0 : o])
        var sum = convolution.bias.map { Double($0[o].integer) * Double($0[o].scale) } ?? 0
        let first = o / (outputs / convolution.groups) * perGroup
        for c in 0..<perGroup {
          for (tap, position) in positions.enumerated() {
            guard let position else { continue }
            let weight = Double(convolution.weights.values[(o * perGroup + c) * positions.count + tap])
            sum += scale * weight * x[(first + c) * plane + position]
          }
        }
        return sum
      }
    case .maxPool(let window):
      return windows(window, shape, channels: shape[0]) { c, positions in
        positions.compactMap { $0 }.map { x[c * plane + $0] }.max() ?? -.infinity
      }
    case .averagePool(let window):
      return windows(window, shape, channels: shape[0]) { c, positions in
        positions.compactMap { $0 }.reduce(0) { $0 + x[c * plane + $1] } / Double(positions.count)
      }
    }
  }

  /// Calls `body` for each output position with the positions in a plane that its window covers, nil in the padding.
  private static func windows(
    _ window: GraphIR.Window, _ shape: [Int], channels: Int, _ body: (_ channel: Int, _ positions: [Int?]) -> Double
  ) -> [Double] {
    let (height, width) = Chain.extents(window, shape)
    var result: [Double] = []
    for channel in 0..<channels {
      for oy in 0..<height {
        for ox in 0..<width {
          var positions: [Int?] = []
          for ky in 0..<window.kernelHeight {
            for kx in 0..<window.kernelWidth {
              let y = oy * window.strideHeight - window.padding.top + ky
              let x = ox * window.strideWidth - window.padding.left + kx
              let isInside = y >= 0 && y < shape[1] && x >= 0 && x < shape[2]
              positions.append(isInside ? y * shape[2] + x : nil)
            }
          }
          result.append(body(channel, positions))
        }
      }
    }
    return result
  }
}

/// Builds a graph node by node; shapes follow. Each node reads the one before it, or those that are named.
struct Chain {
  var graph: Graph

  init(_ shape: [Int]) {
    graph = Graph(
      name: "test", values: [.init(name: "x", shape: shape)], nodes: [], input: .init(0), output: .init(0))
  }

  /// Appends a node named after its type and number.
  ///
  /// - Parameter names: Of the nodes whose results it reads.
  func then(_ name: String, _ operation: GraphIR.Operation, of names: String...) -> Chain {
    var next = self
    let inputs =
      names.isEmpty
      ? [Graph.ValueID(graph.values.count - 1)]
      : names.compactMap { name in graph.nodes.first { $0.name == name }?.output }
    let shape = graph[inputs[0]].shape
    let output: [Int]
    switch operation {
    case .convolution(let convolution):
      let (height, width) = Self.extents(convolution.window, shape)
      output = [convolution.weights.shape[0], height, width]
    case .dense(let dense): output = [dense.weights.shape[0]]
    case .maxPool(let window), .averagePool(let window):
      let (height, width) = Self.extents(window, shape)
      output = [shape[0], height, width]
    case .flatten: output = [shape.reduce(1, *)]
    case .quantize, .batchNormalization, .arithmetic, .relu, .clip, .addition: output = shape
    case .concatenation: output = [inputs.reduce(0) { $0 + graph[$1].shape[0] }] + shape.dropFirst()
    case .slice(let slice): output = [slice.count] + shape.dropFirst()
    case .resize(let resize): output = [shape[0], shape[1] * resize.rows, shape[2] * resize.columns]
    }
    next.graph.values.append(.init(name: "\(name)_out", shape: output))
    next.graph.output = .init(graph.values.count)
    next.graph.nodes.append(.init(name: name, operation: operation, inputs: inputs, output: next.graph.output))
    return next
  }

  /// The graph with the results of these nodes as its outputs.
  func ending(_ names: String...) -> Chain {
    var next = self
    next.graph.outputs = names.compactMap { name in graph.nodes.first { $0.name == name }?.output }
    next.graph.trailings = names.map { _ in nil }
    return next
  }

  static func extents(_ window: GraphIR.Window, _ shape: [Int]) -> (Int, Int) {
    (
      (shape[1] + window.padding.top + window.padding.bottom - window.kernelHeight) / window.strideHeight + 1,
      (shape[2] + window.padding.left + window.padding.right - window.kernelWidth) / window.strideWidth + 1
    )
  }
}
