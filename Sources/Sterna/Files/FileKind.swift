import Diagnostics

/// What a file is that is not what was asked for, told by its first bytes.
package enum FileKind: String, Sendable, CaseIterable {
  case pyTorch = "a PyTorch checkpoint (.pt or .pth)"
  case pickle = "a Python pickle, as old PyTorch checkpoints (.pt or .pth) are"
  case keras = "a Keras model (.keras)"
  case hdf5 = "an HDF5 file, as Keras' .h5 models are"
  case tensorFlowLite = "a TensorFlow Lite model (.tflite)"
  case onnxRuntime = "a model in ONNX Runtime's own format (.ort)"
  case numPyArchive = "an archive of NumPy arrays (.npz)"
  case numPy = "a NumPy array (.npy)"
  case zip = "a zip archive"
  case gzip = "a gzip archive"
  case lfsPointer = "a Git LFS pointer, which stands for a file that was not fetched"
  case webPage = "a web page"
  case text = "a text file"

  /// Nil where the bytes look like none of these.
  package init?(_ bytes: [UInt8]) {
    let head = bytes.prefix(512)
    func begins(_ magic: [UInt8], at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: magic) }
    func holds(_ name: String) -> Bool {
      let name = Array(name.utf8)
      return head.indices.contains { head[$0...].starts(with: name) }
    }
    if begins([0x50, 0x4B, 0x03, 0x04]) {
      self =
        holds("data.pkl") || holds("/version")
        ? .pyTorch : holds("metadata.json") || holds("config.json") ? .keras : holds(".npy") ? .numPyArchive : .zip
    } else if begins([0x80]), head.count > 1, (2...5).contains(head[1]) {
      self = .pickle
    } else if begins([0x89] + Array("HDF\r\n".utf8)) {
      self = .hdf5
    } else if begins(Array("TFL3".utf8), at: 4) {
      self = .tensorFlowLite
    } else if begins(Array("ORTM".utf8), at: 4) {
      self = .onnxRuntime
    } else if begins([0x93] + Array("NUMPY".utf8)) {
      self = .numPy
    } else if begins([0x1F, 0x8B]) {
      self = .gzip
    } else if !head.isEmpty, head.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || (9...13).contains($0) }) {
      let start = String(decoding: head, as: UTF8.self).lowercased()
      self =
        start.hasPrefix("version https://git-lfs")
        ? .lfsPointer : start.hasPrefix("<!doctype html") || start.hasPrefix("<html") ? .webPage : .text
    } else {
      return nil
    }
  }

  /// How to come to a model from it.
  package var modelAdvice: String {
    switch self {
    case .pyTorch, .pickle: "export the PyTorch model with Brevitas' export_qonnx or export_onnx_qcdq"
    case .keras, .hdf5: "export the Keras model with tf2onnx, or with qkeras and qonnx"
    case .tensorFlowLite: "export the trained model to ONNX instead of TensorFlow Lite"
    case .onnxRuntime: "give the .onnx file that it was made of"
    case .zip, .gzip: "unpack it and give the .onnx file"
    case .lfsPointer: "fetch the file itself: git lfs pull"
    case .webPage: "download the file itself, not the page that shows it"
    case .numPy, .numPyArchive, .text: "give an .onnx file, as Brevitas' export_qonnx writes it"
    }
  }
}

extension Model {
  /// Calls `read`; what it finds wrong with a file that is no ONNX file at all becomes what that file is.
  func recognizing<Result>(_ read: () throws(ModelError) -> Result) throws(ModelError) -> Result {
    do {
      return try read()
    } catch {
      guard let kind = FileKind(bytes) else { throw error }
      throw ModelError(
        Diagnostic(
          code: "not-onnx", message: "the file is \(kind.rawValue): expected an ONNX model", fix: kind.modelAdvice))
    }
  }
}
