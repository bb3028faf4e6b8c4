import ReferenceInterpreter
import Sterna
import TernaryIR

/// Seeded random networks whose channels live.
///
/// Uncalibrated random networks saturate: most channels are constant and a comparison of outputs sees nothing. Hence
/// every layer is calibrated when it is made: samples run through the network so far, the layer's accumulators are looked
/// at, and its requantizer is chosen so that the channel takes several values.
package enum RandomNetwork {
  /// The network of a seed: 1 to 8 layers, small enough for thousands of runs in a debug build.
  ///
  /// - Parameter isWide: Begin with a convolution of so many taps that its sums need more than 16 bits.
  package static func make(seed: UInt64, isWide: Bool = false) -> TernaryNetwork {
    var builder = Builder(seed: seed, isWide: isWide)
    return builder.build()
  }

  /// A convolution and one or two pairs of a depthwise and a pointwise one, pools between them: what rows of bytes, of
  /// words and strips of rows follow one another in.
  package static func separable(seed: UInt64) -> TernaryNetwork {
    var builder = Builder(seed: seed, isSeparable: true)
    return builder.buildSeparable()
  }

  /// A network like those that spot keywords: a convolution, depthwise and pointwise ones, a pool, often a dense layer.
  package static func keyword(seed: UInt64) -> TernaryNetwork {
    var builder = Builder(seed: seed)
    return builder.buildKeyword()
  }

  /// The same, with convolutions behind the first that keep the map's extents, and a pool over all of it.
  package static func pooledKeyword(seed: UInt64) -> TernaryNetwork {
    var builder = Builder(seed: seed)
    return builder.buildKeyword(isPooled: true)
  }

  /// A network whose windows lie in the corners of what is legal: strides beyond the kernel, padding on one side and of more
  /// than a kernel, kernels beyond the map, single rows and columns, layers that are constant.
  ///
  /// A seed draws one of the families above, so that every way of computing a layer meets every such window.
  package static func corner(seed: UInt64) -> TernaryNetwork {
    var builder = Builder(seed: seed, isWide: seed % 16 == 5, isSeparable: seed % 4 == 1, hasCorners: true)
    let network =
      switch seed % 4 {
      case 1: seed % 16 == 5 ? builder.build() : builder.buildSeparable()
      case 2: builder.buildKeyword()
      case 3: builder.buildKeyword(isPooled: seed % 8 == 3)
      default: builder.build()
      }
    return seed % 5 == 0 ? network.withDeadChannels(seed: seed, entirely: seed % 3 == 0) : network
  }

  /// Samples that calibration looks at.
  static let samples = 20
}

/// A network under construction, together with the values that its last tensor has on the samples.
struct Builder {
  let seed: UInt64
  let isWide: Bool
  /// Whether windows are drawn from the corners of what is legal.
  let hasCorners: Bool
  var generator: SplitMix64
  var network: TernaryNetwork
  var current = TernaryNetwork.TensorID(0)
  var values: [[Int32]]
  /// Requantizers are multiplications that saturate at the ends of their grids, as most trained networks have them.
  var isPlain = false

  /// Bits of all integers but the input's; nil: as it comes.
  var bits: Int?

  /// What a convolution is to be.
  enum Form {
    case any, full, depthwise, pointwise
    /// Stride 1, and one output a channel.
    case plainDepthwise
    /// The same, its padding such that the map keeps its extents.
    case sameDepthwise
  }

