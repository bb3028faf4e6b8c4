/// Brings a chain into the form that ternarization works on. Nothing of this changes what the network computes, but for
/// float rounding.
///
/// - BatchNormalization and other per-channel arithmetic go into the weights and the bias of the layer in front, also
///   over a pool or a flatten in between where that is exact. Per-channel ternarization is blind to it: it scales a
///   channel's weights as a whole. What cannot go forward into a dense layer behind.
/// - Relu and Clip go in front of a max pool, so that it works on bytes.
extension FloatNetwork {
  package func folded() -> FloatNetwork {
    var result = self
    while result.foldOnce() {}
    return result
  }

  /// Rewrites the first pair of neighbours that can be.
  private mutating func foldOnce() -> Bool {
    for index in steps.indices.dropLast() {
      let (first, second) = (steps[index], steps[index + 1])
      switch (first.operation, second.operation) {
      case (.linear(let layer), .affine(let affine)):
        guard let folded = layer.followed(by: affine) else { continue }
        steps[index].operation = .linear(folded)
        steps.remove(at: index + 1)
        return true
      case (.affine(let affine), .affine(let next)):
        steps[index].operation = .affine(affine.followed(by: next))
        steps.remove(at: index + 1)
        return true
      case (.affine(let affine), .linear(let layer)):
        // Uniform arithmetic on the input itself belongs to its quantizer.
        guard index > 0 || !affine.isUniform, !layer.window.hasPadding,
          let folded = layer.preceded(by: affine, inputs: first.shape[0])
        else { continue }
        steps[index + 1].operation = .linear(folded)
        steps.remove(at: index)
        return true
      case (.clip(let lower, let upper), .clip(let nextLower, let nextUpper)):
        steps[index].operation = Self.clip(lower, upper, then: nextLower, nextUpper)
        steps.remove(at: index + 1)
        return true
      case (.maxPool, .affine(let affine)):
        guard isBehindLayer(index), affine.scales.allSatisfy({ $0 >= 0 }) else { continue }
        swap(index)
        return true
      case (.averagePool(let window), .affine(let affine)):
        guard isBehindLayer(index), !window.hasPadding || affine.shifts.allSatisfy({ $0 == 0 }) else { continue }
        swap(index)
        return true
      case (.maxPool, .clip):
        swap(index)
        return true
      case (.flatten, .clip):
        swap(index)
        return true
      case (.flatten, .affine(let affine)):
        guard isBehindLayer(index), let perChannel = affine.unflattened(to: inputShape(of: index)) else { continue }
        steps[index + 1].operation = .affine(perChannel)
        swap(index)
        return true
      case (.affine(let affine), .flatten):
        guard index + 2 < steps.count, index > 0 || !affine.isUniform,
          case .linear(let layer) = steps[index + 2].operation
        else { continue }
        let perFeature = affine.flattened(shape: first.shape)
        guard let folded = layer.preceded(by: perFeature, inputs: second.shape[0]) else { continue }
        steps[index + 2].operation = .linear(folded)
        steps.remove(at: index)
        return true
      default: break
      }
    }
    return false
  }

  /// Whether there is nothing but pools and flattening between a layer and the step behind number `index`.
  private func isBehindLayer(_ index: Int) -> Bool {
    for step in steps[...index].reversed() {
      switch step.operation {
      case .linear: return true
      case .maxPool, .averagePool, .flatten: continue
      case .affine, .clip: return false
      }
    }
    return false
  }

  /// Exchanges two neighbours of which the second keeps the shape.
  private mutating func swap(_ index: Int) {
    let before = inputShape(of: index)
    steps.swapAt(index, index + 1)
    steps[index].shape = before
  }

  private static func clip(
    _ lower: Float?, _ upper: Float?, then nextLower: Float?, _ nextUpper: Float?
  ) -> FloatOperation {
    func clamped(_ value: Float) -> Float { min(max(value, nextLower ?? value), nextUpper ?? value) }
    return .clip(minimum: lower.map(clamped) ?? nextLower, maximum: upper.map(clamped) ?? nextUpper)
  }
}

extension FloatLinear {
  /// With per-channel arithmetic taken in; nil where a result is no float.
  fileprivate func followed(by affine: FloatAffine) -> FloatLinear? {
    var result = self
    for output in 0..<outputs {
      let scale = affine.scale(output)
      for tap in output * taps..<(output + 1) * taps { result.weights[tap] = Float(Double(weights[tap]) * scale) }
      result.bias[output] = Float(Double(bias[output]) * scale + affine.shift(output))
    }
    return result.isFinite ? result : nil
  }

  /// With arithmetic on its input taken in.
  fileprivate func preceded(by affine: FloatAffine, inputs: Int) -> FloatLinear? {
    var result = self
    let plane = window.kernelHeight * window.kernelWidth
    let outputsPerGroup = outputs / groups
    for output in 0..<outputs {
      var shift = Double(bias[output])
      for input in 0..<groupInputs {
        let channel = output / outputsPerGroup * groupInputs + input
        guard channel < inputs else { return nil }
        for tap in 0..<plane {
          let index = output * taps + input * plane + tap
          shift += Double(weights[index]) * affine.shift(channel)
          result.weights[index] = Float(Double(weights[index]) * affine.scale(channel))
        }
      }
      result.bias[output] = Float(shift)
    }
    return result.isFinite ? result : nil
  }

  var isFinite: Bool { weights.allSatisfy(\.isFinite) && bias.allSatisfy(\.isFinite) }
}

extension FloatAffine {
  /// Per channel of `shape` where it is the same for all positions of a channel; nil where it differs.
  fileprivate func unflattened(to shape: [Int]) -> FloatAffine? {
    if isUniform { return self }
    guard shape.count == 3 else { return nil }
    let plane = shape[1] * shape[2]
    let channels = FloatAffine(
      scales: (0..<shape[0]).map { scale($0 * plane) }, shifts: (0..<shape[0]).map { shift($0 * plane) })
    for feature in 0..<shape[0] * plane {
      guard scale(feature) == channels.scale(feature / plane), shift(feature) == channels.shift(feature / plane) else {
        return nil
      }
    }
    return channels
  }

  /// Per feature, for a value of `shape` that is flattened.
  fileprivate func flattened(shape: [Int]) -> FloatAffine {
    let count = shape.reduce(1, *)
    let plane = count / shape[0]
    return FloatAffine(
      scales: (0..<count).map { scale($0 / plane) }, shifts: (0..<count).map { shift($0 / plane) })
  }
}
