import ReferenceInterpreter
import TernaryIR
import Testing

/// Every expected number here was worked out by hand.
@Suite struct InterpreterTests {
  /// Runs a network of one layer on `input` and returns its output.
  private func run(_ input: String, _ layer: String, on values: [Int32]) throws -> [Int32] {
    let network = try TernaryNetwork(parsing: "network \"n\"\ninput \(input)\n\(layer)")
    #expect(network.problems().isEmpty)
    return Interpreter(network).run(values).output
  }

  @Test func convolutionPaddedWithTheZeroPoint() throws {
    // Zero point 10: the frame around 1 2 / 3 4 holds tens.
    let output = try run(
      "1x2x2 range 0...15 zero 10",
      """
      conv "c" kernel 2x3 pad 1 1 0 1
        weights
          +00 0-+
        logits
      """, on: [1, 2, 3, 4])
    // Row 0: 10 −1 +2,  10 −2 +10.  Row 1: 10 −3 +4,  1 −4 +10.
    #expect(output == [11, 18, 11, 7])
  }

  @Test func additionOfTwo() throws {
    let layers = """
      slice "a" count 1
      slice "b" %0 first 1 count 1
      add "sum" of "a" "b" factors 2 -3
        affine shift 1 clamp -8...7
        offsets 1
      """
    // (2 · 5 − 3 · 1 + 1) / 2, floors of −5 / 2 and of −23 / 2, and 2 · 15 clamped.
    #expect(try run("2x1x4 range 0...15", layers, on: [5, 0, 3, 15, 1, 2, 10, 0]) == [4, -3, -8, 7])
  }

  @Test func additionWithAnEntryForEachChannel() throws {
    let layers = """
      add "sum" %0 %0 factors 1 1
        half-even shift 2 clamp 0...15
        multipliers 1 3
        offsets 0 2
      """
    // 10/4 and 14/4, ties to even; (3 · 10 + 2) / 4 and (3 · 14 + 2) / 4.
    #expect(try run("2x1x2 range 0...15", layers, on: [5, 7, 5, 7]) == [2, 4, 8, 11])
  }

