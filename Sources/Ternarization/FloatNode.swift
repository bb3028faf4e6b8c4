internal import Diagnostics
internal import ONNXFormat

/// A node of the file, its attributes checked as they are asked for.
struct FloatNode: AttributedNode {
  let proto: ONNXNodeProto
  /// For messages: the file's name, or `<type> #<index>`.
  let name: String
  let attributes: [String: ONNXAttributeProto]

  init(_ proto: ONNXNodeProto, index: Int) {
    self.proto = proto
    name = proto.name(at: index)
    attributes = proto.attributesByName
  }

  /// The file's name of an input; nil where it is left out.
  func inputName(_ position: Int) -> String? {
    proto.input.indices.contains(position) && !proto.input[position].isEmpty ? proto.input[position] : nil
  }

  /// A finite number.
  func finite(_ name: String, default fallback: Float) throws(Diagnostic) -> Float {
    let value = try float(name, default: fallback)
    guard value.isFinite else { throw wrongAttribute(name, expected: "a finite number") }
    return value
  }
}

// MARK: - Diagnostics

extension FloatNode {
  func problem(_ code: String, _ message: String, tensor: String? = nil, fix: String? = nil) -> Diagnostic {
    Diagnostic(code: code, location: .init(node: name, tensor: tensor), message: message, fix: fix)
  }
}
