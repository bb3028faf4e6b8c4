/// A trained float network as a chain of steps: what `sterna ternarize` reads, executes and turns into ternary layers.
///
/// Activations carry no batch axis: `[channels, height, width]` or `[features]`.
package struct FloatNetwork: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// The file's name of the node, or `<type> #<index>` where it has none.
    package var name: String
    package var operation: FloatOperation
    /// Of the result.
    package var shape: [Int]

    package init(name: String, operation: FloatOperation, shape: [Int]) {
      self.name = name
      self.operation = operation
      self.shape = shape
    }
  }

  package var name: String
  package var inputName: String
  package var inputShape: [Int]
  package var outputName: String
  package var steps: [Step]

  package var outputShape: [Int] { steps.last?.shape ?? inputShape }
  package var outputCount: Int { outputShape.reduce(1, *) }
  package var inputCount: Int { inputShape.reduce(1, *) }

  /// The shape that step number `index` reads.
  package func inputShape(of index: Int) -> [Int] { index == 0 ? inputShape : steps[index - 1].shape }
}

/// What a step computes.
package enum FloatOperation: Sendable, Equatable {
  case linear(FloatLinear)
  /// `scale · x + shift`, one of each for all or one per channel (of `[features]`: per feature). Kept in double, so that
  /// several of them fold into a layer with one rounding.
  case affine(FloatAffine)
  /// Clamps; nil leaves a side open. Relu is `0...`.
  case clip(minimum: Float?, maximum: Float?)
  case maxPool(FloatWindow)
  /// Mean over the window; padding counts as zeros.
  case averagePool(FloatWindow)
  case flatten
}

/// A convolution, or a dense layer, which is one of a 1×1 kernel over `[features, 1, 1]`.
package struct FloatLinear: Sendable, Equatable {
  /// The initializer's name, for messages and for the file that is written.
  package var weightName: String
  /// `[outputs, inputs / groups, kernel height, kernel width]`, row-major.
  package var weights: [Float]
  package var outputs: Int
  /// Input channels a group.
  package var groupInputs: Int
  package var groups: Int
  package var window: FloatWindow
  package var isDense: Bool
  /// One an output, zeros where the file has none.
  package var bias: [Float]

  /// Weights an output.
  package var taps: Int { groupInputs * window.kernelHeight * window.kernelWidth }
}

package struct FloatAffine: Sendable, Equatable {
  package var scales: [Double]
  package var shifts: [Double]

  package init(scales: [Double], shifts: [Double]) {
    self.scales = scales
    self.shifts = shifts
  }

  /// One scale and shift for all channels.
  package var isUniform: Bool { scales.count == 1 && shifts.count == 1 }

  package func scale(_ channel: Int) -> Double { scales[scales.count == 1 ? 0 : channel] }
  package func shift(_ channel: Int) -> Double { shifts[shifts.count == 1 ? 0 : channel] }

  /// `next` applied to this one's result.
  package func followed(by next: FloatAffine) -> FloatAffine {
    let count = max(scales.count, shifts.count, next.scales.count, next.shifts.count)
    return FloatAffine(
      scales: (0..<count).map { scale($0) * next.scale($0) },
      shifts: (0..<count).map { shift($0) * next.scale($0) + next.shift($0) })
  }
}

/// A window that slides over rows and columns.
package struct FloatWindow: Sendable, Equatable {
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight = 1
  package var strideWidth = 1
  package var dilationHeight = 1
  package var dilationWidth = 1
  package var top = 0
  package var left = 0
  package var bottom = 0
  package var right = 0
  /// Of a max pool: the last window may reach over the edge (ONNX `ceil_mode`).
  package var ceilMode = false

  package init(kernelHeight: Int, kernelWidth: Int) {
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
  }

  package var hasPadding: Bool { top > 0 || left > 0 || bottom > 0 || right > 0 }

  /// The result's rows and columns; nil where the window is larger than the padded input.
  package func outputExtents(height: Int, width: Int) -> (height: Int, width: Int)? {
    func positions(_ extent: Int, _ before: Int, _ after: Int, _ kernel: Int, _ stride: Int) -> Int? {
      let room = extent + before + after - kernel
      guard room >= 0, stride >= 1 else { return nil }
      let isPartial = ceilMode && room % stride != 0 && (room / stride + 1) * stride < extent + before
      return room / stride + 1 + (isPartial ? 1 : 0)
    }
    guard
      let rows = positions(height, top, bottom, (kernelHeight - 1) * dilationHeight + 1, strideHeight),
      let columns = positions(width, left, right, (kernelWidth - 1) * dilationWidth + 1, strideWidth)
    else { return nil }
    return (rows, columns)
  }
}
