package import Diagnostics

/// A node of a file whose attributes are checked as they are asked for.
package protocol AttributedNode {
  var proto: ONNXNodeProto { get }
  /// For messages: the file's name, or `<type> #<index>`.
  var name: String { get }
  /// By name; of several of a name the first.
  var attributes: [String: ONNXAttributeProto] { get }
}

extension AttributedNode {
  package var type: String { proto.opType }

  /// The name that the node's result has.
  package var output: String { proto.output.first ?? "" }

  package func hasAttribute(_ name: String) -> Bool { attributes[name] != nil }

  package func tensor(_ name: String) -> ONNXTensorProto? {
    attributes[name].flatMap { $0.hasT ? $0.t : nil }
  }

  /// An integer attribute within `range`; `fallback` where the file has none.
  package func int(_ name: String, default fallback: Int, in range: ClosedRange<Int> = -1024...1024) throws(Diagnostic)
    -> Int
  {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(2), attribute.hasI, let value = Int(exactly: attribute.i), range.contains(value) else {
      throw wrongAttribute(name, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  package func ints(_ name: String) throws(Diagnostic) -> [Int]? {
    guard let attribute = attributes[name] else { return nil }
    guard attribute.isOfType(7) else { throw wrongAttribute(name, expected: "a list of integers") }
    return attribute.ints.map { Int($0) }
  }

  /// A list of `count` integers, each within `range`.
  package func ints(_ name: String, count: Int, in range: ClosedRange<Int>) throws(Diagnostic) -> [Int]? {
    guard let values = try ints(name) else { return nil }
    guard values.count == count, values.allSatisfy(range.contains) else {
      throw wrongAttribute(name, expected: "\(count) integers from \(range.lowerBound) to \(range.upperBound)")
    }
    return values
  }

  package func float(_ name: String, default fallback: Float) throws(Diagnostic) -> Float {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(1), attribute.hasF else { throw wrongAttribute(name, expected: "a float") }
    return attribute.f
  }

  package func floats(_ name: String) -> [Float]? {
    attributes[name].map(\.floats)
  }

  package func string(_ name: String, default fallback: String) throws(Diagnostic) -> String {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(3), attribute.hasS else { throw wrongAttribute(name, expected: "a string") }
    return String(decoding: attribute.s, as: UTF8.self)
  }

  /// - Parameter fix: Left out where the value breaks ONNX's own rules.
  package func wrongAttribute(_ attribute: String, expected: String, fix: String? = nil) -> Diagnostic {
    let found = attributes[attribute].map(\.spelling) ?? "nothing"
    return Diagnostic(
      code: "attribute", location: .init(node: name),
      message: "\(type)'s attribute '\(attribute)' is \(found): expected \(expected)",
      fix: fix ?? "export the model again: this is no value that an exporter writes for \(type)")
  }
}

extension ONNXNodeProto {
  package func name(at index: Int) -> String { name.isEmpty ? "\(opType) #\(index)" : name }

  package var attributesByName: [String: ONNXAttributeProto] {
    Dictionary(attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}

extension ONNXAttributeProto {
  /// Files of IR version 1 leave the type open (0).
  fileprivate func isOfType(_ number: Int32) -> Bool { type == number || type == 0 }

  fileprivate var spelling: String {
    switch type {
    case 1: "\(f)"
    case 2: "\(i)"
    case 3: "'\(String(decoding: s.prefix(40), as: UTF8.self))'"
    case 6: "\(floats.prefix(8))"
    case 7: "\(ints.prefix(8))"
    default: "an attribute of type \(type)"
    }
  }
}