  init(seed: UInt64, isWide: Bool = false, isSeparable: Bool = false, hasCorners: Bool = false) {
    self.seed = seed
    self.isWide = isWide
    self.hasCorners = hasCorners
    generator = SplitMix64(seed: seed)
    let grid =
      !isWide
      ? Self.grid(&generator, atLeast: 1)
      : hasCorners ? generator.pick([0...255, 0...255, -128...127, -127...127, 0...127]) : 0...255
    let zeroPoint = Self.zeroPoint(grid, &generator, mayLieOutside: true)
    let shape =
      isWide
      ? Shape(
        generator.pick(30...60), generator.pick((hasCorners ? 1 : 3)...6), generator.pick((hasCorners ? 1 : 4)...9))
      : hasCorners
        ? Shape(generator.pick([1, 1, 2, 3, 4, 6]), Self.cornerExtent(&generator), Self.cornerExtent(&generator))
        : isSeparable
          ? Shape(generator.pick(1...3), generator.pick(5...12), generator.pick(8...40))
          : Shape(generator.pick([1, 1, 2, 3, 4, 6]), Self.extent(&generator), Self.extent(&generator))
    let scale = Float(generator.pick(1...64)) / Float(generator.pick([16, 64, 100, 255]))
    let tensor = Tensor(
      name: "input", shape: shape, range: grid, zeroPoint: zeroPoint, scale: Double(scale))
    var quantization = InputQuantization(
      name: "input", scale: scale, zeroPoint: zeroPoint, minimum: grid.lowerBound, maximum: grid.upperBound,
      addsZeroPointAfterRounding: generator.chance(30), isSigned: grid.lowerBound < 0)
    if generator.chance(40) { quantization.steps.append(.divide([Float(generator.pick([2, 100, 255]))])) }
    if generator.chance(30) { quantization.steps.append(.subtract([Float(generator.pick(1...9)) / 8])) }
    network = TernaryNetwork(
      name: "random \(seed)", input: quantization, tensors: [tensor], layers: [], inputTensor: .init(0),
      outputTensor: .init(0))
    values = randomSamples(of: tensor, count: RandomNetwork.samples, seed: seed)
  }

  var tensor: Tensor { network[current] }

  mutating func build() -> TernaryNetwork {
    let wanted = generator.pick(isWide ? [2, 3, 4] : [1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8])
    if isWide {
      let isAlone = hasCorners && generator.chance(15)
      addConvolution(isLast: isAlone)
      if isAlone {
        network.outputTensor = current
        return network
      }
      if generator.chance(50) { addMaxPool() }
    }
    while network.layers.count < wanted || tensor.kind == .sum {
      addLayer(isLast: network.layers.count + 1 >= wanted)
      if tensor.kind == .logits { break }
    }
    network.outputTensor = current
    return network
  }

  mutating func buildSeparable() -> TernaryNetwork {
    addConvolution(.full, isLast: false)
    for _ in 0..<generator.pick(1...2) {
      if generator.chance(40) { addSquarePool() }
      addConvolution(.depthwise, isLast: false)
      addConvolution(.pointwise, isLast: false)
    }
    if generator.chance(60) { addSquarePool() }
    if generator.chance(30) { addAveragePool(isGlobal: generator.chance(25), isLast: false) }
    addDense(isLast: true)
    network.outputTensor = current
    return network
  }

  mutating func buildKeyword(isPooled: Bool = false) -> TernaryNetwork {
    isPlain = generator.chance(90)
    if isPooled { bits = generator.pick([1, 4, 8, 8, 8]) }
    addConvolution(isPooled ? .full : .any, isLast: false)
    for _ in 0..<generator.pick(1...3) {
      if generator.chance(85) { addConvolution(isPooled ? .sameDepthwise : .plainDepthwise, isLast: false) }
      if generator.chance(85) { addConvolution(.pointwise, isLast: false) }
    }
    let hasDense = generator.chance(60)
    let hasMore = !isPooled && generator.chance(20)
    if isPooled {
      addAveragePool(isGlobal: true, isLast: !hasDense)
    } else if generator.chance(70) {
      addAveragePool(isGlobal: generator.chance(25), isLast: !hasDense && !hasMore)
    } else {
      addMaxPool()
    }
    if hasMore, tensor.kind != .logits { addConvolution(isLast: !hasDense) }
    if tensor.kind == .sum || (hasDense && tensor.kind != .logits) { addDense(isLast: true) }
    network.outputTensor = current
    return network
  }

  private mutating func addSquarePool() {
    let shape = tensor.shape
    let (height, width) = (generator.pick(1...2), generator.pick(1...2))
    guard height * width > 1, height <= shape.height, width <= shape.width else { return }
    let window = Window(kernelHeight: height, kernelWidth: width, strideHeight: height, strideWidth: width)
    var output = tensor
    output.name = name("maxpool")
    output.shape = Shape(shape.channels, shape.height / height, shape.width / width)
    append(Layer(name: output.name, kind: .maxPool(window), inputs: [current], output: nextID), output)
  }

