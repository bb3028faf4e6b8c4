internal import Diagnostics
internal import GraphIR

/// An activation as a name of the file means it: which elements of a graph's value, in which order and extents.
///
/// Reshapes, transpositions and selections only change the view. The layers that read it take it as it is (a dense layer
/// permutes its weights), or bring it into the graph's own layout.
struct ActivationView: Hashable {
  var id: Graph.ValueID
  /// As the file has it, with the batch and with `padding`.
  var shape: [Int]
  /// Of each element of `shape` in row-major order, its place in the value; nil: all of them, in order.
  var order: [Int]?
  /// Rows and columns of real zeros around `[1, C, H, W]` that the next layer is to count as its own.
  var padding = Padding.none

  init(id: Graph.ValueID, shape: [Int], order: [Int]? = nil, padding: Padding = .none) {
    self.id = id
    self.shape = shape
    self.order = order
    self.padding = padding
  }

  var count: Int { shape.reduce(1, *) }

  /// The same elements with another shape of as many.
  func reshaped(to shape: [Int]) -> ActivationView { ActivationView(id: id, shape: shape, order: order) }

  /// The elements at `indices` of this view.
  func selecting(_ indices: [Int], shape: [Int]) -> ActivationView {
    let places = order.map { order in indices.map { order[$0] } } ?? indices
    let isAll = places.count == count && places.indices.allSatisfy { places[$0] == $0 }
    return ActivationView(id: id, shape: shape, order: isAll && order == nil ? nil : places)
  }

  /// Steps in the value for a step along each axis of the view; nil where the elements do not lie evenly.
  var strides: [Int]? {
    var dense = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { dense[axis] = dense[axis + 1] * shape[axis + 1] }
    guard let order, let first = order.first else { return dense }
    let strides = shape.indices.map { shape[$0] > 1 ? order[dense[$0]] - first : 0 }
    for (index, place) in stridedIndices(shape: shape, strides: strides).enumerated()
    where first + place != order[index] { return nil }
    return strides
  }
}

// MARK: - Into the graph's layout

