import ModelBuilding
import Testing

@testable import Ternarization

@Suite struct ScaleFittingTests {
  /// A dense layer of 12 inputs, all far from ternary.
  private static let weights: [Float] = [0.9, -0.5, 0.4, 0.3, -0.2, 0.15, 0.1, 0.1, -0.8, 0.05, 0.3, -0.25]

  private let model = ModelBuilder.chain([1, 12]) { model, x in
    model.dense(&x, weights + weights.map { 3 * $0 }, [2, 12], bias: [0.25, -1])
  }

  /// Correlated inputs, for which the best scale is not that of the weights.
  private let inputs: [[Float]] = {
    var random = LinearCongruential(seed: 11)
    return (0..<200).map { _ in
      let common = random.unit()
      return random.floats(12, from: 0, to: 0.2).map { $0 + common }
    }
  }()

  /// Mean squared error of the ternary layer's outputs, with its activations unquantized.
  private func error(fitsScales: Bool) throws -> Double {
    let network = try FloatReader.read(bytes: model.bytes, folder: nil).network
    var ternarizer = Ternarizer(network, samples: inputs, options: .init(fitsScales: fitsScales))
    ternarizer.run { _ in }
    var ternary = network
    for case .layer(_, let layer) in ternarizer.steps { ternary.steps[0].operation = .linear(layer.linear) }
    let pairs = zip(
      FloatExecutor.run(network, samples: inputs).joined(), FloatExecutor.run(ternary, samples: inputs).joined())
    return pairs.reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
  }

  @Test func fittedScalesBringTheOutputsCloser() throws {
    #expect(try error(fitsScales: true) < 0.9 * error(fitsScales: false))
  }

  /// A constant input gives no line to fit: the scales of the weights stay.
  @Test func constantInputsKeepTheScales() throws {
    let constant = Calibration(shape: [3, 12], values: [Float](repeating: 0.5, count: 36))
    let fitted = try Ternarization(
      bytes: model.bytes, folder: nil, calibration: constant, options: .init(fitsScales: true))
    let plain = try Ternarization(bytes: model.bytes, folder: nil, calibration: constant)
    #expect(fitted.bytes == plain.bytes)
  }
}
