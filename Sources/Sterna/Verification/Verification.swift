import CEmission
import ReferenceInterpreter
import Scheduling

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
    ("test_\(plan.name).c", Emission.tests(plan, provenance, goldenSamples()))
  }

  /// What a stage has to make of a sample: the trained network's own values, of the channels that are computed.
  func computedValues(_ result: Interpreter.Result, of input: [Int32], _ stage: Context) -> [Int32] {
    let tensor = stage.operation.tensor
    let values = network.layers.firstIndex { $0.output == tensor }.map { result.layers[$0] } ?? input
    return reduced.select(values, of: tensor)
  }
}
