import Diagnostics
import Sterna
import Testing

@testable import Ternarization

/// Damaged files are refused or ternarized; neither traps.
@Suite struct MutationTests {
  @Test(arguments: 1...4) func damagedFilesDoNotTrap(seed: UInt64) throws {
    let sound = try fixture("cnn.onnx")
    let input = try floats("cnn_x.npy")
    let calibration = Calibration(shape: [1] + input.shape.dropFirst(), values: Array(input.values.prefix(312)))
    var random = LinearCongruential(seed: seed)
    // Most of the file is weights; its structure stands in the first bytes, the nodes.
    let structure = 1800
    for _ in 0..<150 {
      var bytes = sound
      for _ in 0..<(1 + Int(random.unit() * 3)) {
        bytes[min(Int(random.unit() * Float(structure)), bytes.count - 1)] = UInt8(random.unit() * 255)
      }
      do throws(ModelError) {
        _ = try Ternarization(bytes: bytes, folder: nil, calibration: calibration)
      } catch {
        #expect(!error.diagnostics.isEmpty)
        #expect(!error.diagnostics.contains { $0.code.hasPrefix("internal") })
      }
    }
  }
}
