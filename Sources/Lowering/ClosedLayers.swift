import TernaryIR

/// What pending layers have become so far: where several nodes read one, equal layers are made once.
///
/// Exporters write an equal quantizer into each branch as often as one in front of all. They are told by what they make:
/// by the integer layer, not by the nodes.
struct ClosedLayers {
  private var layers: [PendingLayer.Origin: [(kind: Layer.Kind, output: TernaryNetwork.TensorID)]] = [:]
  private var names = Set<String>()

  /// The output of the same layer, if one has been made with the same integers.
  ///
  /// - Parameters:
  ///   - tensor: What it is to make; its name does not count.
  ///   - tensors: Those of the network.
  func output(
    _ origin: PendingLayer.Origin, _ kind: Layer.Kind, _ tensor: Tensor, _ tensors: [Tensor]
  ) -> TernaryNetwork.TensorID? {
    layers[origin]?.first { known in
      var made = tensors[known.output.index]
      made.name = tensor.name
      return made == tensor && known.kind == kind
    }?.output
  }

  /// Whether nothing has been made of it yet.
  func isNew(_ origin: PendingLayer.Origin) -> Bool { layers[origin] == nil }

  mutating func add(_ origin: PendingLayer.Origin, _ kind: Layer.Kind, _ output: TernaryNetwork.TensorID) {
    layers[origin, default: []].append((kind, output))
  }

  /// A name that no layer has yet.
  mutating func uniqueName(_ name: String) -> String {
    var unique = name
    var number = 1
    while !names.insert(unique).inserted {
      number += 1
      unique = "\(name) (\(number))"
    }
    return unique
  }
}
