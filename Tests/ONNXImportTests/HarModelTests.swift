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

extension HarModelTests {
  /// The same network in three dialects must become the same numbers.
  @Test(arguments: [
    ("max2_pc_qonnx_ts", "max2_pc_qonnx_dynamo"), ("max2_pc_qonnx_ts", "max2_pc_qcdq_ts"),
    ("const_pt_qonnx_ts", "const_pt_qcdq_ts"),
  ])
  func dialectsAgree(first: String, second: String) throws {
    let left = try Self.imported(first)
    let right = try Self.imported(second)
    for (left, right) in zip(left.nodes, right.nodes) {
      #expect(Self.withoutDialect(left.operation) == Self.withoutDialect(right.operation), "\(left.name)")
    }
  }

  /// Names, the order of rounding and zero point (which is 0 here) and how Trunc is spelt may differ.
  private static func withoutDialect(_ operation: GraphIR.Operation) -> GraphIR.Operation {
    switch operation {
    case .quantize(var quantizer):
      quantizer.zeroPointOrder = .beforeRounding
      if let truncation = quantizer.truncation { quantizer.scale = truncation.outputScale }
      quantizer.truncation = nil
      return .quantize(quantizer)
    case .convolution(var convolution):
      convolution.weights.name = ""
      return .convolution(convolution)
    case .dense(var dense):
      dense.weights.name = ""
      return .dense(dense)
    default: return operation
    }
  }

  /// A known trap: this QONNX file holds another network than the QCDQ file. The count was made
  /// with NumPy from the two files.
  @Test func aThresholdQuantizerIsReadAsTheFileSays() throws {
    let left = try Self.imported("twn_pc_qonnx_ts").nodes.compactMap(\.operation.weights)
    let right = try Self.imported("twn_pc_qcdq_ts").nodes.compactMap(\.operation.weights)
    let pairs = zip(left.flatMap(\.values), right.flatMap(\.values))
    #expect(left.flatMap(\.values).count == 2864)
    #expect(pairs.count { $0 != $1 } == 70)
  }

  @Test func quantizedBiasesKeepIntegerAndScaleApart() throws {
    let graph = try Self.imported("twn_pt_biasint8_qonnx_ts")
    guard case .dense(let dense) = graph.nodes[graph.nodes.count - 1].operation else {
      Issue.record("the last node is no dense layer")
      return
    }
    #expect(dense.bias?.count == 5)
    #expect(dense.bias?.allSatisfy { (-128...127).contains($0.integer) && $0.scale == 0.000498779583722353 } == true)
  }

  @Test func truncationIsReadFromSixInputs() throws {
    let graph = try Self.imported("twn_pt_biasint8_qonnx_ts")
    let truncations = graph.nodes.compactMap { node -> Quantizer.Truncation? in
      if case .quantize(let quantizer) = node.operation { quantizer.truncation } else { nil }
    }
    #expect(truncations == [Quantizer.Truncation(shift: 2, outputScale: 0.021907499060034752)])
  }
}

extension GraphIR.Operation {
  fileprivate var weights: TernaryWeights? {
    switch self {
    case .convolution(let convolution): convolution.weights
    case .dense(let dense): dense.weights
    default: nil
    }
  }
}
