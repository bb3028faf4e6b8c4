import BigInt
import Diagnostics
import GraphIR
import TernaryIR

/// Scales as whole multiples of a unit.
struct IntegerRatio {
  /// The smallest that have the scales' ratio exactly, of either sign.
  var multipliers: [Int]
  var unit: Rational

  /// Up to this magnitude a multiplier costs nothing: sums of two bytes stay within 20 bits.
  static let small = 1 << 10

  /// - Parameter scales: Not 0.
  /// - Returns: nil where a multiplier leaves int32.
  init?(_ scales: [Rational]) {
    // All over one denominator, then without the numerators' common divisor.
    let denominator = scales.reduce(BigInt(1)) { $0 / $0.greatestCommonDivisor(with: $1.denominator) * $1.denominator }
    let numerators = scales.map { $0.numerator * (denominator / $0.denominator) }
    let divisor = numerators.reduce(BigInt(0)) { $0.greatestCommonDivisor(with: $1) }
    guard !divisor.isZero else { return nil }
    let magnitude = BigInt(divisor.magnitude)
    multipliers = numerators.compactMap { Int32(exactly: $0 / magnitude).map(Int.init) }
    guard multipliers.count == scales.count else { return nil }
    unit = Rational(magnitude, denominator)
  }
}

/// Finds the smallest shift for which `clamp((m1 · q1 + m2 · q2 + b) >> s)` equals a quantized sum of two activations for
/// every pair of their integers.
///
/// For a fixed first integer the sum is a staircase in the second one. Each of its edges bounds the offset of its row from
/// both sides, as in `RequantizerSearch`; the row's offset is `m1 · q1 + b`. So for each pair of multipliers near the real
/// ones a single interval for `b` is left, or none. What is found is then proven row by row by `RequantizerProof`, which
/// asks the form, not the search.
struct AdditionSearch {
  /// The input whose integers number the rows, 0 or 1: that of fewer integers.
  private let rowInput: Int
  private let rows: ClosedRange<Int>
  /// Integers of the other input; mirrored, where its scale is negative.
  private let columns: ClosedRange<Int>
  private let isMirrored: Bool
  private let inputs: [Tensor]
  /// One for each row.
  private let maps: [QuantizedMap]
  private let steps: [StepFunction]
  /// In output units per integer. That of the columns is positive.
  private let slopes: (row: Rational, column: Rational)
  private let location: Diagnostic.Location

  /// More rows than bytes have: the sums of an average pool.
  private static let mostRows = 1 << 12

  /// - Parameters:
  ///   - map: What the real sum becomes before the quantizer; its slope is positive.
  ///   - scales: Of the two inputs, not 0.
  /// - Returns: nil where both inputs have too many integers to look at.
  init?(
    _ map: AffineMap, _ scales: [Rational], _ inputs: [Tensor], _ quantizer: Quantizer, _ location: Diagnostic.Location
  ) {
    let rowInput = inputs[0].range.count <= inputs[1].range.count ? 0 : 1
    let (rows, other) = (inputs[rowInput].range, inputs[1 - rowInput].range)
    guard rows.count <= Self.mostRows, map.slope > .zero else { return nil }
    let isMirrored = scales[1 - rowInput].isNegative
    self.rowInput = rowInput
    self.rows = rows
    self.isMirrored = isMirrored
    columns = isMirrored ? -other.upperBound...(-other.lowerBound) : other
    self.inputs = inputs
    self.location = location
    let perRow = map.slope * scales[rowInput]
    let perColumn = map.slope * scales[1 - rowInput].magnitude
    slopes = (perRow / Rational(quantizer.scale), perColumn / Rational(quantizer.scale))
    maps = rows.map { row in
      var rowMap = map
      rowMap.slope = perColumn
      rowMap.offset = map.offset + perRow * Rational(row)
      return QuantizedMap(rowMap, quantizer)
    }
    let columns = columns
    steps = maps.map { $0.steps(over: columns) }
  }

  struct Result {
    var addition: TernaryIR.Addition
    var range: ClosedRange<Int>
  }

