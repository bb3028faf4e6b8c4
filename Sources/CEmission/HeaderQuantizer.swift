import TernaryIR

/// From physical values to the network's bytes: the recipe in words, and as a function of the header.
///
/// The function does in float32 what the file's own operators do, one after the other. It is the only one that has
/// floats, and is compiled only where a user calls it.
extension InputQuantization {
  func recipe(_ name: String, _ prefix: String) -> [String] {
    func spelled(_ constants: [Float]) -> String {
      constants.count == 1
        ? "\(constants[0])" : "{" + constants.map { "\($0)" }.joined(separator: ", ") + "}[channel]"
    }
    var x = "x"
    for step in steps {
      x =
        switch step {
        case .add(let constants): "(\(x) + \(spelled(constants)))"
        case .subtract(let constants): "(\(x) - \(spelled(constants)))"
        case .subtractFrom(let constants): "(\(spelled(constants)) - \(x))"
        case .multiply(let constants): "(\(x) * \(spelled(constants)))"
        case .divide(let constants): "(\(x) / \(spelled(constants)))"
        }
    }
    let zero = cInteger(zeroPoint)
    let value =
      addsZeroPointAfterRounding ? "half_even(\(x) / \(scale)) + \(zero)" : "half_even(\(x) / \(scale) + \(zero))"
    let mid = (minimum + maximum) / 2
    return [
      dependsOnChannel
        ? "A physical value x of a channel becomes the integer \(name)_quantize(x, channel), which is"
        : "A physical value x becomes the integer \(name)_quantize(x), which is",
      "    clamp(\(value), \(minimum), \(maximum))",
      "where clamp keeps a number within two others, half_even rounds to the nearest integer and ties to the even one (C's "
        + "round does not), and every step is in float32. The scale \(scale) is exactly "
        + "\(prefix)_INPUT_SCALE_MANTISSA * 2^\(prefix)_INPUT_SCALE_EXPONENT. For example "
        + "\(Float(mid - zeroPoint) * scale)\(steps.isEmpty ? "" : ", behind the steps before the division,") becomes "
        + "\(mid).",
    ]
  }

  /// Whether channels are prepared differently.
  private var dependsOnChannel: Bool { steps.contains { $0.constants.count > 1 } }

  /// The function.
  func print(_ name: String, _ prefix: String, _ element: String, to out: inout CodePrinter) {
    let base = addsZeroPointAfterRounding ? zeroPoint : 0
    out.comment([
      "The integer of a physical value, to the bit as the trained network's own quantizer computes it. All steps are "
        + "stored: compilers may neither keep more digits nor multiply by reciprocals. What is no number becomes the zero "
        + "point. Programs whose sensors count, such as an ADC, may tabulate it."
    ])
    let parameters = dependsOnChannel ? "float x, uint32_t channel" : "float x"
    out.block("static inline \(element) \(name)_quantize(\(parameters))") { out in
      for (number, step) in steps.enumerated() where step.constants.count > 1 {
        let constants = step.constants
        out.list("static const float constants\(number)[\(constants.count)] = {", constants.map(\.inC), "};")
      }
      out.print("volatile float y = x;\nvolatile float by;\nfloat rest;\nint32_t n;\n")
      func printStep(_ constant: String, _ expression: String) {
        out.print("by = \(constant);\ny = \(expression);")
      }
      for (number, step) in steps.enumerated() {
        let constants = step.constants
        let constant = constants.count > 1 ? "constants\(number)[channel]" : constants[0].inC
        switch step {
        case .add: printStep(constant, "y + by")
        case .subtract: printStep(constant, "y - by")
        case .subtractFrom: printStep(constant, "by - y")
        case .multiply: printStep(constant, "y * by")
        case .divide: printStep(constant, "y / by")
        }
      }
      printStep(scale.inC, "y / by")
      if !addsZeroPointAfterRounding, zeroPoint != 0 { printStep(Float(zeroPoint).inC, "y + by") }
      out.block("if (y >= \(Float(maximum - base).inC))") { $0.print("return \(prefix)_INPUT_MAXIMUM;") }
      out.block("if (y <= \(Float(minimum - base).inC))") { $0.print("return \(prefix)_INPUT_MINIMUM;") }
      let noNumber = min(max(zeroPoint, minimum), maximum)
      out.block("if (!(y > \(Float(minimum - base).inC)))") { $0.print("return \(noNumber);") }
      out.print("n = (int32_t)y;\nrest = y - (float)n;")
      out.block("if (rest > 0.5f || (rest == 0.5f && n % 2 != 0))") { $0.print("n++;") }
      if minimum < base { out.block("if (rest < -0.5f || (rest == -0.5f && n % 2 != 0))") { $0.print("n--;") } }
      out.print("return (\(element))\(base == 0 ? "n" : "(n + \(cInteger(base)))");")
    }
    out.print()
  }
}

extension Float {
  /// A C expression of this very number, whatever precision a compiler evaluates it in.
  var inC: String {
    // A decimal number that a double holds as the same is no nearer to another float.
    if Double("\(self)") == Double(self) { return self < 0 ? "(\(self)f)" : "\(self)f" }
    let (mantissa, exponent) = Double(magnitude).dyadic
    let powers = [Int](repeating: 30, count: abs(exponent) / 30) + [abs(exponent) % 30]
    let factors = powers.map { " \(exponent < 0 ? "/" : "*") \(1 << $0).0f" }
    return "(\(self < 0 ? "-" : "")\(mantissa).0f\(factors.joined()))"
  }
}

extension Double {
  /// The number, not negative, as `mantissa · 2^exponent` with an odd mantissa below 2^53.
  var dyadic: (mantissa: Int, exponent: Int) {
    var mantissa = Int(significandBitPattern) + (isNormal ? 1 << Double.significandBitCount : 0)
    var exponent = (isNormal ? Int(self.exponent) : -1022) - Double.significandBitCount
    while mantissa != 0, mantissa & 1 == 0 {
      mantissa >>= 1
      exponent += 1
    }
    return (mantissa, exponent)
  }
}
