import Diagnostics

extension TernaryNetwork {
  /// Everything that a later stage relies on. An empty answer means that the network is well formed; anything else is a
  /// defect of the compiler, not of the user's file.
  package func problems() -> [Diagnostic] {
    var found: [Diagnostic] = []
    func require(_ condition: Bool, _ layer: String, _ message: @autoclosure () -> String) {
      if !condition { found.append(.malformedNetwork(layer, message())) }
    }
    let channels = tensors.indices.contains(inputTensor.index) ? self[inputTensor].shape.channels : 0
    for step in input.steps {
      let count = step.constants.count
      require(count == 1 || count == channels, input.name, "\(count) constants for \(channels) channels")
    }
    var defined = Set([inputTensor])
    for layer in layers {
      guard layer.inputCounts.contains(layer.inputs.count),
        layer.inputs.allSatisfy({ tensors.indices.contains($0.index) }),
        tensors.indices.contains(layer.output.index)
      else {
        found.append(
          .malformedNetwork(layer.name, "has the wrong number of inputs, or refers to a tensor that does not exist"))
        continue
      }
      require(layer.inputs.allSatisfy(defined.contains), layer.name, "reads a tensor before it is made")
      require(defined.insert(layer.output).inserted, layer.name, "makes a tensor that exists already")
      for problem in layer.problems(inputs: layer.inputs.map { self[$0] }, output: self[layer.output]) {
        found.append(.malformedNetwork(layer.name, problem))
      }
    }
    require(!outputTensors.isEmpty, name, "there is no output")
    require(Set(outputTensors).count == outputTensors.count, name, "an output stands twice")
    for output in outputTensors {
      require(defined.contains(output) && output != inputTensor, name, "output %\(output.index) is never made")
    }
    for tensor in tensors where tensor.kind == .activation {
      require(
        tensor.range.lowerBound >= tensor.grid.lowerBound && tensor.range.upperBound <= tensor.grid.upperBound
          && tensor.grid.count <= 256, tensor.name, "range \(tensor.range) outside grid \(tensor.grid)")
    }
    return found
  }
}

extension Layer {
  fileprivate var inputCounts: ClosedRange<Int> {
    switch kind {
    case .add(let addition): 2...max(2, addition.multipliers.count)
    case .concatenate(let concatenation): 2...max(2, concatenation.requantizers.count)
    case .convolution, .dense, .maxPool, .averagePool, .slice, .resize: 1...1
    }
  }

