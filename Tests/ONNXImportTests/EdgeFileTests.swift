import Diagnostics
import GraphIR
import ModelBuilding
import ONNXImport
import Testing

/// What importing a file gives: the graph's dump, or the diagnostics.
func outcome(_ bytes: [UInt8], folder: String? = nil) -> Result<Graph, ModelError> {
  do throws(ModelError) {
    return .success(try ModelImporter.importModel(bytes: bytes, folder: folder).graph)
  } catch {
    return .failure(error)
  }
}

@Suite struct EdgeFileTests {
  @Test(arguments: [
    "00_control_ok", "03d_2bit_not_narrow_without_minus2", "04b_dynamic_batch", "07_asym_padding",
    "10b_bn_gamma_negative", "14b_initializers_also_inputs", "15c_lowercase_round", "16_avgpool_ties_half_even",
    "25_domain_onnx_brevitas", "30_qcdq_int8_clip",
  ])
  func isAccepted(name: String) throws {
    let graph = try ModelImporter.importModel(bytes: Fixtures.model("edge/\(name).onnx"), folder: nil).graph
    #expect(graph.verified().isEmpty)
  }

  /// What the message must name: node, tensor, what was found.
  static let refusals: [(name: String, code: String, named: [String])] = [
    ("01_unsupported_op_erf", "unsupported-operator", ["act1", "Erf"]),
    ("02_missing_act_quant", "unquantized-activation", ["fc", "r1", "act1"]),
    ("03_weights_4bit", "weights-not-ternary", ["w1", "-7, -6", "15 levels", "bit width of 4"]),
    ("04_dynamic_hw", "input-shape", ["'x'", "[1, 1, H, W]"]),
    ("05_truncated", "malformed-file", ["byte"]),
    ("06_nan_weight_scale", "quantizer-scale", ["Quant_w1q", "w1q_s", "nan"]),
    ("12_zero_act_scale", "quantizer-scale", ["Quant_r1q", "r1q_s", "0.0"]),
    ("19b_external_missing", "external-data-missing", ["nope.data", "w1"]),
    ("20_huge_dims", "tensor-too-large", ["w1", "[2147483648, 2147483648, 3, 3]"]),
    ("22b_cycle", "cycle", ["Quant_r1q", "r1q"]),
  ]

  @Test(arguments: refusals)
  func isRefused(name: String, code: String, named: [String]) throws {
    let result = outcome(Fixtures.model("edge/\(name).onnx"), folder: Fixtures.path("models/edge"))
    guard case .failure(let error) = result else {
      Issue.record("\(name) was accepted")
      return
    }
    #expect(Set(error.diagnostics.map(\.code)) == [code])
    let text = error.diagnostics.map { $0.rendered(file: name) }.joined(separator: "\n")
    for word in named { #expect(text.contains(word)) }
    #expect(error.diagnostics.allSatisfy { $0.fix != nil })
  }
}
