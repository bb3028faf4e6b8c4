import FoundationEssentials
import ReferenceInterpreter
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import CEmission

/// The header's function for physical values against the interpreter's quantizer, to the byte.
@Suite struct QuantizerTests {
  private static let steps: [[InputQuantization.Step]] = [
    [], [.divide([255])], [.subtract([0.5]), .divide([0.1])], [.multiply([0.1]), .add([-0.3])],
    [.subtractFrom([1]), .multiply([3])], [.subtract([0.1307]), .divide([0.3081])],
    [.subtract([0.485, 0.456, 0.406]), .divide([0.229, 0.224, 0.225])],
  ]
  private static let scales: [Float] = [1, 0.5, 0.003921569, 0.1, 1 / 3, 2.5, 1e-6, 12345.678, 0.25, 1e-30]
  private static let grids: [(range: ClosedRange<Int>, zeroPoint: Int, isSigned: Bool)] = [
    (0...255, 0, false), (0...255, 128, false), (0...255, 7, false), (-128...127, 0, true), (-127...127, 0, true),
    (-128...127, -128, true), (-128...127, 3, true), (0...15, 8, false), (-8...7, 5, true), (0...1, 0, false),
    (-100...27, -3, true),
  ]

  static let quantizations: [InputQuantization] = [false, true].flatMap { dialect in
    grids.indices.flatMap { g in
      stride(from: g % 2, to: scales.count, by: 2).map { s in
        let grid = grids[g]
        return InputQuantization(
          name: "x", steps: steps[(g + s) % steps.count], scale: scales[s], zeroPoint: grid.zeroPoint,
          minimum: grid.range.lowerBound, maximum: grid.range.upperBound, addsZeroPointAfterRounding: dialect,
          isSigned: grid.isSigned)
      }
    }
  }

  /// All ties and clamps with their neighbours, ends of what floats are, and whatever else.
  private static func samples(_ quantization: InputQuantization, _ generator: inout SplitMix64) -> [Float] {
    var samples: [Float] = [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude]
    samples += [-.greatestFiniteMagnitude, .infinity, -.infinity, .nan, 1, -1]
    for half in (2 * quantization.minimum - 5)...(2 * quantization.maximum + 5) {
      var x = (Double(half) / 2 - Double(quantization.zeroPoint)) * Double(quantization.scale)
      for step in quantization.steps.reversed() {
        switch step {
        case .add(let constants): x -= Double(constants[0])
        case .subtract(let constants): x += Double(constants[0])
        case .subtractFrom(let constants): x = Double(constants[0]) - x
        case .multiply(let constants): x /= Double(constants[0])
        case .divide(let constants): x *= Double(constants[0])
        }
      }
      let middle = Float(x)
      samples += [middle.nextDown.nextDown, middle.nextDown, middle, middle.nextUp, middle.nextUp.nextUp]
    }
    samples += (0..<200).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
    return samples
  }

