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
      importNode(index.node(nodeIndex), into: &state)
    }
    return try state.finished()
  }

  /// One fault, one message: what a refused node makes is `failed`, and nothing that reads it is judged. Only refused
  /// quantizers are taken for good ones.
  private static func importNode(_ node: OperatorNode, into state: inout ImportState) {
    do throws(Diagnostic) {
      let supported = supportedOperator(type: node.type, domain: node.domain)
      if try state.hasFailedInput(node) {
        if supported == nil { state.hide(node) }
        // Constants do not depend on the model's input: their problems are their own.
        try checkWeights(node, &state)
        state.bindAll(node, to: .failed)
        return
      }
      try node.checkForm()
      guard let supported else {
        if case .constant(let constant)? = try state.input(node, 0) { throw .unsupportedFolding(node, constant) }
        throw .unsupportedOperator(node)
      }
      do throws(Diagnostic) {
        state.bind(node, to: try supported.translate(node, &state))
      } catch {
        state.report(error)
        state.bindAll(node, to: supported.isQuantizer ? state.assumedQuantized(node) : .failed)
      }
    } catch {
      state.report(error)
      state.bindAll(node, to: .failed)
    }
  }

  /// Reports what is wrong with the weights of a layer whose input has failed.
  private static func checkWeights(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) {
    guard OperatorDomain.onnx.contains(node.domain), ["Conv", "Gemm", "MatMul"].contains(node.type),
      case .constant(let constant)? = try state.input(node, 1), constant.shape.count == (node.type == "Conv" ? 4 : 2),
      !constant.shape.contains(0)
    else { return }
    let isOutputsFirst = node.type == "Conv" || (node.type == "Gemm" && node.attributes["transB"]?.i == 1)
    try state.spend(constant.count, for: constant.origin)
    let weights = isOutputsFirst ? constant : constant.transposedMatrix
    _ = try ternaryWeights(weights, shape: weights.shape, node, &state)
  }
}
