import FirmwarePlanning
import ReferenceInterpreter
import TernaryIR

/// A user's samples, as the network takes them: quantized integers, `[channel][row][column]` each.
package struct Samples: Sendable {
  package var integers: [[Int32]]

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
    func quantized(_ values: [Float]) -> [Int32] {
      var values = values
      if isFileShaped, quantization.isChannelsLast {
        let plane = shape.height * shape.width
        values = values.indices.map { index in
          let (sample, place) = (index / shape.count, index % shape.count)
          return values[sample * shape.count + place % plane * shape.channels + place / plane]
        }
      }
      return quantization.quantize(values, channels: shape.channels, plane: shape.height * shape.width)
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
    let size = shape.count
    integers = stride(from: 0, to: flat.count, by: size).map { Array(flat[$0..<($0 + size)]) }
  }
}

/// What is wrong with a user's samples, labels or expectations.
package enum SamplesError: Error, Sendable, Equatable, CustomStringConvertible {
  case shape(path: String, found: [Int], expected: [Int])
  case elementType(path: String, found: String, expected: String)
  case count(path: String, found: Int, expected: Int)
  case label(path: String, index: Int, found: Int, classes: Int)
  case empty(path: String)

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
    }
  }
}

extension [Int] {
  fileprivate var pythonic: String { "(" + map(String.init).joined(separator: ", ") + ")" }
}

extension NPY {
  /// Class labels of any integer type.
  package func labels(path: String, samples: Int, classes: Int) throws(SamplesError) -> [Int] {
    let labels: [Int]
    switch values {
    case .uint8(let values): labels = values.map(Int.init)
    case .int8(let values): labels = values.map(Int.init)
    case .int16(let values): labels = values.map(Int.init)
    case .int32(let values): labels = values.map(Int.init)
    case .int64(let values): labels = values.map { Int($0) }
    case .float32, .float64: throw .elementType(path: path, found: elementType, expected: "an integer type")
    }
    guard shape.count == 1, labels.count == samples else {
      throw .count(path: path, found: labels.count, expected: samples)
    }
    if let index = labels.firstIndex(where: { !(0..<classes).contains($0) }) {
      throw .label(path: path, index: index, found: labels[index], classes: classes)
    }
    return labels
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
