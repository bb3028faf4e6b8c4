import CEmission
import FirmwarePlanning
import ReferenceInterpreter

extension Compilation {
  /// The files that, compiled together with the verification harness, hold the C against the interpreter.
  package func verificationFiles(inputs: [[Int32]]) -> [(name: String, bytes: [UInt8])] {
    [
      ("\(plan.name).h", Array(Emission.header(plan, provenance).utf8)),
      ("\(plan.name).c", Array(Emission.source(plan, provenance, selfTest).utf8)),
      (verificationSource, Array(Emission.verification(plan).utf8)),
      ("vectors.bin", Vectors(self, inputs: inputs).bytes),
    ]
  }

  /// The translation unit that includes the model; the harness is the other one.
  package var verificationSource: String { "verify_\(plan.name).c" }

  /// `test_NAME.c`, with golden vectors of a few seeded inputs.
  package func testFile() -> (name: String, text: String) {
    let interpreter = Interpreter(network)
    // Three say little of a small network, whose channels have few values; of a large one, more would fill megabytes.
    let count = min(12, max(3, 24_000 / (plan.input.bytes + plan.expectedBytes)))
    let samples = SampleInputs.make(for: plan.input, count: max(6, count), seed: 1).suffix(count).map { input in
      let result = interpreter.run(input)
      return GoldenSample(
        input: input, layers: plan.stages.map { computedValues(result, of: $0) }, output: result.output)
    }
    return ("test_\(plan.name).c", Emission.tests(plan, provenance, samples))
  }

  /// What a stage has to make of a sample: the trained network's own values, of the channels that are computed.
  func computedValues(_ result: Interpreter.Result, of stage: Stage) -> [Int32] {
    let layer = stage.layers.upperBound
    return folded.select(result.layers[layer], of: network.layers[layer].output)
  }
}
