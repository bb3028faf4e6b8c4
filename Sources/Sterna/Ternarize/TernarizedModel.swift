import Diagnostics
import ReferenceInterpreter
import Scheduling
import Ternarization
import TernaryIR

/// A float model made ternary, and the proof that the result compiles.
package struct TernarizedModel: Sendable {
  package let ternarization: Ternarization
  /// Of the file that is to be written, as `sterna compile` would see it.
  package let compilation: Compilation
  private let samples: NPY

  /// - Parameters:
  ///   - model: A float ONNX model.
  ///   - calibration: N × (input shape), of any element type: the values as the float model takes them.
  ///   - progress: Called before each layer with its name.
  /// - Throws: Everything that is wrong with the model and the samples.
  package init(
    _ model: Model, calibration: NPY, options: TernarizationOptions, progress: (String) -> Void = { _ in }
  ) throws(ModelError) {
    let values: [Float]
    if case .float32(let floats) = calibration.values {
      values = floats
    } else {
      values = calibration.doubles.map { Float($0) }
    }
    samples = NPY(shape: calibration.shape, values: .float32(values))
    ternarization = try model.recognizing { () throws(ModelError) in
      try Ternarization(
        bytes: model.bytes, folder: model.folder, calibration: .init(shape: calibration.shape, values: values),
        options: options, progress: progress)
    }
    compilation = try Compilation(
      Model(bytes: ternarization.bytes, path: model.path), PlanningOptions(name: model.defaultName))
  }

  /// Accuracy of the float network, by its own executor, and of the ternary one, by the reference interpreter.
  package struct Accuracy: Sendable, Equatable {
    package var float: Evaluation
    package var ternary: Evaluation
    /// Samples on which both choose the same class, rightly or wrongly.
    package var agreements: Int
  }

  /// - Parameters:
  ///   - labels: One class a calibration sample.
  ///   - path: Of the samples, for messages.
  package func accuracy(
    labels: NPY, labelsPath: String, samplesPath: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(SamplesError) -> Accuracy {
    let integers = try Samples(samples, path: samplesPath, input: compilation.plan.input).integers
    let classes = compilation.plan.output.count
    let truth = try labels.labels(path: labelsPath, samples: integers.count, classes: classes)
    guard case .float32(let values) = samples.values else { throw .empty(path: samplesPath) }
    let size = ternarization.float.inputCount
    let interpreter = Interpreter(compilation.network)
    var result = Accuracy(float: Evaluation(classes: classes), ternary: Evaluation(classes: classes), agreements: 0)
    for start in stride(from: 0, to: truth.count, by: FloatExecutor.batchSize) {
      let indices = start..<min(start + FloatExecutor.batchSize, truth.count)
      let outputs = FloatExecutor.run(
        ternarization.float, samples: indices.map { Array(values[$0 * size..<($0 + 1) * size]) })
      for (index, output) in zip(indices, outputs) {
        progress(index + 1, truth.count)
        let float = argmax(output)
        let ternary = argmax(interpreter.run(integers[index]).output)
        result.float.add(label: truth[index], prediction: float)
        result.ternary.add(label: truth[index], prediction: ternary)
        if float == ternary { result.agreements += 1 }
      }
    }
    return result
  }
}
