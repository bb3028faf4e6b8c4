/// A table of an operation in flash.
package struct ConstantTable: Sendable, Equatable {
  package enum Element: Sendable, Equatable {
    /// Four packed weights.
    case packed
    /// A weight each.
    case int8
    case uint16
    case int16
    case int32
    case int64

    package var bytes: Int {
      switch self {
      case .packed, .int8: 1
      case .uint16, .int16: 2
      case .int32: 4
      case .int64: 8
      }
    }
  }

  /// What it counts as in a report.
  package enum Role: Sendable, Equatable {
    /// Weights, or where taps and channels are.
    case weights
    case requantizer
  }

  /// C identifier.
  package var name: String
  package var role: Role
  package var element: Element
  private var contents: Contents
  package var isMatrix: Bool

  private enum Contents: Equatable {
    case numbers([[Int]])
    /// Packed where they are asked for, `run` of them together.
    case weights([[Int8]], run: Int)
  }

  /// A vector of the smallest signed type of 16, 32 or 64 bits.
  package init(_ name: String, _ role: Role, _ values: [Int]) {
    self.init(name, role, [2: .int16, 4: .int32][Epilogue.elementBytes(values)] ?? .int64, values)
  }

  package init(_ name: String, _ role: Role, _ element: Element, _ values: [Int]) {
    self.name = name
    self.role = role
    self.element = element
    contents = .numbers([values])
    isMatrix = false
  }

  package init(_ name: String, _ role: Role, _ element: Element, rows: [[Int]]) {
    self.name = name
    self.role = role
    self.element = element
    contents = .numbers(rows)
    isMatrix = true
  }

  /// Weights in two bits each.
  ///
  /// - Parameter run: Weights that are packed together, from a byte of their own on.
  package init(_ name: String, packing weights: [[Int8]], run: Int) {
    self.name = name
    role = .weights
    element = .packed
    contents = .weights(weights, run: run)
    isMatrix = true
  }

  /// One row for each output channel of a matrix; a single row of a vector.
  package var rows: [[Int]] {
    switch contents {
    case .numbers(let rows): rows
    case .weights(let weights, let run):
      weights.map { weights in
        stride(from: 0, to: weights.count, by: run).flatMap {
          PackedWeights.pack(weights[$0..<($0 + run)]).map(Int.init)
        }
      }
    }
  }
  package var count: Int {
    switch contents {
    case .numbers(let rows): rows.count
    case .weights(let weights, _): weights.count
    }
  }

  package var columns: Int {
    switch contents {
    case .numbers(let rows): rows.first?.count ?? 0
    case .weights(let weights, let run): (weights.first?.count ?? 0) / run * PackedWeights.bytes(run)
    }
  }
  package var bytes: Int { count * columns * element.bytes }
}
