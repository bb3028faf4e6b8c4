package import Diagnostics

package struct TernarizationOptions: Sendable, Equatable {
  /// 2 to 8.
  package var inputBits: Int
  /// Of all other activations, 2 to 8.
  package var activationBits: Int
  /// Whether biases are moved to keep the means; off only to see what it is worth.
  package var correctsBias: Bool
  /// Whether α is then fitted to the layer's outputs on the calibration samples instead of to its weights.
  package var fitsScales: Bool

  package init(
    inputBits: Int = 8, activationBits: Int = 8, correctsBias: Bool = true, fitsScales: Bool = false
  ) {
    self.fitsScales = fitsScales
    self.inputBits = inputBits
    self.activationBits = activationBits
    self.correctsBias = correctsBias
  }
}

/// Makes a ternary network of a trained float network, without training.
package struct Ternarization: Sendable {
  /// The float network as read, in folded form; `FloatExecutor` runs it.
  package var float: FloatNetwork
  /// The ternary network as a QONNX file.
  package var bytes: [UInt8]
  package var layers: [LayerReport]
  /// Calibration samples that were used.
  package var samples: Int
  package var warnings: [Diagnostic]

  /// - Parameters:
  ///   - bytes: A float ONNX file.
  ///   - folder: The folder that it lies in, for external data; nil refuses that.
  ///   - calibration: Typical samples.
  ///   - progress: Called before each layer with its name.
  /// - Throws: Everything that is wrong with the model and the samples.
  package init(
    bytes: [UInt8], folder: String?, calibration: Calibration, options: TernarizationOptions = .init(),
    progress: (String) -> Void = { _ in }
  ) throws(ModelError) {
    let (network, samples, warnings) = try Self.read(bytes, folder: folder, calibration)
    float = network.folded()
    self.warnings = warnings
    let used = Self.thinned(samples, for: float)
    self.samples = used.count
    if used.count < samples.count { self.warnings.append(.fewerSamples(used.count, of: samples.count)) }

    var ternarizer = Ternarizer(float, samples: used, options: options)
    ternarizer.run(progress: progress)
    if let problem = ternarizer.problem { throw ModelError(problem) }
    layers = ternarizer.reports
    self.warnings += layers.filter { $0.deadChannels > 0 }.map { .deadChannels($0) }
    self.bytes = try QONNXWriter(float).file(ternarizer.steps)
  }

  private static func read(
    _ bytes: [UInt8], folder: String?, _ calibration: Calibration
  ) throws(ModelError) -> (FloatNetwork, [[Float]], [Diagnostic]) {
    var problems = calibration.problem.map { [$0] } ?? []
    var result: (network: FloatNetwork, warnings: [Diagnostic])?
    var samples: [[Float]] = []
    do throws(ModelError) {
      result = try FloatReader.read(bytes: bytes, folder: folder)
    } catch {
      problems = error.diagnostics + problems
    }
    if let network = result?.network {
      do throws(Diagnostic) {
        samples = try calibration.samples(of: network)
      } catch {
        problems.append(error)
      }
    }
    guard let result, problems.isEmpty else { throw ModelError(problems) }
    return (result.network, samples, result.warnings)
  }

  /// As many samples as memory allows, evenly spread.
  private static func thinned(_ samples: [[Float]], for network: FloatNetwork) -> [[Float]] {
    let largest = network.steps.map { $0.shape.reduce(1, *) }.max() ?? 1
    let limit = max(1, Calibration.maximumActivations / max(largest, network.inputCount))
    guard samples.count > limit else { return samples }
    return (0..<limit).map { samples[$0 * samples.count / limit] }
  }
}

// MARK: - Diagnostics

extension Diagnostic {
  fileprivate static func fewerSamples(_ used: Int, of count: Int) -> Diagnostic {
    Diagnostic(
      .warning, code: "calibration-thinned",
      message: "\(used) of the \(count) calibration samples are used, evenly spread: more do not fit into memory")
  }

  fileprivate static func deadChannels(_ layer: LayerReport) -> Diagnostic {
    Diagnostic(
      .warning, code: "dead-channels", location: .init(node: layer.name),
      message: "\(layer.deadChannels) output channel(s) have no weights but 0: their outputs are constant",
      fix: "remove them from the PyTorch model to save memory and time")
  }
}