  /// - Parameter inputs: At least one.
  fileprivate func problems(inputs: [Tensor], output: Tensor) -> [String] {
    let input = inputs[0]
    var found: [String] = []
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
      if !condition { found.append(message()) }
    }
    func requireShape(_ window: Window, channels: Int) {
      let size = window.outputSize(height: input.shape.height, width: input.shape.width)
      require(
        size.map { Shape(channels, $0.height, $0.width) == output.shape } ?? false,
        "output \(output.shape) does not follow from input \(input.shape)")
    }
    func requireStorable(_ window: Window) {
      require(
        !window.hasPadding || input.grid.contains(input.zeroPoint),
        "padded with the zero point \(input.zeroPoint), which is outside of the grid \(input.grid)")
    }
    func requireBounds(_ stated: [ClosedRange<Int>], _ reachable: [ClosedRange<Int>]) {
      require(stated.count == reachable.count, "wrong number of accumulator ranges")
      for (channel, (stated, reachable)) in zip(stated, reachable).enumerated() {
        require(
          stated.lowerBound <= reachable.lowerBound && reachable.upperBound <= stated.upperBound,
          "channel \(channel) reaches accumulators \(reachable), not only \(stated)")
      }
    }
    func requireSameValues(_ what: String) {
      require(
        input.kind == output.kind && input.range == output.range && input.grid == output.grid
          && input.zeroPoint == output.zeroPoint, "\(what) must not change the values' grid")
    }
    switch kind {
    case .convolution(let convolution):
      requireShape(convolution.window, channels: convolution.outputChannels)
      require(convolution.groupChannels * convolution.groups == input.shape.channels, "groups do not cover the input")
      require(convolution.outputChannels % convolution.groups == 0, "groups do not divide the output channels")
      require(convolution.weights.count == convolution.outputChannels * convolution.taps, "wrong number of weights")
      require(convolution.weights.allSatisfy { (-1...1).contains($0) }, "a weight is not ternary")
      requireStorable(convolution.window)
      if found.isEmpty {
        requireBounds(
          convolution.accumulators,
          Convolution.accumulators(
            convolution.weights, outputChannels: convolution.outputChannels, window: convolution.window, input: input))
      }
    case .dense(let dense):
      require(output.shape == Shape(dense.outputs), "output \(output.shape) is not a vector of \(dense.outputs)")
      require(dense.weights.count == dense.outputs * input.shape.count, "wrong number of weights")
      require(dense.weights.allSatisfy { (-1...1).contains($0) }, "a weight is not ternary")
      if found.isEmpty {
        requireBounds(dense.accumulators, Dense.accumulators(dense.weights, outputs: dense.outputs, input: input))
      }
    case .maxPool(let window):
      requireShape(window, channels: input.shape.channels)
      require(input.range == output.range && input.grid == output.grid, "a max pool must not change the values' grid")
    case .averagePool(let pool):
      requireShape(pool.window, channels: input.shape.channels)
      requireStorable(pool.window)
      requireBounds([pool.accumulators], [AveragePool.accumulators(pool.window, input: input)])
      require((pool.requantizer == nil) == (output.kind == .sum), "an average pool without requantizer makes sums")
    case .add(let addition):
      require(addition.multipliers.count == inputs.count, "wrong number of multipliers")
      require(!addition.multipliers.contains(0), "a multiplier of 0")
      require(inputs.allSatisfy { $0.shape == output.shape }, "adds tensors of several shapes")
      require(inputs.allSatisfy { $0.kind != .logits }, "adds logits")
      if found.isEmpty {
        let reachable = Addition.accumulators(addition.multipliers, inputs: inputs)
        require(reachable != nil, "sums leave 64 bits")
        if let reachable { requireBounds([addition.accumulators], [reachable]) }
      }
    case .concatenate(let concatenation):
      require(concatenation.requantizers.count == inputs.count, "wrong number of requantizers")
      let (height, width) = (output.shape.height, output.shape.width)
      require(
        inputs.allSatisfy { $0.shape.height == height && $0.shape.width == width }
          && inputs.reduce(0) { $0 + $1.shape.channels } == output.shape.channels,
        "output \(output.shape) is not what the inputs make together")
      require(output.kind == .activation, "joins what are no activations")
      for (position, (part, requantizer)) in zip(inputs, concatenation.requantizers).enumerated() {
        if let requantizer {
          found += requantizer.problems(channels: part.shape.channels)
          require(part.kind != .logits, "input \(position) are logits")
          require(
            output.grid.lowerBound <= requantizer.minimum && requantizer.maximum <= output.grid.upperBound,
            "input \(position) is not requantized to the output's grid")
        } else {
          require(
            part.kind == output.kind && part.grid == output.grid && part.zeroPoint == output.zeroPoint
              && output.range.lowerBound <= part.range.lowerBound && part.range.upperBound <= output.range.upperBound,
            "input \(position) lies on another grid than the output, and is not requantized")
        }
      }
    case .slice(let slice):
      let (shape, channels) = (input.shape, input.shape.channels)
      require(
        slice.first >= 0 && slice.count >= 1 && slice.first <= channels - slice.count
          && Shape(slice.count, shape.height, shape.width) == output.shape,
        "output \(output.shape) does not follow from input \(shape)")
      requireSameValues("a slice")
    case .resize(let resize):
      let shape = input.shape
      require(
        (1...Int(UInt16.max)).contains(resize.rows) && (1...Int(UInt16.max)).contains(resize.columns)
          && Shape(shape.channels, shape.height * resize.rows, shape.width * resize.columns) == output.shape,
        "output \(output.shape) does not follow from input \(shape)")
      requireSameValues("a resize")
    }
    if let requantizer { found += requantizer.problems(channels: output.shape.channels) }
    return found
  }
}

extension Requantizer {
  fileprivate func problems(channels: Int) -> [String] {
    var found: [String] = []
    if entries != 1 && entries != channels { found.append("wrong number of requantizer entries") }
    if !(0...31).contains(shift) { found.append("shift \(shift) outside 0...31") }
    if proof.exceptions != 0 { found.append("\(proof.exceptions) requantizer exceptions") }
    return found
  }
}

extension Diagnostic {
  fileprivate static func malformedNetwork(_ name: String, _ message: String) -> Diagnostic {
    Diagnostic(
      code: "internal-malformed-network", location: Location(node: name), message: message,
      fix: "this is a defect of sterna; please report it together with the model")
  }
}
