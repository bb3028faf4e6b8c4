/// How an operation's sums become what is stored: an epilogue, and the form in which the sums are there.
struct Requantization: Sendable {
  enum Sums: Sendable {
    case int32
    /// Of products that leave 32 bits, and multiplied by nothing more.
    case int64
    /// Columns that are computed in vectors.
    case vectors(areShort: Bool)
    /// Words of two lanes, from which so much has to be subtracted first.
    case words(guardBias: Int)
  }

  /// The operation's C identifier.
  let name: String
  let epilogue: Epilogue
  let channels: Int
  let sums: Sums
  /// Bytes of code that a limit takes less in a table than as a case of a switch.
  var limitBytes = 12

  /// Whether the limits of accumulators stand in a table with a line for every channel. As cases of a switch a few take
  /// less flash, and the other channels no time: more of them where weights are unrolled, which is what is fast.
  var hasLimitTable: Bool {
    if case .vectors = sums { return false }
    let count = epilogue.limits.count
    return count > 3 && count * limitBytes > channels
  }
  private var areWide: Bool { if case .int64 = sums { true } else { false } }
  private var areWords: Bool { if case .words = sums { true } else { false } }
  private var guardBias: Int { if case .words(let guardBias) = sums { guardBias } else { 0 } }

  /// Bits that one operation saturates to. Vectors are clamped by two comparisons instead.
  var saturatedBits: Int? { if case .vectors = sums { nil } else { epilogue.saturatedBits } }

  // MARK: Tables

  var tables: [ConstantTable] {
    var tables: [ConstantTable] = []
    if hasLimitTable { tables.append(limitTable) }
    switch epilogue.form {
    case .affine(let multipliers, let offsets, _, _, _), .halfEven(let multipliers, let offsets, _, _, _),
      .logits(let multipliers, let offsets):
      // A single entry is printed where it is used.
      guard multipliers.count > 1 else { break }
      if Set(multipliers).count > 1 {
        tables.append(ConstantTable("\(name)_multiplier", .requantizer, multipliers))
      }
      tables.append(ConstantTable("\(name)_bias", .requantizer, offsets))
    case .thresholds(let lists, _):
      if !(lists.first?.isEmpty ?? true) {
        tables.append(ConstantTable("\(name)_thresholds", .requantizer, .int32, rows: lists))
      }
    }
    return tables
  }

  /// Each channel's least and largest accumulator that makes a difference; of a channel without limits all that it
  /// reaches.
  private var limitTable: ConstantTable {
    var ranges = (0..<channels).map { epilogue.domains[min($0, epilogue.domains.count - 1)] }
    for limit in epilogue.limits { ranges[limit.channel] = limit.accumulators }
    let rows = ranges.map { [$0.lowerBound + guardBias, $0.upperBound + guardBias] }
    return ConstantTable("\(name)_limits", .requantizer, areWords ? .uint16 : .int32, rows: rows)
  }

  // MARK: Program

  /// Clamps the accumulators of the few channels whose arithmetic would leave 32 bits.
  func printLimits(_ from: String, _ count: Int, _ out: inout ProgramBuilder) {
    guard !epilogue.limits.isEmpty else { return }
    let kernel =
      switch sums {
      case .vectors(areShort: true): "clamp_sums_i16"
      case .words: "clamp_sums_swar2"
      case .int32, .int64, .vectors: "clamp_sums_i32"
      }
    if hasLimitTable {
      out.call(kernel, [from, "\(count)", "\(name)_limits[oc][0]", "\(name)_limits[oc][1]"])
      return
    }
    out.print("switch (oc) {")
    for limit in epilogue.limits {
      let (least, most) = (limit.accumulators.lowerBound + guardBias, limit.accumulators.upperBound + guardBias)
      out.print("case \(limit.channel):")
      out.print("    \(kernel)(\(from), \(count), \(least), \(most));")
      out.print("    break;")
    }
    out.print("default:\n    break;\n}")
  }

  /// Local names for what the epilogue's expression needs.
  func printConstants(_ channel: String, _ out: inout ProgramBuilder) {
    let type = epilogue.fits32 ? "int32_t" : "int64_t"
    func constant(_ value: Int) -> String {
      epilogue.fits32 ? (value == Int(Int32.min) ? "(-2147483647 - 1)" : "\(value)") : "INT64_C(\(value))"
    }
    func printPair(_ multipliers: [Int], _ offsets: [Int]) {
      let isTable = multipliers.count > 1
      let isOne = Set(multipliers).count == 1
      if areWide { return out.print("const \(type) b = \(constant(offsets[0]));") }
      out.print("const int32_t m = \(isOne ? "\(multipliers[0])" : "\(name)_multiplier[\(channel)]");")
      out.print("const \(type) b = \(isTable ? "\(name)_bias[\(channel)]" : constant(offsets[0]));")
    }
    func printClamps(_ low: Int, _ high: Int) {
      guard saturatedBits == nil else { return }
      out.print("const \(type) low = \(constant(low));")
      out.print("const \(type) high = \(constant(high));")
    }
    switch epilogue.form {
    case .affine(let multipliers, let offsets, _, let low, let high),
      .halfEven(let multipliers, let offsets, _, let low, let high):
      printPair(multipliers, offsets)
      printClamps(low, high)
    case .logits(let multipliers, let offsets): printPair(multipliers, offsets)
    case .thresholds(let lists, _):
      guard !(lists.first?.isEmpty ?? true) else { return }
      out.print("const IN_FLASH int32_t *const steps = \(name)_thresholds[\(lists.count > 1 ? channel : "0")];")
    }
    out.print()
  }

