internal import Diagnostics

/// Samples that stand for what the network will see.
package struct Calibration: Sendable {
  /// Of the array, samples first.
  package var shape: [Int]
  /// In row-major order, as many as the shape says.
  package var values: [Float]

  package init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }

  /// Activations of so many floats are kept for each of the float and the ternary network; more samples are thinned out.
  static let maximumActivations = 1 << 25

  /// The samples one by one, or what is wrong with them.
  func samples(of network: FloatNetwork) throws(Diagnostic) -> [[Float]] {
    let expected = network.inputShape
    // As everywhere, a single channel may be left out.
    let isMatch =
      shape.dropFirst().elementsEqual(expected)
      || (expected.count == 3 && expected[0] == 1 && shape.dropFirst().elementsEqual(expected.dropFirst()))
    guard shape.count >= 2, isMatch else { throw .calibrationShape(shape, expected: expected) }
    let size = network.inputCount
    guard let count = shape.first, count > 0 else { throw .calibrationEmpty() }
    guard values.count % size == 0, values.count / size == count else {
      throw .calibrationShape(shape, expected: expected)
    }
    return (0..<count).map { Array(values[$0 * size..<($0 + 1) * size]) }
  }

  /// What is wrong with the numbers themselves, whatever the model.
  var problem: Diagnostic? {
    values.firstIndex { !$0.isFinite }.map { .calibrationNotFinite(values[$0], index: $0) }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  private static func text(_ shape: [Int]) -> String { "(" + shape.map { "\($0)" }.joined(separator: ", ") + ")" }

  fileprivate static func calibrationShape(_ shape: [Int], expected: [Int]) -> Diagnostic {
    Diagnostic(
      code: "calibration-shape",
      message: "the calibration data has the shape \(text(shape)): expected N samples, so "
        + "(N, \(expected.map(String.init).joined(separator: ", ")))",
      fix: "save samples as the PyTorch model takes them: numpy.save(path, x.numpy())")
  }

  fileprivate static func calibrationEmpty() -> Diagnostic {
    Diagnostic(
      code: "calibration-empty", message: "the calibration data holds no samples: expected some tens of typical ones")
  }

  fileprivate static func calibrationNotFinite(_ value: Float, index: Int) -> Diagnostic {
    Diagnostic(
      code: "calibration-not-finite",
      message: "the calibration data holds \(value) at flat index \(index): expected finite numbers",
      fix: "remove or repair broken samples")
  }
}
