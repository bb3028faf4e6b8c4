import GraphIR
import TernaryIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The network's real outputs beside those that another tool computed, and the verdict.
///
/// Each output has a tolerance of its own: one percent of the range that it takes over the samples, and never less than
/// one step of what the network can express. A class differs where the two classes lie further apart than their
/// tolerances.
package struct Comparison: Sendable {
  /// Of a value that fails most clearly, for the message.
  private struct Failure {
    var sample: Int
    var output: Int
    var expected: Double
    var found: Double
    var excess: Double
  }

  private let output: Tensor
  private let trailing: TrailingNode?
  private let outputs: [[Double]]
  private let tieSpreads: [[Double]]
  /// Of each channel: its largest less its smallest value over all samples.
  private let ranges: [Double]
  private let tolerances: [Double]
  /// The output is quantized: a value beside a rounding threshold may fall either way, by this much.
  private let step: Double?
  private let groups: [[Int]]

  package private(set) var samples = 0
  package private(set) var sameArgmax = 0
  /// Samples whose classes differ by less than the tolerance.
  package private(set) var tied = 0
  package private(set) var largestDifference = 0.0
  /// As a share of its own output's range.
  package private(set) var share = 0.0
  private var values = 0
  private var steps = 0
  private var failed = 0
  private var failedAtTies = 0
  private var worst: Failure?

  /// - Parameters:
  ///   - multipliers: Units of the output that a unit of each channel's accumulator is worth; none without logits.
  ///   - outputs: Our real values, a list a sample.
  ///   - tieSpreads: How far ties of average pools move each of them; empty lists where there are none.
  init(
    output: Tensor, multipliers: [Int], trailing: TrailingNode?, outputs: [[Double]], tieSpreads: [[Double]]
  ) {
    self.output = output
    self.trailing = trailing
    self.outputs = outputs
    self.tieSpreads = tieSpreads
    let plane = output.shape.height * output.shape.width
    let channels = output.shape.channels
    step = output.kind == .logits ? nil : output.scale
    var ranges: [Double] = []
    var tolerances: [Double] = []
    for channel in 0..<channels {
      let elements = (channel * plane)..<((channel + 1) * plane)
      let all = outputs.flatMap { $0[elements] }
      let low = all.min() ?? 0
      let high = all.max() ?? 0
      // A single value has no range but its distance from zero.
      let range = all.count > 1 ? high - low : abs(high)
      // A unit of the last layer's accumulator: what one step of one of its inputs changes.
      let unit =
        multipliers.isEmpty
        ? 0 : output.scale * Double(abs(multipliers[multipliers.count == 1 ? 0 : channel]))
      let ties = tieSpreads.reduce(0.0) { max($0, $1.isEmpty ? 0 : $1[elements].max() ?? 0) }
      ranges.append(range)
      tolerances.append(max(0.01 * range, unit, 1e-5 * max(abs(low), abs(high)), step == nil ? ties : 0))
    }
    self.ranges = ranges
    self.tolerances = tolerances
    groups = trailing?.groups(of: output.shape) ?? [Array(0..<output.shape.count)]
  }

  /// - Parameter expected: As the file's executor puts it out.
  mutating func add(_ sample: Int, expected: ArraySlice<Double>) {
    let real = outputs[sample]
    let expected = Array(expected)
    samples += 1
    switch trailing?.kind {
    case nil:
      for index in real.indices { add(sample, index, expected[index], real[index], tolerance(index)) }
      addClass(real, argmax(real), argmax(expected))
    case .softmax, .logSoftmax:
      // In logarithms: there a difference of logits is the same difference whatever the class's share.
      for group in groups {
        let logarithms = Self.logSoftmax(group.map { real[$0] })
        let largest = group.reduce(0) { max($0, tolerance($1)) }
        for (index, ours) in zip(group, logarithms) {
          let value = trailing?.kind == .softmax ? log(expected[index]) : expected[index]
          // Where float32 has no number for the share left, an executor says 0, and its logarithm is -inf.
          if value == -.infinity, exp(ours) < Double(Float.leastNormalMagnitude) { continue }
          add(sample, index, value, ours, tolerance(index) + largest + 1e-5)
        }
      }
      addClass(real, argmax(real), argmax(expected))
    case .sigmoid:
      // Nowhere is its slope more than a quarter.
      for index in real.indices {
        add(sample, index, expected[index], 1 / (1 + exp(-real[index])), tolerance(index) / 4 + 1e-6)
      }
      addClass(real, argmax(real), argmax(expected))
    case .argMax(let selectsLast):
      var same = true
      for (group, value) in zip(groups, expected) {
        let ours = selectsLast ? group.last { real[$0] == group.map { real[$0] }.max() } : nil
        let found = ours ?? group[argmax(group.map { real[$0] })]
        same = addRank(sample, found, group[Int(value)], real) && same
      }
      if same { sameArgmax += 1 }
    case .topK(let count, let areIndices):
      var same = true
      for (number, group) in groups.enumerated() {
        let ranked = group.enumerated().sorted { (-real[$0.element], $0.offset) < (-real[$1.element], $1.offset) }
        for place in 0..<count {
          // K takes the axis's place: the elements of a rank lie as far apart as those of a class did.
          let at = number / inner * inner * count + place * inner + number % inner
          let found = ranked[place].element
          if areIndices {
            same = addRank(sample, found, group[Int(expected[at])], real) && same
          } else {
            let largest = group.reduce(0) { max($0, tolerance($1)) }
            add(sample, found, expected[at], real[found], largest)
          }
        }
      }
      if same { sameArgmax += 1 }
    }
  }

  /// Elements between two neighbours on the trailing node's axis.
  private var inner: Int { groups[0].count > 1 ? groups[0][1] - groups[0][0] : 1 }

  private func tolerance(_ index: Int) -> Double {
    tolerances[index / (output.shape.height * output.shape.width)]
  }

  private mutating func add(_ sample: Int, _ index: Int, _ expected: Double, _ found: Double, _ tolerance: Double) {
    let difference = expected.isFinite ? abs(expected - found) : .infinity
    let range = ranges[index / (output.shape.height * output.shape.width)]
    values += 1
    largestDifference = max(largestDifference, difference)
    if difference > 0 { share = max(share, difference / max(range, tolerance)) }
    if difference <= tolerance { return }
    if let step, difference <= 1.001 * step {
      steps += 1
      return
    }
    note(sample, index, expected, found, excess: difference / tolerance)
  }

  private mutating func note(_ sample: Int, _ index: Int, _ expected: Double, _ found: Double, excess: Double) {
    failed += 1
    if let spread = tieSpreads[sample].max(), spread > 0, abs(expected - found) <= 4 * spread { failedAtTies += 1 }
    if excess > worst?.excess ?? 0 {
      worst = Failure(sample: sample, output: index, expected: expected, found: found, excess: excess)
    }
  }

  /// A class of ours beside another tool's: the same, or a tie by our own values, or wrong.
  private mutating func addRank(_ sample: Int, _ ours: Int, _ theirs: Int, _ real: [Double]) -> Bool {
    values += 1
    if ours == theirs { return true }
    let margin = real[ours] - real[theirs]
    let tolerance = max(tolerance(ours) + tolerance(theirs), step.map { 1.001 * $0 } ?? 0)
    if margin <= tolerance {
      tied += 1
    } else {
      note(sample, ours, real[theirs], real[ours], excess: margin / tolerance)
    }
    return false
  }

  private mutating func addClass(_ real: [Double], _ ours: Int, _ theirs: Int) {
    if ours == theirs {
      sameArgmax += 1
    } else if abs(real[ours] - real[theirs]) <= max(tolerance(ours) + tolerance(theirs), step.map { 1.001 * $0 } ?? 0) {
      tied += 1
    }
  }

  static func logSoftmax(_ values: [Double]) -> [Double] {
    let largest = values.max() ?? 0
    let sum = values.reduce(0) { $0 + exp($1 - largest) }
    return values.map { $0 - largest - log(sum) }
  }

  /// Values of a quantized output may lie one step off where float noise rounds the other way: hardly ever, unless an
  /// average pool makes exact ties, as up to a quarter of its sums are.
  private var mostSteps: Int {
    tieSpreads.contains { !$0.isEmpty } ? max(1, values / 4) : max(1, values / 100)
  }

  package var isKept: Bool { failed == 0 && steps <= mostSteps }

  package var text: String {
    let subject = trailing.map { " (behind the model's own \($0.type))" } ?? ""
    var text =
      "against the expected outputs\(subject): argmax equal on \(sameArgmax) of \(samples) samples"
      + (tied > 0 ? " (\(tied) too close to tell)" : "")
    if !ranksOnly {
      text +=
        ", largest difference \(largestDifference) (\(largestDifference.isFinite ? percent(share) : "all")"
        + " of its output's range)"
    }
    if steps > 0 { text += "; \(steps) of \(values) values one step apart" }
    guard !isKept else { return text }
    if let worst {
      text +=
        "\n\(failed) of \(values) values differ by more than one percent of their output's range; the worst: sample "
        + "\(worst.sample), output \(worst.output): expected \(worst.expected), computed \(worst.found)"
      if failedAtTies == failed {
        text +=
          "\nlikely cause: exact ties of an average pool (x.5 before rounding). This network rounds them half to even; "
          + "in a float executor noise decides. Trunc instead of a quantizer behind the pool avoids them"
      }
    } else {
      text += "\n\(steps) of \(values) values are one step of the output's quantizer apart: more than rounding explains"
    }
    return text
  }

  private var ranksOnly: Bool {
    switch trailing?.kind {
    case .argMax, .topK(_, areIndices: true): true
    default: false
    }
  }
}
