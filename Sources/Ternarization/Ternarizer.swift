internal import Diagnostics

/// The network that is being written: ternary layers, quantizers, and whatever stays as it is.
enum TernaryStep {
  case layer(name: String, TernaryLayer)
  case quantize(ActivationQuantizer)
  /// Anything but a linear layer.
  case plain(FloatNetwork.Step)

  /// The file's name of the node; nil of a quantizer.
  var name: String? {
    switch self {
    case .layer(let name, _): name
    case .plain(let step): step.name
    case .quantize: nil
    }
  }
}

/// Walks a folded float network once, from the input on, with the calibration samples at hand in two versions: as the
/// float network sees them and as the part ternarized so far does.
///
/// - Each layer gets ternary weights. Then its biases move so that the mean of each output channel over all samples and
///   positions is that of the float network (bias correction), errors of the layers in front included.
/// - A quantizer stands where a layer, a pool or the output needs bytes, with the range that the ternary network's own
///   activations have there: unsigned behind a Relu and what keeps its sign, signed elsewhere.
struct Ternarizer {
  private(set) var steps: [TernaryStep] = []
  private(set) var reports: [LayerReport] = []
  /// Why the result is of no use.
  private(set) var problem: Diagnostic?

  private let network: FloatNetwork
  private let options: TernarizationOptions
  private var float: [FloatBatch]
  private var ternary: [FloatBatch]
  /// Whether the value lies on a quantizer's grid.
  private var isQuantized = false
  private var isNonNegative: Bool
  /// Whether the input has reached its quantizer yet.
  private var isRawInput = true
  /// Whether a Relu or Clip stands behind the last quantizer: a network must not end so.
  private var hasClip = false

  init(_ network: FloatNetwork, samples: [[Float]], options: TernarizationOptions) {
    self.network = network
    self.options = options
    float = stride(from: 0, to: samples.count, by: FloatExecutor.batchSize).map { start in
      FloatBatch(Array(samples[start..<min(start + FloatExecutor.batchSize, samples.count)]))
    }
    ternary = float
    isNonNegative = samples.allSatisfy { $0.allSatisfy { $0 >= 0 } }
  }

  /// - Parameter progress: Called before each layer with its name.
  mutating func run(progress: (String) -> Void) {
    for (index, step) in network.steps.enumerated() {
      switch step.operation {
      case .linear(let layer):
        progress(step.name)
        quantize()
        ternarize(layer, step, at: index)
        isQuantized = false
        isNonNegative = false
      case .affine(let affine):
        // Arithmetic for all channels alike is part of reading the input.
        if isRawInput && !affine.isUniform { quantize() }
        execute(step, at: index)
        isQuantized = false
        isNonNegative = isRawInput && ternary.allSatisfy { $0.values.allSatisfy { $0 >= 0 } }
      case .clip(let minimum, _):
        if isRawInput { quantize() }
        execute(step, at: index)
        isQuantized = false
        hasClip = true
        if let minimum, minimum >= 0 { isNonNegative = true }
      case .maxPool:
        quantize()
        execute(step, at: index)
      case .averagePool:
        quantize()
        execute(step, at: index)
        isQuantized = false
      case .flatten:
        execute(step, at: index)
      }
    }
    if hasClip { quantize() }
    // What no quantizer has seen: the float network, and the last layer.
    if problem == nil, let layer = reports.first(where: { !$0.meanErrorBefore.isFinite || !$0.meanErrorAfter.isFinite })
    {
      problem = .activationOverflow(layer.name)
    }
  }

  private mutating func execute(_ step: FloatNetwork.Step, at index: Int) {
    let shape = network.inputShape(of: index)
    float = float.map { FloatExecutor.run(step, $0, inputShape: shape) }
    ternary = ternary.map { FloatExecutor.run(step, $0, inputShape: shape) }
    steps.append(.plain(step))
  }

  private mutating func quantize() {
    if isQuantized { return }
    var low = Float.infinity
    var high = -Float.infinity
    for batch in ternary {
      batch.values.withUnsafeBufferPointer { values in
        var index = 0
        while index < values.count {
          let value = values[index]
          if value < low { low = value }
          if value > high { high = value }
          index += 1
        }
      }
    }
    // Of values that are no numbers neither is ever set.
    if !(low.isFinite && high.isFinite), problem == nil { problem = .activationOverflow(steps.last?.name) }
    let range = min(low, high)...max(low, high)
    let quantizer =
      isRawInput
      ? ActivationQuantizer(input: ternary.map(\.values), range: range, bits: options.inputBits)
      : ActivationQuantizer(covering: range, bits: options.activationBits, isSigned: !isNonNegative)
    ternary = ternary.map { quantizer($0) }
    steps.append(.quantize(quantizer))
    isQuantized = true
    isRawInput = false
    hasClip = false
  }

