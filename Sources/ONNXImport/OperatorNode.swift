internal import Diagnostics
internal import GraphIR
internal import ONNXFormat

/// A node of the file with its attributes looked up and checked as they are asked for.
struct OperatorNode: AttributedNode {
  let proto: ONNXNodeProto
  let index: Int
  /// For messages: the file's name, or `<type> #<index>`.
  let name: String
  let attributes: [String: ONNXAttributeProto]
  /// For advice.
  let framework: Framework

  var domain: String { proto.domain }
  var inputCount: Int { proto.input.count }

  init(_ proto: ONNXNodeProto, index: Int, framework: Framework) {
    self.proto = proto
    self.index = index
    self.framework = framework
    name = proto.name(at: index)
    attributes = proto.attributesByName
  }

  /// Refuses what no supported operator has: subgraphs, references to a function's attributes, more than enough inputs.
  func checkForm() throws(Diagnostic) {
    for attribute in proto.attribute {
      if attribute.hasG || !attribute.graphs.isEmpty { throw .subgraph(self, attribute.name) }
      if !attribute.refAttrName.isEmpty {
        throw wrongAttribute(
          attribute.name, expected: "a value, not a reference", fix: "inline the model's functions (onnx.inliner)")
      }
    }
    if proto.attribute.count != attributes.count { throw .duplicateAttribute(self) }
  }

}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func duplicateAttribute(_ node: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "attribute", location: Location(node: node.name), message: "an attribute is given twice",
      fix: node.framework.exportAgain)
  }

  fileprivate static func subgraph(_ node: OperatorNode, _ attribute: String) -> Diagnostic {
    Diagnostic(
      code: "subgraph", location: Location(node: node.name),
      message: "\(node.type)'s attribute '\(attribute)' is a graph of its own: control flow cannot be compiled",
      fix: node.framework == .keras
        ? "unroll recurrent layers, and remove tf.cond and tf.while_loop from the model"
        : "remove data-dependent if and for from forward(), and export with torch.jit.trace rather than script")
  }
}
