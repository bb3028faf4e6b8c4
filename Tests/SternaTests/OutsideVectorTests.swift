import ModelBuilding
import ReferenceInterpreter
import Scheduling
import Sterna
import TernaryIR
import Testing

/// The interpreter, end to end, against logits that qonnx's executor computed (`Tests/vectors/record_qonnx.py`).
@Suite struct OutsideVectorTests {
  @Test(arguments: [
    "max2_pc_qonnx_ts", "act4_qonnx_ts", "floatpool_outq_qonnx_ts", "twn_pc_qonnx_ts", "twn_pt_biasint8_qonnx_ts",
  ])
  func logitsEqualQONNXs(model: String) throws {
    let bytes = Fixtures.model("har/\(model).onnx")
    let compilation = try Compilation(Model(bytes: bytes, path: "\(model).onnx"), PlanningOptions(name: "har"))
    let levels = try NPY(parsing: InputFile.read(Fixtures.path("vectors/inputs.npy")))
    let recorded = try NPY(parsing: InputFile.read(Fixtures.path("vectors/\(model).npy")))
    guard case .uint8(let pixels) = levels.values else {
      Issue.record("inputs.npy holds \(levels.elementType)")
      return
    }
    // The model takes physical values from 0 to 1 and quantizes them with a scale of its own.
    let samples = try Samples(
      NPY(shape: levels.shape, values: .float32(pixels.map { Float($0) / 255 })), path: "inputs.npy",
      input: compilation.plan.input)
    let tensor = compilation.network[compilation.network.outputTensor]
    let expected = recorded.doubles
    // More samples are recorded than are run here: the acceptance tests take them all.
    let count = samples.integers.count * tensor.shape.count
    try #require(expected.count >= count)
    let expectation = try Expectation(
      NPY(shape: [samples.integers.count, tensor.shape.count], values: .float64(Array(expected[..<count]))),
      path: "\(model).npy", samples: samples.integers.count, output: tensor, trailing: compilation.trailing)
    let comparison = expectation.comparison(compilation.network, inputs: samples.integers)
    #expect(comparison.samples == 8)
    #expect(comparison.isKept, "\(comparison.text)")
    // Far closer than what is promised: float32 noise. A single activation that differed would show.
    #expect(comparison.largestDifference < 1e-4, "\(comparison.text)")
  }
}
