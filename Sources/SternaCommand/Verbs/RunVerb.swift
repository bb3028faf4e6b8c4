import ArgumentParser
import ReferenceInterpreter
import Sterna

struct RunVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs samples through the reference interpreter.",
    discussion: "What firmware would cost does not matter here: options for it are taken and change nothing.")

  @OptionGroup var options: ModelOptions

  @Option(help: "N × (input shape): float32 is quantized by the model, int8 or uint8 is taken as quantized.")
  var input: String

  @Option(help: "Where the outputs go: N × outputs, int32; those of several, one behind the other as the C has them.")
  var output: String

  @Flag(help: "Writes the outputs' real values, float32, instead of integers.")
  var real = false

  @Option(help: "A folder for every layer's output, an int32 array each.")
  var layers: String?

  func validate() throws {
    try requireNonempty(output, "--output")
    try requireNonempty(layers, "--layers")
  }

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.interpret()
      let samples = try readSamples(input, for: compilation)
      let interpreter = Interpreter(compilation.network)
      let tensors = compilation.plan.outputs.map(\.tensor)
      var outputs: [Int32] = []
      var reals: [Float] = []
      var layerValues = [[Int32]](repeating: [], count: layers == nil ? 0 : compilation.network.layers.count)
      for (index, sample) in samples.enumerated() {
        Console.progress("sample \(index + 1) of \(samples.count)")
        let result = interpreter.run(sample)
        for (tensor, values) in zip(tensors, result.outputs) {
          outputs += values
          if real { reals += tensor.real(values).map { Float($0) } }
        }
        for layer in layerValues.indices { layerValues[layer] += result.layers[layer] }
      }
      Console.endProgress()
      var files = OutputFiles()
      let count = samples.count
      let shape = [count] + (tensors.count == 1 ? tensors[0].shape.extents : [compilation.plan.outputCount])
      files.add(output, NPY(shape: shape, values: real ? .float32(reals) : .int32(outputs)).encoded())
      if let layers {
        for (layer, values) in zip(compilation.layerFiles, layerValues) {
          files.add(
            "\(layers)/\(layer.name).npy",
            NPY(shape: [count] + layer.shape.extents, values: .int32(values)).encoded())
        }
      }
      try files.write()
      Console.say("\(count) sample(s) -> \(output)")
    }
  }
}
