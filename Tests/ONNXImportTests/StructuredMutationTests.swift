import Diagnostics
import Lowering
import ModelBuilding
import ONNXFormat
import ONNXImport
import Testing

/// Models that parse, but whose numbers, names and operators have been exchanged at random: these get past the wire
/// format and reach every operator with inputs that no exporter writes.
@Suite struct StructuredMutationTests {
  static let extremes: [Int64] = [
    0, 1, -1, 2, 3, 7, 64, 255, 256, 1024, 65536, 1 << 24, 1 << 31, 1 << 32, .max, .min, -(1 << 31), 1 << 62,
  ]

  @Test(arguments: ["edge/00_control_ok", "edge/30_qcdq_int8_clip", "edge/16_avgpool_ties_half_even"])
  func survives(name: String) throws {
    let original = try ONNXModelProto.parsing(Fixtures.model("\(name).onnx"))
    var random = SplitMix(seed: 7)
    for _ in 0..<2000 {
      var model = original
      for _ in 0...random.below(4) { mutate(&model.graph, &random) }
      let bytes: [UInt8] = try model.serializedBytes()
      _ = outcome(bytes)
    }
  }

  /// Networks that branch, exchanged at random, with more outputs: what is imported is lowered, or refused with a reason.
  @Test(arguments: ["graphs/residual", "graphs/ushape", "graphs/heads", "cases/residual_qcdq"])
  func survivesUpToTheNetwork(name: String) throws {
    let original = try ONNXModelProto.parsing(Fixtures.model("\(name).onnx"))
    var random = SplitMix(seed: 23)
    var lowered = 0
    for _ in 0..<60 {
      var model = original
      for _ in 0...random.below(2) { mutate(&model.graph, &random) }
      if random.below(3) == 0 {
        var output = model.graph.output[0]
        output.name = model.graph.node[random.below(model.graph.node.count)].output.first ?? ""
        model.graph.output.append(output)
      }
      let bytes: [UInt8] = try model.serializedBytes()
      do throws(ModelError) {
        _ = try Lowering.lower(try ModelImporter.importModel(bytes: bytes, folder: nil).graph)
        lowered += 1
      } catch {
        let codes = error.diagnostics.map(\.code)
        #expect(!codes.isEmpty && codes.allSatisfy { $0 != "broken-graph" && !$0.hasPrefix("internal") }, "\(error)")
      }
    }
    #expect(lowered > 0)
  }

  /// All operators on operands of all kinds, in all orders of attributes that any of them knows.
  @Test func survivesEveryOperatorOnEveryOperand() {
    var random = SplitMix(seed: 11)
    for supported in ModelImporter.supportedOperators {
      for _ in 0..<150 {
        var model = ModelBuilder(
          input: random.below(2) == 0 ? [1, 2, 4, 4] : [1, 4], opset: [9, 12, 17, 25][random.below(4)])
        var values = ["x", "", model.quant("x"), model.ternary([2, 2, 3, 3]), model.ternary([4, 4])]
        values.append(model.floats([1, 2], [2]))
        values.append(model.floats([], [0, 3]))
        values.append(model.scalar([0, 1, -1, .nan, .infinity, 1e30, 8, 0.5][random.below(8)]))
        values.append(model.integers([Self.extremes[random.below(Self.extremes.count)], 1], [2], type: .int64))
        values.append(model.integers([Self.extremes[random.below(Self.extremes.count)]], [], type: .int64))
        values.append(model.integers([1, 0, -1, 1], [2, 2], type: .int8))
        values.append(model.node("QuantizeLinear", ["x", model.scalar(1)]))
        let inputs = (0...random.below(6)).map { _ in values[random.below(values.count)] }
        let result = model.node(
          supported.type, inputs, domain: supported.domains[0], Self.attributes(&random))
        model.output = random.below(2) == 0 ? result : model.node("Relu", [result])
        _ = outcome(model.bytes)
      }
    }
  }

  private static func attributes(_ random: inout SplitMix) -> [String: ModelBuilder.Attribute] {
    let names = [
      "axis", "axes", "perm", "kernel_shape", "strides", "pads", "dilations", "group", "ceil_mode", "keepdims", "to",
      "start", "end", "starts", "ends", "transA", "transB", "alpha", "epsilon", "min", "max", "signed", "narrow",
      "rounding_mode", "auto_pad", "value", "value_int", "value_ints", "value_float", "block_size", "output_dtype",
      "allowzero", "count_include_pad", "training_mode", "split", "num_outputs", "mode", "scales", "nearest_mode",
      "coordinate_transformation_mode",
    ]
    var result: [String: ModelBuilder.Attribute] = [:]
    for _ in 0..<random.below(5) {
      let number = extremes[random.below(random.below(2) == 0 ? 4 : extremes.count)]
      let list = (0..<random.below(6)).map { _ in extremes[random.below(random.below(2) == 0 ? 4 : extremes.count)] }
      let value: ModelBuilder.Attribute =
        switch random.below(5) {
        case 0: .float(Float(number))
        case 1: .string(["SAME_UPPER", "FLOOR", "VALID", "x", "nearest", "floor", "asymmetric"][random.below(7)])
        case 2: .ints(list)
        case 3: .tensor(ModelBuilder.tensor(floats: [1, 2], list))
        default: .int(number)
        }
      result[names[random.below(names.count)]] = value
    }
    return result
  }

  private func mutate(_ graph: inout ONNXGraphProto, _ random: inout SplitMix) {
    let number = Self.extremes[random.below(Self.extremes.count)]
    let node = random.below(graph.node.count)
    let tensor = random.below(max(graph.initializer.count, 1))
    switch random.below(9) {
    case 0 where !graph.node[node].attribute.isEmpty:
      let attribute = random.below(graph.node[node].attribute.count)
      graph.node[node].attribute[attribute].i = number
      graph.node[node].attribute[attribute].ints = [number, number, 1, 2]
      graph.node[node].attribute[attribute].f = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
    case 1:
      graph.initializer[tensor].dims.append(number)
    case 2 where !graph.initializer[tensor].dims.isEmpty:
      graph.initializer[tensor].dims[0] = number
    case 3:
      graph.initializer[tensor].dataType = Int32(random.below(28))
    case 4 where !graph.node[node].input.isEmpty:
      let other = graph.node[random.below(graph.node.count)]
      let names = other.input + other.output + [""]
      graph.node[node].input[random.below(graph.node[node].input.count)] = names[random.below(names.count)]
    case 5:
      let operators = ModelImporter.supportedOperators
      graph.node[node].opType = operators[random.below(operators.count)].type
    case 6 where !graph.node[node].input.isEmpty:
      graph.node[node].input.removeLast()
    case 7:
      graph.initializer[tensor].rawData.indices.last.map {
        graph.initializer[tensor].rawData[$0] = UInt8(random.below(256))
      }
    default:
      graph.node.swapAt(node, random.below(graph.node.count))
    }
  }
}
