/// A node behind the network that only ranks or normalizes what the network puts out. No firmware needs it; other tools'
/// outputs of the file are its results.
package struct TrailingNode: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case softmax
    case logSoftmax
    /// Of each element alone.
    case sigmoid
    /// The index of the largest value; of several, the last one where so asked.
    case argMax(selectsLast: Bool)
    /// The largest values or their indices, in descending order.
    case topK(count: Int, areIndices: Bool)
  }

  /// As the file types it.
  package var type: String
  package var kind: Kind
  /// What it ranges over: axes of the output without the batch.
  package var axes: Range<Int>

  package init(type: String, kind: Kind, axes: Range<Int>) {
    self.type = type
    self.kind = kind
    self.axes = axes
  }
}