  /// - Parameter isWide: Whether sums and products may leave int32.
  /// - Throws: where an output lies too near to a tie to be decided.
  func find(isWide: Bool) throws(ModelError) -> Result? {
    let outputs = maps[0].outputRange
    for shift in RequantizerSearch.shifts {
      let unit = Rational(1 << shift)
      // At most 2^40, so that every sum of products with 16-bit integers stays within 2^58.
      guard let column = Int(exactly: (slopes.column * unit).floor), let row = Int(exactly: (slopes.row * unit).floor),
        max(abs(column), abs(row)) < (isWide ? 1 << 40 : 1 << 31)
      else { return nil }
      for m in Self.candidates(column) where m > 0 {
        guard let bounds = bounds(m, shift, outputs) else { continue }
        for n in Self.candidates(row) where n != 0 {
          guard let offset = offset(n, bounds) else { continue }
          var multipliers = [n, n]
          multipliers[1 - rowInput] = isMirrored ? -m : m
          guard let accumulators = TernaryIR.Addition.accumulators(multipliers, inputs: inputs),
            isWide || fitsInt32(accumulators, offset)
          else { continue }
          if try isProven(m, n, offset, shift, outputs) {
            let requantizer = Requantizer(
              form: .affine(multipliers: [1], offsets: [offset], shift: shift), minimum: outputs.lowerBound,
              maximum: outputs.upperBound, proof: .init(pairs: rows.count * columns.count, exceptions: 0))
            let first = steps.map(\.first).min() ?? outputs.lowerBound
            let last = steps.map(\.last).max() ?? outputs.upperBound
            return Result(
              addition: TernaryIR.Addition(
                multipliers: multipliers, accumulators: accumulators, requantizer: requantizer),
              range: first...last)
          }
        }
      }
    }
    return nil
  }

  /// Integers near `floor` of a real one, the nearest ones first.
  private static func candidates(_ floor: Int) -> [Int] {
    [floor, floor + 1, floor - 1, floor + 2, floor - 2, floor + 3]
  }

  /// The interval of each row's offset, where the columns' multiplier is `m`; nil where one is empty.
  private func bounds(_ m: Int, _ shift: Int, _ outputs: ClosedRange<Int>) -> [(low: Int, high: Int)]? {
    var bounds: [(low: Int, high: Int)] = []
    bounds.reserveCapacity(steps.count)
    for steps in steps {
      // Far beyond every sum, and so that differences stay within 64 bits.
      var (low, high) = (-1 << 61, 1 << 61)
      if steps.first > outputs.lowerBound { low = (steps.first << shift) - columns.lowerBound * m }
      if steps.last < outputs.upperBound { high = ((steps.last + 1) << shift) - 1 - columns.upperBound * m }
      for (i, edge) in steps.edges.enumerated() {
        let target = (steps.first + 1 + i) << shift
        low = max(low, target - edge * m)
        high = min(high, target - 1 - (edge - 1) * m)
      }
      if low > high { return nil }
      bounds.append((low, high))
    }
    return bounds
  }

  /// An offset for all rows, where the rows' multiplier is `n`.
  private func offset(_ n: Int, _ bounds: [(low: Int, high: Int)]) -> Int? {
    var (low, high) = (-1 << 61, 1 << 61)
    for (row, bound) in zip(rows, bounds) {
      low = max(low, bound.low - n * row)
      high = min(high, bound.high - n * row)
      if low > high { return nil }
    }
    return low + (high - low) / 2
  }

  private func fitsInt32(_ accumulators: ClosedRange<Int>, _ offset: Int) -> Bool {
    accumulators.fitsInt32 && abs(offset) <= Int(Int32.max)
      && (accumulators.lowerBound + offset...accumulators.upperBound + offset).fitsInt32
  }

  private func isProven(
    _ m: Int, _ n: Int, _ offset: Int, _ shift: Int, _ outputs: ClosedRange<Int>
  ) throws(ModelError) -> Bool {
    for (row, map) in zip(rows, maps) {
      let form = Requantizer.Form.affine(multipliers: [m], offsets: [offset + n * row], shift: shift)
      let proof = RequantizerProof(form: form, minimum: outputs.lowerBound, maximum: outputs.upperBound)
      let checked = proof.check(channel: 0, map, over: columns)
      if checked.undecidable > 0 { throw ModelError(.undecidableRounding(location, channel: 0)) }
      if checked.exceptions > 0 { return false }
    }
    return true
  }
}
