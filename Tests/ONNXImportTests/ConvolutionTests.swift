import GraphIR
import ModelBuilding
import Testing

@Suite struct ConvolutionTests {
  private func convolution(
    weights: [Int64] = [2, 1, 3, 3], input: [Int64?] = [1, 1, 8, 8], _ attributes: [String: ModelBuilder.Attribute]
  ) throws -> Convolution? {
    let model = model(input: input) { $0.node("Conv", [$1, $0.ternary(weights)], attributes) }
    guard case .convolution(let convolution) = try operations(model).last else { return nil }
    return convolution
  }

  @Test func readsAsymmetricPadding() throws {
    let window = try convolution(["pads": .ints([0, 1, 2, 3])])?.window
    #expect(window?.padding == Padding(top: 0, left: 1, bottom: 2, right: 3))
  }

  @Test(arguments: [
    ("SAME_UPPER", 1, Padding(top: 1, left: 1, bottom: 1, right: 1)),
    ("SAME_UPPER", 2, Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ("SAME_LOWER", 2, Padding(top: 1, left: 1, bottom: 0, right: 0)),
    ("VALID", 2, .none), ("NOTSET", 3, .none),
  ])
  func resolvesAutoPad(mode: String, stride: Int64, padding: Padding) throws {
    let window = try convolution(["auto_pad": .string(mode), "strides": .ints([stride, stride])])?.window
    #expect(window?.padding == padding)
    #expect(window?.strideHeight == Int(stride))
  }

  @Test func fillsTheGapsOfADilatedKernel() throws {
    let convolution = try convolution(weights: [1, 1, 2, 2], ["dilations": .ints([2, 3])])
    #expect(convolution?.weights.shape == [1, 1, 3, 4])
    #expect(convolution?.weights.values == [-1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, -1])
    #expect(convolution?.window.kernelWidth == 4)
  }

  @Test func readsGroups() throws {
    let convolution = try convolution(weights: [4, 1, 3, 3], input: [1, 4, 8, 8], ["group": .int(4)])
    #expect(convolution?.groups == 4)
  }

  @Test(
    arguments: [
      ["strides": .ints([0, 1])], ["strides": .ints([1])], ["pads": .ints([-1, 0, 0, 0])],
      ["kernel_shape": .ints([5, 5])],
      ["dilations": .ints([0, 1])], ["group": .int(0)], ["group": .int(3)], ["auto_pad": .string("MAYBE")],
      ["strides": .float(1)], ["kernel_shape": .ints([.max, .max])], ["pads": .ints([.max, .max, .max, .max])],
    ] as [[String: ModelBuilder.Attribute]])
  func refusesWrongAttributes(attributes: [String: ModelBuilder.Attribute]) {
    let model = model { $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3])], attributes) }
    guard case .failure(let error) = outcome(model.bytes) else {
      Issue.record("accepted")
      return
    }
    #expect(error.diagnostics.count == 1)
    #expect(["attribute", "shape"].contains(error.diagnostics[0].code))
  }

  @Test func refusesAKernelLargerThanTheMap() {
    expectRefusal(model { $0.node("Conv", [$1, $0.ternary([2, 1, 9, 9])]) }.bytes, "shape")
    expectRefusal(model { $0.node("Conv", [$1, $0.ternary([2, 3, 3, 3])]) }.bytes, "shape")
    expectRefusal(model { $0.node("Conv", [$1, $0.ternary([2, 1, 3])]) }.bytes, "shape")
  }

  @Test func readsBiases() throws {
    let plain = model { $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3]), $0.floats([0.5, -1], [2])]) }
    let quantized = model {
      let bias = $0.quant($0.floats([0.5, -1], [2]), scale: 0.25, bits: 32, signed: true)
      return $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3]), bias])
    }
    let linear = model {
      let bias = $0.node("DequantizeLinear", [$0.integers([3, -4], [2], type: .int32), $0.scalar(0.25)])
      return $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3]), bias])
    }
    let expected = [
      [ExactConstant(scale: 0.5), ExactConstant(scale: -1)],
      [ExactConstant(integer: 2, scale: 0.25), ExactConstant(integer: -4, scale: 0.25)],
      [ExactConstant(integer: 3, scale: 0.25), ExactConstant(integer: -4, scale: 0.25)],
    ]
    for (model, bias) in zip([plain, quantized, linear], expected) {
      guard case .convolution(let convolution) = try operations(model).last else {
        Issue.record("no convolution")
        continue
      }
      #expect(convolution.bias == bias)
    }
    expectRefusal(
      model { $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3]), $0.floats([1], [1, 1, 3])]) }.bytes, "tensor-data")
    expectRefusal(
      model { $0.node("Conv", [$1, $0.ternary([2, 1, 3, 3]), $0.floats([1, 2, 3], [3])]) }.bytes, "bias-shape")
  }
}
