import Scheduling
import Sterna
import TernaryIR
import Testing

@testable import CEmission

/// Every number that a comment of an emitted source states is the plan's. A comment with a number that no rule below knows
/// fails: whoever adds one says here where it comes from.
@Suite struct CommentNumberTests {
  /// A sentence, and what its numbers have to be.
  private struct Rule {
    let pattern: String
    let isTrue: ([Int]) -> Bool
    /// What every sentence of it begins with.
    private let opening: Substring

    init(_ pattern: String, _ isTrue: @escaping ([Int]) -> Bool) {
      self.pattern = pattern
      self.isTrue = isTrue
      // A character before a question mark need not be there.
      let opening = pattern.prefix { $0.isLetter || $0 == " " }
      self.opening = pattern[opening.endIndex...].hasPrefix("?") ? opening.dropLast() : opening
    }

    /// The numbers of a sentence that the text begins with, and the text behind it.
    func match(_ text: Substring, _ known: inout [String: Regex<AnyRegexOutput>]) -> ([Int], Substring)? {
      guard text.hasPrefix(opening) else { return nil }
      // Patterns are read once: they are the same for all layers.
      guard let regex = known[pattern] ?? (try? Regex(pattern.replacing("#", with: "(-?[0-9]+)"))) else {
        Issue.record("not a pattern: \(pattern)")
        return nil
      }
      known[pattern] = regex
      guard let match = text.prefixMatch(of: regex) else { return nil }
      let numbers = (1..<match.output.count).compactMap { match.output[$0].substring.flatMap { Int($0) } }
      return (numbers, text[match.range.upperBound...])
    }
  }

  private static func hasNumber(_ text: some StringProtocol) -> Bool {
    var before: Character = " "
    for character in text {
      if character.isNumber, !(before == "_" || before.isLetter || before.isNumber) { return true }
      before = before.isNumber && character.isNumber ? before : character
      if before.isNumber { before = "_" }
    }
    return false
  }

  /// Takes sentence after sentence off a comment. Nil: all are known and true; else what is left.
  private static func rest(
    _ comment: String, _ rules: [Rule], _ used: inout Set<Int>, _ known: inout [String: Regex<AnyRegexOutput>]
  ) -> String? {
    var rest = comment[...]
    while !rest.isEmpty {
      rest = rest.drop { $0 == " " }
      guard hasNumber(rest) else { return nil }
      var isFound = false
      for (index, rule) in rules.enumerated() {
        guard let (numbers, behind) = rule.match(rest, &known), rule.isTrue(numbers) else { continue }
        used.insert(index)
        rest = behind
        isFound = true
        break
      }
      if !isFound {
        // A sentence without numbers is no concern of this test.
        guard let end = rest.firstRange(of: ". ")?.upperBound, !hasNumber(rest[..<end]) else { return String(rest) }
        rest = rest[end...]
      }
    }
    return nil
  }

  private static func numbers(_ shape: Shape) -> [Int] { [shape.channels, shape.height, shape.width] }

  // MARK: Layers