  @Test func concatenationOfThree() throws {
    let layers = """
      slice "one" count 1
      concat "all" of "one" "input" "one"
        part 0
        affine shift 1 clamp 0...15
        offsets 1
        part 1
        affine clamp 0...15
        multipliers 1 2
        offsets 0 1
      """
    #expect(
      try run("2x1x2 range 0...15", layers, on: [3, 8, 4, 9]) == [2, 4, 3, 8, 9, 15, 3, 8])
  }

  @Test func resizeRepeatsRowsAndColumns() throws {
    #expect(
      try run("1x2x2 range 0...15", "resize \"r\" by 2x3", on: [1, 2, 3, 4])
        == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4])
  }

  /// Outputs in their own order, one of them read inside.
  @Test func severalOutputs() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 2x1x2 range 0...15
        slice "second" first 1 count 1
        maxpool "largest" kernel 1x2
        result %2 %1
        """)
    let result = Interpreter(network).run([1, 2, 7, 4])
    #expect(result.outputs == [[7], [7, 4]])
    #expect(result.output == [7])
    #expect(result.layers == [[7, 4], [7]])
  }

  @Test func convolutionWithStrides() throws {
    let output = try run(
      "1x3x5 range 0...31",
      """
      conv "c" kernel 1x2 stride 2x3
        weights
          +-
        logits
      """, on: [1, 2, 4, 8, 16, 0, 0, 0, 0, 0, 5, 3, 1, 7, 2])
    // 1 − 2, 8 − 16, 5 − 3, 7 − 2.
    #expect(output == [-1, -8, 2, 5])
  }

  @Test func convolutionOverChannels() throws {
    let output = try run(
      "2x1x2 range 0...15",
      """
      conv "c" kernel 1x1
        weights
          ++
          -+
          00
        logits
        multipliers 1 2 3
        offsets 0 100 -7
      """, on: [1, 2, 10, 11])
    #expect(output == [11, 13, 118, 118, -7, -7])
  }

  @Test func depthwiseConvolution() throws {
    let output = try run(
      "2x1x3 range 0...15",
      """
      conv "c" kernel 1x2 groups 2
        weights
          +-
          ++
        logits
      """, on: [1, 2, 4, 7, 8, 9])
    #expect(output == [-1, -2, 15, 17])
  }

  /// Two groups of two channels, two outputs each.
  @Test func groupedConvolution() throws {
    let output = try run(
      "4x1x1 range 0...15",
      """
      conv "c" kernel 1x1 groups 2
        weights
          +0
          0+
          ++
          -+
        logits
      """, on: [1, 2, 4, 9])
    #expect(output == [1, 2, 13, 5])
  }

  /// Channel by channel, row by row.
  @Test func denseReadsInOrder() throws {
    let output = try run(
      "2x1x2 range -8...7",
      """
      dense "d"
        weights
          +0 00
          00 0+
          +- +-
        logits
      """, on: [-8, 1, 2, 7])
    #expect(output == [-8, 7, -14])
  }

  @Test func inputsAreClamped() throws {
    #expect(try run("1x1x2 range 0...15", "maxpool \"p\" kernel 1x1", on: [-5, 99]) == [0, 15])
  }

  // MARK: Requantizers

  private func requantize(_ requantizer: String, _ values: [Int32]) throws -> [Int32] {
    try values.map {
      try run(
        "1 range -100...100",
        """
        dense "d"
          weights
            +
          \(requantizer)
        """, on: [$0])[0]
    }
  }

  /// (3a + 1) >> 2 is a floor, of negatives too; clamped at −2 and 4.
  @Test func affine() throws {
    let output = try requantize(
      "affine shift 2 clamp -2...4\nmultipliers 3\noffsets 1", [-100, -3, -2, -1, 0, 1, 2, 5, 6, 100])
    #expect(output == [-2, -2, -2, -1, 0, 1, 1, 4, 4, 4])
  }

  /// a / 4: ties at 2, 6, 10, −2, −6 go to 0, 2, 2, 0, −2.
  @Test func halfEvenTies() throws {
    let output = try requantize(
      "half-even shift 2 clamp -50...50", [2, 6, 10, -2, -6, -10, 1, 3, 5, 7, -1, -3, -5, -7, 0, 4])
    #expect(output == [0, 2, 2, 0, -2, -2, 0, 1, 1, 2, 0, -1, -1, -2, 0, 1])
    #expect(
      try requantize("half-even clamp -3...3\nmultipliers 2\noffsets 1", [-9, -1, 0, 1, 9]) == [-3, -1, 1, 3, 3])
  }

  @Test func thresholds() throws {
    let output = try requantize("thresholds clamp -1...2\nat -5 3 3", [-100, -6, -5, 2, 3, 100])
    #expect(output == [-1, -1, 0, 0, 2, 2])
  }

  @Test func largeProducts() throws {
    let output = try requantize(
      "affine shift 31 clamp -128...127\nmultipliers 2147483647\noffsets 100", [-100, -1, 0, 1, 99])
    // a·(2^31 − 1) + 100 lies just below a·2^31 for a above 100, and 100 − a above it here.
    #expect(output == [-100, -1, 0, 1, 99])
  }

  // MARK: Pools

  @Test func averagePoolSums() throws {
    let output = try run(
      "1x3x3 range 0...15 zero 1", "avgpool \"p\" kernel 2x2 stride 2x2 pad 0 0 1 1", on: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    // 1 + 2 + 4 + 5, then with two, two and three ones of padding.
    #expect(output == [12, 11, 17, 12])
  }

  /// Means of 2, 2.5 and 3.5, to even.
  @Test func averagePoolRoundsHalfToEven() throws {
    let output = try run(
      "3x2x2 range 0...15",
      """
      avgpool "p" kernel 2x2
        half-even shift 2 clamp 0...15
      """, on: [2, 2, 2, 2, 1, 2, 3, 4, 3, 3, 4, 4])
    #expect(output == [2, 2, 4])
  }

  /// Padding does not count, however small the values; windows overlap.
  @Test func maxPoolWithPadding() throws {
    let output = try run(
      "1x2x3 range -8...7", "maxpool \"p\" kernel 2x2 stride 1x2 pad 1 1 0 0", on: [-8, -7, -3, -6, -5, -4])
    #expect(output == [-8, -3, -6, -3])
  }

  /// Two layers: the result holds each layer's values.
  @Test func layersAreVisible() throws {
    let network = try TernaryNetwork(
      parsing: """
        network "n"
        input 1x2x2 range 0...15
        maxpool "p" kernel 1x2
        dense "d"
          weights
            +-
          logits
        """)
    let result = Interpreter(network).run([1, 2, 9, 3])
    #expect(result.layers == [[2, 9], [-7]])
    #expect(result.output == [-7])
  }
}

@Suite struct InputQuantizerTests {
  /// Zero point 1 is odd: 0.5 is a tie on its way to 1.5 → 2 where it is added first, and 0 + 1 where it is added last.
  @Test func zeroPointOrders() {
    let before = InputQuantization(name: "x", zeroPoint: 1, maximum: 10)
    let after = InputQuantization(name: "x", zeroPoint: 1, maximum: 10, addsZeroPointAfterRounding: true)
    let samples: [Float] = [-3, -1.5, -0.5, 0, 0.5, 0.75, 1.5, 2.5, 99]
    #expect(before.quantize(samples) == [0, 0, 0, 1, 2, 2, 2, 4, 10])
    #expect(after.quantize(samples) == [0, 0, 1, 1, 1, 2, 3, 3, 10])
  }

  /// Each step in turn, in float32.
  @Test func stepsInOrder() {
    let quantizer = InputQuantization(
      name: "x", steps: [.subtractFrom([200]), .divide([2]), .add([1]), .multiply([3]), .subtract([0.5])], scale: 0.5,
      minimum: 0, maximum: 1000)
    // 200 − 4 = 196, 98, 99, 297, 296.5; over 0.5 makes 593.
    #expect(quantizer.quantize([4]) == [593])
  }

  @Test func whatIsNoNumber() {
    let quantizer = InputQuantization(name: "x", zeroPoint: 7, minimum: -128, maximum: 127, isSigned: true)
    #expect(quantizer.quantize([.nan, .infinity, -.infinity, 1e38]) == [7, 127, -128, 127])
  }
}