  /// Names an accumulator that the expression of it leaves out: where all of them have one code.
  func printUnread(_ accumulator: String, _ out: inout ProgramBuilder) {
    if isOneCode { out.print("(void)\(accumulator);") }
  }

  /// Whether no accumulator reaches a threshold.
  var isOneCode: Bool {
    if case .thresholds(let lists, _) = epilogue.form { lists.first?.isEmpty ?? true } else { false }
  }

  /// The C expression that turns an accumulator into what is stored.
  func expression(_ accumulator: String) -> String {
    let suffix = epilogue.fits32 ? "" : "64"
    switch epilogue.form {
    case .affine(_, _, let shift, _, _):
      if let bits = saturatedBits { return "REQUANTIZE(\(accumulator), m, b, \(shift), \(bits))" }
      // The whole sum in place of the bias: no multiplication is left.
      if areWide { return "requantize64(0, 0, \(accumulator) + b, \(shift), low, high)" }
      return "requantize\(suffix)(\(accumulator), m, b, \(shift), low, high)"
    case .halfEven(_, _, let shift, _, _):
      return "requantize_half_even\(suffix)(\(accumulator), m, b, \(shift), low, high)"
    case .thresholds(let lists, let start):
      let count = lists.first?.count ?? 0
      if count == 0 { return "\(start)" }
      let counted = "count_thresholds(\(accumulator), steps, \(count))"
      return start == 0 ? counted : "(\(start) + \(counted))"
    case .logits: return epilogue.fits32 ? "\(accumulator) * m + b" : "(int32_t)((int64_t)\(accumulator) * m + b)"
    }
  }

  /// A channel's accumulators, one a column, to its row.
  func printColumns(_ from: String, _ count: Int, _ context: Context, _ out: inout ProgramBuilder) {
    out.print()
    printLimits(from, count, &out)
    printConstants("oc", &out)
    let cast = context.output.storage.elementBytes == 1 ? "(uint8_t)" : ""
    out.block("for (uint32_t ox = 0; ox < \(count); ox++)") { out in
      out.print("row[ox] = \(cast)\(expression("\(from)[ox]"));")
      // Otherwise compilers call memset.
      if isOneCode { out.print("PLAIN_LOOP;") }
    }
  }

  // MARK: Cost

  /// Sums that are requantized.
  func countWork(_ values: Int, _ counts: inout WorkFeature.Counts) { epilogue.countWork(values, &counts) }

  func countCode(_ counts: inout CodeFeature.Counts) {
    // Both lanes of a word are requantized.
    let copies = areWords ? 2 : 1
    counts[areWords ? .laneLimits : .limits, default: 0] += hasLimitTable ? 1 : epilogue.limits.count
    let (form, hasSingleEntry) = epilogue.codeForm
    counts[form, default: 0] += copies
    if hasSingleEntry { counts[.singleEntry, default: 0] += 1 }
  }

  // MARK: Text

  /// - Parameter pairs: Accumulators that it has been proven for; 0: a network that came as text has been proven by nobody.
  func summary(_ pairs: Int) -> String {
    let proof = pairs == 0 ? "." : ", exact for all \(pairs) reachable accumulators."
    let arithmetic = !epilogue.fits32 ? " in 64 bits" : epilogue.limits.isEmpty ? "" : " of a within its limits"
    switch epilogue.form {
    case .affine(_, _, let shift, _, _): return "Requantizer: (a * m + b) >> \(shift)\(arithmetic)\(proof)"
    case .halfEven(_, _, let shift, _, _):
      return "Requantizer: (a * m + b) / 2^\(shift)\(arithmetic) rounded half to even\(proof)"
    case .thresholds(let lists, let start):
      let isOne = lists.first?.isEmpty ?? true
      return "Requantizer: \(isOne ? "the code \(start)" : "thresholds")\(proof)"
    case .logits: return "Logits: a * m + b\(arithmetic), all in one scale."
    }
  }
}

extension Epilogue {
  func countWork(_ values: Int, _ counts: inout WorkFeature.Counts) {
    switch form {
    case .affine:
      counts[!fits32 ? .affine64 : saturatedBits != nil ? .saturated : .affine, default: 0] += Double(values)
    case .halfEven: counts[fits32 ? .halfEven : .halfEven64, default: 0] += Double(values)
    case .thresholds(let lists, _):
      let count = lists.first?.count ?? 0
      // Of a binary search.
      counts[.thresholdStep, default: 0] += Double(values * (Int.bitWidth - count.leadingZeroBitCount + 1))
    case .logits: counts[.scaled, default: 0] += Double(values)
    }
  }

  fileprivate var codeForm: (CodeFeature, hasSingleEntry: Bool) {
    switch form {
    case .affine(let multipliers, _, _, _, _):
      (!fits32 ? .affine64 : saturatedBits != nil ? .saturated : .affine, multipliers.count == 1)
    case .halfEven(let multipliers, _, _, _, _): (fits32 ? .halfEven : .halfEven64, multipliers.count == 1)
    case .thresholds: (.thresholds, false)
    case .logits: (.logits, false)
    }
  }
}
