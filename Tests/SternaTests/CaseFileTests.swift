import Diagnostics
import ModelBuilding
import ReferenceInterpreter
import Scheduling
import Sterna
import TernaryIR
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Small files after what exporters write (`Tests/Fixtures/models/cases`, with its README): each is compiled and computes
/// what another executor recorded, or is refused with one message.
@Suite struct CaseFileTests {
  /// Refused files, the code, and what the message and its advice must say.
  private static let refused: [String: (code: String, named: [String])] = [
    "act_elu": ("unsupported-operator", ["'Elu'", "QuantReLU"]),
    "act_hardsigmoid": ("unsupported-operator", ["'HardSigmoid'", "QuantReLU"]),
    "act_hardswish": ("unsupported-operator", ["'HardSwish'", "QuantReLU"]),
    "act_leakyrelu": ("unsupported-operator", ["'LeakyRelu'", "QuantReLU"]),
    "act_per_channel_scale": ("quantizer-scale", ["8 different numbers", "one scale"]),
    "act_per_channel_scale_depthwise": ("quantizer-scale", ["8 different numbers", "one scale"]),
    "act_prelu": ("unsupported-operator", ["'PRelu'", "QuantReLU"]),
    "act_zp_fraction": ("quantizer-parameter", ["zero point is 2.5"]),
    "add_map_constant": ("constant-shape", ["[1, 8, 8, 8]", "positional"]),
    "avgpool_ceil": ("average-pool-partial", ["ceil_mode=False"]),
    "avgpool_ceil_include": ("average-pool-partial", ["ceil_mode=False"]),
    "bipolar_act": ("binary-activation", ["BipolarQuant", "bit_width=2"]),
    "bn_after_quant": ("unquantized-activation", ["n_Conv_34", "batchNormalization", "QuantIdentity"]),
    "bn_training": ("attribute", ["training_mode", "model.eval()"]),
    "conv_avgpool_bn_relu": ("activation-not-quantized", ["n_AveragePool_15", "QuantIdentity"]),
    "convtranspose": ("unsupported-operator", ["'ConvTranspose'", "Conv2d", "Upsample"]),
    "convtranspose_qcdq": ("unsupported-operator", ["'ConvTranspose'", "Conv2d"]),
    "convtranspose_qonnx_ts": ("unsupported-operator", ["'ConvTranspose'", "Conv2d"]),
    "global_lp_abs": ("unsupported-operator", ["'Abs'"]),
    "linear_3d_sequence": ("one-dimensional", ["1-D", "[1, 6, 10]"]),
    "local_function": ("model-functions", ["inline"]),
    "lstm": ("unsupported-operator", ["'LSTM'", "recurrent"]),
    "maxpool_dilated": ("attribute", ["dilations", "dilation=1"]),
    "per_channel_relu_qonnx_ts": ("quantizer-scale", ["8 different numbers", "one scale"]),
    "qdq_int16_act": ("activation-width", ["-32768...32767", "8 bits"]),
    "qlinearconv": ("unsupported-operator", ["'QLinearConv'", "export QDQ"]),
    "tanh_qcdq": ("unsupported-operator", ["'Tanh'", "Hardtanh"]),
  ]

  /// Whose recorded outputs are those of the node that the firmware leaves out.
  private static let endsElsewhere = ["logsoftmax_last", "topk_last"]

  private static let names: [String] = {
    let folder = Fixtures.path("models/cases")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".onnx") }.map { String($0.dropLast(5)) }.sorted()
  }()

  @Test func allFilesAreThere() {
    #expect(Self.names.count == 82)
    #expect(Self.refused.keys.filter { !Self.names.contains($0) } == [])
  }

  @Test(arguments: names)
  func isExactOrRefusedClearly(name: String) throws {
    let model = Model(bytes: Fixtures.model("cases/\(name).onnx"), path: "\(name).onnx")
    guard let refusal = Self.refused[name] else { return try isExact(name, model) }
    do throws(ModelError) {
      _ = try Compilation(model, PlanningOptions(name: "m"))
      Issue.record("\(name) was accepted")
    } catch {
      #expect(error.diagnostics.map(\.code) == [refusal.code])
      let text = error.diagnostics.map { $0.rendered(file: name) }.joined(separator: "\n")
      for word in refusal.named { #expect(text.contains(word), "\(text)") }
      #expect(text.contains(" fix: "))
    }
  }

  private func isExact(_ name: String, _ model: Model) throws {
    let compilation = try Compilation(model, PlanningOptions(name: "m"))
    let paths = ["in", "out"].map { Fixtures.path("models/cases/\(name).\($0).npy") }
    guard FileManager.default.fileExists(atPath: paths[0]), !Self.endsElsewhere.contains(name) else { return }
    let samples = try Samples(NPY(parsing: InputFile.read(paths[0])), path: paths[0], input: compilation.plan.input)
    let expected = try NPY(parsing: InputFile.read(paths[1])).doubles
    let network = compilation.network
    let output = network[network.outputTensor]
    let interpreter = Interpreter(network)
    let real = samples.integers.flatMap { output.real(interpreter.run($0).output) }
    try #require(real.count == expected.count)
    let range = (expected.max() ?? 0) - (expected.min() ?? 0)
    // Executors compute in float32, where a tie may fall the other way.
    let differing = zip(real, expected).count { abs($0 - $1) > 1e-4 * max(range, 1e-3) }
    #expect(differing <= expected.count / 50, "\(differing) of \(expected.count) differ")
    let largest = zip(real, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(largest <= 0.05 * range, "\(largest) of \(range)")
  }
}
