internal import Diagnostics
internal import ONNXFormat

/// A node of the file with its attributes looked up and checked as they are asked for.
struct OperatorNode {
  let proto: ONNXNodeProto
  let index: Int
  /// For messages: the file's name, or `<type> #<index>`.
  let name: String
  private let attributes: [String: ONNXAttributeProto]

  var type: String { proto.opType }
  var domain: String { proto.domain }
  var inputCount: Int { proto.input.count }

  /// The name that the node's result has.
  var output: String { proto.output.first ?? "" }

  init(_ proto: ONNXNodeProto, index: Int) {
    self.proto = proto
    self.index = index
    name = proto.name.isEmpty ? "\(proto.opType) #\(index)" : proto.name
    attributes = Dictionary(proto.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Refuses what no supported operator has: subgraphs, references to a function's attributes, more than enough inputs.
  func checkForm() throws(Diagnostic) {
    for attribute in proto.attribute {
      if attribute.hasG || !attribute.graphs.isEmpty { throw .subgraph(self, attribute.name) }
      if !attribute.refAttrName.isEmpty { throw wrongAttribute(attribute.name, expected: "a value, not a reference") }
    }
    if proto.attribute.count != attributes.count { throw .duplicateAttribute(self) }
  }

  func hasAttribute(_ name: String) -> Bool { attributes[name] != nil }

  func tensor(_ name: String) -> ONNXTensorProto? {
    attributes[name].flatMap { $0.hasT ? $0.t : nil }
  }

  /// An integer attribute within `range`; `fallback` where the file has none.
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

  /// A list of `count` integers, each within `range`.
  func ints(_ name: String, count: Int, in range: ClosedRange<Int>) throws(Diagnostic) -> [Int]? {
    guard let values = try ints(name) else { return nil }
    guard values.count == count, values.allSatisfy(range.contains) else {
      throw wrongAttribute(name, expected: "\(count) integers from \(range.lowerBound) to \(range.upperBound)")
    }
    return values
  }

  func float(_ name: String, default fallback: Float) throws(Diagnostic) -> Float {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(1), attribute.hasF else { throw wrongAttribute(name, expected: "a float") }
    return attribute.f
  }

  func floats(_ name: String) -> [Float]? {
    attributes[name].map(\.floats)
  }

  func string(_ name: String, default fallback: String) throws(Diagnostic) -> String {
    guard let attribute = attributes[name] else { return fallback }
    guard attribute.isOfType(3), attribute.hasS else { throw wrongAttribute(name, expected: "a string") }
    return String(decoding: attribute.s, as: UTF8.self)
  }

  func wrongAttribute(_ attribute: String, expected: String) -> Diagnostic {
    let found = attributes[attribute].map(\.spelling) ?? "nothing"
    return .attribute(self, attribute, found: found, expected: expected)
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

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func attribute(
    _ node: OperatorNode, _ attribute: String, found: String, expected: String
  ) -> Diagnostic {
    Diagnostic(
      code: "attribute", location: Location(node: node.name),
      message: "\(node.type)'s attribute '\(attribute)' is \(found): expected \(expected)")
  }

  fileprivate static func duplicateAttribute(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "attribute", location: Location(node: node.name), message: "an attribute is given twice",
      fix: "export the model again")
  }

  fileprivate static func subgraph(_ node: OperatorNode, _ attribute: String) -> Diagnostic {
    Diagnostic(
      code: "subgraph", location: Location(node: node.name),
      message: "\(node.type)'s attribute '\(attribute)' is a graph of its own: control flow cannot be compiled",
      fix: "remove data-dependent if and for from forward()")
  }
}
