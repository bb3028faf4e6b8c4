/// Statements that add up words without any choice: each tap is a constant offset, nothing is done for a zero.
struct UnrolledSums {
  /// The operation's C identifier.
  let name: String
  /// C type of a word of two lanes. Signed where the lanes leave room for a sign: compilers may not reorder signed sums,
  /// and their order is what keeps the operands in registers.
  let type: String
  /// What sums begin with, in both lanes.
  let guardWord: Int
  /// Words that a load reaches from its base register.
  let reach: Int

  init(_ context: Context, type: String, guardWord: Int) {
    name = context.name
    self.type = type
    self.guardWord = guardWord
    reach = context.core.reachableWords
  }

  var isSigned: Bool { type == "int32_t" }
  /// The macro of the guard bias.
  var guardBias: String { "\(name.uppercased())_LIFT" }

  func printGuardBias(_ out: inout ProgramBuilder) {
    let word = "0x" + String(guardWord, radix: 16, uppercase: true)
    out.print("#define \(guardBias) \(word)\(isSigned ? "" : "U") /* \(guardWord & 0xFFFF) in both lanes */\n")
  }

  func printNote(_ tile: ChannelTile, _ out: inout ProgramBuilder) {
    let channels = tile.channels.map(String.init).joined(separator: " ")
    out.note("Channels \(channels): \(tile.nonZeros) weights in \(tile.additions) additions of \(tile.loads) words.")
  }

  /// The sums of a position, each put where `place` says, in words from the tile's first.
  func printPosition(_ tile: ChannelTile, _ out: inout ProgramBuilder, place: (_ channel: Int) -> Int) {
    let live = Set(tile.groups.flatMap { $0.uses.map(\.channel) })
    let groups = tile.groups
    var locals: [String] = []
    if !groups.isEmpty { locals.append("v") }
    if groups.contains(where: { $0.second != nil }) { locals.append("w") }
    if groups.contains(where: { $0.uses(.sum) || $0.uses(.difference) }) { locals.append("s") }
    locals += live.sorted().map { "a\($0)" }
    if !locals.isEmpty { out.list("\(type) ", locals, ";") }
    let isRebased = groups.contains { max($0.first, $0.second ?? 0) >= reach }
    if isRebased { out.print("const \(type) *p = in;") }
    // Logits keep channels without a weight: all of a tile's may be such.
    if groups.isEmpty { out.print("(void)in;\nPLAIN_LOOP;") } else { out.print("\n/* clang-format off */") }
    var started: Set<Int> = []
    var base = 0
    for group in groups {
      if max(group.first, group.second ?? 0) - base >= reach {
        out.print("p += \(group.first - base); KEEP_POINTER(p);")
        base = group.first
      }
      out.words(statements(group, isRebased ? "p" : "in", base, &started))
    }
    if !groups.isEmpty { out.print("/* clang-format on */") }
    for channel in 0..<tile.channels.count {
      out.print("sums[\(place(channel))] = \(live.contains(channel) ? "a\(channel)" : guardBias);")
    }
  }

  /// One line of a tile: the words of a group, and what is added of them.
  private func statements(
    _ group: TapGroup, _ pointer: String, _ base: Int, _ started: inout Set<Int>
  ) -> [String] {
    func value(_ offset: Int) -> String { "\(pointer)[\(offset - base)]" }
    return group.statements(value: value) { channel, sign, operand in
      started.insert(channel).inserted
        ? "a\(channel) = \(guardBias) \(sign) \(operand);" : "a\(channel) \(sign)= \(operand);"
    } + ["KEEP_ORDER;"]
  }

  /// Two columns of a row of bytes as a word.
  func pair(_ column: String, _ lanes: Lanes) -> String {
    "\(isSigned ? "" : "(uint32_t)")load_swar2(\(column), \(lanes.distance))"
  }
}

extension ProgramBuilder {
  /// A comment on one line where there is room.
  mutating func note(_ text: String) {
    // A line of 100 columns, the comment's marks taken off.
    if text.count + 6 <= 100 { print("/* \(text) */") } else { comment([text]) }
  }
}

extension TapGroup {
  /// Takes the group's values up as `v` and `w`, and adds them or their sum `s` to each channel that uses them.
  ///
  /// - Parameters:
  ///   - value: What stands at an offset.
  ///   - sum: The sum or difference in the type of `s`.
  ///   - add: The statement that adds an operand to a channel's sum, or subtracts it.
  func statements(
    value: (_ offset: Int) -> String, sum: (String) -> String = { $0 },
    add: (_ channel: Int, _ sign: String, _ operand: String) -> String
  ) -> [String] {
    var line = ["v = \(value(first));"]
    if let second { line.append("w = \(value(second));") }
    var made: Operand?
    for use in uses {
      let operand =
        switch use.operand {
        case .first: "v"
        case .second: "w"
        case .sum, .difference: "s"
        }
      if operand == "s", made != use.operand {
        line.append("s = \(sum(use.operand == .sum ? "v + w" : "v - w"));")
        made = use.operand
      }
      line.append(add(use.channel, use.isNegative ? "-" : "+", operand))
    }
    return line
  }
}