  private mutating func ternarize(_ layer: FloatLinear, _ step: FloatNetwork.Step, at index: Int) {
    let shape = network.inputShape(of: index)
    var result = TernaryLayer(layer)
    float = float.map { FloatExecutor.run(step, $0, inputShape: shape) }
    var ternaryStep = step
    ternaryStep.operation = .linear(result.linear)
    ternary = ternary.map { FloatExecutor.run(ternaryStep, $0, inputShape: shape) }

    let before = meanErrors(channels: layer.outputs)
    if options.fitsScales { fitScales(&result) }
    let remaining = options.fitsScales ? meanErrors(channels: layer.outputs) : before
    var after = remaining
    if options.correctsBias {
      for channel in 0..<layer.outputs {
        let corrected = Float(Double(layer.bias[channel]) + remaining[channel])
        if corrected.isFinite { result.linear.bias[channel] = corrected }
      }
      let plane = step.shape.reduce(1, *) / layer.outputs
      for batch in ternary.indices {
        for channel in 0..<layer.outputs {
          let change = result.linear.bias[channel] - layer.bias[channel]
          let cells = plane * ternary[batch].count
          for index in channel * cells..<(channel + 1) * cells { ternary[batch].values[index] += change }
        }
      }
      after = meanErrors(channels: layer.outputs)
    }
    steps.append(.layer(name: step.name, result))
    reports.append(
      result.report(
        name: step.name, float: layer, errorBefore: rootMeanSquare(before), errorAfter: rootMeanSquare(after)))
  }

  /// Multiplies each channel's α by the factor that brings the ternary pre-activation closest to the float one, in the
  /// sense of least squares over all samples and positions with a free bias: covariance over variance. A factor that
  /// is not positive would mean that the channel has lost its meaning: it is left alone then.
  private mutating func fitScales(_ layer: inout TernaryLayer) {
    let channels = layer.linear.outputs
    for channel in 0..<channels {
      var moments = Moments()
      for (exact, approximate) in zip(float, ternary) {
        let cells = exact.values.count / channels
        moments.add(exact.values, approximate.values, in: channel * cells..<(channel + 1) * cells)
      }
      guard let slope = moments.slope, slope > 0 else { continue }
      let alpha = Float(Double(layer.alphas[channel]) * slope)
      guard alpha.isNormal else { continue }
      let factor = alpha / layer.alphas[channel]
      layer.setAlpha(alpha, of: channel)
      let bias = layer.linear.bias[channel]
      for batch in ternary.indices {
        let cells = ternary[batch].values.count / channels
        ternary[batch].values.withUnsafeMutableBufferPointer { values in
          var index = channel * cells
          while index < (channel + 1) * cells {
            values[index] = (values[index] - bias) * factor + bias
            index += 1
          }
        }
      }
    }
  }

  /// Mean over samples and positions of float minus ternary, for each channel.
  private func meanErrors(channels: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: channels)
    var count = 0
    for (exact, approximate) in zip(float, ternary) {
      let cells = exact.values.count / channels
      count += cells
      for channel in 0..<channels {
        var sum = 0.0
        exact.values.withUnsafeBufferPointer { exact in
          approximate.values.withUnsafeBufferPointer { approximate in
            var index = channel * cells
            while index < (channel + 1) * cells {
              sum += Double(exact[index]) - Double(approximate[index])
              index += 1
            }
          }
        }
        sums[channel] += sum
      }
    }
    return sums.map { $0 / Double(max(count, 1)) }
  }

  private func rootMeanSquare(_ values: [Double]) -> Double {
    (values.reduce(0) { $0 + $1 * $1 } / Double(max(values.count, 1))).squareRoot()
  }
}

/// Sums over pairs of values, for a line through them.
private struct Moments {
  private var count = 0.0
  private var sumX = 0.0
  private var sumY = 0.0
  private var sumXX = 0.0
  private var sumXY = 0.0

  mutating func add(_ y: [Float], _ x: [Float], in range: Range<Int>) {
    y.withUnsafeBufferPointer { y in
      x.withUnsafeBufferPointer { x in
        var index = range.lowerBound
        while index < range.upperBound {
          let (x, y) = (Double(x[index]), Double(y[index]))
          sumX += x
          sumY += y
          sumXX += x * x
          sumXY += x * y
          index += 1
        }
      }
    }
    count += Double(range.count)
  }

  /// Of the line that fits best; nil where x does not vary.
  var slope: Double? {
    let variance = sumXX - sumX * sumX / count
    guard variance > 1e-9 * sumXX else { return nil }
    let slope = (sumXY - sumX * sumY / count) / variance
    return slope.isFinite ? slope : nil
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func activationOverflow(_ node: String?) -> Diagnostic {
    Diagnostic(
      code: "activation-overflow", location: .init(node: node),
      message: "the activations leave float32 on the calibration samples: expected finite numbers",
      fix: "check the weights and the samples: one of them is unreasonably large")
  }
}
