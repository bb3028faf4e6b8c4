import GraphIR
import ModelBuilding
import ONNXImport
import Testing

/// Imports a built model and returns its operations in order.
func operations(_ model: ModelBuilder) throws -> [GraphIR.Operation] {
  let graph = try ModelImporter.importModel(bytes: model.bytes, folder: nil).graph
  #expect(graph.verified().isEmpty)
  return graph.nodes.map(\.operation)
}

/// The kinds of the operations, as in `quantize convolution relu`.
func kinds(_ model: ModelBuilder) throws -> String {
  try operations(model).map(\.kind).joined(separator: " ")
}

/// A model of one quantizer in front of what `build` makes of its result.
func model(input: [Int64?] = [1, 1, 8, 8], opset: Int64 = 17, _ build: (inout ModelBuilder, String) -> String)
  -> ModelBuilder
{
  var model = ModelBuilder(input: input, opset: opset)
  model.output = build(&model, model.quant("x"))
  return model
}
