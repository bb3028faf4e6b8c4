internal import GraphIR

/// What a name of the file stands for, once the node that computes it has been imported.
enum Resolved {
  case activation(Graph.ValueID)
  case constant(Constant)
  /// The integers between a `QuantizeLinear` and its `DequantizeLinear`.
  case codes(QuantizedCodes)
  /// Its problem has been reported; what depends on it is not reported again.
  case failed
}