  /// As compiled by default, with all digits of an x87 kept, with arithmetic that is "fast", and as C++.
  @Test(arguments: [
    ["gcc", "-O2"], ["gcc", "-O2", "-mfpmath=387"], ["gcc", "-O3", "-ffast-math"], ["clang", "-O2"],
    ["clang", "-O3", "-ffast-math"], ["g++", "-O2", "-x", "c++"],
  ]) func headerAgreesWithInterpreter(compiler: [String]) async throws {
    let workshop = try Workshop()
    let isFast = compiler.contains("-ffast-math")
    var compilation = try compiled(small("dense"))
    var (main, calls, expected) = ("", "", [UInt8]())
    var inputs: [UInt8] = []
    var generator = SplitMix64(seed: 7)
    var ties = 0
    for (index, quantization) in Self.quantizations.enumerated() {
      compilation.plan.name = "q\(index)"
      compilation.plan.input.quantization = quantization
      let header = Emission.header(compilation.plan, compilation.provenance)
      try workshop.write("q\(index).h", header)
      let samples = Self.samples(quantization, &generator).filter { !isFast || $0.isFinite }
      let channels = quantization.steps.map(\.constants.count).max() ?? 1
      for (place, sample) in samples.enumerated() {
        // What is no number is not told apart when a compiler may think that there is none.
        let integer = Int(quantization.quantize(sample, channel: place % channels))
        expected.append(UInt8(truncatingIfNeeded: min(max(integer, quantization.minimum), quantization.maximum)))
        withUnsafeBytes(of: sample.bitPattern.littleEndian) { inputs += $0 }
        if quantization.steps.isEmpty {
          let y = sample / quantization.scale
          if y.magnitude < 300, y - y.rounded(.down) == 0.5 { ties += 1 }
        }
      }
      main += "#include \"q\(index).h\"\n"
      let channel = channels > 1 ? ", (uint32_t)i % \(channels)" : ""
      calls += "    for (i = 0; i < \(samples.count); i++) "
      calls += "putchar((unsigned char)q\(index)_quantize(next()\(channel)));\n"
    }
    #expect(ties > 1000, "only \(ties) ties")
    main += """
      #include <stdio.h>
      #include <string.h>
      static FILE *file;
      static float next(void) {
          float x = 0;
          unsigned char bytes[4];
          if (fread(bytes, 1, 4, file) == 4) memcpy(&x, bytes, 4);
          return x;
      }
      int main(void) {
          int i;
          file = fopen("inputs", "rb");
          if (!file) return 1;
      \(calls)    return 0;
      }

      """
    try workshop.write("main.c", main)
    try Data(inputs).write(to: URL(filePath: "\(workshop.path)/inputs"))
    let warnings = Workshop.warnings.filter { compiler[0] != "g++" || !$0.hasPrefix("-std") }
    let built = try await workshop.run(compiler[0], Array(compiler.dropFirst()) + warnings + ["main.c", "-o", "main"])
    try #require(built.exitCode == 0, "\(built.output.prefix(2000))")
    let outcome = try await workshop.run("sh", ["-c", "./main > outputs"])
    #expect(outcome.exitCode == 0)
    let found = [UInt8](try Data(contentsOf: URL(filePath: "\(workshop.path)/outputs")))
    #expect(found.count == expected.count)
    let differing = zip(found, expected).count { $0 != $1 }
    #expect(differing == 0, "\(differing) of \(expected.count) bytes differ")
  }

  /// The example in the header's words, and its macros for both scales.
  @Test func headerStatesItsScales() throws {
    for (index, quantization) in Self.quantizations.enumerated() {
      var compilation = try compiled(small("dense"), name: "net")
      compilation.plan.input.quantization = quantization
      compilation.plan.outputs[0].tensor.scale = Double(index + 1) / 3
      let header = Emission.header(compilation.plan, compilation.provenance)
      func macro(_ name: String) throws -> Double {
        let line = try #require(header.split(separator: "\n").first { $0.hasPrefix("#define NET_\(name) ") })
        let digits = line.split(separator: " ")[2].filter { $0.isNumber || $0 == "-" }
        return try #require(Double(line.contains("INT64_C") ? String(digits.dropFirst(2)) : String(digits)))
      }
      func scale(_ side: String) throws -> Double {
        let mantissa = try macro("\(side)_SCALE_MANTISSA")
        return Double(sign: .plus, exponent: Int(try macro("\(side)_SCALE_EXPONENT")), significand: mantissa)
      }
      #expect(try scale("INPUT") == Double(quantization.scale))
      #expect(try scale("OUTPUT") == Double(index + 1) / 3)
      #expect(try macro("OUTPUT_MINIMUM") == Double(compilation.plan.output.tensor.range.lowerBound))
      #expect(try macro("OUTPUT_MAXIMUM") == Double(compilation.plan.output.tensor.range.upperBound))
      #expect(try macro("OUTPUT_ZERO_POINT") == Double(compilation.plan.output.tensor.zeroPoint))
      if quantization.steps.isEmpty {
        let words = header.split { $0 == " " || $0 == "\n" || $0 == "*" }
        let place = try #require(words.indices.first { words[$0] == "example" })
        let example = try #require(Float(words[place + 1]))
        let integer = try #require(Int32(words[place + 3].dropLast()))
        #expect(quantization.quantize(example) == integer)
      }
    }
  }
}
