/// Where a channel's code rises, of accumulators that are not biased yet.
struct CodeRise {
  var domain: ClosedRange<Int>
  /// The code there, and the highest that there is.
  var levels: (least: Int, most: Int, top: Int)
  /// The first accumulator that reaches each code above the least.
  var steps: [(accumulator: Int, level: Int)] = []
  /// Codes that an accumulator counts; 0 where the code is the same for all.
  var slope: Double = 0
  var isConstant: Bool { levels.least == levels.most }

  /// Of all slopes that give these codes, about the one that leaves the most room for what is added.
  var roomiestSlope: Double {
    guard let first = steps.first?.accumulator, let last = steps.last?.accumulator, first < last else { return slope }
    // It is concave: the least of linear functions.
    func room(_ slope: Double) -> Double {
      var (low, high) = (-Double.infinity, Double.infinity)
      for step in steps {
        low = max(low, Double(step.level) - slope * Double(step.accumulator))
        high = min(high, Double(step.level) - slope * Double(step.accumulator - 1))
      }
      return high - low
    }
    // Slopes that give the same codes differ by two accumulators at most over all steps.
    let reach = 2 * slope / Double(last - first)
    var (low, high) = (max(0, slope - reach), slope + reach)
    for _ in 0..<40 {
      let (a, b) = (low + (high - low) / 3, high - (high - low) / 3)
      if room(a) < room(b) { low = a } else { high = b }
    }
    let middle = low + (high - low) / 2
    return room(middle) > room(slope) ? middle : slope
  }

  /// What can be added to the products of all accumulators, so that `shift` makes the codes of them and nothing leaves
  /// 32 bits; nil: nothing. `product` must not decrease.
  func bias(shift: Int, product: (Int) -> Int) -> ClosedRange<Int>? {
    let (first, last) = (product(domain.lowerBound), product(domain.upperBound))
    var low = max(Int(Int32.min), Int(Int32.min) - first)
    var high = min(Int(Int32.max), Int(Int32.max) - last)
    if levels.least > 0 { low = max(low, levels.least << shift - first) }
    if levels.most < levels.top { high = min(high, (levels.most + 1) << shift - 1 - last) }
    for step in steps {
      low = max(low, step.level << shift - product(step.accumulator))
      high = min(high, step.level << shift - 1 - product(step.accumulator - 1))
      if low > high { return nil }
    }
    return low <= high ? low...high : nil
  }
}

extension Epilogue {
  /// Nil where the form is not affine, or its codes fall.
  func codeRise(_ channel: Int) -> CodeRise? {
    guard let bits = codeBits, case .affine(let multipliers, let offsets, let shift, _, _) = form else { return nil }
    let domain = domains[min(channel, domains.count - 1)]
    let multiplier = multipliers[min(channel, multipliers.count - 1)]
    let offset = offsets[min(channel, offsets.count - 1)]
    guard multiplier >= 0 else { return nil }
    let top = 1 << bits - 1
    func level(_ a: Int) -> Int { min(max((a * multiplier + offset) >> shift, 0), top) }
    let (least, most) = (level(domain.lowerBound), level(domain.upperBound))
    var rise = CodeRise(domain: domain, levels: (least, most, top))
    guard least < most else { return rise }
    rise.steps = ((least + 1)...most).map { level in
      ((level << shift - offset + multiplier - 1).flooredQuotient(by: multiplier), level)
    }
    rise.slope = Double(sign: .plus, exponent: -shift, significand: Double(multiplier))
    return rise
  }
}

extension Int {
  fileprivate func flooredQuotient(by divisor: Int) -> Int {
    let quotient = self / divisor
    return quotient * divisor > self ? quotient - 1 : quotient
  }
}
