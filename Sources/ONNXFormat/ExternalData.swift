internal import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A tensor's reference to bytes in another file, as `torch.onnx.export` writes for large models.
struct ExternalData {
  let tensor: String
  let location: String
  let offset: Int
  /// Nil where the file does not say: then all that the tensor needs.
  let length: Int?

  init(_ proto: ONNXTensorProto, tensor: String) throws(Diagnostic) {
    self.tensor = tensor
    var entries: [String: String] = [:]
    for entry in proto.externalData { entries[entry.key] = entry.value }
    guard let location = entries["location"], !location.isEmpty else {
      throw .externalReference(tensor: tensor, reason: "names no file")
    }
    self.location = location
    offset = try Self.number(entries["offset"], key: "offset", tensor: tensor) ?? 0
    length = try Self.number(entries["length"], key: "length", tensor: tensor)
  }

  private static func number(_ text: String?, key: String, tensor: String) throws(Diagnostic) -> Int? {
    guard let text else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw .externalReference(tensor: tensor, reason: "has the \(key) '\(text)'")
    }
    return value
  }

  /// Reads the bytes.
  ///
  /// Only a plain file inside the model's folder is opened: no absolute path, no `..`, no symbolic link on the way.
  func read(expecting count: Int, folder: String?) throws(Diagnostic) -> [UInt8] {
    guard let folder else { throw .externalWithoutFolder(tensor: tensor, file: location) }
    if let length, length != count {
      throw .externalReference(tensor: tensor, reason: "says \(length) bytes, the shape needs \(count)")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.utf8.contains(0), location.utf8.count <= ONNXLimits.nameBytes,
      parts.allSatisfy({ !$0.isEmpty && $0 != ".." && $0 != "." })
    else {
      throw .externalReference(
        tensor: tensor, reason: "leads to '\(location)': only relative paths inside the model's folder are read")
    }

    var path = folder.isEmpty ? "." : folder
    var status = stat()
    for part in parts {
      path += "/" + part
      guard lstat(path, &status) == 0 else { throw .externalMissing(tensor: tensor, file: location) }
      if status.st_mode & S_IFMT == S_IFLNK {
        throw .externalReference(tensor: tensor, reason: "leads through the symbolic link '\(part)'")
      }
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .externalReference(tensor: tensor, reason: "leads to '\(location)', which is no plain file")
    }
    let size = Int(status.st_size)
    guard size <= ONNXLimits.fileBytes else {
      throw .externalReference(tensor: tensor, reason: "leads to a file of more than \(ONNXLimits.fileBytes) bytes")
    }
    guard offset <= size, count <= size - offset else {
      throw .externalReference(
        tensor: tensor, reason: "needs \(count) bytes from byte \(offset) of '\(location)', which has \(size)")
    }
    return try bytes(path: path, count: count)
  }

  private func bytes(path: String, count: Int) throws(Diagnostic) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw .externalMissing(tensor: tensor, file: location) }
    defer { close(descriptor) }
    var result = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let received = result.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
      }
      guard received > 0 else { throw .externalMissing(tensor: tensor, file: location) }
      filled += received
    }
    return result
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func externalReference(tensor: String, reason: String) -> Diagnostic {
    Diagnostic(
      code: "external-data", location: Location(tensor: tensor), message: "its external data \(reason)",
      fix: "save the model with its weights inside: onnx.save(model, path, save_as_external_data=False)")
  }

  fileprivate static func externalMissing(tensor: String, file: String) -> Diagnostic {
    Diagnostic(
      code: "external-data-missing", location: Location(tensor: tensor),
      message: "its data is in the file '\(file)', which cannot be read beside the model",
      fix: "put '\(file)' into the model's folder, or save the model with its weights inside")
  }

  fileprivate static func externalWithoutFolder(tensor: String, file: String) -> Diagnostic {
    Diagnostic(
      code: "external-data", location: Location(tensor: tensor),
      message: "its data is in the file '\(file)': a model from standard input cannot have external data",
      fix: "name the model's file instead of -, or save the model with its weights inside")
  }
}