extension ImportState {
  /// The view as `[1, channels, height, width]` of the value itself, for layers that walk over rows and columns.
  mutating func map(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView {
    guard view.shape.count == 4, view.shape[0] == 1 else { throw .expectedMap(node, shape: view.shape) }
    let wanted = Array(view.shape.dropFirst())
    if view.order == nil, view.padding != .none || self[view.id].shape == wanted { return view }
    try spend(view.count, for: self[view.id].name)
    if view.padding == .none, graph.canChangeInputLayout(of: view.id), view.count == self[view.id].shape.reduce(1, *) {
      let isChannelsLast = view.order != nil
      if view.order == nil || view.order == channelsLastOrder(wanted) {
        try changeInputLayout(to: wanted, isChannelsLast: isChannelsLast)
        return ActivationView(id: view.id, shape: view.shape)
      }
    }
    if view.padding == .none, let slice = slice(view) {
      return try shared(view) { state throws(Diagnostic) in
        try state.emit(node, [.slice(slice)], input: view, shape: view.shape)
      }
    }
    if let selection = selection(view), let quantizer = graph.grid(of: view.id)?.storedQuantizer {
      return try shared(view) { state throws(Diagnostic) in
        try state.emit(node, [.convolution(selection), .quantize(quantizer)], input: view, shape: view.shape)
      }
    }
    throw .layout(node, tensor: self[view.id].name, value: self[view.id].shape, shape: view.shape)
  }

  /// A map whose padding has become part of it.
  mutating func unpaddedMap(_ view: ActivationView, _ node: OperatorNode) throws(Diagnostic) -> ActivationView {
    let view = try map(view, node)
    if view.padding == .none { return view }
    guard let quantizer = graph.grid(of: view.id)?.storedQuantizer else {
      throw .paddedUnquantized(node, tensor: self[view.id].name)
    }
    let channels = view.shape[1]
    let identity = Convolution(
      weights: TernaryWeights(
        name: "identity", values: [Int8](repeating: 1, count: channels), shape: [channels, 1, 1, 1], scales: [1]),
      window: Window(kernel: (1, 1), padding: view.padding), groups: channels)
    return try shared(view) { state throws(Diagnostic) in
      try state.emit(node, [.convolution(identity), .quantize(quantizer)], input: view, shape: view.shape)
    }
  }

  /// The view as the input of a dense layer, and where its columns are not the value's elements in order, which they are.
  mutating func features(
    _ view: ActivationView, _ node: OperatorNode
  ) throws(Diagnostic) -> (view: ActivationView, columns: [Int]?) {
    var view = view
    if view.padding != .none {
      let padded = try unpaddedMap(ActivationView(id: view.id, shape: paddedShape(view), padding: view.padding), node)
      view = padded.reshaped(to: view.shape)
    }
    guard self[view.id].shape.count != 1 else { return (view, view.order) }
    let flat = try emit(node, [.flatten], input: ActivationView(id: view.id, shape: view.shape), shape: view.shape)
    return (flat, view.order)
  }

  /// `[1, C, H, W]` of a padded view, whatever shape the file has given it since.
  private func paddedShape(_ view: ActivationView) -> [Int] {
    let shape = self[view.id].shape
    return [
      1, shape[0], shape[1] + view.padding.top + view.padding.bottom, shape[2] + view.padding.left + view.padding.right,
    ]
  }

  /// One constant, or one for each channel of the value; nil where the constant varies otherwise.
  mutating func perChannel(
    _ constant: Constant, _ view: inout ActivationView, _ node: OperatorNode
  ) throws(Diagnostic) -> [ExactConstant]? {
    if constant.count == 1 { return constant.exact }
    let excess = max(constant.shape.count - view.shape.count, 0)
    let shape = [Int](repeating: 1, count: excess) + view.shape
    guard let indices = broadcastIndices(of: constant.shape, over: shape) else { return nil }
    try spend(view.count, for: constant.origin)
    let exact = constant.exact
    if let found = channels(of: indices, in: view) { return found.map { exact[$0] } }
    // Constants along the last axis of a model's input say that its channels stand last.
    guard view.order == nil, view.shape.count == 4, constant.count == view.shape[3],
      graph.canChangeInputLayout(of: view.id), self[view.id].shape == Array(view.shape.dropFirst())
    else { return nil }
    let (height, width, channels) = (view.shape[1], view.shape[2], view.shape[3])
    try changeInputLayout(to: [channels, height, width], isChannelsLast: true)
    view.order = (0..<height * width * channels).map { $0 % channels * height * width + $0 / channels }
    return self.channels(of: indices, in: view).map { $0.map { exact[$0] } }
  }

  /// Which entry each channel of the value has, where `indices` gives an entry to each element of the view.
  private func channels(of indices: [Int], in view: ActivationView) -> [Int]? {
    let shape = self[view.id].shape
    let plane = shape.dropFirst().reduce(1, *)
    var result = [Int?](repeating: nil, count: shape[0])
    for (element, index) in indices.enumerated() {
      let channel = (view.order?[element] ?? element) / plane
      if let known = result[channel], known != index { return nil }
      result[channel] = index
    }
    // Channels that the view leaves out: any will do.
    return result.map { $0 ?? 0 }
  }
}

/// The order of `[channels, height, width]` in elements that lie as `[height, width, channels]`.
private func channelsLastOrder(_ shape: [Int]) -> [Int] {
  stridedIndices(shape: shape, strides: [1, shape[2] * shape[0], shape[0]])
}

extension ImportState {
  /// A view that takes whole channels that follow one another, and all of their elements in order.
  func slice(_ view: ActivationView) -> ChannelSlice? {
    let source = self[view.id].shape
    let plane = source.dropFirst().reduce(1, *)
    guard let order = view.order, let first = order.first, first % plane == 0, order.count % plane == 0,
      source.count == 1 || Array(view.shape.suffix(2)) == Array(source.suffix(2)),
      order.indices.allSatisfy({ order[$0] == first + $0 })
    else { return nil }
    return ChannelSlice(first: first / plane, count: order.count / plane)
  }

