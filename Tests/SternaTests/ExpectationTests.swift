import ModelBuilding
import ReferenceInterpreter
import Scheduling
import Sterna
import TernaryIR
import Testing

/// Verdicts on expected outputs, on committed models.
@Suite struct ExpectationTests {
  private struct Case {
    var compilation: Compilation
    var inputs: [[Int32]]
    var expected: NPY

    init(_ name: String) throws {
      let bytes = Fixtures.model("verdicts/\(name).onnx")
      compilation = try Compilation(Model(bytes: bytes, path: "\(name).onnx"), PlanningOptions(name: "net"))
      func array(_ suffix: String) throws -> NPY {
        try NPY(parsing: InputFile.read(Fixtures.path("models/verdicts/\(name).\(suffix).npy")))
      }
      inputs = try Samples(array("in"), path: "in", input: compilation.plan.input).integers
      expected = try array("out")
    }

    func verdict(on values: [Double], shape: [Int]? = nil) throws -> Comparison {
      try Expectation(
        NPY(shape: shape ?? expected.shape, values: .float64(values)), path: "y.npy", samples: inputs.count,
        output: compilation.plan.output.tensor, trailing: compilation.trailing
      ).comparison(compilation.network, inputs: inputs)
    }
  }

  static let names = ["two_scales_regression", "logsoftmax_last", "conv_same_lower", "qdq_ort_bias_int32"]

  @Test(arguments: names) func recordedOutputsAreKept(name: String) throws {
    let subject = try Case(name)
    let verdict = try subject.verdict(on: subject.expected.doubles)
    #expect(verdict.isKept, "\(verdict.text)")
  }

  /// Any one value moved by a twentieth of its own output's range fails, however small that output is; behind LogSoftmax,
  /// which moves all by what the largest moves, of the largest range.
  @Test(arguments: names) func eachValueCounts(name: String) throws {
    let subject = try Case(name)
    let values = subject.expected.doubles
    let outputs = subject.expected.shape[1]
    for index in values.indices {
      let columns = subject.compilation.trailing == nil ? [index % outputs] : Array(0..<outputs)
      let ranges = columns.map { first in
        let column = stride(from: first, to: values.count, by: outputs).map { values[$0] }
        return (column.max() ?? 0) - (column.min() ?? 0)
      }
      var wrong = values
      // Less than a step of the network's own arithmetic is no difference.
      wrong[index] += 0.05 * (ranges.max() ?? 0) + 1.1 * subject.compilation.plan.output.tensor.scale
      let verdict = try subject.verdict(on: wrong)
      #expect(!verdict.isKept, "value \(index): \(verdict.text)")
    }
  }

  @Test func anyValueThatIsNotFiniteIsRefused() throws {
    let subject = try Case("conv_same_lower")
    for value in [Double.nan, .infinity, -.infinity] {
      var wrong = subject.expected.doubles
      wrong[7] = value
      #expect(throws: SamplesError.self) { try subject.verdict(on: wrong) }
    }
  }

  /// Where float32 has nothing left of a class, LogSoftmax gives -inf: right only if ours is as small.
  @Test func minusInfinityIsALogarithmOfNothing() throws {
    let subject = try Case("logsoftmax_last")
    var wrong = subject.expected.doubles
    wrong[4] = -.infinity
    #expect(!(try subject.verdict(on: wrong).isKept))
    wrong[4] = .infinity
    #expect(throws: SamplesError.self) { try subject.verdict(on: wrong) }
  }

  @Test func shapesComeWithOnesOrFlatButNotTurned() throws {
    let subject = try Case("conv_same_lower")
    let values = subject.expected.doubles
    for shape in [[6, 5], [6, 5, 1, 1], [6, 1, 5]] { #expect(try subject.verdict(on: values, shape: shape).isKept) }
    for shape in [[5, 6], [30], [3, 10]] {
      #expect(throws: SamplesError.self) { try subject.verdict(on: values, shape: shape) }
    }
  }

  /// Indices of another tool's TopK: ties may go either way, classes that are none are refused by their index.
  @Test func ranksAreHeldAgainstOurOwnValues() throws {
    let subject = try Case("topk_last")
    let right = subject.expected.doubles
    #expect(try subject.verdict(on: right).isKept)
    for index in right.indices {
      for other in [0.0, 1, 2] where other != right[index] {
        var wrong = right
        wrong[index] = other
        #expect(!(try subject.verdict(on: wrong).isKept))
      }
      for nonsense in [-1.0, 3, 0.5] {
        var wrong = right
        wrong[index] = nonsense
        let found = nonsense == 0.5 ? "0.5" : "\(Int(nonsense))"
        #expect(throws: SamplesError.label(path: "y.npy", index: index, found: found, classes: 3)) {
          try subject.verdict(on: wrong)
        }
      }
    }
  }

  /// A quantized average pool whose ties a float executor rounds up: one step apart where there is a tie, and no more.
  @Test func tiesOfAveragePoolsMayFallEitherWay() throws {
    let bytes = Fixtures.model("edge/16_avgpool_ties_half_even.onnx")
    let compilation = try Compilation(Model(bytes: bytes, path: "pool.onnx"), PlanningOptions(name: "net"))
    let inputs = SampleInputs.make(for: compilation.plan.input, count: 12, seed: 3)
    let tensor = compilation.plan.output.tensor
    let interpreter = Interpreter(compilation.network)
    let ours = inputs.map { tensor.real(interpreter.run($0).output) }
    func verdict(_ change: (Int, Double) -> Double) throws -> Comparison {
      let values = ours.flatMap { $0 }.enumerated().map { change($0.offset, $0.element) }
      return try Expectation(
        NPY(
          shape: [inputs.count, tensor.shape.channels, tensor.shape.height, tensor.shape.width],
          values: .float64(values)), path: "y.npy", samples: inputs.count, output: tensor, trailing: nil
      ).comparison(compilation.network, inputs: inputs)
    }
    #expect(try verdict { $1 }.isKept)
    #expect(try verdict { $0 % 10 == 0 ? $1 + tensor.scale : $1 }.isKept)
    // One percent of the 8-bit range is less than three steps.
    #expect(!(try verdict { $1 + 3 * tensor.scale }.isKept))
    #expect(!(try verdict { $0 == 5 ? $1 + 40 * tensor.scale : $1 }.isKept))
  }
}
