/// Executes a float network in float32, many samples at a time.
///
/// Samples stand innermost in memory, so that every kernel is the plain formula with one short loop over samples at its
/// core. That loop is over raw pointers: it is quick even without optimization, as tests are built.
package enum FloatExecutor {
  /// So many samples are executed together.
  package static let batchSize = 64

  /// The network's outputs.
  ///
  /// - Parameter samples: Each `[channels][height][width]` or `[features]`, flat.
  /// - Returns: As many, each flat in the shape of the output.
  package static func run(_ network: FloatNetwork, samples: [[Float]]) -> [[Float]] {
    stride(from: 0, to: samples.count, by: batchSize).flatMap { start in
      var batch = FloatBatch(Array(samples[start..<min(start + batchSize, samples.count)]))
      for (index, step) in network.steps.enumerated() {
        batch = run(step, batch, inputShape: network.inputShape(of: index))
      }
      return batch.samples
    }
  }

  static func run(_ step: FloatNetwork.Step, _ input: FloatBatch, inputShape: [Int]) -> FloatBatch {
    switch step.operation {
    case .linear(let layer): multiply(layer, input, from: inputShape.asMap, to: step.shape.asMap)
    case .affine(let affine): apply(affine, input, shape: inputShape)
    case .clip(let minimum, let maximum): clip(input, minimum ?? -.infinity, maximum ?? .infinity)
    case .maxPool(let window): pool(input, window, from: inputShape.asMap, to: step.shape.asMap, isMaximum: true)
    case .averagePool(let window): pool(input, window, from: inputShape.asMap, to: step.shape.asMap, isMaximum: false)
    case .flatten: input
    }
  }

  // MARK: Kernels

  private static func multiply(_ layer: FloatLinear, _ input: FloatBatch, from: FloatMap, to: FloatMap) -> FloatBatch {
    var output = FloatBatch(count: input.count, elements: to.channels * to.height * to.width)
    let count = input.count
    let window = layer.window
    let outputsPerGroup = layer.outputs / layer.groups
    withPointers(input, &output) { source, target in
      layer.weights.withUnsafeBufferPointer { weights in
        var cell = target
        for oc in 0..<layer.outputs {
          let firstInput = oc / outputsPerGroup * layer.groupInputs
          for oy in 0..<to.height {
            for ox in 0..<to.width {
              cell.update(repeating: layer.bias[oc], count: count)
              var tap = oc * layer.taps
              var ic = 0
              while ic < layer.groupInputs {
                var ky = 0
                while ky < window.kernelHeight {
                  let y = oy * window.strideHeight - window.top + ky * window.dilationHeight
                  var kx = 0
                  while kx < window.kernelWidth {
                    let x = ox * window.strideWidth - window.left + kx * window.dilationWidth
                    let weight = weights[tap]
                    tap += 1
                    kx += 1
                    if weight == 0 || y < 0 || y >= from.height || x < 0 || x >= from.width { continue }
                    let row = source + (((firstInput + ic) * from.height + y) * from.width + x) * count
                    var sample = 0
                    while sample < count {
                      cell[sample] += weight * row[sample]
                      sample += 1
                    }
                  }
                  ky += 1
                }
                ic += 1
              }
              cell += count
            }
          }
        }
      }
    }
    return output
  }

  private static func apply(_ affine: FloatAffine, _ input: FloatBatch, shape: [Int]) -> FloatBatch {
    var output = FloatBatch(count: input.count, elements: input.elements)
    let plane = input.elements / shape[0]
    withPointers(input, &output) { source, target in
      for channel in 0..<shape[0] {
        let (scale, shift) = (Float(affine.scale(channel)), Float(affine.shift(channel)))
        var index = channel * plane * input.count
        let end = index + plane * input.count
        while index < end {
          target[index] = source[index] * scale + shift
          index += 1
        }
      }
    }
    return output
  }

  private static func clip(_ input: FloatBatch, _ minimum: Float, _ maximum: Float) -> FloatBatch {
    var output = FloatBatch(count: input.count, elements: input.elements)
    withPointers(input, &output) { source, target in
      var index = 0
      while index < input.values.count {
        let value = source[index]
        target[index] = value < minimum ? minimum : value > maximum ? maximum : value
        index += 1
      }
    }
    return output
  }

  private static func pool(
    _ input: FloatBatch, _ window: FloatWindow, from: FloatMap, to: FloatMap, isMaximum: Bool
  ) -> FloatBatch {
    var output = FloatBatch(count: input.count, elements: to.channels * to.height * to.width)
    let count = input.count
    let factor = 1 / Float(window.kernelHeight * window.kernelWidth)
    withPointers(input, &output) { source, target in
      var cell = target
      for channel in 0..<to.channels {
        for oy in 0..<to.height {
          for ox in 0..<to.width {
            cell.update(repeating: isMaximum ? -.infinity : 0, count: count)
            for ky in 0..<window.kernelHeight {
              let y = oy * window.strideHeight - window.top + ky
              if y < 0 || y >= from.height { continue }
              for kx in 0..<window.kernelWidth {
                let x = ox * window.strideWidth - window.left + kx
                if x < 0 || x >= from.width { continue }
                let row = source + ((channel * from.height + y) * from.width + x) * count
                var sample = 0
                while sample < count {
                  let value = row[sample]
                  if !isMaximum {
                    cell[sample] += value * factor
                  } else if value > cell[sample] {
                    cell[sample] = value
                  }
                  sample += 1
                }
              }
            }
            cell += count
          }
        }
      }
    }
    return output
  }

  /// The values of both as memory; each holds `elements · count` floats, and the kernels stay inside by their shapes.
  private static func withPointers(
    _ input: FloatBatch, _ output: inout FloatBatch,
    _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    input.values.withUnsafeBufferPointer { source in
      output.values.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        body(source, target)
      }
    }
  }
}

/// Activations of some samples: `[element][sample]`.
struct FloatBatch: Sendable {
  /// Samples.
  let count: Int
  /// Of one sample.
  let elements: Int
  var values: [Float]

  init(count: Int, elements: Int) {
    self.count = count
    self.elements = elements
    values = [Float](repeating: 0, count: count * elements)
  }

  /// - Precondition: all samples have the same number of elements.
  init(_ samples: [[Float]]) {
    self.init(count: samples.count, elements: samples.first?.count ?? 0)
    for (column, sample) in samples.enumerated() {
      for element in 0..<elements { values[element * count + column] = sample[element] }
    }
  }

  var samples: [[Float]] {
    (0..<count).map { column in (0..<elements).map { values[$0 * count + column] } }
  }
}

/// Extents of an activation; `[features]` count as channels.
struct FloatMap {
  var channels: Int
  var height: Int
  var width: Int
}

extension [Int] {
  var asMap: FloatMap {
    count == 3
      ? FloatMap(channels: self[0], height: self[1], width: self[2])
      : FloatMap(channels: reduce(1, *), height: 1, width: 1)
  }
}
