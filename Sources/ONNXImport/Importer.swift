package import Diagnostics
package import GraphIR
internal import ONNXFormat

/// Reads a network: the bytes of an ONNX file in, a `Graph` out, whatever dialect the file is written in.
package enum ModelImporter {
  /// Imports a model.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - folder: The folder that the file lies in, for external data; nil (standard input) refuses external data.
  /// - Returns: A graph that passes its own verifier, and warnings for the file's owner.
  /// - Throws: All problems of the file at once.
  package static func importModel(
    bytes: [UInt8], folder: String?
  ) throws(ModelError) -> (graph: Graph, warnings: [Diagnostic]) {
    let model = try ONNXModelProto.parsing(bytes)
    let index = try ModelIndex(model)
    var state = ImportState(index: index, folder: folder)
    for nodeIndex in state.schedule() {
      importNode(OperatorNode(index.nodes[nodeIndex], index: nodeIndex), into: &state)
    }
    return try state.finished()
  }

  private static func importNode(_ node: OperatorNode, into state: inout ImportState) {
    let result: Resolved
    do throws(Diagnostic) {
      try node.checkForm()
      guard let supported = supportedOperator(type: node.type, domain: node.domain) else {
        throw .unsupportedOperator(node)
      }
      if try state.hasFailedInput(node) {
        result = supported.keepsShape ? state.passedThrough(node) : .failed
      } else {
        do throws(Diagnostic) {
          result = try supported.translate(node, &state)
        } catch {
          state.report(error)
          result = supported.keepsShape ? state.passedThrough(node, isQuantizer: supported.isQuantizer) : .failed
        }
      }
    } catch {
      // Most unknown operators are activation functions: pretending that the shape stays lets the problems further
      // down be found as well.
      state.report(error)
      result = state.passedThrough(node)
    }
    state.bind(node, to: result)
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func unsupportedOperator(_ node: OperatorNode) -> Diagnostic {
    let domain = node.domain.isEmpty ? "" : " of domain '\(node.domain)'"
    let replacements = [
      "Sigmoid": "use ReLU instead of Sigmoid or SiLU", "Erf": "use ReLU instead of GELU", "Tanh": "use nn.Hardtanh",
      "LeakyRelu": "use ReLU", "Elu": "use ReLU", "PRelu": "use ReLU", "HardSigmoid": "use ReLU", "Gelu": "use ReLU",
      "HardSwish": "use ReLU", "Resize": "use strides instead of interpolation",
      "Upsample": "use strides instead of interpolation", "Concat": "add up or widen layers instead of concatenating",
      "Pad": "use the padding= of Conv2d or MaxPool2d", "ConvTranspose": "use Conv2d",
      "InstanceNormalization": "use BatchNorm2d", "LayerNormalization": "use BatchNorm1d",
      "GroupNormalization": "use BatchNorm2d", "LSTM": "use convolutions over time",
      "GRU": "use convolutions over time",
      "MultiThreshold": "export with Brevitas' export_qonnx, before FINN's transformations",
    ]
    return Diagnostic(
      code: "unsupported-operator",
      location: Location(node: node.name, tensor: node.proto.input.first.flatMap { $0.isEmpty ? nil : $0 }),
      message: "operator '\(node.type)'\(domain) cannot be compiled: `sterna operators` lists those that can",
      fix: replacements[node.type] ?? "replace it by supported operators in the PyTorch model")
  }
}
