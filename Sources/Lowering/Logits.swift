import BigInt
import Diagnostics
import TernaryIR

/// Int32 results in one scale for a last layer that has no quantizer behind it.
///
/// Per-channel weight scales make raw accumulators incomparable, so every channel is brought to one declared scale, as
/// fine as int32 allows.
struct Logits {
  var requantizer: Requantizer
  /// Real value of one unit.
  var scale: Double
  var range: ClosedRange<Int>

  init(maps: [AffineMap], domains: [ClosedRange<Int>], location: Diagnostic.Location) throws(ModelError) {
    for (channel, map) in maps.enumerated() {
      let ends = [domains[channel].lowerBound, domains[channel].upperBound].map { Rational($0) }
      guard map.isWithinBounds(at: ends) else { throw ModelError(.clampedLogits(location)) }
    }
    guard let fit = Self.exact(maps, domains) ?? Self.dyadic(maps, domains) else {
      throw ModelError(.logitsOutOfRange(location))
    }
    let pairs = domains.reduce(0) { $0 + $1.count }
    requantizer = Requantizer(
      form: .logits(multipliers: fit.multipliers, offsets: fit.offsets), minimum: fit.range.lowerBound,
      maximum: fit.range.upperBound, proof: .init(pairs: pairs, exceptions: 0, resolution: fit.resolution))
    scale = fit.scale
    range = fit.range
  }

  private struct Fit {
    var multipliers: [Int]
    var offsets: [Int]
    var scale: Double
    var range: ClosedRange<Int>
    var resolution: Double
  }

  /// One weight scale for all and biases that are multiples of it: the accumulators themselves are the logits.
  private static func exact(_ maps: [AffineMap], _ domains: [ClosedRange<Int>]) -> Fit? {
    guard let unit = maps.first(where: { !$0.slope.isZero })?.slope else { return nil }
    var offsets: [Int] = []
    for map in maps {
      guard map.slope == unit, !map.isApproximate else { return nil }
      let offset = map.offset / unit
      guard let integer = Int(exactly: offset.floor), offset == Rational(integer) else { return nil }
      offsets.append(integer)
    }
    let multipliers = [Int](repeating: 1, count: maps.count)
    guard let range = range(multipliers, offsets, domains) else { return nil }
    return Fit(multipliers: multipliers, offsets: offsets, scale: unit.approximation, range: range, resolution: 0)
  }

  /// The finest power of two for which everything stays within int32.
  private static func dyadic(_ maps: [AffineMap], _ domains: [ClosedRange<Int>]) -> Fit? {
    for exponent in stride(from: 64, through: -64, by: -1) {
      let unit =
        exponent >= 0
        ? Rational(1, BigInt(1) << exponent) : Rational(BigInt(1) << -exponent, 1)
      let slopes = maps.map { $0.slope / unit }
      let terms = maps.map { $0.offset / unit }
      let multipliers = slopes.compactMap { Int(exactly: $0.roundedHalfEven) }
      let offsets = terms.compactMap { Int(exactly: $0.roundedHalfEven) }
      guard multipliers.count == maps.count, offsets.count == maps.count,
        let range = range(multipliers, offsets, domains)
      else { continue }
      let errors = maps.indices.map { c in
        Rational(max(abs(domains[c].lowerBound), abs(domains[c].upperBound)))
          * (slopes[c] - Rational(multipliers[c])).magnitude + (terms[c] - Rational(offsets[c])).magnitude
      }
      return Fit(
        multipliers: multipliers, offsets: offsets, scale: unit.approximation, range: range,
        resolution: (errors.max() ?? .zero).approximation)
    }
    return nil
  }

  /// The range of all logits, nil where a product, an offset or a sum leaves int32.
  private static func range(_ multipliers: [Int], _ offsets: [Int], _ domains: [ClosedRange<Int>]) -> ClosedRange<Int>?
  {
    var low = Int.max
    var high = Int.min
    for c in multipliers.indices {
      guard abs(multipliers[c]) <= Int(Int32.max), abs(offsets[c]) <= Int(Int32.max) else { return nil }
      for end in [domains[c].lowerBound, domains[c].upperBound] {
        let product = end * multipliers[c]
        guard Int32(exactly: product) != nil, Int32(exactly: product + offsets[c]) != nil else { return nil }
        low = min(low, product + offsets[c])
        high = max(high, product + offsets[c])
      }
    }
    return low...high
  }
}