  private mutating func addLayer(isLast: Bool) {
    let hasRows = tensor.shape.height > 1 || tensor.shape.width > 1
    let isSum = tensor.kind == .sum
    let roll = generator.pick(0...99)
    if hasRows, !isSum, roll < 15, !(isLast && network.layers.isEmpty) {
      addMaxPool()
    } else if hasRows, !isSum, roll < 32 {
      addAveragePool(isGlobal: generator.chance(25), isLast: isLast)
    } else if roll < 44 || (isLast && roll < 65) {
      addDense(isLast: isLast)
    } else {
      addConvolution(isLast: isLast)
    }
  }

  // MARK: Layers

  mutating func addConvolution(_ form: Form = .any, isLast: Bool) {
    let shape = tensor.shape
    var window = Window(kernelHeight: 1, kernelWidth: 1)
    var groups = 1
    var outputs = 1
    let isWidening = isWide && network.layers.isEmpty
    let isPlainDepthwise = form == .plainDepthwise || form == .sameDepthwise
    for attempt in 0..<(isWidening ? 0 : 50) {
      let square = generator.pick(1...7)
      let largest = attempt > 25 ? 3 : 7
      window = randomWindow(
        height: generator.chance(60) ? square : generator.pick(1...largest),
        width: generator.chance(60) ? square : generator.pick(1...largest))
      groups = 1
      let divisors = (1...shape.channels).filter { shape.channels % $0 == 0 }
      if shape.channels > 1, generator.chance(30) {
        groups = shape.channels
      } else if divisors.count > 2, generator.chance(20) {
        groups = generator.pick(Array(divisors.dropFirst().dropLast()))
      }
      if form != .any {
        if form == .pointwise { window = Window(kernelHeight: 1, kernelWidth: 1) }
        if form == .pointwise, hasCorners, generator.chance(50) { window = cornerPoint() }
        if isPlainDepthwise || generator.chance(hasCorners ? 40 : 80) {
          (window.strideHeight, window.strideWidth) = (1, 1)
        }
        groups = form == .depthwise || isPlainDepthwise ? shape.channels : 1
      }
      if form == .sameDepthwise { keepExtents(&window) }
      let perGroup =
        isPlainDepthwise
        ? 1 : groups > 1 ? generator.pick([1, 1, 2, 3]) : generator.pick([1, 2, 3, 4, 5, 6, 8, 11, 16])
      outputs = groups * perGroup
      guard let size = window.outputSize(height: shape.height, width: shape.width), size.height * size.width <= 900
      else { continue }
      let taps = shape.channels / groups * window.kernelHeight * window.kernelWidth
      // A window of one tap over one bit has two accumulators, and nothing behind it can have more values.
      if tensor.range.count < 3, taps < 3 { continue }
      if outputs * size.height * size.width * taps <= 20_000 { break }
    }
    if isWidening {
      window = wideWindow()
      outputs = generator.pick([2, 3, 5])
    }
    guard let size = window.outputSize(height: shape.height, width: shape.width) else {
      return addDense(isLast: isLast)
    }
    let taps = shape.channels / groups * window.kernelHeight * window.kernelWidth
    var weights = randomWeights(outputs, taps)
    var layer = Layer(name: name("conv"), kind: .maxPool(window), inputs: [current], output: nextID)
    let target = Shape(outputs, size.height, size.width)
    func layerKind(_ weights: [Int8], _ requantizer: Requantizer, _ input: Tensor) -> Layer.Kind {
      .convolution(
        Convolution(
          weights: weights, outputChannels: outputs, groupChannels: shape.channels / groups, groups: groups,
          window: window,
          accumulators: Convolution.accumulators(weights, outputChannels: outputs, window: window, input: input),
          requantizer: requantizer))
    }
    var observed: [[Int]] = []
    for _ in 0..<4 {
      layer.kind = layerKind(weights, .identity, tensor)
      observed = distinctAccumulators(layer, target)
      if !redraw(&weights, taps, observed) { break }
    }
    let domains = Convolution.accumulators(weights, outputChannels: outputs, window: window, input: tensor)
    let (requantizer, output) = requantize(observed, domains, target, isLast: isLast, name: layer.name)
    layer.kind = layerKind(weights, requantizer, tensor)
    append(layer, output)
  }

