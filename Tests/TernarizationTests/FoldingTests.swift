import ModelBuilding
import Testing

@testable import Ternarization

/// Folding must not change what a network computes, and leave as little arithmetic as it can.
@Suite struct FoldingTests {
  private func check(_ model: ModelBuilder, leaves kinds: String) throws {
    let network = try FloatReader.read(bytes: model.bytes, folder: nil).network
    let folded = network.folded()
    var random = LinearCongruential(seed: 3)
    let inputs = (0..<5).map { _ in random.floats(network.inputCount) }
    let expected = FloatExecutor.run(network, samples: inputs)
    let found = FloatExecutor.run(folded, samples: inputs)
    for (a, b) in zip(expected.joined(), found.joined()) { #expect((a - b).magnitude <= 1e-4 * max(1, a.magnitude)) }
    #expect(folded.steps.map { $0.operation.kind }.joined(separator: " ") == kinds)
    for (index, step) in folded.steps.enumerated() where step.operation.kind == "flatten" {
      #expect(step.shape == [folded.inputShape(of: index).reduce(1, *)])
    }
  }

  private let normalization = (
    gamma: [1.5, -0.5] as [Float], beta: [0.1, 0.2] as [Float], mean: [0.3, -0.3] as [Float],
    variance: [0.9, 1.7] as [Float]
  )

  private func norm(_ model: inout ModelBuilder, _ value: inout String, positive: Bool = false) {
    model.batchNorm(
      &value, gamma: positive ? [1.5, 0.5] : normalization.gamma, beta: normalization.beta, mean: normalization.mean,
      variance: normalization.variance)
  }

  private func conv(_ model: inout ModelBuilder, _ value: inout String, pad: Int64 = 1) {
    model.conv(&value, [1, -0.5, 0.25, 0.5, 0.3, -1, 0.2, -0.1], [2, 1, 2, 2], bias: [0.5, -0.5], pad: pad)
  }

  @Test func normalizationGoesIntoTheLayer() throws {
    try check(
      .chain([1, 1, 4, 4]) { model, x in
        conv(&model, &x)
        norm(&model, &x)
        x = model.node("Relu", [x])
      }, leaves: "linear clip")
  }

  @Test func positiveNormalizationAndReluCrossAMaxPool() throws {
    try check(
      .chain([1, 1, 4, 4]) { model, x in
        conv(&model, &x)
        x = model.node("MaxPool", [x], ["kernel_shape": .ints([2, 2])])
        norm(&model, &x, positive: true)
        x = model.node("Relu", [x])
      }, leaves: "linear clip maxPool")
  }

  @Test func negativeNormalizationStaysBehindAMaxPool() throws {
    try check(
      .chain([1, 1, 4, 4]) { model, x in
        conv(&model, &x)
        x = model.node("MaxPool", [x], ["kernel_shape": .ints([2, 2])])
        norm(&model, &x)
      }, leaves: "linear maxPool affine")
  }

  @Test func normalizationBehindReluGoesIntoTheDenseLayer() throws {
    try check(
      .chain([1, 1, 3, 3]) { model, x in
        conv(&model, &x, pad: 0)
        x = model.node("Relu", [x])
        norm(&model, &x)
        x = model.node("Flatten", [x])
        model.dense(&x, (0..<24).map { Float($0 % 5) - 2 }, [3, 8], bias: [1, 2, 3])
      }, leaves: "linear clip flatten linear")
  }

  @Test func clipsAreMerged() throws {
    try check(
      .chain([1, 1, 4, 4]) { model, x in
        conv(&model, &x)
        x = model.node("Relu", [x])
        x = model.node("Clip", [x, model.scalar(-1), model.scalar(0.5)])
      }, leaves: "linear clip")
  }
}

extension FloatOperation {
  fileprivate var kind: String {
    switch self {
    case .linear: "linear"
    case .affine: "affine"
    case .clip: "clip"
    case .maxPool: "maxPool"
    case .averagePool: "averagePool"
    case .flatten: "flatten"
    }
  }
}
