import Scheduling
import Sterna
import Templates
import TernaryIR
import Testing

@testable import CEmission

/// Emitted comments and definitions have something behind them.
@Suite struct CommentTests {
  /// Otherwise the tests below prove little: a form that never occurs is not looked at.
  @Test func everyFormOccurs() throws {
    let plans = try corpus.get().map(\.plan)
    let kernels = Set(
      try corpus.get().flatMap { SourcePrinter($0.plan, $0.provenance, $0.selfTest).kernels })
    // Tap lists over rows of two columns, and a pool behind them: only their own tests have them, the planner prefers other
    // forms for each of these networks.
    let rare: Set<Kernel> = [.sumTapsSwar2, .maxPoolRowSwar2]
    for kernel in Kernel.allCases where !rare.contains(kernel) && !kernels.contains(kernel) {
      Issue.record("\(kernel) never occurs")
    }
    let stages = plans.flatMap(\.stages)
    let forms: [(String, (Context) -> Bool)] = [
      ("tiles of channels", { $0.variant is UnrolledTiles }),
      ("vectors", { $0.vectors != nil }), ("tap lists", { $0.variant is TapListDepthwise }),
      ("tap statements", { $0.variant is UnrolledDepthwise }),
      ("shared", { $0.variant is SharedPackedLanes }), ("planes", { $0.planes != nil }),
      ("channels last", { $0.hwc != nil }),
      ("column tiles", { $0.input.columnTile != nil }), ("swar4", { $0.input.layout.laneBits == 8 }),
      ("in place", { $0.input.isInPlace }),
      ("pool row by row", { $0.hasRunningMaximum }), ("adds rows", { $0.hasRunningSum }),
      ("parts", { $0.partTaps != nil }), ("unpacked", { $0.widened != nil }),
      ("folded", { $0.operation.deadChannels > 0 }), ("constant", { !$0.constants.isEmpty }),
      ("limits", \.hasLimitTable),
      ("order", { ($0.variant as? UnrolledTiles)?.order != nil }),
      ("byte weights", { $0.variant.weightForm == .bytes }),
    ]
    for (name, isOne) in forms where !stages.contains(where: isOne) { Issue.record("\(name) never occurs") }
    for schedule in PlanningOptions.Schedule.allCases { #expect(plans.contains { $0.schedule == schedule }) }
    #expect(plans.contains { $0.fusionGroups.count > 1 } && plans.contains { $0.tapOffsetBits == 16 })
  }

  // MARK: Names

  /// Words of comments that are names: of a macro, with an underscore, or followed by a parenthesis or a bracket. What
  /// stands in quotes is the model's.
  private static func names(_ comment: String) -> [String] {
    var names: [String] = []
    var rest = comment.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: " ")[...]
    while let start = rest.firstIndex(where: { $0.isLetter || $0 == "_" }) {
      let isInNumber = start > rest.startIndex && rest[rest.index(before: start)].isNumber
      let word = rest[start...].prefix { $0 == "_" || $0.isLetter || $0.isNumber }
      let next = rest[word.endIndex...].first
      // "(s)" is a plural's.
      let isCall = (next == "(" || next == "[") && !rest[word.endIndex...].hasPrefix("(s)")
      let isMacro = word.count > 1 && word.allSatisfy { $0.isUppercase || $0 == "_" || $0.isNumber }
      if !isInNumber, word.contains("_") || isMacro || isCall { names.append(String(word)) }
      rest = rest[word.endIndex...]
    }
    return names
  }

  /// Signs of formulas, and names of things that are no part of a program.
  private static let notation: Set<String> = [
    "clamp", "half_even", "HWC", "RAM", "ADC", "DSP", "SIMD", "SHA", "M0", "M55", "RV32IMC", "O2", "AVR", "GNU",
  ]

