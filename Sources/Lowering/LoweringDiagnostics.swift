import Diagnostics
import GraphIR
import TernaryIR

// What `GraphLowering` can have to say.
extension Diagnostic {
  static func inputNotQuantized(_ graph: Graph, _ location: Location) -> Diagnostic {
    var location = location
    location.tensor = graph[graph.input].name
    return Diagnostic(
      code: "input-not-quantized", location: location,
      message: location.node == nil
        ? "nothing quantizes the network's input: expected a quantizer in front of the first layer"
        : "the network's input is not quantized where the node reads it: expected a quantizer in front, and nothing but "
          + "sums, differences, products and quotients with constants before that",
      fix: graph.framework.quantizeInput)
  }

  static func notQuantized(_ node: String, _ tensor: String, _ producer: String, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node, tensor: tensor),
      message: "the node reads the un-quantized result of '\(producer)': expected integers of at most 8 bits",
      fix: framework.quantizeActivation(behindRelu: false))
  }

  static func wideMean(
    _ node: String, _ tensor: String, _ producer: String, taps: Int, _ framework: Framework
  ) -> Diagnostic {
    Diagnostic(
      code: "wide-mean", location: .init(node: node, tensor: tensor),
      message:
        "the node reads the mean '\(producer)' of \(taps) elements without a quantizer: expected one, as sums of so "
        + "many do not fit 16 bits",
      fix: framework.quantizeActivation(behindRelu: false))
  }

  static func paddingNotRepresentable(_ node: String, _ tensor: TernaryIR.Tensor) -> Diagnostic {
    Diagnostic(
      code: "padding-not-representable", location: .init(node: node, tensor: tensor.name),
      message:
        "the window is padded with real zeros, but the input's zero point \(tensor.zeroPoint) lies outside its range "
        + "\(tensor.grid.lowerBound)...\(tensor.grid.upperBound)",
      fix: "use a quantizer whose range holds its zero point, or padding=0")
  }

  static func decreasingAfterMaxPool(_ node: String, channel: Int) -> Diagnostic {
    Diagnostic(
      code: "max-pool-before-negative-scale", location: .init(node: node),
      message:
        "channel \(channel) is multiplied by a negative number between this MaxPool and the next quantizer, so the "
        + "pool would become a minimum: expected a non-negative factor",
      fix: "move the MaxPool behind the quantizer (nn.MaxPool2d after QuantReLU), or keep gamma positive")
  }

  static func moveWithoutQuantizer(_ node: String, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node),
      message:
        "the network ends in a MaxPool or Resize of un-quantized values: expected a quantizer between layer and pool",
      fix: framework.quantizeActivation(behindRelu: false))
  }

  static func perFeatureArithmetic(_ node: String, found: Int, expected: Int) -> Diagnostic {
    Diagnostic(
      code: "per-feature-arithmetic", location: .init(node: node),
      message: "\(found) constants act on a layer of \(expected) channels: expected one, or one for each channel",
      fix: "normalize per channel, in front of the flatten (nn.BatchNorm2d)")
  }

  static func divisionByZero(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "division-by-zero", location: .init(node: node),
      message: "divides by a constant that is zero: expected another number",
      fix: "divide by numbers other than 0")
  }

  static func inputRounding(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "input-rounding", location: .init(node: node),
      message: "the input quantizer truncates or does not round to nearest: expected rounding_mode ROUND",
      fix: "use a QuantIdentity with float_to_int_impl_type=FloatToIntImplType.ROUND for the input, and no truncation")
  }

  static func truncatedZeroPoint(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "truncated-zero-point", location: .init(node: node),
      message: "Trunc shifts the zero point to a fraction: expected a multiple of the discarded bits' unit",
      fix: "use zero point 0 before TruncAvgPool2d")
  }

  static func unquantizedOperand(
    _ node: String, _ tensor: String, _ producer: String, isConcatenation: Bool, _ framework: Framework
  ) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node, tensor: tensor),
      message: "the \(isConcatenation ? "concatenation" : "addition") reads the un-quantized result of '\(producer)': "
        + "expected a quantizer between the two",
      fix: framework.quantizeOperands(isConcatenation: isConcatenation))
  }

  static func flattenedBranch(_ node: String, _ tensor: String, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "flattened-branch", location: .init(node: node, tensor: tensor),
      message:
        "the node joins, adds or takes parts of a map that has been flattened: expected it in front of the flatten",
      fix: framework == .keras
        ? "join, add and slice in front of Flatten()" : "join, add and slice in front of torch.flatten")
  }

  static func inputQuantizedTwice(_ graph: Graph, _ node: String) -> Diagnostic {
    Diagnostic(
      code: "input-quantized-twice", location: .init(node: node, tensor: graph[graph.input].name),
      message:
        "a second quantizer reads the network's input, with another scale or grid: expected one for all branches",
      fix: graph.framework == .pytorch
        ? "quantize the input once: x = self.quant_input(x) in front of all branches" : graph.framework.quantizeInput)
  }

  static func branchBeforeQuantizer(_ node: String, _ tensor: String, _ framework: Framework) -> Diagnostic {
    Diagnostic(
      code: "branch-before-quantizer", location: .init(node: node, tensor: tensor),
      message:
        "branches quantize the layer's result differently, so that it would have to be computed once for each: expected "
        + "one quantizer in front of the branches",
      fix: framework.quantizeBeforeBranches)
  }

  static func sameOutput(_ tensor: String) -> Diagnostic {
    Diagnostic(
      code: "outputs", location: .init(tensor: tensor),
      message: "the output holds the very integers of another output: expected outputs that differ",
      fix: "return each tensor once from forward()")
  }

  static func windowDoesNotFit(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "window-too-large", location: .init(node: node),
      message: "the window is larger than its padded input: expected one that fits",
      fix: "use a smaller kernel_size")
  }

  static func noLayers() -> Diagnostic {
    Diagnostic(
      code: "no-layers", message: "the graph holds no layer, only a quantizer: expected something to compute",
      fix: "export the whole trained network")
  }

  static func unsupportedRank(_ node: String, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "unsupported-rank", location: .init(node: node),
      message: "a tensor of shape \(shape): expected [channels, height, width] or [features]",
      fix: "use 2-D convolutions and flatten before nn.Linear")
  }
}
