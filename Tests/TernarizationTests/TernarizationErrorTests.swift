import Diagnostics
import ModelBuilding
import Sterna
import Testing

@testable import Ternarization

@Suite struct TernarizationErrorTests {
  /// The codes of everything that is wrong.
  private func codes(
    _ bytes: [UInt8], shape: [Int] = [1, 1, 4, 4], _ values: [Float] = [Float](repeating: 0.5, count: 16)
  ) -> [String] {
    do throws(ModelError) {
      _ = try Ternarization(bytes: bytes, folder: nil, calibration: .init(shape: shape, values: values))
      return []
    } catch {
      return error.diagnostics.map(\.code)
    }
  }

  private func model(_ build: (inout ModelBuilder, inout String) -> Void = { _, _ in }) -> [UInt8] {
    ModelBuilder.chain([1, 1, 4, 4]) { model, x in
      model.conv(&x, [1, -1, 0.5, 0.5], [1, 1, 2, 2])
      build(&model, &x)
    }.bytes
  }

  @Test func soundModelHasNone() { #expect(codes(model()) == []) }

  @Test func allUnsupportedOperatorsAreNamed() {
    let bytes = model { model, x in
      x = model.node("Sigmoid", [x])
      x = model.node("LSTM", [x])
    }
    // The second stands behind a failed one, and is named all the same.
    #expect(codes(bytes) == ["unsupported-operator", "unsupported-operator"])
  }

  @Test func quantizedModelsAreRefusedOnce() {
    let bytes = model { model, x in
      x = model.quant(x)
      x = model.quant(x)
    }
    #expect(codes(bytes) == ["already-quantized"])
    #expect(codes(Fixtures.model("har/pot_qonnx_ts.onnx"), shape: [1, 1, 64, 64]).contains("already-quantized"))
    #expect(codes(Fixtures.model("har/twn_pc_qcdq_ts.onnx"), shape: [1, 1, 64, 64]).contains("already-quantized"))
  }

  @Test func calibrationIsChecked() {
    #expect(codes(model(), shape: [1, 1, 4, 5], [Float](repeating: 0, count: 20)) == ["calibration-shape"])
    #expect(codes(model(), shape: [16]) == ["calibration-shape"])
    #expect(codes(model(), shape: []) == ["calibration-shape"])
    #expect(codes(model(), shape: [0, 1, 4, 4], []) == ["calibration-empty"])
    // More samples than numbers.
    #expect(codes(model(), shape: [.max, 1, 4, 4]) == ["calibration-shape"])
    // A single channel may be left out.
    #expect(codes(model(), shape: [1, 4, 4]) == [])
    var values = [Float](repeating: 0, count: 16)
    values[3] = .nan
    #expect(codes(model(), values) == ["calibration-not-finite"])
    values[3] = -.infinity
    #expect(codes(model(), values) == ["calibration-not-finite"])
  }

  @Test func problemsOfModelAndSamplesComeTogether() {
    let bytes = model { model, x in x = model.node("Sigmoid", [x]) }
    #expect(codes(bytes, [Float](repeating: .nan, count: 16)) == ["unsupported-operator", "calibration-not-finite"])
  }

  @Test func branchesAndResidualsAreRefused() {
    #expect(codes(model { model, x in x = model.node("Add", [x, x]) }) == ["residual"])
    let branch = model { model, x in
      let relu = model.node("Relu", [x])
      _ = relu
      let other = model.node("Relu", [x])
      x = model.node("Add", [relu, other])
    }
    #expect(codes(branch) == ["branch"])
  }

  @Test func brokenWeightsAreRefused() {
    let bytes = ModelBuilder.chain([1, 1, 4, 4]) { model, x in
      model.conv(&x, [1, .nan, 0.5, 0.5], [1, 1, 2, 2])
    }.bytes
    #expect(codes(bytes) == ["not-finite"])
    let wide = ModelBuilder.chain([1, 1, 4, 4]) { model, x in model.conv(&x, [1, 1, 1], [1, 3, 1, 1]) }.bytes
    #expect(codes(wide) == ["shape"])
  }

  @Test func hostileShapesDoNotTrap() {
    for target in [[-1, -1], [0, -1], [Int64.max, -1], [.min, 2], [1, 0], []] {
      let bytes = model { model, x in
        let shape = model.integers(target, [Int64(target.count)], type: .int64)
        x = model.node("Reshape", [x, shape])
      }
      #expect(!codes(bytes).contains { $0.hasPrefix("internal") })
    }
    for pads in [[Int64.max, 0, 0, 0], [-1, 0, 0, 0], [1024, 1024, 1024, 1024], [0, 0]] {
      let bytes = model { model, x in
        x = model.node("MaxPool", [x], ["kernel_shape": .ints([2, 2]), "pads": .ints(pads)])
      }
      #expect(codes(bytes) == ["attribute"])
    }
  }

  @Test func endlessWorkIsRefused() {
    // A million outputs that look at a million values each.
    let bytes = ModelBuilder.chain([1, 1, 2000, 2000]) { model, x in
      x = model.node("MaxPool", [x], ["kernel_shape": .ints([1000, 1000])])
      model.conv(&x, [1], [1, 1, 1, 1])
    }.bytes
    #expect(codes(bytes, shape: [1, 1, 2000, 2000], []) == ["shape"])
  }

  @Test func overflowIsReported() {
    let bytes = ModelBuilder.chain([1, 1, 4, 4]) { model, x in
      model.conv(&x, [1e30, 1e30, 1e30, 1e30], [1, 1, 2, 2])
    }.bytes
    #expect(codes(bytes, [Float](repeating: 1e30, count: 16)) == ["activation-overflow"])
  }

  /// Weights near the end of float32 stay finite or are refused; nothing traps.
  @Test func extremeNumbersDoNotTrap() {
    for magnitude in [Float.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e30, 1e-30] {
      let bytes = ModelBuilder.chain([1, 1, 4, 4]) { model, x in
        model.conv(&x, [Float](repeating: magnitude, count: 4), [1, 1, 2, 2], bias: [magnitude])
        model.batchNorm(&x, gamma: [magnitude], beta: [magnitude], mean: [magnitude], variance: [0])
        x = model.node("Relu", [x])
        x = model.node("Flatten", [x])
        model.dense(&x, [Float](repeating: magnitude, count: 18), [2, 9], bias: [0, 0])
      }.bytes
      _ = codes(bytes, [Float](repeating: magnitude, count: 16))
      _ = try? TernarizedModel(
        Model(bytes: bytes, path: "m.onnx"),
        calibration: NPY(shape: [1, 1, 4, 4], values: .float32([Float](repeating: magnitude, count: 16))),
        options: .init())
    }
  }
}
