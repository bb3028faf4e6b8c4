/// A decoded constant tensor.
package struct Tensor: Sendable, Equatable {
  package enum Elements: Sendable, Equatable {
    /// Of any floating-point type whose values are exactly float32.
    case floats([Float])
    case integers([Int64])

    package var count: Int {
      switch self {
      case .floats(let values): values.count
      case .integers(let values): values.count
      }
    }
  }

  package var name: String
  /// Empty for a scalar. The product of the extents is the number of elements; an extent may be 0.
  package var shape: [Int]
  package var type: ElementType
  package var elements: Elements

  package init(name: String, shape: [Int], type: ElementType, elements: Elements) {
    self.name = name
    self.shape = shape
    self.type = type
    self.elements = elements
  }
}
