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

  @Test(arguments: [
    ("01_unsupported_op_erf", "unsupported-operator"), ("02_missing_act_quant", "unquantized-activation"),
    ("03_weights_4bit", "weights-not-ternary"), ("04_dynamic_hw", "input-shape"), ("05_truncated", "malformed-file"),
    ("06_nan_weight_scale", "quantizer-scale"), ("12_zero_act_scale", "quantizer-scale"),
    ("19b_external_missing", "external-data-missing"), ("20_huge_dims", "tensor-too-large"), ("22b_cycle", "cycle"),
  ])
  func isRefused(name: String, code: String) throws {
    let folder = Fixtures.path("models/edge")
    let result = outcome(Fixtures.model("edge/\(name).onnx"), folder: folder)
    guard case .failure(let error) = result else {
      Issue.record("\(name) was accepted")
      return
    }
    #expect(Set(error.diagnostics.map(\.code)) == [code])
  }
}
