/// What a node computes, on real numbers and without rounding except in `quantize`.
package enum Operation: Sendable, Equatable {
  /// Rounds to the quantizer's grid: QONNX `Quant` and `Trunc`, QCDQ `QuantizeLinear`–`Clip`–`DequantizeLinear`.
  case quantize(Quantizer)
  case convolution(Convolution)
  /// Fully connected layer. A `[channels, height, width]` input counts as flattened in that order.
  case dense(Dense)
  case batchNormalization(BatchNormalization)
  /// Adds, subtracts, multiplies or divides by a constant, per channel or for all.
  case arithmetic(Arithmetic)
  case relu
  /// Clamps to `[minimum, maximum]`; nil where the file leaves a side open.
  case clip(minimum: Float?, maximum: Float?)
  /// Maximum over the window. Padding never wins: it stands for −∞.
  case maxPool(Window)
  /// Mean over the window. Padding counts as zeros (the importer refuses a padded pool that does not count it).
  case averagePool(Window)
  /// `[channels, height, width]` to `[channels · height · width]`, in that order.
  case flatten
  /// Two activations or more of one shape, added or subtracted element by element.
  case addition(Addition)
  /// Joins the channels of two activations or more; rows and columns are the same for all.
  case concatenation
  /// Takes some channels.
  case slice(ChannelSlice)
  /// Repeats rows and columns.
  case resize(Resize)
}

/// `Σ signs[i] · x[i]`, element by element.
package struct Addition: Sendable, Equatable {
  /// +1 or −1 for each input.
  package var signs: [Int]

  package init(signs: [Int]) {
    self.signs = signs
  }
}

/// Channels `first ..< first + count` of an activation, all of them inside.
package struct ChannelSlice: Sendable, Equatable {
  package var first: Int
  /// At least 1.
  package var count: Int

  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }
}

/// Repeats each element `rows` times downwards and `columns` times to the right:
/// `y[c][oy][ox] = x[c][oy / rows][ox / columns]`.
package struct Resize: Sendable, Equatable {
  /// At least 1 each.
  package var rows: Int
  package var columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// A constant that is exactly `integer · scale`: a plain float is `1 · value`, a quantized bias its integer times its
/// scale. Both factors are kept, so that nothing is rounded before it has to be.
package struct ExactConstant: Sendable, Equatable {
  package var integer: Int64
  package var scale: Float

  package init(integer: Int64 = 1, scale: Float) {
    self.integer = integer
    self.scale = scale
  }
}

/// Ternary weights: real weight = scale · value.
package struct TernaryWeights: Sendable, Equatable {
  /// The initializer's name, for messages and comments.
  package var name: String
  /// Each −1, 0 or +1, in the order of `shape`.
  package var values: [Int8]
  /// `[outputs, inputs / groups, height, width]` of a convolution, `[outputs, inputs]` of a dense layer.
  package var shape: [Int]
  /// One for the tensor or one per output; finite, non-zero, of either sign.
  package var scales: [Float]

  package init(name: String, values: [Int8], shape: [Int], scales: [Float]) {
    self.name = name
    self.values = values
    self.shape = shape
    self.scales = scales
  }
}

package struct Padding: Sendable, Hashable {
  package var top: Int
  package var left: Int
  package var bottom: Int
  package var right: Int

  package init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  package static let none = Padding()
}

/// A window that slides over rows and columns.
package struct Window: Sendable, Equatable {
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  /// With `ceil_mode` already folded in: enough bottom and right padding for the last, partial window.
  package var padding: Padding

  package init(kernel: (height: Int, width: Int), stride: (height: Int, width: Int) = (1, 1), padding: Padding = .none)
  {
    kernelHeight = kernel.height
    kernelWidth = kernel.width
    strideHeight = stride.height
    strideWidth = stride.width
    self.padding = padding
  }
}

/// Zero-padded cross-correlation, as ONNX `Conv`. A dilated kernel is stored with its gaps filled by zero weights.
package struct Convolution: Sendable, Equatable {
  package var weights: TernaryWeights
  /// One per output channel.
  package var bias: [ExactConstant]?
  package var window: Window
  package var groups: Int

  package init(weights: TernaryWeights, bias: [ExactConstant]? = nil, window: Window, groups: Int = 1) {
    self.weights = weights
    self.bias = bias
    self.window = window
    self.groups = groups
  }
}

package struct Dense: Sendable, Equatable {
  package var weights: TernaryWeights
  package var bias: [ExactConstant]?

  package init(weights: TernaryWeights, bias: [ExactConstant]? = nil) {
    self.weights = weights
    self.bias = bias
  }
}

/// `gamma · (x − mean) / √(variance + epsilon) + beta`, per channel, with the file's float32 values read exactly.
package struct BatchNormalization: Sendable, Equatable {
  package var gamma: [Float]
  package var beta: [Float]
  package var mean: [Float]
  package var variance: [Float]
  package var epsilon: Float

  package init(gamma: [Float], beta: [Float], mean: [Float], variance: [Float], epsilon: Float) {
    self.gamma = gamma
    self.beta = beta
    self.mean = mean
    self.variance = variance
    self.epsilon = epsilon
  }
}

package struct Arithmetic: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case add, subtract, multiply, divide
    /// `constant − x`.
    case subtractFrom
  }

  package var kind: Kind
  /// One for all, or one per channel (of a `[features]` value: per feature).
  package var constants: [ExactConstant]

  package init(kind: Kind, constants: [ExactConstant]) {
    self.kind = kind
    self.constants = constants
  }
}