  mutating func addDense(isLast: Bool) {
    let taps = tensor.shape.count
    var outputs = generator.pick([2, 3, 4, 5, 6, 8, 10, 12])
    while outputs > 2, outputs * taps > 20_000 { outputs -= 1 }
    var weights = randomWeights(outputs, taps)
    var layer = Layer(
      name: name("dense"), kind: .maxPool(Window(kernelHeight: 1, kernelWidth: 1)), inputs: [current], output: nextID)
    let target = Shape(outputs)
    func kind(_ weights: [Int8], _ requantizer: Requantizer, _ input: Tensor) -> Layer.Kind {
      .dense(
        Dense(
          weights: weights, outputs: outputs,
          accumulators: Dense.accumulators(weights, outputs: outputs, input: input), requantizer: requantizer))
    }
    var observed: [[Int]] = []
    for _ in 0..<4 {
      layer.kind = kind(weights, .identity, tensor)
      observed = distinctAccumulators(layer, target)
      if !redraw(&weights, taps, observed) { break }
    }
    let domains = Dense.accumulators(weights, outputs: outputs, input: tensor)
    let (requantizer, output) = requantize(observed, domains, target, isLast: isLast, name: layer.name)
    layer.kind = kind(weights, requantizer, tensor)
    append(layer, output)
  }

  mutating func addMaxPool() {
    let window =
      isWide && generator.chance(70)
      ? Window(kernelHeight: 2, kernelWidth: 2, strideHeight: 2, strideWidth: 2) : randomPool()
    guard let size = window.outputSize(height: tensor.shape.height, width: tensor.shape.width) else { return }
    var output = tensor
    output.name = name("maxpool")
    output.shape = Shape(tensor.shape.channels, size.height, size.width)
    append(Layer(name: output.name, kind: .maxPool(window), inputs: [current], output: nextID), output)
  }

  mutating func addAveragePool(isGlobal: Bool, isLast: Bool) {
    var window =
      isGlobal ? Window(kernelHeight: tensor.shape.height, kernelWidth: tensor.shape.width) : randomPool()
    if !isGlobal, generator.chance(40), min(tensor.shape.height, tensor.shape.width) > 1 {
      window = Window(kernelHeight: 2, kernelWidth: 2, strideHeight: 2, strideWidth: 2)
    }
    guard let size = window.outputSize(height: tensor.shape.height, width: tensor.shape.width) else { return }
    let target = Shape(tensor.shape.channels, size.height, size.width)
    let taps = window.kernelHeight * window.kernelWidth
    let domain = AveragePool.accumulators(window, input: tensor)
    var layer = Layer(
      name: name("avgpool"), kind: .averagePool(AveragePool(window: window, accumulators: domain, requantizer: nil)),
      inputs: [current], output: nextID)
    let sum = Tensor(
      name: layer.name, shape: target, kind: .sum, range: domain, zeroPoint: taps * tensor.zeroPoint,
      scale: tensor.scale / Double(taps))
    // The bound is Lowering's.
    if !isLast, generator.chance(40), taps * min(255, tensor.grid.count) < 1 << 16 {
      return append(layer, sum)
    }
    let observed = distinctAccumulators(layer, target)
    let merged = Array(Set(observed.joined())).sorted()
    let requantizer: Requantizer
    let output: Tensor
    if !isLast || generator.chance(50), taps == 4, generator.chance(80) {
      // The mean itself on the input's own grid: a quarter of all sums are ties.
      let grid = tensor.grid
      let zero = tensor.zeroPoint
      requantizer = Requantizer(
        form: .affineHalfEven(multipliers: [1], offsets: [4 * zero - taps * zero], shift: 2), minimum: grid.lowerBound,
        maximum: grid.upperBound, proof: .init(pairs: domain.count))
      output = Tensor(
        name: layer.name, shape: target, range: Self.range(requantizer, [domain]), grid: grid, zeroPoint: zero,
        scale: tensor.scale)
    } else {
      (requantizer, output) = requantize([merged], [domain], target, isLast: isLast, name: layer.name)
    }
    layer.kind = .averagePool(AveragePool(window: window, accumulators: domain, requantizer: requantizer))
    append(layer, output)
  }

  // MARK: Geometry

