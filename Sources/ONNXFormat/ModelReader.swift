package import Diagnostics
internal import SwiftProtobuf

extension ONNXModelProto {
  /// Parses a model file.
  ///
  /// - Parameter bytes: The whole file.
  /// - Throws: `ModelError` for a file that is too large, is no ONNX model, or holds what no node of a ternary network
  ///   can need: model-local functions and sparse initializers.
  package static func parsing(_ bytes: [UInt8]) throws(ModelError) -> ONNXModelProto {
    if bytes.isEmpty { throw ModelError(.emptyFile) }
    if bytes.count > ONNXLimits.fileBytes { throw ModelError(.fileTooLarge(bytes: bytes.count)) }
    do throws(WireScan.Problem) {
      try WireScan.check(bytes)
    } catch {
      throw ModelError(.malformedFile(error))
    }

    var options = BinaryDecodingOptions()
    // Half of a file by the dynamo exporter is metadata that this schema does not name.
    options.discardUnknownFields = true
    options.messageDepthLimit = 16
    let model: ONNXModelProto
    do {
      model = try ONNXModelProto(serializedBytes: bytes, options: options)
    } catch {
      throw ModelError(.malformedFile(.init(offset: nil, reason: "\(error)")))
    }
    try model.checkContents()
    return model
  }

  private func checkContents() throws(ModelError) {
    guard hasGraph, !graph.node.isEmpty else { throw ModelError(.noGraph) }
    var problems: [Diagnostic] = []
    if !functions.isEmpty { problems.append(.modelFunctions(count: functions.count)) }
    if !graph.sparseInitializer.isEmpty { problems.append(.sparseInitializers(count: graph.sparseInitializer.count)) }
    if !problems.isEmpty { throw ModelError(problems) }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static var emptyFile: Diagnostic {
    Diagnostic(code: "empty-file", message: "the file is empty: expected an ONNX model", fix: "export the model again")
  }

  fileprivate static func fileTooLarge(bytes: Int) -> Diagnostic {
    Diagnostic(
      code: "file-too-large", message: "the file has \(bytes) bytes: at most \(ONNXLimits.fileBytes) are read",
      fix: "compile a network that a microcontroller can hold")
  }

  fileprivate static func malformedFile(_ problem: WireScan.Problem) -> Diagnostic {
    let place = problem.offset.map { " at byte \($0)" } ?? ""
    return Diagnostic(
      code: "malformed-file", message: "this is no ONNX model, or a damaged one\(place): \(problem.reason)",
      fix: "export the model again, and check that it was copied whole")
  }

  fileprivate static var noGraph: Diagnostic {
    Diagnostic(
      code: "no-graph", message: "the file holds no graph with nodes: expected an ONNX model",
      fix: "export the model again with torch.onnx or brevitas.export")
  }

  fileprivate static func modelFunctions(count: Int) -> Diagnostic {
    Diagnostic(
      code: "model-functions", message: "the file defines \(count) functions of its own: expected operators only",
      fix: "inline them: onnx.save(onnx.inliner.inline_local_functions(onnx.load(path)), path)")
  }

  fileprivate static func sparseInitializers(count: Int) -> Diagnostic {
    Diagnostic(
      code: "sparse-initializers", message: "the graph has \(count) sparse initializers: expected dense ones",
      fix: "store the weights as dense tensors")
  }
}
