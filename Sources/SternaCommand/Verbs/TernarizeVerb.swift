import ArgumentParser
import Diagnostics
import Sterna
import Ternarization

struct TernarizeVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ternarize",
    abstract: "Makes a ternary network of a trained float model, without training: for sizing and a first look.",
    discussion: """
      Weights get a threshold and a scale for each output channel (Ternary Weight Networks, arXiv:1605.04711), activations \
      8 bits with ranges from the calibration samples, biases keep each channel's mean. The result is a QONNX file for \
      `sterna compile`. Expect a loss of accuracy that training with quantization does not have; --labels tells it.
      """)

  @Argument(help: "The float model, an .onnx file as torch.onnx.export writes it; - reads it from the standard input.")
  var model: String

  @Option(help: "Typical samples, N × (input shape), a .npy file: values as the float model takes them.")
  var calibration: String

  @Option(name: .shortAndLong, help: "The QONNX file to write.")
  var output: String

  @Option(help: "N class numbers of the calibration samples, (N,) or (N, 1): prints accuracy before and after.")
  var labels: String?

  @Option(help: "Bits of the network's input, 2 to 8.")
  var inputBits = 8

  @Option(help: "Bits of all other activations, 2 to 8.")
  var activationBits = 8

  @Flag(inversion: .prefixedNo, help: "Whether biases are moved so that every channel keeps its mean.")
  var biasCorrection = true

  @Flag(
    inversion: .prefixedNo,
    help: "Whether scales are fitted to the layers' outputs on the calibration samples, rather than to the weights.")
  var fitScales = true

  func validate() throws {
    try requireNonempty(output, "--output")
    for (option, bits) in [("--input-bits", inputBits), ("--activation-bits", activationBits)]
    where !(2...8).contains(bits) {
      throw ValidationError("\(option) must be from 2 to 8")
    }
  }

  func run() async throws {
    let shownName = model == "-" ? "<stdin>" : model
    try await reporting(shownName) {
      let file = Model(bytes: try InputFile.read(model), path: model)
      let samples = try readArray(calibration)
      try samples.requireFinite(path: calibration)
      let truth = try labels.map { try readArray($0) }
      let options = TernarizationOptions(
        inputBits: inputBits, activationBits: activationBits, correctsBias: biasCorrection, fitsScales: fitScales)
      let result = try TernarizedModel(file, calibration: samples, options: options) {
        Console.progress("layer \($0.escapedForTerminal)")
      }
      Console.endProgress()
      var accuracy: TernarizedModel.Accuracy?
      if let truth, let labels {
        accuracy = try result.accuracy(labels: truth, labelsPath: labels, samplesPath: calibration) {
          Console.progress("sample \($0) of \($1)")
        }
        Console.endProgress()
      }

      var files = OutputFiles()
      files.add(output, result.ternarization.bytes)
      try files.write()
      for warning in result.ternarization.warnings + result.compilation.warnings {
        Console.say(warning.rendered(file: shownName, color: Console.usesColor))
      }
      try Console.result(result.layerTable.escapedLines)
      if let accuracy { try Console.result("\n" + result.accuracyText(accuracy)) }
      Console.say("\(result.ternarization.samples) calibration sample(s) -> \(output); next: sterna inspect \(output)")
    }
  }
}

extension String {
  /// Escaped line by line: names in the table are a user's.
  fileprivate var escapedLines: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { String($0).escapedForTerminal }
      .joined(separator: "\n")
  }
}