  /// A window that fits; padded only where the zero point can be stored.
  private mutating func randomWindow(height: Int, width: Int, isPool: Bool = false) -> Window {
    if hasCorners { return cornerWindow(isPool: isPool) }
    let shape = tensor.shape
    let mayPad = tensor.grid.contains(tensor.zeroPoint)
    func padding(_ kernel: Int, _ extent: Int) -> (Int, Int) {
      guard mayPad, kernel > 1 else { return (0, 0) }
      let most = kernel - 1
      if generator.chance(35) { return ((kernel - 1) / 2, kernel / 2) }
      if generator.chance(40) { return (generator.pick(0...most), generator.pick(0...most)) }
      return (0, 0)
    }
    let kernelHeight = mayPad ? height : min(height, shape.height)
    let kernelWidth = mayPad ? width : min(width, shape.width)
    let (top, bottom) = padding(kernelHeight, shape.height)
    let (left, right) = padding(kernelWidth, shape.width)
    let stride = generator.pick([1, 1, 1, 2, 2, 3])
    return Window(
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, strideHeight: stride,
      strideWidth: generator.chance(70) ? stride : generator.pick(1...3), top: top, left: left, bottom: bottom,
      right: right)
  }

  /// Each axis by itself: half of the kernels are small, strides go beyond them, and padding may lie on one side or be more
  /// than a kernel. A pool's windows never lie in the padding alone.
  private mutating func cornerWindow(isPool: Bool) -> Window {
    let mayPad = tensor.grid.contains(tensor.zeroPoint)
    func axis(_ extent: Int) -> (kernel: Int, stride: Int, before: Int, after: Int) {
      var kernel = generator.pick([1, 1, 2, 2, 3, 3, 4, 5, 7])
      if !mayPad { kernel = min(kernel, extent) }
      let stride =
        generator.chance(50) ? 1 : generator.chance(40) ? kernel + generator.pick(1...2) : generator.pick(1...4)
      let most = isPool ? kernel - 1 : kernel + 2
      guard mayPad, most > 0, generator.chance(60) else { return (kernel, stride, 0, 0) }
      let (one, other) = (generator.pick(1...most), generator.chance(40) ? generator.pick(0...most) : 0)
      return generator.chance(50) ? (kernel, stride, one, other) : (kernel, stride, other, one)
    }
    let (rows, columns) = (axis(tensor.shape.height), axis(tensor.shape.width))
    return Window(
      kernelHeight: rows.kernel, kernelWidth: columns.kernel, strideHeight: rows.stride, strideWidth: columns.stride,
      top: rows.before, left: columns.before, bottom: rows.after, right: columns.after)
  }

  /// A window of so many taps that their sums need more than 16 bits.
  private mutating func wideWindow() -> Window {
    let pad = tensor.grid.contains(tensor.zeroPoint) ? 1 : 0
    for _ in 0..<(hasCorners ? 100 : 0) {
      let window = cornerWindow(isPool: false)
      let taps = tensor.shape.channels * window.kernelHeight * window.kernelWidth
      if (280...900).contains(taps),
        window.outputSize(height: tensor.shape.height, width: tensor.shape.width) != nil
      {
        return window
      }
    }
    let (height, width) = pad > 0 ? (3, 3) : (min(3, tensor.shape.height), min(3, tensor.shape.width))
    return Window(kernelHeight: height, kernelWidth: width, top: pad, left: pad, bottom: pad, right: pad)
  }

  /// A window of one position, with strides and padding.
  private mutating func cornerPoint() -> Window {
    var window = cornerWindow(isPool: false)
    (window.kernelHeight, window.kernelWidth) = (1, 1)
    return window
  }

  private static func cornerExtent(_ generator: inout SplitMix64) -> Int {
    generator.chance(15) ? 1 : generator.chance(10) ? generator.pick(20...40) : generator.pick(2...13)
  }

  /// Padding of one tap less than the window, however it lies; where there may be none, a window of one tap.
  private mutating func keepExtents(_ window: inout Window) {
    guard tensor.grid.contains(tensor.zeroPoint) else {
      window = Window(kernelHeight: 1, kernelWidth: 1)
      return
    }
    window.top = generator.chance(70) ? (window.kernelHeight - 1) / 2 : generator.pick(0...(window.kernelHeight - 1))
    window.left = generator.chance(70) ? (window.kernelWidth - 1) / 2 : generator.pick(0...(window.kernelWidth - 1))
    (window.bottom, window.right) = (window.kernelHeight - 1 - window.top, window.kernelWidth - 1 - window.left)
  }

