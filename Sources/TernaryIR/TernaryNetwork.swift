/// An integer-only network: what the reference interpreter executes and the firmware computes, to the bit.
///
/// Layers stand in order of execution; any number of them may read a tensor. Nothing real is left but the scales that tell a user what the integers mean.
package struct TernaryNetwork: Sendable, Equatable {
  package struct TensorID: Hashable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
  }

  package var name: String
  package var input: InputQuantization
  package var tensors: [Tensor]
  package var layers: [Layer]
  package var inputTensor: TensorID
  /// In the file's order, at least one and each another; a layer makes it, and layers may read it as well.
  package var outputTensors: [TensorID]

  package init(
    name: String, input: InputQuantization, tensors: [Tensor], layers: [Layer], inputTensor: TensorID,
    outputTensors: [TensorID]
  ) {
    self.name = name
    self.input = input
    self.tensors = tensors
    self.layers = layers
    self.inputTensor = inputTensor
    self.outputTensors = outputTensors
  }

  /// A network of one output.
  package init(
    name: String, input: InputQuantization, tensors: [Tensor], layers: [Layer], inputTensor: TensorID,
    outputTensor: TensorID
  ) {
    self.init(
      name: name, input: input, tensors: tensors, layers: layers, inputTensor: inputTensor,
      outputTensors: [outputTensor])
  }

  /// The first output; of most networks it is the only one.
  package var outputTensor: TensorID {
    get { outputTensors[0] }
    set { outputTensors[0] = newValue }
  }

  package subscript(_ id: TensorID) -> Tensor { tensors[id.index] }
}

/// Extents of one sample's activation tensor, each at least 1. A vector is `channels × 1 × 1`.
package struct Shape: Sendable, Equatable, Hashable {
  package var channels: Int
  package var height: Int
  package var width: Int

  package init(_ channels: Int, _ height: Int = 1, _ width: Int = 1) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  package var count: Int { channels * height * width }
}

extension Shape: CustomStringConvertible {
  package var description: String { "\(channels)x\(height)x\(width)" }
}

/// Integers `q` that mean the real numbers `scale · (q − zeroPoint)`.
package struct Tensor: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// At most 8 bits, signed or unsigned.
    case activation
    /// The exact sum of an average pool that has no quantizer behind it: at most 16 bits, divisor left to the scale.
    case sum
    /// int32 results of a last layer without a quantizer, all channels in one scale.
    case logits
  }

  package var name: String
  package var shape: Shape
  package var kind: Kind
  /// Every value that can occur lies in this range. The zero point that a padded layer reads need not (`range(paddedBy:)`
  /// adds it), but it lies in the grid.
  package var range: ClosedRange<Int>
  /// Of an activation: the grid that its quantizer declares, which `range` lies within. It fixes how the value is stored.
  package var grid: ClosedRange<Int>
  package var zeroPoint: Int
  /// For people and for `--real`; no integer depends on it.
  package var scale: Double

  package init(
    name: String, shape: Shape, kind: Kind = .activation, range: ClosedRange<Int>, grid: ClosedRange<Int>? = nil,
    zeroPoint: Int = 0, scale: Double = 1
  ) {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.range = range
    self.grid = grid ?? range
    self.zeroPoint = zeroPoint
    self.scale = scale
  }
}

/// How a user's float sample becomes the input tensor's integers, in float32 as PyTorch and ONNX executors do it:
/// each preprocessing step in turn, then `round_half_even(clamp(x / scale + zeroPoint))`, or with the zero point added
/// after rounding as ONNX QuantizeLinear does.
package struct InputQuantization: Sendable, Equatable {
  /// A constant for all channels, or one for each.
  package enum Step: Sendable, Equatable {
    case add([Float])
    case subtract([Float])
    case subtractFrom([Float])
    case multiply([Float])
    case divide([Float])

    /// One for all channels, or one for each.
    package var constants: [Float] {
      switch self {
      case .add(let constants), .subtract(let constants), .subtractFrom(let constants), .multiply(let constants),
        .divide(let constants):
        constants
      }
    }
  }

  /// What the elements of the file's own input are.
  package enum Element: String, Sendable {
    case real
    /// Integers that the file casts to real numbers, and quantizes then.
    case uint8, int8
  }

  /// The graph input's name.
  package var name: String
  package var steps: [Step]
  package var scale: Float
  package var zeroPoint: Int
  package var minimum: Int
  package var maximum: Int
  package var addsZeroPointAfterRounding: Bool
  /// int8 rather than uint8 at the model's border.
  package var isSigned: Bool
  /// The extents of the file's own input behind the batch, where they are not those of the input tensor; else empty.
  package var fileShape: [Int] = []
  /// Whether the file has the channels of an element side by side, `[height, width, channels]`.
  package var isChannelsLast = false
  package var element = Element.real

  package init(
    name: String, steps: [Step] = [], scale: Float = 1, zeroPoint: Int = 0, minimum: Int = 0, maximum: Int = 255,
    addsZeroPointAfterRounding: Bool = false, isSigned: Bool = false
  ) {
    self.name = name
    self.steps = steps
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.minimum = minimum
    self.maximum = maximum
    self.addsZeroPointAfterRounding = addsZeroPointAfterRounding
    self.isSigned = isSigned
  }
}
