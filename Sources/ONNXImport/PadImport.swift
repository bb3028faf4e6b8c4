internal import Diagnostics
internal import GraphIR

/// ONNX `Pad(x, pads, value?, axes?)` with zeros around rows and columns: the layer behind it takes them as its own padding.
/// Negative pads take rows and columns away.
@Sendable func importPad(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let mode = try node.string("mode", default: "constant")
  guard mode == "constant" else { throw .padMode(node, mode) }
  var view = try state.activation(node, 0)
  let rank = view.shape.count
  var value = try node.float("value", default: 0)
  if let constant = try state.constant(node, 2) {
    guard let uniform = constant.uniform else { throw .padValue(node, nil) }
    value = uniform
  }
  var pads: [Int]
  if let attribute = try node.ints("pads") {
    pads = attribute
  } else {
    guard let list = try state.requiredConstant(node, 1).integers, list.allSatisfy({ (-4096...4096).contains($0) })
    else {
      throw .pads(node, [], view.shape)
    }
    pads = list.map { Int($0) }
  }
  if node.inputName(3) != nil {
    guard let axes = try axes(node, position: 3, attribute: nil, rank: rank, &state), pads.count == 2 * axes.count,
      Set(axes).count == axes.count
    else { throw .pads(node, pads, view.shape) }
    var all = [Int](repeating: 0, count: 2 * rank)
    for (index, axis) in axes.enumerated() {
      (all[axis], all[axis + rank]) = (pads[index], pads[index + axes.count])
    }
    pads = all
  }
  guard pads.count == 2 * rank, pads.allSatisfy({ (-4096...4096).contains($0) }) else {
    throw .pads(node, pads, view.shape)
  }
  if pads.contains(where: { $0 < 0 }) { view = try cropped(view, pads, node, &state) }
  pads = pads.map { max($0, 0) }
  if pads.allSatisfy({ $0 == 0 }) { return .activation(view) }
  guard value == 0 else { throw .padValue(node, value) }
  guard rank == 4, pads[0] == 0, pads[1] == 0, pads[4] == 0, pads[5] == 0 else { throw .pads(node, pads, view.shape) }
  view = try state.map(view, node)
  let padding = Padding(top: pads[2], left: pads[3], bottom: pads[6], right: pads[7])
  let shape = [1, view.shape[1], view.shape[2] + pads[2] + pads[6], view.shape[3] + pads[3] + pads[7]]
  guard shape.reduce(1, { $0 &* $1 }) <= Operation.maximumElements else { throw .pads(node, pads, view.shape) }
  return .activation(ActivationView(id: view.id, shape: shape, padding: view.padding + padding))
}

/// The view without the rows and columns that negative pads take away.
private func cropped(
  _ view: ActivationView, _ pads: [Int], _ node: OperatorNode, _ state: inout ImportState
) throws(Diagnostic) -> ActivationView {
  let rank = view.shape.count
  var view = view
  if view.padding != .none { view = try state.unpaddedMap(view, node) }
  try state.spend(view.count, for: state[view.id].name)
  var indices = [0]
  var shape: [Int] = []
  for axis in 0..<rank {
    let first = max(-pads[axis], 0)
    let last = view.shape[axis] - max(-pads[axis + rank], 0)
    guard first < last else { throw .pads(node, pads, view.shape) }
    shape.append(last - first)
    indices = indices.flatMap { base in (first..<last).map { base * view.shape[axis] + $0 } }
  }
  return view.selecting(indices, shape: shape)
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func padMode(_ node: OperatorNode, _ mode: String) -> Diagnostic {
    Diagnostic(
      code: "pad-mode", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Pad fills in mode '\(mode.prefix(40))': expected 'constant', with zeros",
      fix: node.framework == .keras ? "use ZeroPadding2D" : "use padding_mode='zeros', or nn.ZeroPad2d")
  }

  fileprivate static func padValue(_ node: OperatorNode, _ value: Float?) -> Diagnostic {
    Diagnostic(
      code: "pad-value", location: Location(node: node.name, tensor: node.inputName(2) ?? node.inputName(0)),
      message: "Pad fills with \(value.map { "\($0)" } ?? "several values"): expected 0",
      fix: "pad with zeros (nn.ZeroPad2d, keras: ZeroPadding2D), or by the padding= of the layer")
  }

  fileprivate static func pads(_ node: OperatorNode, _ pads: [Int], _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "pads", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "Pad of a tensor of shape \(shape) by \(pads.prefix(16)): expected up to 4096 rows and columns of "
        + "[1, channels, height, width]",
      fix: "pad rows and columns only; widen a layer instead of padding channels")
  }
}
