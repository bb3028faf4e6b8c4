import GraphIR
import ReferenceInterpreter
import TernaryIR

/// The outputs that another tool computed of the model's file, read and checked: what the network is held against.
package struct Expectation: Sendable {
  private let output: Tensor
  /// Of the output among the network's.
  private let index: Int
  private let trailing: TrailingNode?
  /// Whether the file's own last node is applied to our values first; else the values in front of it are expected.
  private let isTrailed: Bool
  private let values: [Double]
  private let samples: Int

  /// - Parameters:
  ///   - array: N × (output shape), as the model's file has it: behind the node that the firmware leaves out, if any.
  ///   - path: For messages.
  ///   - samples: How many there have to be.
  ///   - index: Of the output among the network's.
  package init(
    _ array: NPY, path: String, samples: Int, output: Tensor, index: Int = 0, trailing: TrailingNode?
  ) throws(SamplesError) {
    self.output = output
    self.index = index
    self.trailing = trailing
    self.samples = samples
    let plain = output.shape.extents
    let extents = trailing?.extents(of: output.shape) ?? plain
    let found = array.shape
    // Extents of 1 come and go with keepdims and the like; and who flattens loses nothing.
    func fits(_ extents: [Int]) -> Bool {
      found.withoutOnes == ([samples] + extents).withoutOnes
        || found.withoutOnes == [samples, extents.reduce(1, *)].withoutOnes
    }
    let ranks = trailing?.givesIndices ?? false
    isTrailed = trailing != nil && (fits(extents) || !ranks || !fits(plain))
    guard fits(isTrailed ? extents : plain) else {
      if let first = found.first, first != samples,
        Array(found.dropFirst()).withoutOnes == extents.withoutOnes || found.dropFirst() == [extents.reduce(1, *)]
      {
        throw .count(path: path, found: first, expected: samples)
      }
      throw .outputShape(path: path, found: found, expected: [samples] + extents)
    }
    values = array.doubles
    let size = max(1, values.count / max(1, samples))
    let isLogarithm = isTrailed && trailing?.kind == .logSoftmax
    for (index, value) in values.enumerated() where !value.isFinite && !(isLogarithm && value == -.infinity) {
      throw .notFinite(path: path, sample: index / size, element: index % size, value: value)
    }
    guard isTrailed, ranks, let trailing else { return }
    let classes = trailing.axes.reduce(1) { $0 * output.shape.axes[$1] }
    for (index, value) in values.enumerated() where !(Int(exactly: value).map { (0..<classes).contains($0) } ?? false) {
      throw .label(path: path, index: index, found: value.shortText, classes: classes)
    }
  }

  /// Of the output.
  package var name: String { output.name }

  /// Holds a network's answers against it.
  ///
  /// - Parameter inputs: Quantized samples, as many as there are expectations.
  package func comparison(_ network: TernaryNetwork, inputs: [[Int32]]) -> Comparison {
    precondition(inputs.count == samples, "an expectation for each sample")
    let interpreter = Interpreter(network)
    let ours = inputs.map { output.real(interpreter.run($0).outputs[index]) }
    let ties = PoolTies(network)
    // What all ties of average pools rounded one way, or all the other way, make of each output.
    let tied = inputs.map { input in ties?.spread(input, output: output, index: index) ?? [] }
    var comparison = Comparison(
      output: output, multipliers: network.logitMultipliers(index), trailing: isTrailed ? trailing : nil,
      outputs: ours, tieSpreads: tied)
    let size = values.count / max(1, samples)
    for index in inputs.indices { comparison.add(index, expected: values[(index * size)..<((index + 1) * size)]) }
    return comparison
  }
}

extension TrailingNode {
  /// Whether what it puts out are numbers of classes.
  fileprivate var givesIndices: Bool {
    switch kind {
    case .argMax, .topK(_, areIndices: true): true
    case .softmax, .logSoftmax, .sigmoid, .topK: false
    }
  }

  /// Of its output.
  fileprivate func extents(of shape: Shape) -> [Int] {
    var axes = shape.axes
    switch kind {
    case .softmax, .logSoftmax, .sigmoid: break
    case .argMax: axes[self.axes.lowerBound] = 1
    case .topK(let count, _): axes[self.axes.lowerBound] = count
    }
    return axes[1] == 1 && axes[2] == 1 ? [axes[0]] : axes
  }

  /// Index lists of what it takes together: each the elements along its axes.
  func groups(of shape: Shape) -> [[Int]] {
    let extents = shape.axes
    let length = axes.reduce(1) { $0 * extents[$1] }
    let inner = extents[axes.upperBound...].reduce(1, *)
    let outer = shape.count / (length * inner)
    return (0..<outer).flatMap { o in (0..<inner).map { i in (0..<length).map { (o * length + $0) * inner + i } } }
  }
}

extension Shape {
  fileprivate var axes: [Int] { [channels, height, width] }
}

extension [Int] {
  fileprivate var withoutOnes: [Int] { filter { $0 != 1 } }
}

extension Tensor {
  /// What integers of this tensor mean.
  package func real(_ integers: [Int32]) -> [Double] {
    integers.map { scale * Double(Int($0) - zeroPoint) }
  }
}

/// Exact ties of average pools: `x.5` in front of a rounding. In a float executor, noise decides each of them.
struct PoolTies {
  private let up: Interpreter
  private let down: Interpreter

  /// Nil for a network without such a pool.
  init?(_ network: TernaryNetwork) {
    guard let up = network.roundingTies(by: 1), let down = network.roundingTies(by: -1) else { return nil }
    (self.up, self.down) = (Interpreter(up), Interpreter(down))
  }

  /// How far each output moves between all ties up and all ties down.
  func spread(_ input: [Int32], output: Tensor, index: Int) -> [Double] {
    zip(output.real(up.run(input).outputs[index]), output.real(down.run(input).outputs[index])).map { abs($0 - $1) }
  }
}

extension TernaryNetwork {
  /// Units of an output that one unit of each channel's accumulator is worth, one for all or one each; none where the
  /// layer that makes it gives no logits.
  fileprivate func logitMultipliers(_ output: Int) -> [Int] {
    let layer = layers.first { $0.output == outputTensors[output] }
    guard case .logits(let multipliers, _)? = layer?.requantizer?.form else { return [] }
    return multipliers
  }

  /// The same with the sums of average pools moved by a hair, less than what separates any but a tie from the next
  /// integer's half: only ties fall otherwise.
  fileprivate func roundingTies(by hair: Int) -> TernaryNetwork? {
    var network = self
    var hasTies = false
    for index in layers.indices {
      guard case .averagePool(var pool) = layers[index].kind, var requantizer = pool.requantizer,
        case .affineHalfEven(let multipliers, let offsets, let shift) = requantizer.form, shift > 0
      else { continue }
      requantizer.form = .affineHalfEven(
        multipliers: multipliers.map { $0 * 2 }, offsets: offsets.map { $0 * 2 + hair }, shift: shift + 1)
      pool.requantizer = requantizer
      network.layers[index].kind = .averagePool(pool)
      hasTies = true
    }
    return hasTies ? network : nil
  }
}
