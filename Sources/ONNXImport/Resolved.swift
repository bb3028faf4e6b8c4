internal import GraphIR

/// What a name of the file stands for, once the node that computes it has been imported.
enum Resolved {
  case activation(ActivationView)
  case constant(Constant)
  /// The integers between a `QuantizeLinear` and its `DequantizeLinear`.
  case codes(QuantizedCodes)
  /// The model's input where its elements are integers, until a `Cast` or `DequantizeLinear` makes them real.
  case integerInput(ActivationView)
  /// Its problem has been reported; what depends on it is not judged.
  case failed
}
