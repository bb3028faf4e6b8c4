import Diagnostics
import TernaryIR

// What `GraphLowering` can have to say.
extension Diagnostic {
  static func inputNotQuantized(_ name: String, _ location: Location) -> Diagnostic {
    var location = location
    location.tensor = name
    return Diagnostic(
      code: "input-not-quantized", location: location,
      message:
        "the network's input reaches a layer without being quantized: expected a quantizer in front of the first layer",
      fix: "put a QuantIdentity(bit_width=8, return_quant_tensor=True) before the first layer")
  }

  static func notQuantized(_ node: String, _ tensor: String, _ producer: String) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node, tensor: tensor),
      message: "the layer reads the un-quantized result of '\(producer)': expected integers of at most 8 bits",
      fix: "put a QuantReLU or QuantIdentity(bit_width=8) behind '\(producer)'")
  }

  static func paddingNotRepresentable(_ node: String, _ tensor: Tensor) -> Diagnostic {
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

  static func poolWithoutQuantizer(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "activation-not-quantized", location: .init(node: node),
      message: "the network ends in a MaxPool of un-quantized values",
      fix: "put a QuantIdentity(bit_width=8) before the pool")
  }

  static func perChannelPreprocessing(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "per-channel-preprocessing", location: .init(node: node),
      message: "per-channel arithmetic before the input quantizer: expected one constant for all channels",
      fix: "normalize with one mean and one standard deviation, or do it outside of the exported module")
  }

  static func perFeatureArithmetic(_ node: String, found: Int, expected: Int) -> Diagnostic {
    Diagnostic(
      code: "per-feature-arithmetic", location: .init(node: node),
      message: "\(found) constants act on a layer of \(expected) channels: expected one, or one for each channel",
      fix: "apply the constants before flattening, per channel")
  }

  static func divisionByZero(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "division-by-zero", location: .init(node: node), message: "divides by a constant that is zero",
      fix: "check the exported constant")
  }

  static func inputRounding(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "input-rounding", location: .init(node: node),
      message: "the input quantizer truncates or does not round to nearest: expected rounding_mode ROUND",
      fix: "use a plain QuantIdentity for the input")
  }

  static func truncatedZeroPoint(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "truncated-zero-point", location: .init(node: node),
      message: "Trunc shifts the zero point to a fraction: expected a multiple of the discarded bits' unit",
      fix: "use zero point 0 before TruncAvgPool2d")
  }

  static func windowDoesNotFit(_ node: String) -> Diagnostic {
    Diagnostic(
      code: "window-too-large", location: .init(node: node), message: "the window is larger than its padded input",
      fix: "use a smaller kernel_size")
  }

  static func noLayers() -> Diagnostic {
    Diagnostic(
      code: "no-layers", message: "the graph holds no layer: nothing would be computed",
      fix: "export the trained module")
  }

  static func unsupportedRank(_ node: String, _ shape: [Int]) -> Diagnostic {
    Diagnostic(
      code: "unsupported-rank", location: .init(node: node),
      message: "a tensor of shape \(shape): expected [channels, height, width] or [features]",
      fix: "use 2-D convolutions and flatten before nn.Linear")
  }
}