  private static func rules(_ index: Int, of compilation: Compilation) -> [Rule] {
    let plan = compilation.plan
    let stage = plan.stages[index]
    let network = compilation.reduced.network
    let layer = network.layers[stage.operation.layers.lowerBound]
    // The planner's copies are no layers of the network.
    let isCopy = stage.operation.layers.isEmpty
    let (from, to) = (network[isCopy ? stage.operation.tensor : layer.inputs[0]], network[layer.output])
    // From the network's own layer, not from the plan.
    var (window, taps, weights, groups) = (Window(kernelHeight: 1, kernelWidth: 1), 0, [Int8](), 1)
    switch layer.kind {
    case .convolution(let convolution):
      (window, taps, groups) = (convolution.window, convolution.taps, convolution.groups)
      weights = convolution.weights.map { Int8($0) }
    case .dense(let dense): (taps, weights) = (dense.taps, dense.weights.map { Int8($0) })
    case .maxPool(let pool): window = pool
    case .averagePool(let pool): window = pool.window
    case .add, .concatenate, .slice, .resize: break
    }
    let zeros = weights.count { $0 == 0 }
    let most = stage.input.storage.maximumCode
    // Levels hold what the network says of its tensors.
    let base = stage.input.storage.base
    #expect(base <= from.range.lowerBound && from.range.upperBound <= base + most)
    let sums = stride(from: 0, to: weights.count, by: max(taps, 1)).map { start in
      let channel = weights[start..<(start + taps)]
      return (-most * channel.count { $0 < 0 }, most * channel.count { $0 > 0 })
    }
    let pairs = layer.requantizer?.proof.pairs ?? 0
    let geometry = [window.kernelHeight, window.kernelWidth]
    let strides = window.strideHeight == 1 && window.strideWidth == 1 ? [] : [window.strideHeight, window.strideWidth]
    let padding = window.hasPadding ? [window.top, window.left, window.bottom, window.right] : []
    let extents = numbers(from.shape) + numbers(to.shape)
    let allExtents = layer.inputs.flatMap { numbers(network[$0].shape) } + numbers(to.shape)
    let edge = stage.input
    let form = stage.variant.epilogue?.form
    var shifts: [Int] = []
    if case .affine(_, _, let shift, _, _)? = form { shifts = [shift] }
    if case .halfEven(_, _, let shift, _, _)? = form { shifts = [shift] }
    if case .thresholds(_, let start)? = form { shifts = [start] }
    if let scales = stage.hwc?.scales { shifts = (scales.drop == 0 ? [] : [scales.drop]) + [scales.shift] }
    var requantizers = [shifts + (pairs > 0 ? [pairs] : [])]
    if case .concatenate(let concatenation) = layer.kind {
      // Without one, codes may be shifted all the same: they are integers less the smallest of each tensor.
      requantizers = concatenation.requantizers.map { requantizer in
        guard let requantizer else { return [0] }
        return [requantizer.shift] + (requantizer.proof.pairs > 0 ? [requantizer.proof.pairs] : [])
      }
    }
    func isRequantizer(_ found: [Int]) -> Bool { requantizers.contains(found) }
    let output = network[stage.operation.tensor]
    let whole = compilation.network
    return stage.inputs.indices.map { inputRule($0, stage, layer, of: compilation) } + [
      Rule("Stage # of #: \"[^\"]*\"") { $0 == [index + 1, plan.stages.count] },
      Rule(
        "(?:Depthwise c|C)onvolution in # groups #x#, stride #x#(?:, padding # # # # \\(top, left, "
          + "bottom, right\\))?, #x#x# -> #x#x#\\."
      ) {
        $0 == [groups] + geometry + strides + padding + extents
      },
      Rule(
        "(?:Depthwise c|C)onvolution in # groups #x#(?:, padding # # # # \\(top, left, bottom, "
          + "right\\))?, #x#x# -> #x#x#\\."
      ) {
        $0 == [groups] + geometry + padding + extents
      },
      Rule(
        "(?:Depthwise convolution|Convolution|Max pool|Average pool) #x#(?:, stride #x#)?(?:, "
          + "padding # # # # \\(top, left, bottom, right\\))?, #x#x# -> #x#x#\\."
      ) {
        $0 == geometry + strides + padding + extents
      },
      Rule("Dense layer, #x#x# -> #x#x#\\.") { $0 == extents },
      Rule(
        "(?:Addition|Concatenation), " + layer.inputs.map { _ in "#x#x#" }.joined(separator: ", ") + " -> #x#x#\\."
      ) {
        $0 == allExtents
      },
      Rule("Copy, #x#x# -> #x#x#\\.") { [output] in $0 == numbers(output.shape) + numbers(output.shape) },
      Rule("Slice of channel #, #x#x# -> #x#x#\\.") { found in
        guard case .slice(let slice) = layer.kind else { return false }
        return slice.count == 1 && found == [slice.first] + extents
      },
      Rule("Slice of channels # to #, #x#x# -> #x#x#\\.") { found in
        guard case .slice(let slice) = layer.kind else { return false }
        return found == [slice.first, slice.first + slice.count - 1] + extents
      },
      Rule("Nearest neighbours, each value #x# times, #x#x# -> #x#x#\\.") { found in
        guard case .resize(let resize) = layer.kind else { return false }
        return found == [resize.rows, resize.columns] + extents
      },
      Rule(
        "Sums: a = -?# \\* p0?"
          + layer.inputs.indices.dropFirst().map { " [-+] # \\* (?:q|p\($0))" }.joined()
          + ", of the inputs' codes [pq0-9, ]+\\."
      ) { found in
        guard case .add(let addition) = layer.kind else { return false }
        return found.map(\.magnitude) == addition.multipliers.map(\.magnitude)
      },
      Rule("Of input #, codes a\\.") { found in
        guard case .concatenate(let concatenation) = layer.kind else { return false }
        return concatenation.requantizers.indices.contains(found[0] - 1)
      },
      Rule("Max pool #x# of the accumulators -> #x#x#\\.") { found in
        guard case .maxPool(let pool) = network.layers[stage.operation.layers.upperBound - 1].kind else { return false }
        return found == [pool.kernelHeight, pool.kernelWidth] + numbers(output.shape)
      },
      Rule("Left out, as constant or unused: # of the trained # channels\\.") { found in
        let trained = whole[stage.operation.tensor].shape.channels
        return found == [trained - output.shape.channels, trained]
      },
      Rule("# weights, # of them zero \\(# %\\)\\.") {
        $0 == [weights.count, zeros, 100 * zeros / max(weights.count, 1)]
      },
      Rule("Accumulators of codes lie in \\[#, #\\], partial sums included\\.") { found in
        // The network knows of each channel what it reaches; that lies within what its weights could.
        guard found.count == 2,
          found == [stage.variant.accumulators?.lowerBound, stage.variant.accumulators?.upperBound]
        else {
          return false
        }
        if case .add(let addition) = layer.kind {
          let reach = zip(addition.multipliers, stage.inputs).map { $0 * $1.storage.maximumCode }
          return found == [reach.reduce(0) { $0 + min(0, $1) }, reach.reduce(0) { $0 + max(0, $1) }]
        }
        if case .averagePool = layer.kind {
          return found[0] >= 0 && found[1] <= most * window.kernelHeight * window.kernelWidth
        }
        return found[0] >= sums.map(\.0).min() ?? 0 && found[1] <= sums.map(\.1).max() ?? 0
      },
      Rule(
        "Requantizer: \\(a \\* m \\+ b\\) (?:>> |/ 2\\^)#(?: in 64 bits| of a within its limits)?(?: "
          + "rounded half to even)?(?:, exact for all # reachable accumulators)?\\."
      ) {
        isRequantizer($0)
      },
      Rule(
        "Requantizer: \\(\\(a \\* m >> #\\) \\+ b\\) >> # of biased sums a(?:, exact for all # "
          + "reachable accumulators)?\\."
      ) {
        isRequantizer($0)
      },
      Rule("Requantizer: \\(a \\* m \\+ b\\) >> # of biased sums a(?:, exact for all # reachable accumulators)?\\.") {
        isRequantizer($0)
      },
      Rule(
        "Requantizer: \\(a \\* m \\+ b\\) >> s, the shift s of each channel in its b, exact for all "
          + "# reachable accumulators\\."
      ) {
        $0 == [pairs]
      },
      Rule("Requantizer: thresholds, exact for all # reachable accumulators\\.") { $0 == [pairs] || isRequantizer($0) },
      Rule("Requantizer: the code #(?:, exact for all # reachable accumulators)?\\.") {
        isRequantizer($0)
      },
      Rule(
        "Logits: a \\* m \\+ b(?: in 64 bits| of a within its limits)?, all in one scale\\."
      ) { $0.isEmpty || $0 == [64] },
      Rule(
        "Sums of # bits, # columns a row(?:: a whole number of vectors, of which # columns "
          + "count)?\\.(?: The # bytes behind the last row hold codes too, so that all sums are in "
          + "range\\.)?"
      ) { found in
        guard let columns = stage.vectors else { return false }
        let width = to.shape.width
        let slack = edge.layout.slack * edge.layout.elementBytes
        return found == [columns.areShort ? 16 : 32, columns.sums] + (columns.sums > width ? [width] : [])
          + (slack > 0 ? [slack] : [])
      },
      Rule(
        "Whole planes, one output channel after the other: [^0-9]*?(?:x and x \\+ #, |)sums biased by "
          + "#, so that none is negative\\."
      ) { found in
        guard let planes = stage.planes else { return false }
        return found == (planes is PlaneRows ? [planes.lanes.distance] : []) + [planes.lanes.guardBias]
      },
      Rule(
        "Whole maps, all channels of a position together \\(HWC\\)\\. Two lanes a word: rows y and y \\+ #, "
          + "sums biased by #, so that none is negative\\."
      ) {
        $0 == [(to.shape.height + 1) / 2, stage.hwc?.guardBias ?? -1]
      },
      Rule(
        "Two lanes a word: columns x and x \\+ #, sums (?:of # taps at a time )?biased by #, so that "
          + "none is negative\\."
      ) { found in
        guard let lanes = stage.lanes else { return false }
        return found == [lanes.distance] + (stage.partTaps.map { [$0] } ?? []) + [lanes.guardBias]
      },
      Rule(
        "Output: (?:int32 logits|integers|codes 0\\.\\.\\.#(?: \\(the integer (?:plus|minus) "
          + "#\\))?), (?:into the input of [A-Za-z0-9_]+(?: and [A-Za-z0-9_]+)*|# bytes at #|to the caller)\\."
      ) { found in
        var expected: [Int] = []
        if output.kind != .logits, stage.output.residency != .caller {
          let (base, most) = (stage.output.storage.base, stage.output.storage.maximumCode)
          guard base <= output.range.lowerBound, output.range.upperBound <= base + most else { return false }
          expected = [most] + (base == 0 ? [] : [abs(base)])
        }
        if stage.output.residency == .result {
          let buffer = plan.buffers[stage.output.buffer]
          expected += [buffer.bytes, buffer.offset]
        }
        return found == expected || found == [32] + expected
      },
    ]
  }

