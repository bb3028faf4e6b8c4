/// The exact integer form of everything real between two quantizers: accumulator `a` in, `minimum...maximum` out.
///
/// The tables hold one entry per output channel, or a single one that serves all.
package struct Requantizer: Sendable, Equatable {
  package enum Form: Sendable, Equatable {
    /// `clamp((a · multiplier + offset) >> shift)`, `>>` the floor.
    case affine(multipliers: [Int], offsets: [Int], shift: Int)
    /// `v = a · multiplier + offset` is the real value times `2^shift`, exactly, and is rounded half to even:
    /// `clamp((v + 2^(shift−1) − 1 + ((v >> shift) & 1)) >> shift)`.
    case affineHalfEven(multipliers: [Int], offsets: [Int], shift: Int)
    /// `minimum` plus the number of thresholds that `a` has reached. Each list ascends and has
    /// `maximum − minimum` entries.
    case thresholds([[Int]])
    /// `a · multiplier + offset`, not clamped: logits in one scale for all channels.
    case logits(multipliers: [Int], offsets: [Int])
  }

  package var form: Form
  package var minimum: Int
  package var maximum: Int
  package var proof: Proof

  package init(form: Form, minimum: Int, maximum: Int, proof: Proof = Proof()) {
    self.form = form
    self.minimum = minimum
    self.maximum = maximum
    self.proof = proof
  }

  /// What was checked of the claim that the form equals the file's real arithmetic.
  package struct Proof: Sendable, Equatable, Codable {
    /// Reachable (channel, accumulator) pairs that the check covers.
    package var pairs: Int
    /// Pairs on which form and real arithmetic differ. Not 0 is a defect of the compiler.
    package var exceptions: Int
    /// Logits only: bound on |integer · scale − real value|, in units of the logits' scale.
    package var resolution: Double

    package init(pairs: Int = 0, exceptions: Int = 0, resolution: Double = 0) {
      self.pairs = pairs
      self.exceptions = exceptions
      self.resolution = resolution
    }
  }

  package var shift: Int {
    switch form {
    case .affine(_, _, let shift), .affineHalfEven(_, _, let shift): shift
    case .thresholds, .logits: 0
    }
  }

  /// Table entries: 1, or one per output channel.
  package var entries: Int {
    switch form {
    case .affine(let multipliers, _, _), .affineHalfEven(let multipliers, _, _), .logits(let multipliers, _):
      multipliers.count
    case .thresholds(let lists): lists.count
    }
  }

  /// The same with an entry for each of `count` channels.
  package func expanded(to count: Int) -> Requantizer {
    guard entries == 1 else { return self }
    func repeated<Entry>(_ table: [Entry]) -> [Entry] { [Entry](repeating: table[0], count: count) }
    var result = self
    switch form {
    case .affine(let multipliers, let offsets, let shift):
      result.form = .affine(multipliers: repeated(multipliers), offsets: repeated(offsets), shift: shift)
    case .affineHalfEven(let multipliers, let offsets, let shift):
      result.form = .affineHalfEven(multipliers: repeated(multipliers), offsets: repeated(offsets), shift: shift)
    case .thresholds(let lists): result.form = .thresholds(repeated(lists))
    case .logits(let multipliers, let offsets):
      result.form = .logits(multipliers: repeated(multipliers), offsets: repeated(offsets))
    }
    return result
  }
}
