import Diagnostics
import GraphIR
import TernaryIR

/// Turns the exact maps of a layer's channels and the quantizer behind them into proven integer arithmetic.
struct Requantization {
  var requantizer: Requantizer
  /// Output range of all channels together.
  var range: ClosedRange<Int>

  /// - Parameters:
  ///   - maps: One per channel, slopes not negative.
  ///   - domains: Reachable accumulators per channel.
  init(
    maps: [AffineMap], domains: [ClosedRange<Int>], quantizer: Quantizer, location: Diagnostic.Location
  ) throws(ModelError) {
    let quantized = maps.map { QuantizedMap($0, quantizer) }
    let minimum = quantized.map(\.outputRange.lowerBound).min() ?? quantizer.minimum
    let maximum = quantized.map(\.outputRange.upperBound).max() ?? quantizer.maximum
    let channels = quantized.indices.map {
      RequantizerSearch.Channel(
        steps: quantized[$0].steps(over: domains[$0]), slope: quantized[$0].slope, offset: quantized[$0].offset)
    }
    let first = channels.map(\.steps.first).min() ?? minimum
    let last = channels.map(\.steps.last).max() ?? maximum
    range = first...last

    for find in RequantizerSearch.forms {
      guard let form = find(channels, minimum, maximum) else { continue }
      let proof = RequantizerProof(form: form, minimum: minimum, maximum: maximum)
      var exceptions = 0
      for channel in channels.indices {
        let checked = proof.check(channel: channel, quantized[channel], over: domains[channel])
        exceptions += checked.exceptions
        if checked.undecidable > 0 { throw ModelError(.undecidableRounding(location, channel: channel)) }
      }
      guard exceptions == 0 else { continue }
      requantizer = Requantizer(
        form: form, minimum: minimum, maximum: maximum,
        proof: .init(pairs: domains.reduce(0) { $0 + $1.count }, exceptions: 0))
      return
    }
    throw ModelError(.noExactRequantizer(location))
  }
}

extension Diagnostic {
  static func undecidableRounding(_ location: Location, channel: Int) -> Diagnostic {
    Diagnostic(
      code: "undecidable-rounding", location: location,
      message:
        "channel \(channel): an output lies on a rounding tie to within \(Rational.rootBits - 32) bits, but the "
        + "BatchNormalization's square root is irrational, so the tie can not be decided",
      fix: "change the BatchNorm's running_var or bias of that channel by one unit in the last place")
  }

  fileprivate static func noExactRequantizer(_ location: Location) -> Diagnostic {
    Diagnostic(
      code: "internal-no-exact-requantizer", location: location,
      message: "no integer form equals the real arithmetic, not even a list of thresholds",
      fix: "this is a defect of sterna; please report it together with the model")
  }
}
