import GraphIR
import ModelBuilding
import ONNXFormat
import Testing

/// Quantizers of activations.
@Suite struct QuantizerTests {
  private func quantizer(_ build: (inout ModelBuilder) -> String) throws -> Quantizer? {
    var model = ModelBuilder(opset: 21)
    model.output = build(&model)
    guard case .quantize(let quantizer) = try operations(model).last else { return nil }
    return quantizer
  }

  private func refusal(_ code: String, _ build: (inout ModelBuilder) -> String) {
    var model = ModelBuilder(opset: 21)
    model.output = build(&model)
    expectRefusal(model.bytes, code)
  }

  @Test(arguments: [
    (8, false, false, 0, 255), (8, false, true, 0, 254), (8, true, false, -128, 127), (8, true, true, -127, 127),
    (2, true, true, -1, 1), (4, false, false, 0, 15), (1, false, false, 0, 1),
  ])
  func quantGrids(bits: Int, isSigned: Bool, isNarrow: Bool, minimum: Int, maximum: Int) throws {
    let quantizer = try quantizer { $0.quant("x", bits: Float(bits), signed: isSigned, narrow: isNarrow) }
    #expect(
      quantizer == Quantizer(scale: 0.05, minimum: minimum, maximum: maximum, isSigned: isSigned))
  }

  @Test(arguments: [
    ("round", Quantizer.Rounding.halfEven), ("Floor", .floor), ("CEIL", .ceiling), ("HALF_EVEN", .halfEven),
  ])
  func roundingModesInAnyCase(spelling: String, rounding: Quantizer.Rounding) throws {
    #expect(try quantizer { $0.quant("x", rounding: spelling) }?.rounding == rounding)
  }

  @Test(arguments: ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general", "", "ai.onnx"])
  func quantOfAnyDomain(domain: String) throws {
    let quantizer = try quantizer {
      // Integers for zero point and bit width, as QKeras writes them.
      let zero = $0.integers([0], [1], type: .int64)
      return $0.node("Quant", ["x", $0.scalar(0.5), zero, $0.integers([4], [], type: .int64)], domain: domain)
    }
    #expect(quantizer == Quantizer(scale: 0.5, minimum: -8, maximum: 7, isSigned: true))
  }

  @Test func refusesQuantizersThatIntegersCannotFollow() {
    refusal("quantizer-scale") { $0.quant("x", scale: -1) }
    refusal("quantizer-scale") { $0.quant("x", scale: .infinity) }
    refusal("quantizer-parameter") { $0.quant("x", bits: 9) }
    refusal("quantizer-parameter") { $0.quant("x", bits: 7.5) }
    refusal("quantizer-parameter") { $0.quant("x", bits: .nan) }
    refusal("quantizer-parameter") { $0.quant("x", zeroPoint: 0.5) }
    refusal("zero-point") { $0.quant("x", zeroPoint: -1) }
    refusal("binary-activation") { $0.quant("x", bits: 1, signed: true) }
    refusal("binary-activation") { $0.node("BipolarQuant", ["x", $0.scalar(1)], domain: "onnx.brevitas") }
    refusal("rounding-mode") { $0.quant("x", rounding: "HALF_UP") }
    refusal("attribute") { $0.quant("x", rounding: "STOCHASTIC") }
    refusal("quantizer-scale") {
      $0.node("Quant", ["x", $0.floats([1, 2], [1, 2, 1, 1]), $0.scalar(0), $0.scalar(8)])
    }
    refusal("unsupported-operator") { $0.node("Quant", ["x", $0.scalar(1)], domain: "somewhere.else") }
    refusal("missing-input") { $0.node("Quant", ["x", $0.scalar(1)]) }
    refusal("expected-constant") { $0.node("Quant", ["x", "x", $0.scalar(0), $0.scalar(8)]) }
  }

  // MARK: QuantizeLinear

  @Test func quantizeClipDequantize() throws {
    let quantizer = try quantizer {
      let scale = $0.scalar(0.5)
      let zero = $0.integers([0], [], type: .uint8)
      let codes = $0.node("QuantizeLinear", ["x", scale, zero])
      let clipped = $0.node("Clip", [codes, zero, $0.integers([15], [], type: .uint8)])
      return $0.node("DequantizeLinear", [clipped, scale, zero])
    }
    #expect(
      quantizer == Quantizer(scale: 0.5, minimum: 0, maximum: 15, zeroPointOrder: .afterRounding, isSigned: false))
  }

  @Test func quantizeDequantizeSignedWithZeroPoint() throws {
    let quantizer = try quantizer {
      let scale = $0.floats([0.5], [1])
      let zero = $0.integers([-3], [], type: .int8)
      return $0.node("DequantizeLinear", [$0.node("QuantizeLinear", ["x", scale, zero]), scale, zero])
    }
    #expect(
      quantizer
        == Quantizer(
          scale: 0.5, zeroPoint: -3, minimum: -128, maximum: 127, zeroPointOrder: .afterRounding, isSigned: true))
  }

  @Test func quantizeWithoutZeroPointIsUnsigned() throws {
    let quantizer = try quantizer {
      let scale = $0.scalar(0.5)
      return $0.node("DequantizeLinear", [$0.node("QuantizeLinear", ["x", scale]), scale])
    }
    #expect(quantizer?.maximum == 255)
  }

  @Test func refusesBrokenPairs() {
    refusal("unequal-scales") {
      $0.node("DequantizeLinear", [$0.node("QuantizeLinear", ["x", $0.scalar(1)]), $0.scalar(2)])
    }
    refusal("outputs") { $0.node("QuantizeLinear", ["x", $0.scalar(1)]) }
    refusal("integer-activation") { $0.node("Relu", [$0.node("QuantizeLinear", ["x", $0.scalar(1)])]) }
    refusal("expected-integers") { $0.node("DequantizeLinear", ["x", $0.scalar(1)]) }
    refusal("activation-width") {
      let scale = $0.scalar(1)
      let zero = $0.integers([0], [], type: .int16)
      return $0.node("DequantizeLinear", [$0.node("QuantizeLinear", ["x", scale, zero]), scale, zero])
    }
    refusal("blocked-quantization") {
      $0.node("QuantizeLinear", ["x", $0.scalar(1)], ["block_size": .int(32)])
    }
  }

  // MARK: Trunc

  @Test func truncOfSixInputs() throws {
    let quantizer = try quantizer {
      let pool = $0.node("GlobalAveragePool", [$0.quant("x", scale: 0.5)])
      let parameters = [$0.scalar(0.125), $0.scalar(0), $0.scalar(10), $0.scalar(0.5), $0.scalar(8)]
      return $0.node(
        "Trunc", [pool] + parameters, domain: ModelBuilder.quantDomain,
        ["signed": .int(0), "rounding_mode": .string("round")])
    }
    #expect(
      quantizer
        == Quantizer(
          scale: 0.125, minimum: 0, maximum: 255, truncation: .init(shift: 2, outputScale: 0.5), isSigned: false))
  }

  @Test func truncOfFiveInputsKeepsTheScale() throws {
    let quantizer = try quantizer {
      let sum = $0.node("AveragePool", [$0.quant("x", scale: 0.5)], ["kernel_shape": .ints([2, 2])])
      let parameters = [$0.scalar(0.125), $0.scalar(0), $0.scalar(10), $0.scalar(8)]
      return $0.node("Trunc", [sum] + parameters, domain: ModelBuilder.quantDomain)
    }
    #expect(quantizer?.rounding == .floor)
    #expect(quantizer?.truncation == .init(shift: 2, outputScale: 0.125))
    refusal("trunc") {
      $0.node(
        "Trunc", ["x", $0.scalar(0.125), $0.scalar(0), $0.scalar(10), $0.scalar(8)], domain: ModelBuilder.quantDomain)
    }
  }
}
