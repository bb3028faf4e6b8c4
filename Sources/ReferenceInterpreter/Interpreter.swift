import TernaryIR

/// Executes a ternary network in the plainest way that its definition allows.
///
/// Loops follow the formulas of `TernaryIR` one to one, in `Int` arithmetic, without packing, lanes, rings or tables
/// of offsets. The emitted C shares no line with this, which is what makes their agreement worth something.
package struct Interpreter: Sendable {
  package let network: TernaryNetwork

  package init(_ network: TernaryNetwork) {
    self.network = network
  }

  /// The tensors that a run computes.
  package struct Result: Sendable {
    /// Integers of every layer's output, in the order of `network.layers`, each `[channel][row][column]`.
    package var layers: [[Int32]]
    /// Integers of the network's outputs, in the order of `network.outputTensors`.
    package var outputs: [[Int32]]
    /// Integers of the first output, of most networks the only one.
    package var output: [Int32] { outputs[0] }
    /// Of all outputs, one behind the other.
    package var allOutputs: [Int32] { outputs.flatMap { $0 } }
  }

  /// - Parameter input: Quantized integers of one sample, `[channel][row][column]`; values outside the input's range
  ///   are taken as its nearest end.
  package func run(_ input: [Int32]) -> Result {
    let range = network[network.inputTensor].range
    var values = [[Int32]](repeating: [], count: network.tensors.count)
    values[network.inputTensor.index] = input.map {
      min(max($0, Int32(range.lowerBound)), Int32(range.upperBound))
    }
    for layer in network.layers {
      values[layer.output.index] = execute(layer, layer.inputs.map { values[$0.index] })
    }
    return Result(
      layers: network.layers.map { values[$0.output.index] },
      outputs: network.outputTensors.map { values[$0.index] })
  }

  /// Integers of a layer's output.
  ///
  /// - Parameter inputs: Integers of each of its inputs.
  package func execute(_ layer: Layer, _ inputs: [[Int32]]) -> [Int32] {
    let input = inputs[0]
    let source = network[layer.input]
    let shape = network[layer.output].shape
    switch layer.kind {
    case .convolution(let convolution):
      return Self.convolve(input, source, convolution, shape)
    case .dense(let dense):
      return Self.multiply(input, dense)
    case .maxPool(let window):
      return Self.pool(input, source.shape, window, shape, start: Int32.min, padding: nil) { max($0, $1) }
    case .averagePool(let pool):
      let sums = Self.pool(
        input, source.shape, pool.window, shape, start: 0, padding: Int32(source.zeroPoint)
      ) { $0 + $1 }
      guard let requantizer = pool.requantizer else { return sums }
      let plane = shape.height * shape.width
      return sums.indices.map { Int32(requantizer.apply(Int(sums[$0]), channel: $0 / plane)) }
    case .add(let addition):
      return Self.add(inputs, addition, shape)
    case .concatenate(let concatenation):
      return Self.concatenate(inputs, concatenation, plane: shape.height * shape.width)
    case .slice(let slice):
      let plane = shape.height * shape.width
      return Array(input[(slice.first * plane)..<((slice.first + slice.count) * plane)])
    case .resize(let resize):
      return Self.resize(input, source.shape, resize, shape)
    }
  }

  private static func add(_ inputs: [[Int32]], _ addition: Addition, _ shape: Shape) -> [Int32] {
    var output: [Int32] = []
    output.reserveCapacity(shape.count)
    for place in 0..<shape.count {
      var accumulator = 0
      for (input, multiplier) in zip(inputs, addition.multipliers) { accumulator += multiplier * Int(input[place]) }
      let channel = place / (shape.height * shape.width)
      output.append(Int32(addition.requantizer.apply(accumulator, channel: channel)))
    }
    return output
  }

  private static func concatenate(_ inputs: [[Int32]], _ concatenation: Concatenation, plane: Int) -> [Int32] {
    var output: [Int32] = []
    for (input, requantizer) in zip(inputs, concatenation.requantizers) {
      for (place, value) in input.enumerated() {
        output.append(requantizer.map { Int32($0.apply(Int(value), channel: place / plane)) } ?? value)
      }
    }
    return output
  }

  private static func resize(_ input: [Int32], _ from: Shape, _ resize: Resize, _ to: Shape) -> [Int32] {
    var output: [Int32] = []
    output.reserveCapacity(to.count)
    for c in 0..<to.channels {
      for oy in 0..<to.height {
        for ox in 0..<to.width {
          output.append(input[(c * from.height + oy / resize.rows) * from.width + ox / resize.columns])
        }
      }
    }
    return output
  }

  private static func convolve(
    _ input: [Int32], _ source: Tensor, _ convolution: Convolution, _ shape: Shape
  ) -> [Int32] {
    let window = convolution.window
    let (height, width) = (source.shape.height, source.shape.width)
    let outputsPerGroup = convolution.outputChannels / convolution.groups
    var output: [Int32] = []
    output.reserveCapacity(shape.count)
    for oc in 0..<shape.channels {
      let firstInput = oc / outputsPerGroup * convolution.groupChannels
      // Weights outside, positions inside: each weight is looked at once.
      var accumulators = [Int](repeating: 0, count: shape.height * shape.width)
      var tap = oc * convolution.taps
      for ic in firstInput..<(firstInput + convolution.groupChannels) {
        for ky in 0..<window.kernelHeight {
          for kx in 0..<window.kernelWidth {
            let weight = Int(convolution.weights[tap])
            tap += 1
            if weight == 0 { continue }
            for oy in 0..<shape.height {
              let y = oy * window.strideHeight - window.top + ky
              for ox in 0..<shape.width {
                let x = ox * window.strideWidth - window.left + kx
                let isInside = y >= 0 && y < height && x >= 0 && x < width
                let q = isInside ? Int(input[(ic * height + y) * width + x]) : source.zeroPoint
                accumulators[oy * shape.width + ox] += weight * q
              }
            }
          }
        }
      }
      for accumulator in accumulators {
        output.append(Int32(convolution.requantizer.apply(accumulator, channel: oc)))
      }
    }
    return output
  }

  private static func multiply(_ input: [Int32], _ dense: Dense) -> [Int32] {
    (0..<dense.outputs).map { o in
      var accumulator = 0
      for i in input.indices {
        accumulator += Int(dense.weights[o * input.count + i]) * Int(input[i])
      }
      return Int32(dense.requantizer.apply(accumulator, channel: o))
    }
  }

  /// Folds `combine` over each window; a padded position counts as `padding`, or not at all where that is nil.
  private static func pool(
    _ input: [Int32], _ from: Shape, _ window: Window, _ to: Shape, start: Int32, padding: Int32?,
    combine: (Int32, Int32) -> Int32
  ) -> [Int32] {
    var output: [Int32] = []
    output.reserveCapacity(to.count)
    for c in 0..<to.channels {
      for oy in 0..<to.height {
        for ox in 0..<to.width {
          var value = start
          for ky in 0..<window.kernelHeight {
            let y = oy * window.strideHeight - window.top + ky
            for kx in 0..<window.kernelWidth {
              let x = ox * window.strideWidth - window.left + kx
              if y >= 0, y < from.height, x >= 0, x < from.width {
                value = combine(value, input[(c * from.height + y) * from.width + x])
              } else if let padding {
                value = combine(value, padding)
              }
            }
          }
          output.append(value)
        }
      }
    }
    return output
  }
}
