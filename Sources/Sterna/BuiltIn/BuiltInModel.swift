import FoundationEssentials

/// The radar network that travels in the tool, with labelled samples that it was not trained on.
package enum BuiltInModel {
  /// What a class number means.
  package static let classes = BuiltInData.classes

  /// The model as a file would hold it.
  package static var model: Model { Model(bytes: decoded(BuiltInData.model), path: "har.onnx") }

  /// `har.onnx`, `har_x.npy` and `har_y.npy`, to try the other verbs on.
  package static var files: [(name: String, bytes: [UInt8])] {
    [
      ("har.onnx", decoded(BuiltInData.model)), ("har_x.npy", decoded(BuiltInData.samples)),
      ("har_y.npy", decoded(BuiltInData.labels)),
    ]
  }

  package static func samples() throws(NPYError) -> NPY { try NPY(parsing: decoded(BuiltInData.samples)) }
  package static func labels() throws(NPYError) -> NPY { try NPY(parsing: decoded(BuiltInData.labels)) }

  private static func decoded(_ base64: String) -> [UInt8] {
    Data(base64Encoded: base64, options: .ignoreUnknownCharacters).map { [UInt8]($0) } ?? []
  }
}