  /// A pool's window: it never lies in the padding alone, and overlaps its neighbour where the stride is smaller.
  private mutating func randomPool() -> Window {
    for _ in 0..<50 {
      var window = randomWindow(height: generator.pick(1...4), width: generator.pick(1...4), isPool: true)
      // One that can be fused with a convolution before it.
      if hasCorners, generator.chance(35) {
        let (height, width) = (
          generator.pick(1...min(3, tensor.shape.height)), generator.pick(1...min(3, tensor.shape.width))
        )
        window = Window(kernelHeight: height, kernelWidth: width, strideHeight: height, strideWidth: width)
      }
      if window.kernelHeight * window.kernelWidth > 1,
        window.outputSize(height: tensor.shape.height, width: tensor.shape.width) != nil
      {
        return window
      }
    }
    return Window(kernelHeight: tensor.shape.height, kernelWidth: tensor.shape.width)
  }

  private static func extent(_ generator: inout SplitMix64) -> Int {
    generator.chance(15) ? generator.pick(20...40) : generator.pick(1...17)
  }

  // MARK: Weights

  private mutating func randomWeights(_ outputs: Int, _ taps: Int) -> [Int8] {
    let density = generator.pick([35, 50, 67, 80, 95])
    return (0..<outputs).flatMap { _ in randomRow(taps, density) }
  }

  /// One output channel. Signs lean to a side of their own, so that some channels have hardly any of the other.
  private mutating func randomRow(_ taps: Int, _ density: Int) -> [Int8] {
    let positive = generator.pick([20, 50, 50, 50, 80, 100])
    var row = (0..<taps).map { _ in generator.chance(density) ? (generator.chance(positive) ? 1 : -1) : Int8(0) }
    // A channel of zeros is legal, and rare.
    if row.allSatisfy({ $0 == 0 }), generator.chance(95) {
      row[generator.pick(0...(taps - 1))] = generator.chance(50) ? 1 : -1
    }
    return row
  }

  /// Draws those channels anew that had fewer than three accumulators.
  ///
  /// - Returns: Whether there were any.
  private mutating func redraw(_ weights: inout [Int8], _ taps: Int, _ observed: [[Int]]) -> Bool {
    var found = false
    for channel in observed.indices where observed[channel].count < 3 {
      if weights[(channel * taps)..<((channel + 1) * taps)].allSatisfy({ $0 == 0 }), generator.chance(50) { continue }
      weights.replaceSubrange((channel * taps)..<((channel + 1) * taps), with: randomRow(taps, 90))
      found = true
    }
    return found
  }

  // MARK: Values

  /// The accumulators that occur on the samples, for each channel, in ascending order.
  private func distinctAccumulators(_ layer: Layer, _ shape: Shape) -> [[Int]] {
    var probe = network
    probe.tensors.append(
      Tensor(name: "probe", shape: shape, kind: .logits, range: Int(Int32.min)...Int(Int32.max)))
    var alone = layer
    alone.output = .init(probe.tensors.count - 1)
    probe.layers = [alone]
    probe.inputTensor = current
    probe.outputTensor = alone.output
    let interpreter = Interpreter(probe)
    let plane = shape.height * shape.width
    var found = [Set<Int32>](repeating: [], count: shape.channels)
    for sample in values {
      let output = interpreter.run(sample).output
      for channel in 0..<shape.channels {
        found[channel].formUnion(output[(channel * plane)..<((channel + 1) * plane)])
      }
    }
    return found.map { $0.map(Int.init).sorted() }
  }

  mutating func append(_ layer: Layer, _ output: Tensor) {
    network.tensors.append(output)
    network.layers.append(layer)
    var alone = network
    alone.layers = [layer]
    alone.inputTensor = current
    alone.outputTensor = layer.output
    let interpreter = Interpreter(alone)
    values = values.map { interpreter.run($0).output }
    current = layer.output
  }

  var nextID: TernaryNetwork.TensorID { .init(network.tensors.count) }
  func name(_ kind: String) -> String { "\(kind)\(network.layers.count + 1)" }
}

// MARK: Requantizers

extension Builder {
  /// 1 to 8 bits, signed or unsigned, sometimes without the lowest integer.
  static func grid(_ generator: inout SplitMix64, atLeast bits: Int) -> ClosedRange<Int> {
    let bits = max(generator.pick([1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8, 8]), bits)
    if generator.chance(60) { return 0...((1 << bits) - 1) }
    let half = 1 << (bits - 1)
    return (bits > 1 && generator.chance(20) ? 1 - half : -half)...(half - 1)
  }

