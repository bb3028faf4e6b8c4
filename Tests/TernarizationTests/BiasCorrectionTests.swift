import ModelBuilding
import Testing

@testable import Ternarization

@Suite struct BiasCorrectionTests {
  private func reports(correctsBias: Bool) throws -> [LayerReport] {
    let input = try floats("cnn_x.npy")
    return try Ternarization(
      bytes: fixture("cnn.onnx"), folder: nil, calibration: .init(shape: input.shape, values: input.values),
      options: .init(correctsBias: correctsBias)
    ).layers
  }

  @Test func meansOfAllLayersAreThoseOfTheFloatNetwork() throws {
    for layer in try reports(correctsBias: true) {
      #expect(layer.meanErrorAfter < 1e-5)
      #expect(layer.meanErrorAfter < layer.meanErrorBefore)
    }
  }

  /// Without it the errors of the layers in front add up.
  @Test func meansDriftWithoutIt() throws {
    let with = try reports(correctsBias: true)
    let without = try reports(correctsBias: false)
    #expect(without.allSatisfy { $0.meanErrorAfter == $0.meanErrorBefore })
    #expect((without.last?.meanErrorAfter ?? 0) > 100 * (with.last?.meanErrorAfter ?? 0))
  }
}
