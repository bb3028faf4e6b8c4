internal import Diagnostics

extension ImportState {
  /// The nodes that the outputs depend on, each after those it depends on itself; by their index in the file.
  ///
  /// A depth-first walk from each output with a stack of its own: chains of any length, cycles, linear time. Reports
  /// cycles and names that nothing defines.
  mutating func schedule() -> [Int] {
    enum Mark { case new, open, done }
    var marks = [Mark](repeating: .new, count: index.nodes.count)
    var order: [Int] = []
    // Each entry: a node, and which of its inputs is to be looked at next.
    var stack: [(node: Int, input: Int)] = []
    var undefined = Set<String>()

    func enter(_ name: String, reader: Int?) -> Diagnostic? {
      guard let producer = index.producers[name] else {
        let isKnown = name.isEmpty || name == index.input.name || index.initializers[name] != nil
        guard !isKnown, undefined.insert(name).inserted else { return nil }
        return .undefined(name, reader: reader.map { index.node($0) })
      }
      switch marks[producer] {
      case .done: return nil
      case .open: return .cycle(name, reader: index.node(producer))
      case .new:
        marks[producer] = .open
        stack.append((producer, 0))
        return nil
      }
    }

    for output in index.outputs {
      if let problem = enter(output, reader: nil) { report(problem) }
      while let top = stack.last {
        let inputs = index.nodes[top.node].input
        if top.input < inputs.count {
          stack[stack.count - 1].input += 1
          if let problem = enter(inputs[top.input], reader: top.node) { report(problem) }
        } else {
          stack.removeLast()
          marks[top.node] = .done
          order.append(top.node)
        }
      }
    }
    return order
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func cycle(_ name: String, reader: OperatorNode) -> Diagnostic {
    Diagnostic(
      code: "cycle", location: Location(node: reader.name, tensor: name),
      message: "the node depends on its own result: expected a network without cycles",
      fix: reader.framework.exportAgain)
  }

  fileprivate static func undefined(_ name: String, reader: OperatorNode?) -> Diagnostic {
    Diagnostic(
      code: "undefined-tensor", location: Location(node: reader?.name, tensor: name),
      message: "the tensor is read, but nothing computes it and it is no input or initializer",
      fix: (reader?.framework ?? .pytorch).exportAgain)
  }
}
