internal import Diagnostics
internal import ONNXFormat

/// A node of the file, its attributes checked as they are asked for.
struct FloatNode {
  let proto: ONNXNodeProto
  /// For messages: the file's name, or `<type> #<index>`.
  let name: String
  private let attributes: [String: ONNXAttributeProto]

  var type: String { proto.opType }
  var output: String { proto.output.first ?? "" }

  init(_ proto: ONNXNodeProto, index: Int) {
    self.proto = proto
    name = proto.name.isEmpty ? "\(proto.opType) #\(index)" : proto.name
    attributes = Dictionary(proto.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The file's name of an input; nil where it is left out.
  func inputName(_ position: Int) -> String? {
    proto.input.indices.contains(position) && !proto.input[position].isEmpty ? proto.input[position] : nil
  }

  func hasAttribute(_ name: String) -> Bool { attributes[name] != nil }

  func tensor(_ name: String) -> ONNXTensorProto? { attributes[name].flatMap { $0.hasT ? $0.t : nil } }

  func int(_ name: String, default fallback: Int, in range: ClosedRange<Int> = -1024...1024) throws(Diagnostic) -> Int {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(2), attribute.hasI, let value = Int(exactly: attribute.i), range.contains(value) else {
      throw wrongAttribute(name, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func ints(_ name: String) throws(Diagnostic) -> [Int]? {
    guard let attribute = attributes[name] else { return nil }
    guard attribute.isOfType(7) else { throw wrongAttribute(name, expected: "a list of integers") }
    return attribute.ints.map { Int($0) }
  }

  func ints(_ name: String, count: Int, in range: ClosedRange<Int>) throws(Diagnostic) -> [Int]? {
    guard let values = try ints(name) else { return nil }
    guard values.count == count, values.allSatisfy(range.contains) else {
      throw wrongAttribute(name, expected: "\(count) integers from \(range.lowerBound) to \(range.upperBound)")
    }
    return values
  }

  func float(_ name: String, default fallback: Float) throws(Diagnostic) -> Float {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(1), attribute.hasF, attribute.f.isFinite else {
      throw wrongAttribute(name, expected: "a finite number")
    }
    return attribute.f
  }

  func floats(_ name: String) -> [Float]? { attributes[name].map(\.floats) }

  func string(_ name: String, default fallback: String) throws(Diagnostic) -> String {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(3), attribute.hasS else { throw wrongAttribute(name, expected: "a string") }
    return String(decoding: attribute.s, as: UTF8.self)
  }
}

extension ONNXAttributeProto {
  /// Files of IR version 1 leave the type open (0).
  fileprivate func isOfType(_ number: Int32) -> Bool { type == number || type == 0 }
}

// MARK: - Diagnostics

extension FloatNode {
  func wrongAttribute(_ attribute: String, expected: String) -> Diagnostic {
    Diagnostic(
      code: "attribute", location: .init(node: name),
      message: "\(type)'s attribute '\(attribute)' cannot be used: expected \(expected)")
  }

  func problem(_ code: String, _ message: String, tensor: String? = nil, fix: String? = nil) -> Diagnostic {
    Diagnostic(code: code, location: .init(node: name, tensor: tensor), message: message, fix: fix)
  }
}
