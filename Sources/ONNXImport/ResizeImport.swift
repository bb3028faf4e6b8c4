internal import Diagnostics
internal import GraphIR

/// ONNX `Resize(x, roi?, scales?, sizes?)` and `Upsample(x, scales)` that repeat rows and columns a whole number of times.
///
/// What the many modes come to is decided by their own formulas, for each row and column: whatever makes every output the
/// element at `place / factor` is accepted.
@Sendable func importResize(_ node: OperatorNode, _ state: inout ImportState) throws(Diagnostic) -> Resolved {
  let mode = try node.string("mode", default: "nearest")
  guard mode == "nearest" else { throw .resizeMode(node, "mode '\(mode.prefix(40))'") }
  var view = try state.activation(node, 0)
  guard view.shape.count == 4 else { throw .expectedMap(node, shape: view.shape) }
  let factors = try factors(node, shape: view.shape, &state)
  // Before opset 11 an element is taken from the place at or before its own, divided by the scale.
  let isOld = node.type == "Upsample" || state.index.opset < 11
  let sampling = NearestSampling(
    coordinates: isOld ? "asymmetric" : try node.string("coordinate_transformation_mode", default: "half_pixel"),
    rounding: isOld ? "floor" : try node.string("nearest_mode", default: "round_prefer_floor"))
  try state.spend(view.shape[2] * factors.rows + view.shape[3] * factors.columns, for: node.output)
  guard sampling.repeats(view.shape[2], factors.rows), sampling.repeats(view.shape[3], factors.columns) else {
    throw .resizeMode(
      node,
      "coordinate_transformation_mode '\(sampling.coordinates.prefix(40))', nearest_mode "
        + "'\(sampling.rounding.prefix(40))'")
  }
  if factors == (1, 1) { return .activation(view) }
  view = try state.unpaddedMap(view, node)
  return .activation(
    try state.emitMap(node, .resize(Resize(rows: factors.rows, columns: factors.columns)), input: view))
}

/// How often rows and columns are repeated.
///
/// - Parameter shape: Of four extents.
private func factors(
  _ node: OperatorNode, shape: [Int], _ state: inout ImportState
) throws(Diagnostic) -> (rows: Int, columns: Int) {
  let isFirst = node.type == "Upsample" || state.index.opset < 11
  let chosen = try axes(node, position: .max, rank: 4, &state) ?? [0, 1, 2, 3]
  guard Set(chosen).count == chosen.count else { throw .resizeFactors(node, [], shape) }
  var found = [Double](repeating: 1, count: 4)
  if let scales = node.floats("scales") {
    guard scales.count == 4 else { throw .resizeFactors(node, scales.map(Double.init), shape) }
    found = scales.map(Double.init)
  } else if let scales = try state.constant(node, isFirst ? 1 : 2), scales.count > 0 {
    let values = scales.floats.map(Double.init)
    guard values.count == chosen.count else { throw .resizeFactors(node, values, shape) }
    for (axis, value) in zip(chosen, values) { found[axis] = value }
  } else if !isFirst, let sizes = try state.constant(node, 3)?.integers {
    guard sizes.count == chosen.count, try node.string("keep_aspect_ratio_policy", default: "stretch") == "stretch"
    else {
      throw .resizeFactors(node, sizes.map { Double($0) }, shape)
    }
    // Of extents that are no multiples, a quotient that is no whole number is left.
    for (axis, size) in zip(chosen, sizes) { found[axis] = Double(size) / Double(shape[axis]) }
  } else {
    throw .resizeFactors(node, [], shape)
  }
  let whole = found.map { Int(exactly: $0) ?? 0 }
  guard whole[0] == 1, whole[1] == 1, (1...4096).contains(whole[2]), (1...4096).contains(whole[3]) else {
    throw .resizeFactors(node, found, shape)
  }
  return (whole[2], whole[3])
}

/// Which element of an axis ONNX's `Resize` takes for one of the result, at a whole factor.
struct NearestSampling {
  var coordinates: String
  var rounding: String

  /// Whether output `o` of each is element `o / factor`.
  ///
  /// - Parameters:
  ///   - extent, factor: At least 1, with a product below 2^40.
  func repeats(_ extent: Int, _ factor: Int) -> Bool {
    (0..<extent * factor).allSatisfy { output in
      element(output, extent, factor).map { min(max($0, 0), extent - 1) } == output / factor
    }
  }

  /// nil for modes that are not known. The place is a quotient of integers, so that no rounding is left to chance.
  private func element(_ output: Int, _ extent: Int, _ factor: Int) -> Int? {
    var (place, unit) = (0, 1)
    switch coordinates {
    case "asymmetric": (place, unit) = (output, factor)
    // (o + 1/2) / f − 1/2. The symmetric kind differs at broken factors only.
    case "half_pixel", "half_pixel_symmetric": (place, unit) = (2 * output + 1 - factor, 2 * factor)
    case "pytorch_half_pixel":
      (place, unit) = extent * factor > 1 ? (2 * output + 1 - factor, 2 * factor) : (0, 1)
    case "tf_half_pixel_for_nn": (place, unit) = (2 * output + 1, 2 * factor)
    case "align_corners": (place, unit) = (output * (extent - 1), max(extent * factor - 1, 1))
    default: return nil
    }
    switch rounding {
    case "floor": return floor(place, unit)
    case "ceil": return -floor(-place, unit)
    case "round_prefer_floor": return -floor(unit - 2 * place, 2 * unit)
    case "round_prefer_ceil": return floor(2 * place + unit, 2 * unit)
    default: return nil
    }
  }

  private func floor(_ dividend: Int, _ divisor: Int) -> Int {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func resizeMode(_ node: OperatorNode, _ found: String) -> Diagnostic {
    Diagnostic(
      code: "resize-mode", location: Location(node: node.name, tensor: node.inputName(0)),
      message: "\(node.type) interpolates in \(found): expected mode 'nearest' where it repeats rows and columns",
      fix: node.framework == .keras
        ? "use UpSampling2D(interpolation='nearest')" : "use nn.Upsample(scale_factor=2, mode='nearest')")
  }

  fileprivate static func resizeFactors(_ node: OperatorNode, _ factors: [Double], _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "resize-factors", location: Location(node: node.name, tensor: node.inputName(0)),
      message:
        "\(node.type) of a tensor of shape \(shape) has factors or sizes \(factors.prefix(8)): expected constant, whole "
        + "factors from 1 to 4096 for rows and columns, and 1 for batch and channels",
      fix: node.framework == .keras
        ? "use UpSampling2D with whole numbers"
        : "use nn.Upsample(scale_factor=2, mode='nearest'): a map is made larger by whole factors only")
  }
}