  /// Where an operation's input lies, and what its codes are.
  private static func inputRule(_ place: Int, _ stage: Context, _ layer: Layer, of compilation: Compilation) -> Rule {
    let plan = compilation.plan
    // The planner's copies are no layers of the network.
    let isCopy = stage.operation.layers.isEmpty
    let from = compilation.reduced.network[isCopy ? stage.operation.tensor : layer.inputs[place]]
    let edge = stage.inputs[place]
    let which = stage.inputs.count > 1 ? " #" : ""
    return Rule(
      "Input\(which): codes 0\\.\\.\\.#(?: \\(the integer (?:plus|minus) #\\))?, (?:a row in place of "
        + "(?:the rows|the oldest row) of [A-Za-z0-9_]+, at #|all # row\\(s\\) of # bytes at #|a line buffer "
        + "of # row\\(s\\) of # bytes at #|# rows of # words(?:, # words a position)?, at #|# "
        + "map\\(s\\) of # bytes at #|# word\\(s\\) of each channel at a time, in scratch memory at "
        + "#)\\."
    ) { found in
      let (base, at) = (edge.storage.base, edge.offset)
      #expect(base <= from.range.lowerBound && from.range.upperBound <= base + edge.storage.maximumCode)
      let level = (which.isEmpty ? [] : [place + 1]) + [edge.storage.maximumCode] + (base == 0 ? [] : [abs(base)])
      guard found.starts(with: level), found.last == at else { return false }
      let extent = found.dropFirst(level.count).dropLast()
      if let columnTile = edge.columnTile { return extent.elementsEqual([columnTile]) }
      if edge.isInPlace { return extent.isEmpty }
      if let map = edge.hwc {
        return extent.elementsEqual([map.rows, map.rowWords] + (map.positionWords == 1 ? [] : [map.positionWords]))
          && 4 * map.rows * map.rowWords <= plan.buffers[edge.buffer].bytes
      }
      if edge.layout.order == .planes {
        return extent.elementsEqual([from.shape.channels, edge.layout.channelStride])
      }
      return extent.elementsEqual([edge.slots, edge.layout.rowBytes])
        && edge.slots * edge.layout.rowBytes <= plan.buffers[edge.buffer].bytes
    }
  }

