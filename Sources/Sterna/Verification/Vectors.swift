import CEmission
import ReferenceInterpreter
import Scheduling

/// Inputs and the interpreter's results for them, in the file format that `verify_harness.c` reads.
package struct Vectors: Sendable {
  package private(set) var bytes: [UInt8] = []
  package let samples: Int

  /// - Parameter inputs: Quantized samples, `[channel][row][column]`, within the input quantizer's range.
  package init(_ compilation: Compilation, inputs: [[Int32]]) {
    let plan = compilation.plan
    samples = inputs.count
    bytes = Array("STERNAV1".utf8)
    append(UInt32(inputs.count))
    append(UInt32(plan.input.bytes))
    append(UInt32(plan.expectedBytes))
    append(UInt32(plan.outputCount))
    let interpreter = Interpreter(compilation.network)
    let layers = plan.probedLayers
    for input in inputs {
      bytes += input.map { UInt8(truncatingIfNeeded: $0) }
      let result = interpreter.run(input)
      for (layer, stage) in zip(layers, plan.contexts) {
        for value in compilation.computedValues(result, of: input, stage) {
          let stored = Int(value) - layer.base
          switch layer.elementBytes {
          case 1: bytes.append(UInt8(truncatingIfNeeded: stored))
          case 2: append(UInt16(truncatingIfNeeded: stored))
          default: append(UInt32(truncatingIfNeeded: stored))
          }
        }
      }
      for value in result.allOutputs { append(UInt32(bitPattern: value)) }
    }
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
