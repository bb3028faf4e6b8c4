import TernaryIR

/// The network's real outputs beside those that the user got from PyTorch.
package struct Expectation: Sendable, Equatable {
  package var samples = 0
  package var sameArgmax = 0
  package var largestDifference = 0.0
  package var smallest = Double.infinity
  package var largest = -Double.infinity

  package init() {}

  package mutating func add(real: [Double], expected: ArraySlice<Double>) {
    samples += 1
    if argmax(real) == argmax(expected) { sameArgmax += 1 }
    for (a, b) in zip(real, expected) {
      largestDifference = max(largestDifference, abs(a - b))
      smallest = min(smallest, b)
      largest = max(largest, b)
    }
  }

  /// Difference as a share of the expected outputs' range.
  package var share: Double { largest > smallest ? largestDifference / (largest - smallest) : largestDifference }

  /// The promise of the numeric contract: the same class everywhere, outputs within one percent of their range.
  package var isKept: Bool { sameArgmax == samples && share <= 0.01 }

  package var text: String {
    "against the expected outputs: argmax equal on \(sameArgmax) of \(samples) samples, largest difference "
      + "\(largestDifference) (\(percent(share)) of their range)"
  }
}

extension Tensor {
  /// What integers of this tensor mean.
  package func real(_ integers: [Int32]) -> [Double] {
    integers.map { scale * Double(Int($0) - zeroPoint) }
  }
}
