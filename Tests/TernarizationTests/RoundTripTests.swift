import ModelBuilding
import ReferenceInterpreter
import Scheduling
import Sterna
import TernaryIR
import Testing

@testable import Ternarization

/// Float model, ternarized, written, imported, lowered, interpreted.
@Suite struct RoundTripTests {
  private func ternarized(
    _ bytes: [UInt8], shape: [Int], _ values: [Float], _ options: TernarizationOptions = .init()
  ) throws -> TernarizedModel {
    try TernarizedModel(
      Model(bytes: bytes, path: "model.onnx"), calibration: NPY(shape: shape, values: .float32(values)),
      options: options)
  }

  /// The interpreter's outputs as real numbers beside the float network's.
  private func outputs(_ model: TernarizedModel, shape: [Int], _ values: [Float]) throws -> [(Double, Float)] {
    let inputs = try Samples(
      NPY(shape: shape, values: .float32(values)), path: "x.npy", input: model.compilation.plan.input
    ).integers
    let interpreter = Interpreter(model.compilation.network)
    let tensor = model.compilation.network[model.compilation.network.outputTensor]
    let ternary = inputs.flatMap { tensor.real(interpreter.run($0).output) }
    let float = FloatExecutor.run(
      model.ternarization.float, samples: samples(values, of: model.ternarization.float.inputCount))
    return Array(zip(ternary, float.joined()))
  }

  /// Weights that are ternary already leave only the rounding of 8-bit activations.
  @Test func ternaryWeightsComeBackAlmostExactly() throws {
    let levels: [Float] = [1, 0, -1, -1, 1, 0, 0, 1, 1]
    let model = ModelBuilder.chain([1, 1, 6, 6]) { model, x in
      model.conv(&x, levels.map { $0 * 0.37 } + levels.map { $0 * -1.2 }, [2, 1, 3, 3], pad: 1)
      model.batchNorm(&x, gamma: [0.7, -0.4], beta: [0.3, 0.1], mean: [0.2, -0.1], variance: [0.8, 0.5])
      x = model.node("Relu", [x])
      x = model.node("MaxPool", [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
      x = model.node("AveragePool", [x], ["kernel_shape": .ints([3, 3])])
      x = model.node("Flatten", [x])
      model.dense(&x, [0.5, -0.5, 0.25, 0.25], [2, 2], bias: [0.1, -0.2])
    }
    var random = LinearCongruential(seed: 5)
    let values = random.floats(36 * 40)
    let result = try ternarized(model.bytes, shape: [40, 1, 6, 6], values)
    #expect(result.ternarization.layers.map(\.weightSQNR).allSatisfy { $0 ?? 200 > 100 })
    #expect(result.ternarization.layers.map(\.zeros) == [6, 0])
    for (ternary, float) in try outputs(result, shape: [40, 1, 6, 6], values) {
      #expect((ternary - Double(float)).magnitude < 0.02)
    }
  }

  @Test func everyKindOfStepCompiles() throws {
    let input = try floats("cnn_x.npy")
    let result = try ternarized(fixture("cnn.onnx"), shape: input.shape, input.values)
    #expect(result.ternarization.layers.count == 5)
    #expect(result.compilation.network.layers.count >= 7)
    #expect(try outputs(result, shape: input.shape, input.values).allSatisfy { $0.0.isFinite })
  }

  @Test func writtenFilesAreTheSameEveryTime() throws {
    let input = try floats("cnn_x.npy")
    let first = try ternarized(fixture("cnn.onnx"), shape: input.shape, input.values)
    let second = try ternarized(fixture("cnn.onnx"), shape: input.shape, input.values)
    #expect(first.ternarization.bytes == second.ternarization.bytes)
  }

  /// A task that is easy survives; the accuracies are those of the two networks.
  @Test func accuracyIsMeasured() throws {
    let x = try NPY(parsing: fixture("blobs_x.npy"))
    let y = try NPY(parsing: fixture("blobs_labels.npy"))
    let result = try TernarizedModel(
      Model(bytes: fixture("blobs.onnx"), path: "b.onnx"), calibration: x, options: .init())
    let accuracy = try result.accuracy(labels: y, labelsPath: "y", samplesPath: "x")
    #expect(accuracy.float.total == 120 && accuracy.ternary.total == 120)
    #expect(accuracy.float.accuracy > 0.95)
    #expect(accuracy.ternary.accuracy > 0.9)
    #expect(accuracy.agreements <= 120)
    #expect(throws: SamplesError.self) {
      try result.accuracy(
        labels: NPY(shape: [1], values: .uint8([0])), labelsPath: "y", samplesPath: "x")
    }
  }

  @Test func integerInputsKeepAScaleOfOne() throws {
    let model = ModelBuilder.chain([1, 4]) { model, x in
      model.dense(&x, [1, -1, 0, 1, 1, 1, 1, 0], [2, 4], bias: [0, 0])
    }
    let result = try ternarized(model.bytes, shape: [2, 4], [0, 3, 200, 7, 1, 2, 3, 250])
    #expect(result.compilation.network.input.scale == 1)
    #expect(!result.compilation.network.input.isSigned)
    let narrow = try ternarized(model.bytes, shape: [2, 4], [0, 3, 200, 7, 1, 2, 3, 250], .init(inputBits: 4))
    #expect(narrow.compilation.network.input.maximum == 15)
  }

  @Test func inputsBelowZeroAreSigned() throws {
    let model = ModelBuilder.chain([1, 2]) { model, x in model.dense(&x, [1, -1, 0.5, 0.5], [2, 2], bias: [0, 0]) }
    let input = try ternarized(model.bytes, shape: [2, 2], [-1, 0.5, 0.25, 1.27]).compilation.network.input
    #expect(input.isSigned && (input.scale - 0.01).magnitude < 1e-6)
  }

  /// A channel without weights is a constant, a dead Relu a quantizer without a range: both compile.
  @Test func deadChannelsAndLayersCompile() throws {
    let model = ModelBuilder.chain([1, 1, 4, 4]) { model, x in
      model.conv(&x, [0, 0, 0, 0, 1, 1, -1, 1], [2, 1, 2, 2], bias: [0.5, -100])
      x = model.node("Relu", [x])
      model.conv(&x, [1, 1, 0, 0], [2, 2, 1, 1], bias: [-3, -4])
      x = model.node("Relu", [x])
      x = model.node("GlobalAveragePool", [x])
      x = model.node("Flatten", [x])
      model.dense(&x, [1, -1, 0.5, 0.5], [2, 2], bias: [0.25, 1])
    }
    var random = LinearCongruential(seed: 9)
    let values = random.floats(16 * 8)
    let result = try ternarized(model.bytes, shape: [8, 1, 4, 4], values)
    #expect(result.ternarization.warnings.map(\.code) == ["dead-channels", "dead-channels"])
    for (ternary, float) in try outputs(result, shape: [8, 1, 4, 4], values) {
      #expect((ternary - Double(float)).magnitude < 1e-3)
    }
  }
}
