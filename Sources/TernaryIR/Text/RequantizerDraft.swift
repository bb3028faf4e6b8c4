import Diagnostics

/// A requantizer of the textual form while its lines are being read.
struct RequantizerDraft {
  enum Form: String {
    case affine
    case halfEven = "half-even"
    case thresholds, logits
  }

  private var form: Form?
  private var shift = 0
  private var clamp: ClosedRange<Int>?
  private var multipliers: [Int] = []
  private var offsets: [Int] = []
  private var thresholds: [[Int]] = []
  private var proof = Requantizer.Proof()

  /// Reads a line if it is a requantizer's.
  mutating func read(_ keyword: String, _ line: inout TextLine) throws(ModelError) -> Bool {
    switch keyword {
    case "multipliers": multipliers += try line.integers()
    case "offsets": offsets += try line.integers()
    case "at": thresholds.append(try line.integers())
    case "proof":
      while !line.isAtEnd {
        if line.skip("pairs") {
          proof.pairs = try line.integer()
        } else if line.skip("exceptions") {
          proof.exceptions = try line.integer()
        } else if line.skip("resolution") {
          proof.resolution = try line.double()
        } else {
          throw line.error(expected: "pairs, exceptions or resolution")
        }
      }
    default:
      guard let form = Form(rawValue: keyword) else { return false }
      guard self.form == nil else { throw ModelError(.text(line.number, 1, "a second requantizer")) }
      self.form = form
      while !line.isAtEnd {
        if line.skip("clamp") {
          clamp = try line.range()
        } else if form == .affine || form == .halfEven, line.skip("shift") {
          shift = try line.integer()
          guard (0...31).contains(shift) else { throw line.error("shift \(shift): expected 0 to 31") }
        } else {
          throw line.error(expected: form == .affine || form == .halfEven ? "shift or clamp" : "clamp")
        }
      }
    }
    return true
  }

  // MARK: Result

  /// The requantizer of a layer that must have one.
  ///
  /// - Parameter start: Where the layer begins.
  func required(_ accumulators: [ClosedRange<Int>], _ start: TextLine) throws(ModelError) -> Requantizer {
    guard let requantizer = try finish(accumulators, start) else {
      throw start.error("the layer has no requantizer")
    }
    return requantizer
  }

  /// nil where no line has told of one.
  func finish(_ accumulators: [ClosedRange<Int>], _ start: TextLine) throws(ModelError) -> Requantizer? {
    guard let form else { return nil }
    if form == .thresholds {
      guard let clamp else { throw start.error("thresholds need 'clamp'") }
      guard !thresholds.isEmpty, thresholds.allSatisfy({ $0.count == clamp.count - 1 }) else {
        throw start.error("thresholds: expected lines 'at' with \(clamp.count - 1) each, for clamp \(clamp)")
      }
      return Requantizer(
        form: .thresholds(thresholds), minimum: clamp.lowerBound, maximum: clamp.upperBound, proof: proof)
    }
    let multipliers = multipliers.isEmpty ? [1] : multipliers
    let offsets = offsets.isEmpty ? [Int](repeating: 0, count: multipliers.count) : offsets
    guard multipliers.count == offsets.count else {
      throw start.error("\(multipliers.count) multipliers and \(offsets.count) offsets: expected as many")
    }
    let result: Requantizer.Form =
      switch form {
      case .affine: .affine(multipliers: multipliers, offsets: offsets, shift: shift)
      case .halfEven: .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
      case .logits, .thresholds: .logits(multipliers: multipliers, offsets: offsets)
      }
    var clamp = clamp
    if clamp == nil { clamp = try logitsRange(multipliers, offsets, accumulators, start) }
    guard let clamp else {
      throw start.error("\(form.rawValue) needs 'clamp'")
    }
    return Requantizer(form: result, minimum: clamp.lowerBound, maximum: clamp.upperBound, proof: proof)
  }

  /// Every value that the logits can have.
  private func logitsRange(
    _ multipliers: [Int], _ offsets: [Int], _ accumulators: [ClosedRange<Int>], _ start: TextLine
  ) throws(ModelError) -> ClosedRange<Int>? {
    guard form == .logits else { return nil }
    var values: [Int] = []
    for (channel, range) in accumulators.enumerated() {
      let entry = multipliers.count == 1 ? 0 : channel
      guard multipliers.indices.contains(entry) else {
        throw start.error("\(multipliers.count) multipliers for \(accumulators.count) channels")
      }
      for end in [range.lowerBound, range.upperBound] {
        let (product, overflow) = end.multipliedReportingOverflow(by: multipliers[entry])
        let (value, carry) = product.addingReportingOverflow(offsets[entry])
        guard !overflow, !carry, Int32(exactly: value) != nil else { throw start.error("a logit leaves int32") }
        values.append(value)
      }
    }
    guard let low = values.min(), let high = values.max() else { return nil }
    return low...high
  }
}
