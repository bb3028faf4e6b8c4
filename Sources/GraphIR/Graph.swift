/// A network as its file means it: real-valued operators between quantizers, whatever dialect it was written in.
///
/// Activations carry no batch axis (a model is compiled for one sample). Nodes stand in topological order. Constants
/// are not values of the graph: each operator holds its own, already decoded and, where they are weights, ternarized.
package struct Graph: Sendable, Equatable {
  package struct ValueID: Hashable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
  }

  /// An activation tensor.
  package struct Value: Sendable, Equatable {
    /// As the file spells it; unique.
    package var name: String
    /// `[channels, height, width]` or `[features]`. Every extent is at least 1.
    package var shape: [Int]

    package init(name: String, shape: [Int]) {
      self.name = name
      self.shape = shape
    }
  }

  package struct Node: Sendable, Equatable {
    /// The file's name of the node, or `<type> #<index>` where it has none; unique.
    package var name: String
    package var operation: Operation
    /// The activations it reads: as many as the operation takes, one for most. Several nodes may read a value.
    package var inputs: [ValueID]
    package var output: ValueID

    package init(name: String, operation: Operation, inputs: [ValueID], output: ValueID) {
      self.name = name
      self.operation = operation
      self.inputs = inputs
      self.output = output
    }
  }

  /// How the file has its input, where that is not as the graph takes it.
  package struct InputLayout: Sendable, Equatable {
    /// The file's extents behind the batch.
    package var fileShape: [Int]
    /// Whether the file has the channels of an element side by side, `[height, width, channels]`.
    package var isChannelsLast: Bool

    package init(fileShape: [Int], isChannelsLast: Bool) {
      self.fileShape = fileShape
      self.isChannelsLast = isChannelsLast
    }
  }

  /// What the elements of the file's input are before its own quantizer: real numbers, or integers that the file casts.
  package enum InputElement: String, Sendable {
    case real, uint8, int8
  }

  package var name: String
  /// For advice.
  package var framework: Framework
  package var inputLayout: InputLayout?
  package var inputElement: InputElement
  package var values: [Value]
  package var nodes: [Node]
  package var input: ValueID
  /// The file's outputs in its order, at least one and each another value. Nodes may read them as well.
  package var outputs: [ValueID]
  /// What the file does behind each of the outputs.
  package var trailings: [TrailingNode?]

  package init(
    name: String, framework: Framework = .pytorch, inputLayout: InputLayout? = nil, inputElement: InputElement = .real,
    values: [Value], nodes: [Node], input: ValueID, outputs: [ValueID], trailings: [TrailingNode?]? = nil
  ) {
    self.name = name
    self.framework = framework
    self.inputLayout = inputLayout
    self.inputElement = inputElement
    self.values = values
    self.nodes = nodes
    self.input = input
    self.outputs = outputs
    self.trailings = trailings ?? outputs.map { _ in nil }
  }

  /// A graph of one output.
  package init(name: String, values: [Value], nodes: [Node], input: ValueID, output: ValueID) {
    self.init(name: name, values: values, nodes: nodes, input: input, outputs: [output])
  }

  /// The first output; of most networks it is the only one.
  package var output: ValueID {
    get { outputs[0] }
    set { outputs[0] = newValue }
  }

  /// What the file does behind the first output.
  package var trailing: TrailingNode? { trailings.first ?? nil }

  package subscript(_ id: ValueID) -> Value { values[id.index] }
}