  /// A view that takes whole channels, and of each the same evenly spaced rows and columns, as a convolution with one
  /// weight other than 0 for each output: exact where its result is put on the very grid that it came from.
  private func selection(_ view: ActivationView) -> Convolution? {
    let source = self[view.id].shape
    guard let order = view.order, source.count == 3, order.count == view.count, let first = order.first else {
      return nil
    }
    let (channels, height, width) = (view.shape[1], view.shape[2], view.shape[3])
    let plane = source[1] * source[2]
    let (top, left) = (first % plane / source[2], first % source[2])
    let strideY = height > 1 ? (order[width] - first) / source[2] : 1
    let strideX = width > 1 ? order[1] - first : 1
    guard strideX > 0, strideY > 0 else { return nil }
    let (kernelHeight, kernelWidth) = (source[1] - (height - 1) * strideY, source[2] - (width - 1) * strideX)
    guard kernelHeight > top, kernelWidth > left else { return nil }
    var chosen: [Int] = []
    for channel in 0..<channels {
      let base = order[channel * height * width] / plane
      chosen.append(base)
      for y in 0..<height {
        for x in 0..<width {
          let place = base * plane + (top + y * strideY) * source[2] + left + x * strideX
          guard order[(channel * height + y) * width + x] == place else { return nil }
        }
      }
    }
    let isDepthwise = chosen == Array(0..<source[0])
    let inputs = isDepthwise ? 1 : source[0]
    let taps = kernelHeight * kernelWidth
    guard chosen.count * inputs * taps <= Operation.maximumElements else { return nil }
    var weights = [Int8](repeating: 0, count: chosen.count * inputs * taps)
    for (output, channel) in chosen.enumerated() {
      weights[(output * inputs + (isDepthwise ? 0 : channel)) * taps + top * kernelWidth + left] = 1
    }
    return Convolution(
      weights: TernaryWeights(
        name: "selection", values: weights, shape: [chosen.count, inputs, kernelHeight, kernelWidth], scales: [1]),
      window: Window(kernel: (kernelHeight, kernelWidth), stride: (strideY, strideX)),
      groups: isDepthwise ? source[0] : 1)
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  static func expectedMap(_ node: OperatorNode, shape: [Int]) -> Diagnostic {
    if shape.count == 3 {
      return Diagnostic(
        code: "one-dimensional", location: Location(node: node.name, tensor: node.inputName(0)),
        message:
          "\(node.type) works on 1-D data here: its input has shape \(shape), [batch, channels, length]; expected "
          + "2-D, [1, channels, height, width]",
        fix: node.framework.twoDimensional)
    }
    return Diagnostic(
      code: "shape", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type)'s input has shape \(shape): expected [1, channels, height, width]",
      fix: shape.count == 5
        ? "3-D convolutions and pools cannot be compiled: use 2-D ones, with the depth as channels"
        : shape.count == 2
          ? "\(node.type) stands behind a flatten or linear layer: move it in front, or remove it"
          : "reshape to [1, channels, height, width] in front of \(node.type), with a batch of 1")
  }

  fileprivate static func layout(_ node: OperatorNode, tensor: String, value: [Int], shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "layout", location: Location(node: node.name, tensor: tensor),
      message: "\(node.type) reads '\(tensor)', of shape \(value) behind the batch, rearranged to \(shape): expected "
        + "channels, rows and columns in the order in which they are computed",
      fix: "remove the reshape or permute between the layers; a whole activation may be flattened, cropped, or its "
        + "channels reordered, behind a quantizer")
  }

  fileprivate static func paddedUnquantized(_ node: OperatorNode, tensor: String) -> Diagnostic {
    Diagnostic(
      code: "padded-activation", location: Location(node: node.name, tensor: tensor),
      message:
        "\(node.type) reads '\(tensor)' with zeros padded around it, and no quantizer stands in front of the Pad: "
        + "expected quantized values there",
      fix: "put the quantizer in front of the padding, or use the padding= of the convolution")
  }
}