extension Logits {
  /// A sum of activations whose scales are in no simple ratio: each is brought to the finest power of two for which
  /// everything stays within int32.
  ///
  /// - Parameter scales: Of the inputs, not 0.
  static func sum(
    _ map: AffineMap, _ scales: [Rational], _ inputs: [Tensor], _ location: Diagnostic.Location
  ) throws(ModelError) -> (addition: Addition, scale: Double, range: ClosedRange<Int>) {
    let slopes = scales.map { $0 * map.slope }
    let reals = zip(scales, inputs).map { scale, input in
      [input.range.lowerBound, input.range.upperBound].map { scale * Rational($0) }
    }
    let ends = [
      reals.reduce(.zero) { $0 + min($1[0], $1[1]) }, reals.reduce(.zero) { $0 + max($1[0], $1[1]) },
    ]
    guard map.isWithinBounds(at: ends) else { throw ModelError(.clampedLogits(location)) }
    for exponent in stride(from: 64, through: -64, by: -1) {
      let unit = exponent >= 0 ? Rational(1, BigInt(1) << exponent) : Rational(BigInt(1) << -exponent, 1)
      let exact = slopes.map { $0 / unit }
      let multipliers = exact.compactMap { Int32(exactly: $0.roundedHalfEven).map(Int.init) }
      guard multipliers.count == scales.count, !multipliers.contains(0),
        let offset = Int32(exactly: (map.offset / unit).roundedHalfEven).map(Int.init),
        let accumulators = Addition.accumulators(multipliers, inputs: inputs), accumulators.fitsInt32
      else { continue }
      let range = (accumulators.lowerBound + offset)...(accumulators.upperBound + offset)
      guard range.fitsInt32 else { continue }
      var error = (map.offset / unit - Rational(offset)).magnitude
      var pairs = 1
      for (index, input) in inputs.enumerated() {
        let largest = max(abs(input.range.lowerBound), abs(input.range.upperBound))
        error = error + Rational(largest) * (exact[index] - Rational(multipliers[index])).magnitude
        // The number is for people, and of three inputs of 16 bits too large.
        pairs = pairs.multipliedReportingOverflow(by: input.range.count).overflow ? .max : pairs * input.range.count
      }
      let requantizer = Requantizer(
        form: .logits(multipliers: [1], offsets: [offset]), minimum: range.lowerBound, maximum: range.upperBound,
        proof: .init(pairs: pairs, exceptions: 0, resolution: error.approximation))
      return (
        Addition(multipliers: multipliers, accumulators: accumulators, requantizer: requantizer), unit.approximation,
        range
      )
    }
    throw ModelError(.logitsOutOfRange(location))
  }
}

extension AffineMap {
  /// Whether no bound cuts off what lies between the map's values at these ends.
  fileprivate func isWithinBounds(at ends: [Rational]) -> Bool {
    let values = ends.map { slope * $0 + offset }
    return !(lower.map { bound in values.contains { $0 < bound } } ?? false)
      && !(upper.map { bound in values.contains { bound < $0 } } ?? false)
  }
}

extension Diagnostic {
  fileprivate static func clampedLogits(_ location: Location) -> Diagnostic {
    Diagnostic(
      code: "unquantized-output-clamp", location: location,
      message: "the network ends in a Relu or Clip without a quantizer: expected plain logits or a quantized output",
      fix: "drop the last activation, or end with QuantReLU(return_quant_tensor=False) or QuantIdentity")
  }

  fileprivate static func logitsOutOfRange(_ location: Location) -> Diagnostic {
    Diagnostic(
      code: "logits-out-of-range", location: location,
      message: "the outputs' real values span more than int32 can hold in any one scale",
      fix: "check the layer's weight scale and bias: they are unreasonably large or small")
  }
}
