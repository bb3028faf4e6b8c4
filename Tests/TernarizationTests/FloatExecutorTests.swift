import Testing

@testable import Ternarization

/// Against ONNX Runtime, whose outputs `Tests/Fixtures/ternarize/make.py` has stored.
@Suite struct FloatExecutorTests {
  @Test(arguments: [false, true]) func agreesWithONNXRuntime(folded: Bool) throws {
    let read = try FloatReader.read(bytes: fixture("cnn.onnx"), folder: nil).network
    let network = folded ? read.folded() : read
    let input = try floats("cnn_x.npy")
    let expected = try floats("cnn_y.npy")
    let outputs = FloatExecutor.run(network, samples: samples(input.values, of: network.inputCount))
    #expect(outputs.count == expected.shape[0] && network.outputShape == [4])
    for (output, expected) in zip(outputs.joined(), expected.values) { #expect((output - expected).magnitude <= 1e-4) }
  }

  /// More samples than are executed together, and one alone.
  @Test func batchesDoNotMatter() throws {
    let network = try FloatReader.read(bytes: fixture("blobs.onnx"), folder: nil).network
    let all = samples(try floats("blobs_x.npy").values, of: network.inputCount)
    let together = FloatExecutor.run(network, samples: all)
    #expect(together.count == 120)
    #expect(FloatExecutor.run(network, samples: [all[119]]) == [together[119]])
  }
}