  static func zeroPoint(_ grid: ClosedRange<Int>, _ generator: inout SplitMix64, mayLieOutside: Bool) -> Int {
    if mayLieOutside, generator.chance(3) { return grid.upperBound + 3 }
    return generator.chance(65) ? 0 : generator.pick(grid)
  }

  /// Every output of the requantizer over the channels' domains; it is non-decreasing.
  static func range(_ requantizer: Requantizer, _ domains: [ClosedRange<Int>]) -> ClosedRange<Int> {
    let first = domains.indices.map { requantizer.apply(domains[$0].lowerBound, channel: $0) }
    let last = domains.indices.map { requantizer.apply(domains[$0].upperBound, channel: $0) }
    return (first.min() ?? 0)...(last.max() ?? 0)
  }

  /// A requantizer for the accumulators that have been observed, and the tensor that it makes.
  mutating func requantize(
    _ channels: [[Int]], _ domains: [ClosedRange<Int>], _ shape: Shape, isLast: Bool, name: String
  ) -> (Requantizer, Tensor) {
    // A single entry for all channels, now and then.
    let observed = generator.chance(8) ? [Array(Set(channels.joined())).sorted()] : channels
    let scale = Double(generator.pick(1...1000)) / 4096
    let pairs = domains.reduce(0) { $0 + $1.count }
    if isLast, generator.chance(55) {
      let requantizer = logits(domains, pairs)
      let range = Self.range(requantizer, domains)
      return (requantizer, Tensor(name: name, shape: shape, kind: .logits, range: range, scale: scale))
    }
    let half = bits.map { 1 << ($0 - 1) }
    let isSigned = half == nil || generator.chance(50)
    let grid = half.map { isSigned ? -$0...($0 - 1) : 0...(2 * $0 - 1) } ?? Self.grid(&generator, atLeast: 1)
    let zeroPoint = Self.zeroPoint(grid, &generator, mayLieOutside: true)
    // A Relu leaves the part of the grid above the zero point, if that is worth something.
    let hasRelu =
      generator.chance(30) && !isPlain && grid.contains(zeroPoint)
      && grid.upperBound - zeroPoint >= min(2, grid.count - 1)
    let clamp = hasRelu ? zeroPoint...grid.upperBound : grid
    let roll = isPlain ? 0 : generator.pick(0...99)
    let form =
      roll < 60 ? affine(observed, clamp) : roll < 78 ? halfEven(observed, clamp) : thresholds(observed, domains, clamp)
    let requantizer = Requantizer(
      form: form, minimum: clamp.lowerBound, maximum: clamp.upperBound, proof: .init(pairs: pairs))
    let tensor = Tensor(
      name: name, shape: shape, range: Self.range(requantizer, domains), grid: grid, zeroPoint: zeroPoint, scale: scale)
    return (requantizer, tensor)
  }

  /// A slope and an offset that spread what was observed of a channel over the outputs, saturating at times.
  private mutating func line(_ observed: [Int], _ clamp: ClosedRange<Int>) -> (slope: Double, offset: Double) {
    let low = Double(observed.first ?? 0)
    let high = Double(observed.last ?? 0)
    let levels = Double(clamp.count)
    // Three values need a line that crosses two steps between the observed ends.
    let span = max(levels * (0.6 + generator.unit()), 2.6)
    let slope = high > low ? span / (high - low) : 1
    let centre = (low + high) / 2 + (high - low) * 0.2 * (generator.unit() - 0.5)
    let middle = Double(clamp.lowerBound) + levels / 2
    return (slope, middle - slope * centre)
  }

  /// Distinct outputs on the observed accumulators, or as many as are needed.
  private func liveliness(_ observed: [Int], _ clamp: ClosedRange<Int>, _ form: Requantizer.Form) -> Int {
    let requantizer = Requantizer(form: form, minimum: clamp.lowerBound, maximum: clamp.upperBound)
    return Set(observed.map { requantizer.apply($0, channel: 0) }).count
  }

