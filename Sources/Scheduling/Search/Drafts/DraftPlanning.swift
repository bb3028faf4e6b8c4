import TernaryIR

/// Layers to stages: how each is stored, computed and requantized, alone.
extension Scheduler {
  static func stage(
    _ index: Int, _ network: TernaryNetwork, _ input: Storage, _ names: inout Names
  ) -> Draft {
    let layer = network.layers[index]
    let source = network[layer.input]
    let target = network[layer.output]
    var output = Storage(target)
    let window: Window
    let work: Draft.Work
    switch layer.kind {
    case .convolution(let convolution):
      window = convolution.window
      work = .convolution(self.work(convolution, source, input, output, target.range))
    case .dense(let dense):
      window = Window(kernelHeight: source.shape.height, kernelWidth: source.shape.width)
      work = .dense(self.work(dense, source, input, output, target.range))
    case .maxPool(let maxPool):
      window = maxPool
      work = .maxPool
    case .averagePool(let pool):
      window = pool.window
      let taps = window.kernelHeight * window.kernelWidth
      // A sum of codes is stored as it comes: its base is the sum of the bases.
      if pool.requantizer == nil {
        output = Storage(base: taps * input.base, maximumCode: taps * input.maximumCode, elementBytes: 2)
      }
      work = .averagePool(
        pool.requantizer.map {
          Epilogue(
            $0, weightSums: [taps], accumulators: [0...(taps * input.maximumCode)], from: input, to: output,
            range: target.range)
        })
    case .add, .concatenate, .slice, .resize: preconditionFailure("a network that branches has been refused")
    }
    var paddingCode = 0
    if case .maxPool = layer.kind {} else if window.hasPadding { paddingCode = source.zeroPoint - input.base }
    let channelStride = source.shape.width + window.left + window.right
    var stage = Draft(
      name: names.identifier(for: layer.name, index: index + 1), layer: layer, layers: index...index,
      tensor: layer.output,
      inputShape: source.shape, accumulatorShape: target.shape, outputShape: target.shape, input: input,
      output: output,
      lineBuffer: LineBuffer(
        buffer: 0, slots: 0, left: window.left, right: window.right, paddingCode: paddingCode,
        channelStride: channelStride, rowStride: channelStride * source.shape.channels, elementBytes: input.elementBytes
      ),
      window: window, work: work, destination: .output)
    stage.hasRunningSum = canRunSum(stage)
    return stage
  }

  /// Sums take the place of all rows but one where an average pool's windows follow one another and that saves RAM.
  private static func canRunSum(_ stage: Draft) -> Bool {
    let window = stage.window
    guard case .averagePool = stage.work, stage.input.elementBytes == 1, !window.hasPadding,
      window.strideHeight == window.kernelHeight || stage.outputShape.height == 1,
      window.kernelHeight * window.kernelWidth * stage.input.maximumCode <= Int(UInt16.max)
    else { return false }
    return 2 * stage.outputShape.channels * stage.outputShape.width < (window.kernelHeight - 1)
      * stage.lineBuffer.rowBytes
  }

  /// The chain with a last dense layer that adds every row to its sums as it comes, where that saves RAM: it costs a
  /// few instructions more than all rows at once.
  static func withRunningDense(_ stages: [Draft]) -> [Draft]? {
    guard let last = stages.last, case .dense = last.work, last.inputShape.height > 1,
      4 * last.outputShape.count < (last.inputShape.height - 1) * last.lineBuffer.rowBytes
    else { return nil }
    var stages = stages
    stages[stages.count - 1].hasRunningSum = true
    return stages
  }

  /// The stage with the max pool behind it fused in, where the pool's windows neither overlap nor leave the map and RAM
  /// is saved: a few more input rows against the rows of the pool's own line buffer.
  static func fused(_ stage: Draft, _ network: TernaryNetwork, poolAt index: Int) -> Draft? {
    guard case .convolution = stage.work, stage.pool == nil, case .maxPool(let window) = network.layers[index].kind,
      window.kernelHeight == window.strideHeight, window.kernelWidth == window.strideWidth, !window.hasPadding
    else { return nil }
    var pooled = stage
    pooled.pool = window
    pooled.layers = stage.layers.lowerBound...index
    pooled.tensor = network.layers[index].output
    pooled.outputShape = network[network.layers[index].output].shape
    let poolBuffer =
      window.kernelHeight * stage.outputShape.width * stage.outputShape.channels * stage.output.elementBytes
    guard
      lineBufferRows(pooled) * stage.lineBuffer.rowBytes <= lineBufferRows(stage) * stage.lineBuffer.rowBytes
        + poolBuffer
    else { return nil }
    return pooled
  }

  private static func work(
    _ convolution: Convolution, _ source: Tensor, _ input: Storage, _ output: Storage, _ range: ClosedRange<Int>
  ) -> ConvolutionWork {
    let taps = convolution.taps
    let channels = (0..<convolution.outputChannels).map { convolution.weights[($0 * taps)..<(($0 + 1) * taps)] }
    let counts = channels.map(Counts.init)
    return ConvolutionWork(
      weights: channels.map(Array.init), taps: taps, groupChannels: convolution.groupChannels,
      outputsPerGroup: convolution.outputChannels / convolution.groups, nonZeros: counts.reduce(0) { $0 + $1.nonZeros },
      epilogue: Epilogue(
        convolution.requantizer, weightSums: counts.map(\.sum),
        accumulators: counts.map { $0.accumulators(input.maximumCode) }, from: input, to: output, range: range),
      scales: nil, unrolled: nil)
  }

  private static func work(
    _ dense: Dense, _ source: Tensor, _ input: Storage, _ output: Storage, _ range: ClosedRange<Int>
  ) -> DenseWork {
    let taps = dense.taps
    let shape = source.shape
    let counts = (0..<dense.outputs).map { Counts(dense.weights[($0 * taps)..<(($0 + 1) * taps)]) }
    let weights = (0..<dense.outputs).map { o in
      // From [channel][row][column] to the line buffer's order.
      var ordered: [Int8] = []
      ordered.reserveCapacity(taps)
      for y in 0..<shape.height {
        for c in 0..<shape.channels {
          let start = o * taps + (c * shape.height + y) * shape.width
          ordered += dense.weights[start..<(start + shape.width)]
        }
      }
      return ordered
    }
    return DenseWork(
      weights: weights, taps: taps, nonZeros: counts.reduce(0) { $0 + $1.nonZeros },
      epilogue: Epilogue(
        dense.requantizer, weightSums: counts.map(\.sum),
        accumulators: counts.map { $0.accumulators(input.maximumCode) }, from: input, to: output, range: range))
  }

  /// Plus and minus ones of an output channel.
  private struct Counts {
    var plus = 0
    var minus = 0

    init(_ weights: ArraySlice<Int8>) {
      for weight in weights {
        if weight > 0 { plus += 1 } else if weight < 0 { minus += 1 }
      }
    }

    var sum: Int { plus - minus }
    var nonZeros: Int { plus + minus }
    func accumulators(_ maximumCode: Int) -> ClosedRange<Int> { (-minus * maximumCode)...(plus * maximumCode) }
  }
}
