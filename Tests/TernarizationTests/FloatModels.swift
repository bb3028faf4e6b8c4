import ModelBuilding
import Sterna
import Testing

@testable import Ternarization

/// A file under `Tests/Fixtures/ternarize`.
func fixture(_ name: String) throws -> [UInt8] {
  try InputFile.read(Fixtures.path("ternarize/\(name)"))
}

func floats(_ name: String) throws -> (shape: [Int], values: [Float]) {
  let array = try NPY(parsing: fixture(name))
  return (array.shape, array.doubles.map { Float($0) })
}

/// The values cut into samples.
func samples(_ values: [Float], of size: Int) -> [[Float]] {
  stride(from: 0, to: values.count, by: size).map { Array(values[$0..<$0 + size]) }
}

extension ModelBuilder {
  /// A chain that begins with the input.
  static func chain(
    _ input: [Int64?], _ build: (inout ModelBuilder, inout String) -> Void
  ) -> ModelBuilder {
    var model = ModelBuilder(input: input)
    var value = "x"
    build(&model, &value)
    model.output = value
    return model
  }

  mutating func conv(
    _ value: inout String, _ weights: [Float], _ shape: [Int64], bias: [Float]? = nil, pad: Int64 = 0
  ) {
    var inputs = [value, floats(weights, shape)]
    if let bias { inputs.append(floats(bias, [shape[0]])) }
    value = node("Conv", inputs, ["pads": .ints([pad, pad, pad, pad])])
  }

  mutating func batchNorm(_ value: inout String, gamma: [Float], beta: [Float], mean: [Float], variance: [Float]) {
    let parameters = [gamma, beta, mean, variance].map { floats($0, [Int64($0.count)]) }
    value = node("BatchNormalization", [value] + parameters)
  }

  mutating func dense(_ value: inout String, _ weights: [Float], _ shape: [Int64], bias: [Float]) {
    value = node("Gemm", [value, floats(weights, shape), floats(bias, [shape[0]])], ["transB": .int(1)])
  }
}