/// The rounding of a real tensor to integers `q`, read back as `outputScale · (q − zeroPoint)`.
///
/// - QONNX: `q = round(clamp(x / scale + zeroPoint, minimum, maximum))`.
/// - ONNX: `q = clamp(round(x / scale) + zeroPoint, minimum, maximum)`. With an odd zero point the two differ on ties.
/// - `Trunc`: `n = round(x / scale + zeroPoint)`, then `q = clamp(rounding(n / 2^shift), minimum, maximum)`.
package struct Quantizer: Sendable, Equatable {
  package enum Rounding: String, Sendable {
    case halfEven, floor, ceiling
  }

  package enum ZeroPointOrder: String, Sendable {
    /// QONNX.
    case beforeRounding
    /// ONNX QuantizeLinear.
    case afterRounding
  }

  /// `Trunc`'s discarding of low bits after the sum has been made an integer.
  package struct Truncation: Sendable, Equatable {
    /// 0…24.
    package var shift: Int
    /// The zero point is shifted with the value: real = outputScale · (q − zeroPoint / 2^shift).
    package var outputScale: Float

    package init(shift: Int, outputScale: Float) {
      self.shift = shift
      self.outputScale = outputScale
    }
  }

  /// Finite and positive. (An activation's quantizer has one scale for the whole tensor.)
  package var scale: Float
  package var zeroPoint: Int
  /// The reachable grid, `-128 ... 127` or `0 ... 255` at the widest for an activation.
  package var minimum: Int
  package var maximum: Int
  package var rounding: Rounding
  package var zeroPointOrder: ZeroPointOrder
  package var truncation: Truncation?
  /// Whether the file declares the integers signed: int8 or uint8 at the model's border.
  package var isSigned: Bool

  package init(
    scale: Float, zeroPoint: Int = 0, minimum: Int, maximum: Int, rounding: Rounding = .halfEven,
    zeroPointOrder: ZeroPointOrder = .beforeRounding, truncation: Truncation? = nil, isSigned: Bool
  ) {
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.minimum = minimum
    self.maximum = maximum
    self.rounding = rounding
    self.zeroPointOrder = zeroPointOrder
    self.truncation = truncation
    self.isSigned = isSigned
  }
}
