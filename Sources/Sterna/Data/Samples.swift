import ReferenceInterpreter
import Scheduling
import TernaryIR

/// A user's samples, as the network takes them: quantized integers, `[channel][row][column]` each.
package struct Samples: Sendable {
  package var integers: [[Int32]]
  /// The share of values that the input quantizer has no number for: they became its smallest or largest.
  package var saturation: Double

  /// - Parameters:
  ///   - array: N × (input shape). Floats are quantized by the model's own input quantizer; int8 and uint8 are taken as
  ///     quantized.
  ///   - path: For messages.
  package init(_ array: NPY, path: String, input: InputPlan) throws(SamplesError) {
    let shape = input.shape
    let isVector = shape.height == 1 && shape.width == 1
    let expected = isVector ? [shape.channels] : [shape.channels, shape.height, shape.width]
    let found = array.shape
    // A single channel may be left out, as image data often has it.
    let isMatch =
      found.dropFirst().elementsEqual(expected)
      || (shape.channels == 1 && found.dropFirst().elementsEqual([shape.height, shape.width]))
      || (isVector && found.dropFirst().elementsEqual([shape.channels, 1, 1]))
    let quantization = input.quantization
    // As the model's file has them: another shape, or the channels last.
    let isFileShaped = !quantization.fileShape.isEmpty && found.dropFirst().elementsEqual(quantization.fileShape)
    guard found.count >= 2, isMatch || isFileShaped else {
      throw .shape(
        path: path, found: found, expected: quantization.fileShape.isEmpty ? expected : quantization.fileShape)
    }
    guard array.count > 0 else { throw .empty(path: path) }
    try array.requireFinite(path: path)
    let plane = shape.height * shape.width
    var saturated = 0
    func quantized(_ values: [Float]) -> [Int32] {
      var values = values
      if isFileShaped, quantization.isChannelsLast {
        values = values.indices.map { index in
          let (sample, place) = (index / shape.count, index % shape.count)
          return values[sample * shape.count + place % plane * shape.channels + place / plane]
        }
      }
      saturated = values.indices.count { index in
        quantization.saturates(values[index], channel: index / plane % shape.channels)
      }
      return quantization.quantize(values, channels: shape.channels, plane: plane)
    }
    let flat: [Int32]
    switch (array.values, quantization.element) {
    case (.float32(let values), _): flat = quantized(values)
    case (.float64(let values), _): flat = quantized(values.map { Float($0) })
    // The model takes integers of its own and quantizes them.
    case (.uint8(let values), .uint8): flat = quantized(values.map { Float($0) })
    case (.int8(let values), .int8): flat = quantized(values.map { Float($0) })
    case (.uint8(let values), _):
      guard !quantization.isSigned else { throw .elementType(path: path, found: "uint8", expected: "int8") }
      flat = values.map { Int32($0) }
    case (.int8(let values), _):
      guard quantization.isSigned else { throw .elementType(path: path, found: "int8", expected: "uint8") }
      flat = values.map { Int32($0) }
    case (.int16, _), (.int32, _), (.int64, _):
      throw .elementType(
        path: path, found: array.elementType, expected: quantization.isSigned ? "int8" : "uint8")
    }
    let range = Int32(quantization.minimum)...Int32(quantization.maximum)
    if case .uint8 = array.values, quantization.element != .uint8 { saturated = flat.count { !range.contains($0) } }
    if case .int8 = array.values, quantization.element != .int8 { saturated = flat.count { !range.contains($0) } }
    saturation = Double(saturated) / Double(flat.count)
    let size = shape.count
    integers = stride(from: 0, to: flat.count, by: size).map { Array(flat[$0..<($0 + size)]) }
  }
}

/// What is wrong with a user's samples, labels or expectations.
package enum SamplesError: Error, Sendable, Equatable, CustomStringConvertible {
  case shape(path: String, found: [Int], expected: [Int])
  case elementType(path: String, found: String, expected: String)
  case count(path: String, found: Int, expected: Int)
  case label(path: String, index: Int, found: String, classes: Int)
  case empty(path: String)
  case labelShape(path: String, found: [Int], samples: Int)
  case notFinite(path: String, sample: Int, element: Int, value: Double)
  case outputShape(path: String, found: [Int], expected: [Int])
  case expectations(found: Int, outputs: [String])

  package var description: String {
    switch self {
    case .shape(let path, let found, let expected):
      "\(path): shape \(found.pythonic): expected N samples of \(expected.pythonic), so "
        + "(N, \(expected.map(String.init).joined(separator: ", ")))"
    case .elementType(let path, let found, let expected):
      "\(path): element type \(found): expected float32 (to be quantized by the model) or \(expected) (quantized)"
    case .count(let path, let found, let expected):
      "\(path): \(found) entries: expected \(expected), one for each sample"
    case .label(let path, let index, let found, let classes):
      "\(path): label \(found) at index \(index): expected 0 to \(classes - 1)"
    case .empty(let path): "\(path): no samples"
    case .labelShape(let path, let found, let samples):
      "\(path): shape \(found.pythonic): expected one class number for each sample, (\(samples),) or (\(samples), 1)"
    case .notFinite(let path, let sample, let element, let value):
      "\(path): \(value) in sample \(sample), element \(element): expected finite numbers"
    case .outputShape(let path, let found, let expected):
      "\(path): shape \(found.pythonic): expected the outputs for --input, \(expected.pythonic)"
    case .expectations(let found, let outputs):
      "--expect: \(found) array(s): expected \(outputs.count), one for each output of the model, in this order: "
        + outputs.joined(separator: ", ")
    }
  }
}

extension [Int] {
  fileprivate var pythonic: String { "(" + map(String.init).joined(separator: ", ") + (count == 1 ? ",)" : ")") }
}

extension NPY {
  /// Class labels: N or N × 1 numbers of any type that holds whole ones.
  package func labels(path: String, samples: Int, classes: Int) throws(SamplesError) -> [Int] {
    guard shape == [samples] || shape == [samples, 1] else {
      throw shape.count == 1 || (shape.count == 2 && shape[1] == 1)
        ? .count(path: path, found: count, expected: samples) : .labelShape(path: path, found: shape, samples: samples)
    }
    var labels: [Int] = []
    for (index, value) in doubles.enumerated() {
      guard let label = Int(exactly: value), (0..<classes).contains(label) else {
        throw .label(path: path, index: index, found: value.shortText, classes: classes)
      }
      labels.append(label)
    }
    return labels
  }

  /// - Throws: where a value is NaN or infinite, with its place.
  package func requireFinite(path: String) throws(SamplesError) {
    let index: Int?
    switch values {
    case .float32(let values): index = values.firstIndex { !$0.isFinite }
    // What float32 has no number for is infinite to the model.
    case .float64(let values): index = values.firstIndex { !Float($0).isFinite }
    case .int8, .uint8, .int16, .int32, .int64: index = nil
    }
    guard let index else { return }
    let size = max(1, count / max(1, shape.first ?? 1))
    throw .notFinite(path: path, sample: index / size, element: index % size, value: doubles[index])
  }

  /// The values as reals, whatever their type.
  package var doubles: [Double] {
    switch values {
    case .float32(let values): values.map(Double.init)
    case .float64(let values): values
    case .int8(let values): values.map(Double.init)
    case .uint8(let values): values.map(Double.init)
    case .int16(let values): values.map(Double.init)
    case .int32(let values): values.map(Double.init)
    case .int64(let values): values.map(Double.init)
    }
  }
}

extension Double {
  /// Whole numbers without a fraction.
  var shortText: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
