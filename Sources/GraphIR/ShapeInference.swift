/// Why an operation cannot take an input of the given shape. The text continues "the operation …".
package struct ShapeProblem: Error, Sendable, Equatable {
  package var message: String

  package init(_ message: String) {
    self.message = message
  }
}

extension Operation {
  /// The numbers of inputs that the operation takes.
  package var inputCounts: ClosedRange<Int> {
    switch self {
    case .addition(let addition): addition.signs.count...addition.signs.count
    case .concatenation: 2...Self.maximumInputs
    default: 1...1
    }
  }

  /// The most inputs of one operation. Far more than any network joins at one place.
  package static let maximumInputs = 256

  /// The shape of the result.
  ///
  /// - Parameter inputs: One for each input, `[channels, height, width]` or `[features]`, every extent at least 1.
  package func outputShape(for inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    guard inputCounts.contains(inputs.count), let first = inputs.first, inputs.allSatisfy({ !$0.isEmpty }) else {
      throw ShapeProblem("has \(inputs.count) inputs")
    }
    switch self {
    case .addition:
      if let other = inputs.first(where: { $0 != first }) {
        throw ShapeProblem("adds tensors of shapes \(first) and \(other): they are not the same")
      }
      return first
    case .concatenation:
      if let other = inputs.first(where: { $0.dropFirst() != first.dropFirst() }) {
        throw ShapeProblem("joins the channels of tensors of shapes \(first) and \(other): their other extents differ")
      }
      var output = first
      // Each at most `maximumElements`, and at most `maximumInputs` of them.
      output[0] = inputs.reduce(0) { $0 + $1[0] }
      _ = try elementCount(output)
      return output
    default: return try outputShape(for: first)
    }
  }

  /// The largest number of elements of one activation. More than any firmware can hold, and small enough that sums and
  /// products of extents cannot overflow.
  package static let maximumElements = 1 << 24

  /// The shape of the result of an operation with one input.
  ///
  /// - Parameter input: `[channels, height, width]` or `[features]`, every extent at least 1.
  package func outputShape(for input: [Int]) throws(ShapeProblem) -> [Int] {
    switch self {
    case .quantize, .relu, .clip:
      return input
    case .batchNormalization(let operation):
      for parameter in [operation.gamma, operation.beta, operation.mean, operation.variance]
      where parameter.count != input.first {
        throw ShapeProblem("has parameters for \(parameter.count) channels, its input has shape \(input)")
      }
      return input
    case .arithmetic(let operation):
      guard operation.constants.count == 1 || operation.constants.count == input.first else {
        throw ShapeProblem("has \(operation.constants.count) constants, its input has shape \(input)")
      }
      return input
    case .convolution(let operation):
      return try operation.outputShape(for: input)
    case .dense(let operation):
      return try operation.outputShape(for: input)
    case .maxPool(let window), .averagePool(let window):
      let (height, width) = try window.outputExtents(for: input)
      let output = [input[0], height, width]
      _ = try elementCount(output)
      return output
    case .flatten:
      return [try elementCount(input)]
    case .slice(let slice):
      guard slice.first >= 0, slice.count >= 1, let channels = input.first,
        slice.first <= channels - slice.count
      else {
        throw ShapeProblem("takes \(slice.count) channels from \(slice.first) on, its input has shape \(input)")
      }
      return [slice.count] + input.dropFirst()
    case .resize(let resize):
      guard input.count == 3 else {
        throw ShapeProblem("needs an input of shape [channels, height, width], it gets \(input)")
      }
      let factors = 1...Self.maximumElements
      guard factors.contains(resize.rows), factors.contains(resize.columns) else {
        throw ShapeProblem("repeats rows and columns \(resize.rows) and \(resize.columns) times")
      }
      // Both factors of each product are at most 2^24.
      let output = [input[0], input[1] * resize.rows, input[2] * resize.columns]
      _ = try elementCount(output)
      return output
    case .addition, .concatenation: throw ShapeProblem("has one input")
    }
  }
}

extension Convolution {
  fileprivate func outputShape(for input: [Int]) throws(ShapeProblem) -> [Int] {
    let (height, width) = try window.outputExtents(for: input)
    let shape = weights.shape
    guard shape.count == 4, shape[2] == window.kernelHeight, shape[3] == window.kernelWidth else {
      throw ShapeProblem(
        "has weights of shape \(shape) for a \(window.kernelHeight)×\(window.kernelWidth) kernel")
    }
    guard groups >= 1, input[0] % groups == 0, shape[0] % groups == 0 else {
      throw ShapeProblem("has \(groups) groups, which do not divide \(input[0]) input and \(shape[0]) output channels")
    }
    guard shape[1] == input[0] / groups else {
      throw ShapeProblem(
        "has weights of shape \(shape) and \(groups) groups: they read \(shape[1]) channels a group, "
          + "the input of shape \(input) has \(input[0] / groups)")
    }
    if let bias, bias.count != shape[0] {
      throw ShapeProblem("has \(bias.count) biases for \(shape[0]) output channels")
    }
    let output = [shape[0], height, width]
    _ = try elementCount(output)
    return output
  }
}

extension Dense {
  fileprivate func outputShape(for input: [Int]) throws(ShapeProblem) -> [Int] {
    let features = try elementCount(input)
    guard weights.shape.count == 2, weights.shape[1] == features else {
      throw ShapeProblem(
        "has weights of shape \(weights.shape) ([outputs, inputs]), its input has \(features) features")
    }
    if let bias, bias.count != weights.shape[0] {
      throw ShapeProblem("has \(bias.count) biases for \(weights.shape[0]) outputs")
    }
    return [weights.shape[0]]
  }
}

extension Window {
  fileprivate func outputExtents(for input: [Int]) throws(ShapeProblem) -> (height: Int, width: Int) {
    guard input.count == 3 else {
      throw ShapeProblem("needs an input of shape [channels, height, width], it gets \(input)")
    }
    let height = input[1] + padding.top + padding.bottom - kernelHeight
    let width = input[2] + padding.left + padding.right - kernelWidth
    guard height >= 0, width >= 0 else {
      throw ShapeProblem("has a \(kernelHeight)×\(kernelWidth) window, larger than its padded input of shape \(input)")
    }
    guard strideHeight >= 1, strideWidth >= 1 else {
      throw ShapeProblem("has stride \(strideHeight)×\(strideWidth), strides are at least 1")
    }
    return (height / strideHeight + 1, width / strideWidth + 1)
  }
}

/// The product of the extents, checked against `Operation.maximumElements`.
private func elementCount(_ shape: [Int]) throws(ShapeProblem) -> Int {
  var count = 1
  for extent in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    guard !overflow, product <= Operation.maximumElements else {
      throw ShapeProblem("makes a tensor of shape \(shape): more than \(Operation.maximumElements) elements")
    }
    count = product
  }
  return count
}