  private mutating func affine(_ observed: [[Int]], _ clamp: ClosedRange<Int>) -> Requantizer.Form {
    let shift = generator.pick([generator.pick(0...9), generator.pick(8...20), generator.pick(18...31)])
    var multipliers: [Int] = []
    var offsets: [Int] = []
    for values in observed {
      var best = (m: 0, b: 0, alive: -1)
      for _ in 0..<8 where best.alive < min(3, clamp.count) {
        let (slope, offset) = line(values, clamp)
        let unit = Double(1 << shift)
        let m = min(max((slope * unit).rounded(), 1), Double(Int32.max))
        // Around the same centre, where the multiplier had to be rounded much.
        let centre = values.isEmpty ? 0 : Double(values[values.count / 2])
        let b =
          Int((offset * unit + (slope * unit - m) * centre).rounded()) + generator.pick(0...((1 << shift) - 1)) / 2
        let form = Requantizer.Form.affine(multipliers: [Int(m)], offsets: [b], shift: shift)
        let alive = liveliness(values, clamp, form)
        if alive > best.alive { best = (Int(m), b, alive) }
      }
      multipliers.append(best.m)
      offsets.append(best.b)
    }
    return .affine(multipliers: multipliers, offsets: offsets, shift: shift)
  }

  private mutating func halfEven(_ observed: [[Int]], _ clamp: ClosedRange<Int>) -> Requantizer.Form {
    let shift = generator.pick([0, 1, 1, 2, 2, 3, 4, 6, 9, 14, 22])
    var multipliers: [Int] = []
    var offsets: [Int] = []
    for values in observed {
      var best = (m: 0, b: 0, alive: -1)
      for _ in 0..<8 where best.alive < min(3, clamp.count) {
        let (slope, _) = line(values, clamp)
        let unit = Double(1 << shift)
        let m = Int(min(max((slope * unit).rounded(), 1), Double(Int32.max)))
        let centre = values.isEmpty ? 0 : values[values.count / 2]
        let middle = (clamp.lowerBound + clamp.upperBound) << shift
        // Ties are wanted: offsets that are multiples of half a unit, mostly.
        var b = middle / 2 - m * centre
        if shift > 1, generator.chance(60) { b &= -(1 << (shift - 1)) }
        let form = Requantizer.Form.affineHalfEven(multipliers: [m], offsets: [b], shift: shift)
        let alive = liveliness(values, clamp, form)
        if alive > best.alive { best = (m, b, alive) }
      }
      multipliers.append(best.m)
      offsets.append(best.b)
    }
    return .affineHalfEven(multipliers: multipliers, offsets: offsets, shift: shift)
  }

  private mutating func thresholds(
    _ observed: [[Int]], _ domains: [ClosedRange<Int>], _ clamp: ClosedRange<Int>
  ) -> Requantizer.Form {
    .thresholds(
      observed.indices.map { channel in
        let values = observed[channel]
        var list: [Int] = []
        // Steps at accumulators that occur, at first those that make three values sure.
        if values.count > 2, clamp.count > 2 { list = [values[1], values[values.count - 1]] }
        if values.count == 2 || clamp.count == 2 { list = [values[values.count / 2]] }
        while list.count < clamp.count - 1 {
          list.append(
            generator.chance(10)
              ? domains[channel].upperBound + 1
              : generator.chance(10)
                ? domains[channel].lowerBound : generator.pick(values[0]...values[values.count - 1]))
        }
        return Array(list.prefix(clamp.count - 1)).sorted()
      })
  }

  private mutating func logits(_ domains: [ClosedRange<Int>], _ pairs: Int) -> Requantizer {
    let isPlain = generator.chance(40)
    var multipliers: [Int] = []
    var offsets: [Int] = []
    for domain in domains {
      let largest = max(abs(domain.lowerBound), abs(domain.upperBound), 1)
      // Offsets get the upper half of int32, products the lower.
      multipliers.append(isPlain ? 1 : generator.pick(1...max(1, (1 << generator.pick(1...29)) / largest)))
      offsets.append(isPlain ? generator.pick(-100...100) : generator.pick(-(1 << 29)...(1 << 29)))
    }
    var requantizer = Requantizer(
      form: .logits(multipliers: multipliers, offsets: offsets), minimum: 0, maximum: 0,
      proof: .init(pairs: pairs, resolution: isPlain ? 0 : Double(generator.pick(1...100)) / 64))
    let range = Self.range(requantizer, domains)
    (requantizer.minimum, requantizer.maximum) = (range.lowerBound, range.upperBound)
    return requantizer
  }
}

extension Requantizer {
  /// The accumulator itself.
  fileprivate static let identity = Requantizer(
    form: .logits(multipliers: [1], offsets: [0]), minimum: Int(Int32.min), maximum: Int(Int32.max))
}