  @Test func namedIdentifiersExist() throws {
    var count = 0
    for compilation in try corpus.get() {
      let files = try compilation.artefacts().filter { !$0.name.hasSuffix(".json") }
      let texts = files.map { EmittedText($0.text) }
      let words = texts.flatMap { EmittedText.words($0.code) }
      var known = Set(words.map(String.init))
      // What several names begin with stands for them.
      for word in words {
        for index in word.indices where word[index] == "_" {
          known.formUnion([String(word[..<index]), String(word[...index])])
        }
      }
      for (file, text) in zip(files, texts) {
        for comment in text.comments where !comment.contains("SHA-256") {
          for name in Self.names(comment) where !Self.notation.contains(name) {
            count += 1
            if !known.contains(name) { Issue.record("\(file.name): \(name) in \"\(comment.prefix(200))\"") }
          }
          // ": see x".
          for word in comment.split(separator: ": see ").dropFirst() {
            // Files have a name with a dot.
            let name = String(word.prefix { $0 == "_" || $0.isLetter || $0.isNumber })
            if !known.contains(name), !word.dropFirst(name.count).hasPrefix(".") {
              Issue.record("\(file.name): \(comment)")
            }
          }
        }
      }
    }
    #expect(count > 4000, "only \(count) names")
  }

  // MARK: Definitions

  @Test func everyDefinitionIsUsed() throws {
    for compilation in try corpus.get() {
      guard let source = try compilation.artefacts().first(where: { $0.name.hasSuffix(".c") })?.text else { continue }
      let lines = EmittedText(source).code.split(separator: "\n").filter { line in
        let words = line.split(separator: " ")
        return words.first != "#undef"
          && !(words.first == "#define" && words.last?.hasPrefix("\(compilation.plan.name)_") ?? false)
      }
      let prefix = "\(compilation.plan.macroPrefix)_"
      // What the checksum reads is not used by that.
      let end = lines.firstIndex { $0.contains("checksum") } ?? lines.count
      var counts: [Substring: Int] = [:]
      for line in lines[..<end] { for word in EmittedText.words(line) { counts[word, default: 0] += 1 } }
      let own: Set<Substring> = [
        "SELF_TEST_ROW", "CANARY", "CANARY_AT", "NO_INLINE", "VOLATILE_IN_FLASH", "answer",
      ]
      for line in lines[end...] {
        for word in EmittedText.words(line) where own.contains(word) || word.hasPrefix("checksum") {
          counts[word, default: 0] += 1
        }
      }
      var definitions: [String: Int] = [:]
      for line in lines {
        if line.hasPrefix("#define ") {
          let name = String(EmittedText.words(line)[1])
          if !name.hasPrefix(prefix) { definitions[name, default: 0] += 1 }
        } else if ["static ", "typedef ", "struct "].contains(where: line.hasPrefix),
          !line.contains("state_has_its_size"),
          let name = EmittedText.words(line.prefix { !"([={;".contains($0) }).last
        {
          definitions[String(name), default: 0] += 1
        }
      }
      for (name, count) in definitions where counts[Substring(name), default: 0] <= count {
        Issue.record("\(compilation.plan.name).c: \(name) is not used")
      }
      // Fields: after a dot or an arrow, but for initializers.
      let body = lines[..<end].filter { !$0.drop(while: { $0 == " " }).hasPrefix(".") }.joined(separator: "\n")
      var read: Set<Substring> = []
      for mark in ["->", "."] {
        for piece in body.split(separator: mark).dropFirst() {
          read.insert(piece.prefix { $0 == "_" || $0.isLetter || $0.isNumber })
        }
      }
      var isInside = false
      for line in lines {
        let parts = line.split(separator: " ")
        if parts.count == 3, parts[0] == "struct", parts[2] == "{" { isInside = true }
        if line.hasPrefix("}") || line.hasPrefix("    }") { isInside = false }
        guard isInside, line.hasSuffix(";") || line.contains("; "), !line.contains("{") else { continue }
        let head = line.prefix { $0 != ";" && $0 != "[" }
        guard let field = EmittedText.words(head).last else { continue }
        // Records that are copied as a whole.
        if line.contains("[16]") || line.contains("[8]") { continue }
        if !read.contains(field) { Issue.record("\(compilation.plan.name).c: field \(field) is not read") }
      }
    }
  }
}
