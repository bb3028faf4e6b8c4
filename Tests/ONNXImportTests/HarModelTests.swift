import Diagnostics
import GraphIR
import ModelBuilding
import ONNXImport
import Testing

/// The trained radar networks, in every dialect that Brevitas writes.
@Suite struct HarModelTests {
  static let variants = [
    "act4_qonnx_ts", "const_pt_qcdq_ts", "const_pt_qonnx_ts", "floatpool_outq_qonnx_ts", "max2_pc_qcdq_ts",
    "max2_pc_qonnx_dynamo", "max2_pc_qonnx_ts", "pot_qonnx_ts", "twn_pc_qcdq_ts", "twn_pc_qonnx_ts",
    "twn_pt_biasint8_qonnx_ts",
  ]

  static func imported(_ variant: String) throws -> Graph {
    try ModelImporter.importModel(bytes: Fixtures.model("har/\(variant).onnx"), folder: nil).graph
  }

  @Test(arguments: variants) func importsToTheSameTopology(variant: String) throws {
    let graph = try Self.imported(variant)
    let block = ["convolution", "batchNormalization", "relu", "quantize"]
    let tail =
      variant == "floatpool_outq_qonnx_ts"
      ? ["averagePool", "flatten", "dense", "quantize"] : ["averagePool", "quantize", "flatten", "dense"]
    let expected =
      ["quantize"] + block + ["maxPool"] + block + block + ["maxPool"] + block + block + ["maxPool"] + tail
    #expect(graph.nodes.map(\.operation.kind) == expected)
    #expect(graph[graph.input].shape == [1, 64, 64])
    #expect(graph[graph.output].shape == [5])
    #expect(graph.verified().isEmpty)
  }
}
