import CEmission
import ReferenceInterpreter
import Scheduling

/// The main job on the built-in model: what `sterna demo` shows.
package struct Demonstration: Sendable {
  package let compilation: Compilation
  private let samples: [[Int32]]
  private let labels: [Int]

  package init() throws {
    compilation = try Compilation(BuiltInModel.model, PlanningOptions(name: "har"))
    samples = try Samples(BuiltInModel.samples(), path: "har_x.npy", input: compilation.plan.input).integers
    labels = try BuiltInModel.labels().labels(
      path: "har_y.npy", samples: samples.count, classes: compilation.plan.output.count)
  }

  package var introduction: String {
    let shape = compilation.plan.input.shape
    return """
      Radar human-activity recognition: \(shape.height)x\(shape.width) micro-Doppler spectrograms (rows: time, columns: \
      speed)
      of a simulated 24 GHz radar; a ternary network trained in PyTorch, compiled to C99.
      """
  }

  /// Runs all samples and shows the first of each class.
  package func predictions() -> String {
    let interpreter = Interpreter(compilation.network)
    let shape = compilation.plan.input.shape
    var shown: [(picture: [String], truth: String, answer: String)] = []
    var seen: Set<Int> = []
    var correct = 0
    for (sample, label) in zip(samples, labels) {
      let prediction = argmax(interpreter.run(sample).output)
      if prediction == label { correct += 1 }
      guard seen.insert(label).inserted else { continue }
      shown.append(
        (
          Thumbnail.lines(sample, height: shape.height, width: shape.width, size: (14, 10)),
          BuiltInModel.classes[label], BuiltInModel.classes[prediction]
        ))
    }
    var lines = Thumbnail.row(shown.map(\.picture))
    lines.append(shown.map { ("is: " + $0.truth).padding(16) }.joined().trimmedRight)
    lines.append(shown.map { ("says: " + $0.answer).padding(16) }.joined().trimmedRight)
    lines.append("")
    lines.append("\(correct) of \(samples.count) samples recognised by the integer-only network")
    return lines.joined(separator: "\n")
  }

  /// `har_sample.h`: the first sample that the network recognises and that is not of class 0, the answer of a program that
  /// does nothing.
  package func sampleHeader() -> (name: String, text: String) {
    let interpreter = Interpreter(compilation.network)
    let plan = compilation.plan
    let index =
      samples.indices.first { labels[$0] != 0 && argmax(interpreter.run(samples[$0]).output) == labels[$0] } ?? 0
    return (
      "\(plan.name)_sample.h",
      Emission.sample(
        plan, compilation.provenance, samples[index], label: labels[index], classes: BuiltInModel.classes)
    )
  }

  package var costs: String {
    let plan = compilation.plan
    let proof = Report.Proof(plan)
    return """
      RAM    \(plan.stateBytes) bytes of state (the input frame alone has \(plan.input.bytes); rows can be pushed one by one)
      flash  at most \(plan.flash.bytes) bytes on \(plan.core.wherever), weights and code
      speed  about \(CostEstimate(plan).instructions) instructions for one inference on a \(plan.core.title)
      exact  \(proof.pairs) reachable accumulators checked against the file's real arithmetic, \(proof.exceptions) exceptions
      """
  }
}