  // MARK: Other comments

  private static func rules(_ compilation: Compilation) -> [Rule] {
    let plan = compilation.plan
    let stages = plan.stages
    // The least that must be there at once, and the guard word.
    let least = plan.fusionGroups.indices.map { fusionGroup in
      plan.buffers.filter { $0.firstGroup <= fusionGroup && fusionGroup <= $0.lastGroup }
    }
    let columnTiles = Set(
      stages.compactMap(\.input.columnTile) + stages.compactMap { ($0.variant as? UnrolledTiles)?.columnTile })
    let planeStages = stages.indices.filter { stages[$0].variant.firing == .afterGroup }
    return [
      Rule("# in both lanes") { found in
        stages.contains { $0.lanes?.guardBias == found[0] || $0.hwc?.guardBias == found[0] }
      },
      Rule(
        "(?:Pools, requantizes|Requantizes) and stores # word\\(s\\) of (?:each channel from oc to "
          + "end|the channels from place i to end of the order)\\."
      ) {
        columnTiles.contains($0[0])
      },
      Rule("The sums of # words of channel oc\\.") { columnTiles.contains($0[0]) },
      Rule(
        "The window's rows(?: of a channel)? in two lanes, # words each(?:; from the second tile on "
          + "# of them move)?\\."
      ) { found in
        stages.contains { stage in
          if let window = stage.gathered, [window.width] == found { return true }
          return stage.widened.map { [$0.width] + ($0.kept > 0 ? [$0.kept] : []) == found } ?? false
        }
      },
      Rule("Makes the planes of stages # to #, each those of the stage before\\.") { found in
        found == [(planeStages.first ?? 0) + 1, (planeStages.last ?? 0) + 1]
      },
      Rule(
        "Depthwise convolutions\\. Functions for the numbers of taps that channels have: "
          + "depthwise#?_#_# adds # and subtracts #\\."
      ) {
        $0.suffix(4).prefix(2).elementsEqual($0.suffix(2))
      },
      Rule("The state, # bytes \\(no arrangement of these buffers needs less than #\\):") { found in
        let sums = least.map { $0.filter { $0.reader == nil }.reduce(4) { $0 + $1.bytes } }
        return found == [plan.stateBytes, plan.lowerBoundBytes] && found[1] >= sums.max() ?? 0 && found[1] <= found[0]
      },
      // What the code itself says.
      Rule("Where distance is not #, values are words of several columns, that far apart, of some bits each\\.") {
        $0 == [0]
      },
      Rule(
        "Makes the next row of a convolution, one output channel after the other, and returns #; or "
          + "returns # where it is not due\\."
      ) {
        $0 == [1, 0]
      },
      Rule(
        "taps\\[#\\] says how many are added and how many subtracted, four bits each; behind it are "
          + "their positions\\."
      ) {
        $0 == [0]
      },
      Rule("#\\.\\.\\.# canary") { $0 == [plan.stateBytes - 4, plan.stateBytes - 1] },
      Rule(
        "#\\.\\.\\.# [a-z][A-Za-z0-9_]*(?:, (?!fusion )[a-z][A-Za-z0-9_]*)*(?: (?:input|sums|counters|output|result|map|row))*(?:, "
          + "fusion groups? #(?: to #)?)?"
      ) { found in
        plan.buffers.contains { buffer in
          var expected = [buffer.offset, buffer.offset + buffer.bytes - 1]
          if plan.fusionGroups.count > 1 {
            expected.append(buffer.firstGroup + 1)
            if buffer.lastGroup > buffer.firstGroup { expected.append(buffer.lastGroup + 1) }
          }
          return found == expected
        }
      },
    ]
  }

