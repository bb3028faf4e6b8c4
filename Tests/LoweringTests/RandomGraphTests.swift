import Diagnostics
import GraphIR
import TernaryIR
import Testing

/// Random branching graphs of dyadic constants, lowered and compared with their own real arithmetic: every integer of every
/// output.
@Suite struct RandomGraphTests {
  private struct Builder {
    var generator: Generator
    var chain: Chain
    /// Quantized values, by the node that makes them.
    var points: [(name: String, shape: [Int])]
    private var number = 0

    init(seed: UInt64) {
      generator = Generator(state: seed)
      let shape = [generator.pick(1...4), generator.pick(2...6), generator.pick(2...6)]
      let grid = [-8...7, 0...15, -128...127][generator.pick(0...2)]
      chain = Chain(shape).then("in", input(zeroPoint: generator.pick(-1...3).clamped(to: grid), grid))
      points = [("in", shape)]
    }

    private mutating func name(_ stem: String) -> String {
      number += 1
      return "\(stem)\(number)"
    }

    private func shape(_ name: String) -> [Int] {
      chain.graph.nodes.first { $0.name == name }.map { chain.graph[$0.output].shape } ?? []
    }

    /// What may stand between a layer and its quantizer; then the quantizer.
    private mutating func finish(_ layer: String, mayTurn: Bool) {
      let channels = shape(layer)[0]
      if generator.pick(0...2) == 0 {
        let gamma = (0..<channels).map { _ in Float(generator.pick((mayTurn ? -4 : 0)...4)) / 2 }
        let zeros = (0..<channels).map { _ in Float(generator.pick(-4...4)) / 4 }
        chain = chain.then(name("bn"), normalize(gamma: gamma, beta: zeros, mean: zeros.reversed()))
      }
      if generator.pick(0...3) == 0 { chain = chain.then(name("relu"), .relu) }
      if generator.pick(0...5) == 0 { chain = chain.then(name("clip"), .clip(minimum: -1.5, maximum: 2.75)) }
      if generator.pick(0...7) == 0 {
        chain = chain.then(name("up"), .resize(GraphIR.Resize(rows: generator.pick(1...2), columns: 2)))
      }
      quantized(nil)
    }

    private mutating func quantized(_ value: String?) {
      let grid = [-8...7, 0...15, -128...127, 0...255, -2...1][generator.pick(0...4)]
      let scale = [0.25, 0.5, 1, 0.375, 0.75, 2][generator.pick(0...5)] as Float
      let name = name("q")
      let quantizer = quantize(
        scale, grid, zeroPoint: generator.pick(-2...3).clamped(to: grid),
        order: generator.pick(0...1) == 0 ? .beforeRounding : .afterRounding)
      chain = value.map { chain.then(name, quantizer, of: $0) } ?? chain.then(name, quantizer)
      points.append((name, shape(name)))
    }

    private mutating func append(_ name: String) { points.append((name, shape(name))) }

    mutating func addLayer() {
      let point = generator.pick(0...2) == 0 ? points[generator.pick(0...points.count - 1)] : points[points.count - 1]
      let (x, shape) = point
      switch generator.pick(0...11) {
      case 0...2:
        let kernel = generator.pick(0...1) * 2 + 1
        let layer = name("conv")
        chain = chain.then(layer, conv(generator.pick(1...4), shape[0], padded(kernel)), of: x)
        finish(layer, mayTurn: true)
      case 3...5:
        let others = points.filter { $0.shape == shape }
        let other = others[generator.pick(0...others.count - 1)].name
        let sum = name("sum")
        chain = chain.then(
          sum, .addition(GraphIR.Addition(signs: [1, generator.pick(0...2) == 0 ? -1 : 1])), of: x, other)
        finish(sum, mayTurn: false)
      case 6...7:
        let others = points.filter { $0.shape[1...] == shape[1...] && $0.shape[0] < 12 }
        guard !others.isEmpty, shape[0] < 12 else { return }
        let layer = name("conv")
        // One part has no quantizer of its own.
        chain = chain.then(layer, conv(2, shape[0], padded(1)), of: x)
        let cat = name("cat")
        chain = chain.then(cat, .concatenation, of: x, others[generator.pick(0...others.count - 1)].name, layer)
        finish(cat, mayTurn: true)
      case 8:
        let first = generator.pick(0...shape[0] - 1)
        let slice = name("slice")
        let count = generator.pick(1...shape[0] - first)
        chain = chain.then(slice, .slice(GraphIR.ChannelSlice(first: first, count: count)), of: x)
        append(slice)
      case 9 where shape[1] * shape[2] <= 60:
        let large = name("large")
        chain = chain.then(large, .resize(GraphIR.Resize(rows: 2, columns: generator.pick(1...2))), of: x)
        append(large)
      case 10 where shape[1] > 1 && shape[2] > 1:
        let window = GraphIR.Window(kernel: (2, 2), stride: (generator.pick(1...2), 1))
        let isMean = generator.pick(0...1) == 0
        let pool = name(isMean ? "mean" : "most")
        chain = chain.then(pool, isMean ? .averagePool(window) : .maxPool(window), of: x)
        if isMean { finish(pool, mayTurn: true) } else { append(pool) }
      default: quantized(x)
      }
    }

    /// The graph with all that nobody reads as its outputs, and now and then what is read, too.
    mutating func finished() -> Chain {
      let read = Set(chain.graph.nodes.flatMap(\.inputs))
      var graph = chain.graph
      graph.outputs = points.dropFirst().compactMap { point in
        let output = graph.nodes.first { $0.name == point.name }?.output
        return output.flatMap { !read.contains($0) || generator.pick(0...9) == 0 ? $0 : nil }
      }
      graph.trailings = graph.outputs.map { _ in nil }
      chain.graph = graph
      return chain
    }
  }

  @Test func everyIntegerIsTheGraphs() throws {
    var kinds: [String: Int] = [:]
    var refused: [String: Int] = [:]
    for seed: UInt64 in 1...250 {
      var builder = Builder(seed: seed)
      for _ in 0..<builder.generator.pick(3...10) { builder.addLayer() }
      let chain = builder.finished()
      guard !chain.graph.outputs.isEmpty else { continue }
      #expect(chain.graph.verified() == [], "seed \(seed)")
      do {
        for layer in try check(chain, samples: 8, isLively: false).layers {
          kinds["\(layer.kind)".prefix { $0 != "(" }.description, default: 0] += 1
        }
      } catch let error as ModelError {
        for diagnostic in error.diagnostics { refused[diagnostic.code, default: 0] += 1 }
      }
    }
    // Equal slices at two outputs, quantizers that change nothing, and others of the input.
    #expect(refused.keys.sorted().allSatisfy { $0 == "outputs" || $0 == "no-layers" }, "\(refused)")
    #expect(refused.values.reduce(0, +) < 60, "\(refused)")
    for kind in ["convolution", "add", "concatenate", "slice", "resize", "maxPool", "averagePool"] {
      #expect(kinds[kind, default: 0] > 20, "\(kind): \(kinds)")
    }
  }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
