import ArgumentParser
import FoundationEssentials
import ReferenceInterpreter
import Sterna

struct EvaluateVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Accuracy, recall of each class and confusion matrix on labelled samples.",
    discussion: "What firmware would cost does not matter here: options for it are taken and change nothing.")

  @OptionGroup var options: ModelOptions

  @Option(help: "N × (input shape): float32 is quantized by the model, int8 or uint8 is taken as quantized.")
  var input: String

  @Option(help: "N class numbers, (N,) or (N, 1), of any type: of the first output, where a model has several.")
  var labels: String

  @Flag(help: "Prints the result as JSON.")
  var json = false

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.interpret()
      let samples = try readSamples(input, for: compilation)
      let classes = compilation.plan.output.count
      let truth = try readArray(labels).labels(path: labels, samples: samples.count, classes: classes)
      let interpreter = Interpreter(compilation.network)
      var evaluation = Evaluation(classes: classes)
      for (index, (sample, label)) in zip(samples, truth).enumerated() {
        Console.progress("sample \(index + 1) of \(samples.count), \(evaluation.correct) right")
        evaluation.add(label: label, prediction: argmax(interpreter.run(sample).output))
      }
      Console.endProgress()
      guard json else {
        try Console.result(evaluation.text)
        return
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try Console.result(String(decoding: try encoder.encode(EvaluationReport(evaluation)), as: UTF8.self))
    }
  }
}

private struct EvaluationReport: Encodable {
  var accuracy: Double
  var correct: Int
  var total: Int
  var confusion: [[Int]]

  init(_ evaluation: Evaluation) {
    accuracy = evaluation.accuracy
    correct = evaluation.correct
    total = evaluation.total
    confusion = evaluation.confusion
  }
}