  /// A block's weights, additions and words, counted in its code.
  private static func isTrue(_ comment: String, _ body: Substring) -> Bool {
    let words = comment.split { " .,:".contains($0) }
    guard let end = words.firstIndex(of: "weights"), let additions = words.firstIndex(of: "additions"),
      let loads = Int(words[additions + 2])
    else { return false }
    let tokens = body.prefix { $0 != "}" }.split { " \n".contains($0) }
    func count(_ first: [Substring]) -> Int {
      zip(tokens, tokens.dropFirst()).count { first.contains($0) && $1 == "=" }
    }
    let loaded = count(["v", "w"])
    let made = count(["s"])
    let added = tokens.count { $0 == "+=" || $0 == "-=" } + tokens.count { $0.hasSuffix("_LIFT") && $0 != tokens.last }
    _ = end
    return loads == loaded && Int(words[additions - 1]).map { $0 <= added + made && $0 >= made } ?? false
  }

  @Test func numbersAreThePlans() throws {
    var (count, channelTiles) = (0, 0)
    var used: Set<Int> = []
    var usedOfLayers: Set<Int> = []
    var known: [String: Regex<AnyRegexOutput>] = [:]
    for compilation in try corpus.get() {
      guard let source = try compilation.artefacts().first(where: { $0.name.hasSuffix(".c") })?.text else { continue }
      let printer = SourcePrinter(compilation.plan, compilation.provenance, compilation.selfTest)
      let kernels = Set(printer.kernels.flatMap { EmittedText($0.source).comments })
      let rules = Self.rules(compilation)
      var stage = 0
      var row = -1
      var tileNotes: [String] = []
      for comment in EmittedText(source).comments where Self.hasNumber(comment) && !kernels.contains(comment) {
        count += 1
        let name = "\(compilation.plan.name).c"
        if let number = Int(comment) {
          // Channels of a table, from 0 on.
          if number != 0, number != row + 1 { Issue.record("\(name): row \(number) behind \(row)") }
          row = number
        } else if comment.contains("Generated by sterna") {
          guard let at = comment.firstRange(of: "within each of ") else { continue }
          let phases = Int(comment[at.upperBound...].prefix(while: \.isNumber))
          #expect(phases == compilation.plan.fusionGroups.count)
        } else if comment.hasPrefix("Channels ") {
          tileNotes.append(comment)
        } else if comment.hasPrefix("Stage ") {
          let layer = Self.rules(stage, of: compilation)
          if let rest = Self.rest(comment, layer, &usedOfLayers, &known) {
            Issue.record("\(name): \(rest.prefix(300))")
          }
          stage += 1
        } else if let rest = Self.rest(comment, rules, &used, &known) {
          Issue.record("\(name): \(rest.prefix(300))")
        }
      }
      #expect(stage == compilation.plan.stages.count)
      // Notes over blocks stand right before them.
      var rest = source[...]
      while let at = rest.firstRange(of: "* Channels ") ?? rest.firstRange(of: "/* Channels ") {
        rest = rest[at.lowerBound...]
        guard let close = rest.firstRange(of: "*/") else { break }
        let note = EmittedText("/*\n \(rest[..<close.lowerBound].drop { $0 == "/" })*/").comments.first ?? ""
        rest = rest[close.upperBound...]
        channelTiles += 1
        if !Self.isTrue(note, rest) { Issue.record("\(compilation.plan.name).c: \(note)") }
      }
    }
    #expect(count > 2000 && channelTiles > 200, "\(count) comments, \(channelTiles) blocks")
    print("comments with numbers: \(count), blocks: \(channelTiles)")
  }
}
