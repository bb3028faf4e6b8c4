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
      guard layer.inputs.count == 1, layer.inputs.allSatisfy({ tensors.indices.contains($0.index) }),
        tensors.indices.contains(layer.output.index)
      else {
        found.append(.malformedNetwork(layer.name, "refers to a tensor that does not exist"))
        continue
      }
      require(defined.contains(layer.input), layer.name, "reads a tensor before it is made")
      require(defined.insert(layer.output).inserted, layer.name, "makes a tensor that exists already")
      for problem in layer.problems(input: self[layer.input], output: self[layer.output]) {
        found.append(.malformedNetwork(layer.name, problem))
      }
    }
    require(defined.contains(outputTensor), name, "the output is never made")
    for tensor in tensors where tensor.kind == .activation {
      require(
        tensor.range.lowerBound >= tensor.grid.lowerBound && tensor.range.upperBound <= tensor.grid.upperBound
          && tensor.grid.count <= 256, tensor.name, "range \(tensor.range) outside grid \(tensor.grid)")
    }
    return found
  }
}

extension Layer {
  fileprivate func problems(input: Tensor, output: Tensor) -> [String] {
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
    }
    if let requantizer {
      require(
        requantizer.entries == 1 || requantizer.entries == output.shape.channels, "wrong number of requantizer entries")
      require((0...31).contains(requantizer.shift), "shift \(requantizer.shift) outside 0...31")
      require(requantizer.proof.exceptions == 0, "\(requantizer.proof.exceptions) requantizer exceptions")
    }
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
