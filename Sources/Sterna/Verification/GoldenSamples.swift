import CEmission
import ReferenceInterpreter
import Scheduling

extension Compilation {
  /// The inputs of the emitted tests, with what the trained network's layers make of them.
  ///
  /// Few fit into a file, so that they are picked: in turn the one that adds most values of a layer's channels to those seen so
  /// far. A channel whose values are all the same says nothing about its weights.
  func goldenSamples() -> [GoldenSample] {
    let interpreter = Interpreter(network)
    // Three say little of a small network, whose channels have few values; of a large one, more would fill megabytes.
    let count = min(12, max(3, 24_000 / (plan.input.bytes + plan.expectedBytes)))
    let inputs =
      SampleInputs.make(for: plan.input, count: 2 * count, seed: 1)
      + SampleInputs.shades(for: plan.input, count: 2 * count, seed: 2)
    var candidates = inputs.map { input in
      let result = interpreter.run(input)
      return GoldenSample(
        input: input, layers: plan.contexts.map { computedValues(result, of: input, $0) }, output: result.allOutputs)
    }
    var news = candidates.map(valuesOfChannels)
    var chosen: [GoldenSample] = []
    while chosen.count < count, let next = news.indices.max(by: { news[$0].count < news[$1].count }) {
      chosen.append(candidates.remove(at: next))
      let seen = news.remove(at: next)
      for index in news.indices { news[index].subtract(seen) }
    }
    return chosen
  }

  private struct Seen: Hashable {
    var layer: Int
    var channel: Int
    var value: Int32
  }

  private func valuesOfChannels(_ sample: GoldenSample) -> Set<Seen> {
    var seen: Set<Seen> = []
    for (layer, values) in sample.layers.enumerated() {
      let channels = max(1, plan.contexts[layer].output.shape.channels)
      let size = max(1, values.count / channels)
      for (index, value) in values.enumerated() {
        seen.insert(Seen(layer: layer, channel: index / size, value: value))
      }
    }
    return seen
  }
}
