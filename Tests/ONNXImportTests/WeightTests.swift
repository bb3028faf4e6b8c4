import GraphIR
import ModelBuilding
import ONNXFormat
import Testing

/// All the ways in which files spell ternary weights.
@Suite struct WeightTests {
  static let values: [Int8] = [-1, 0, 1, 1, 0, -1]

  /// A dense layer 3 → 2 whose weights `build` provides as `[2, 3]`.
  private func weights(transposed: Bool = false, _ build: (inout ModelBuilder) -> String) throws -> TernaryWeights? {
    var model = ModelBuilder(input: [1, 3], opset: 25)
    let input = model.quant("x")
    let weights = build(&model)
    model.output = model.node("Gemm", [input, weights], ["transB": .int(transposed ? 0 : 1)])
    guard case .dense(let dense) = try operations(model).last else { return nil }
    #expect(dense.weights.shape == [2, 3])
    return dense.weights
  }

  @Test func quantOfRawFloats() throws {
    // Half a scale rounds to even, that is to 0; beyond the grid is clipped.
    let weights = try weights {
      $0.quant(
        $0.floats([-9, 0.25, 0.26, 0.74, -0.25, -0.3], [2, 3]), scale: 0.5, bits: 2, signed: true, narrow: true)
    }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [0.5])
  }

  @Test func quantOfValuesOnTheGridWithNegativeZero() throws {
    let weights = try weights {
      $0.quant($0.floats([-0.5, -0.0, 0.5, 0.5, 0, -0.5], [2, 3]), scale: 0.5, bits: 2, signed: true, narrow: true)
    }
    #expect(weights?.values == Self.values)
  }

  @Test func quantPerChannel() throws {
    var scales = ""
    let weights = try weights {
      scales = $0.floats([0.5, 2], [2, 1])
      let data = $0.floats([-0.5, 0, 0.5, 2, 0, -2], [2, 3])
      return $0.node("Quant", [data, scales, $0.scalar(0), $0.scalar(2)], domain: "onnx.brevitas", ["narrow": .int(1)])
    }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [0.5, 2])
  }

  @Test func transposedQuant() throws {
    let weights = try weights(transposed: true) {
      $0.node("Transpose", [$0.quant($0.floats(Self.values.map(Float.init), [2, 3]), scale: 1, bits: 2, signed: true)])
    }
    #expect(weights?.values == Self.values)
  }

  @Test func transposedPerChannelScalesKeepTheirAxis() throws {
    let weights = try weights(transposed: true) {
      let codes = $0.integers([-1, 1, 0, 0, 1, -1], [3, 2], type: .int8)
      return $0.node("DequantizeLinear", [codes, $0.floats([0.5, -2], [2])], ["axis": .int(1)])
    }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [0.5, -2])
  }

  @Test(arguments: [ElementType.int8, .int4, .int2])
  func dequantizedIntegers(type: ElementType) throws {
    let weights = try weights {
      var tensor = ONNXTensorProto()
      tensor.dims = [2, 3]
      tensor.dataType = type.rawValue
      // Low element first.
      tensor.int32Data =
        switch type {
        case .int2: [0b01_01_00_11, 0b11_00]
        case .int4: [0x0F, 0x11, 0xF0]
        default: Self.values.map { Int32($0) }
        }
      return $0.node("DequantizeLinear", [$0.add(tensor), $0.scalar(0.25)])
    }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [0.25])
  }

  @Test func clippedIntegers() throws {
    let weights = try weights {
      let codes = $0.integers([-7, 0, 5, 1, 0, -1], [2, 3], type: .int8)
      let low = $0.integers([-1], [], type: .int8)
      let clipped = $0.node("Clip", [codes, low, $0.integers([1], [], type: .int8)])
      return $0.node(
        "DequantizeLinear", [clipped, $0.floats([1, 2], [2]), $0.integers([0, 0], [2], type: .int8)], ["axis": .int(0)])
    }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [1, 2])
  }

  @Test func floatsQuantizedInTheFile() throws {
    let weights = try weights {
      let zero = $0.integers([0], [], type: .int8)
      let scale = $0.scalar(0.5)
      let codes = $0.node("QuantizeLinear", [$0.floats([-9, 0.2, 0.4, 0.75, 0, -0.5], [2, 3]), scale, zero])
      let low = $0.integers([-1], [], type: .int8)
      let clipped = $0.node("Clip", [codes, low, $0.integers([1], [], type: .int8)])
      return $0.node("DequantizeLinear", [clipped, scale, zero])
    }
    #expect(weights?.values == Self.values)
  }

  @Test func unsignedCodesWithAZeroPoint() throws {
    let weights = try weights {
      let codes = $0.integers([0, 1, 2, 2, 1, 0], [2, 3], type: .uint8)
      return $0.node("DequantizeLinear", [codes, $0.scalar(0.5), $0.integers([1], [], type: .uint8)])
    }
    #expect(weights?.values == Self.values)
  }

  @Test func plainFloatsOfThreeLevels() throws {
    let weights = try weights { $0.floats([-0.5, 0, 0.5, 2, -0.0, -2], [2, 3]) }
    #expect(weights?.values == Self.values)
    #expect(weights?.scales == [0.5, 2])
  }

  @Test func bipolarWeights() throws {
    let weights = try weights {
      $0.node(
        "BipolarQuant", [$0.floats([-3, 0, 1, 1, 2, -1], [2, 3]), $0.scalar(0.5)], domain: "finn.custom_op.general")
    }
    #expect(weights?.values == [-1, 1, 1, 1, 1, -1])
  }

  @Test func constantNodesIdentityCastAndReshape() throws {
    let weights = try weights {
      let constant = $0.node(
        "Constant", [], ["value": .tensor(ModelBuilder.tensor(floats: Self.values.map(Float.init), [6]))])
      let cast = $0.node("Cast", [$0.node("Identity", [constant])], ["to": .int(1)])
      let shape = $0.node("Constant", [], ["value_ints": .ints([2, -1])])
      return $0.quant($0.node("Reshape", [cast, shape]), scale: 1, bits: 2, signed: true)
    }
    #expect(weights?.values == Self.values)
  }

  private func refusal(_ code: String, _ build: (inout ModelBuilder) -> String) {
    var model = ModelBuilder(input: [1, 3])
    let input = model.quant("x")
    let weights = build(&model)
    model.output = model.node("Gemm", [input, weights], ["transB": .int(1)])
    expectRefusal(model.bytes, code)
  }

  @Test func refusesOtherWeights() {
    refusal("weights-not-ternary") { $0.floats([1, 2, 3, 4, 5, 6], [2, 3]) }
    refusal("weights-not-ternary") { $0.floats([.nan, 0, 0, 0, 0, 0], [2, 3]) }
    refusal("not-finite") { $0.quant($0.floats([.infinity, 0, 0, 0, 0, 0], [2, 3]), scale: 1, bits: 2, signed: true) }
    refusal("weights-not-ternary") {
      $0.quant($0.floats([-2, 0, 0, 0, 0, 1], [2, 3]), scale: 1, bits: 2, signed: true)
    }
    refusal("weights-without-scale") { $0.integers([-1, 0, 1, 1, 0, 0], [2, 3], type: .int8) }
    refusal("quantizer-scale") {
      $0.node("DequantizeLinear", [$0.integers([-1, 0, 1, 1, 0, 0], [2, 3], type: .int8), $0.floats([1, 1], [2])])
    }
    refusal("weights-scale-axis") {
      $0.node(
        "DequantizeLinear", [$0.integers([-1, 0, 1, 1, 0, 0], [2, 3], type: .int8), $0.floats([1, 2, 3], [3])])
    }
    refusal("quantizer-scale") {
      $0.quant(
        $0.floats([-1, 0, 1, 1, 0, 0], [2, 3]), scale: .leastNonzeroMagnitude, bits: 2, signed: true, narrow: true)
    }
  }
}
