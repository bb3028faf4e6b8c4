import Scheduling
import TernaryIR

/// The ways in which a stage can be computed, as far as they differ in how rows and columns are read and written.
package enum LayerForm: String, CaseIterable, Sendable {
  case packedTaps = "packed, a byte a column"
  case packedSums = "packed, 16-bit input"
  case packedLanes = "packed lanes"
  case sharedLanes = "packed lanes, shared function"
  case parts = "packed lanes, sums in parts"
  case channelTiles = "code blocks"
  case tilesOfBytes = "code blocks, rows of bytes"
  case tilesOfColumns = "code blocks, strips"
  case tilesInPlace = "code blocks, in place"
  case tilesWithRunningMaximum = "code blocks, pool row by row"
  case taps = "code taps"
  case tapsOfBytes = "code taps, rows of bytes"
  case tapsOfWindows = "code taps, unpacked windows"
  case tapsOfFourLanes = "code taps, four columns a word"
  case columns = "columns"
  case depthwiseColumns = "columns, depthwise"
  case planeRows = "planes of rows"
  case planeChannels = "planes of channels"
  case planePoints = "planes of points"
  case hwcTiles = "hwc, code blocks"
  case hwcTaps = "hwc, depthwise"
  case hwcPool = "hwc, pool"
  case maxPool = "max pool"
  case averageRows = "average pool, window rows"
  case averageBlock = "average pool, block"
  case averageRunning = "average pool, rows added"
  case averageInPlace = "average pool, rows added in place"
  case dense = "dense, last"
  case denseWithin = "dense, within"
  case denseRunning = "dense, rows added"
  case denseBytes = "dense, byte weights"
  case denseSums = "dense, 16-bit input"
  case addition
  case concatenation
  case slice
  case resize

  package init(_ context: Context) {
    let (variant, input) = (context.variant, context.input)
    switch variant {
    case is MaxPoolRows: self = .maxPool
    case is HWCAveragePool: self = .hwcPool
    case is RunningAveragePool: self = input.isInPlace ? .averageInPlace : .averageRunning
    case is AveragePoolRows: self = variant.access(context) == .block ? .averageBlock : .averageRows
    case is DenseOutput, is DenseRows, is RunningDense:
      self =
        variant.weightForm == .bytes
        ? .denseBytes
        : input.storage.elementBytes == 2
          ? .denseSums : variant is RunningDense ? .denseRunning : variant is DenseOutput ? .dense : .denseWithin
    case is PlaneRows: self = .planeRows
    case is PlaneChannels: self = .planeChannels
    case is PlanePoints: self = .planePoints
    case is HWCTiles: self = .hwcTiles
    case is HWCDepthwise: self = .hwcTaps
    case let variant as UnrolledTiles:
      if input.columnTile != nil {
        self = .tilesOfColumns
      } else if input.isInPlace {
        self = .tilesInPlace
      } else if variant.source != .words {
        self = .tilesOfBytes
      } else {
        self = variant.geometry.hasRunningMaximum ? .tilesWithRunningMaximum : .channelTiles
      }
    case let variant as UnrolledDepthwise:
      switch variant.source {
      case .words: self = .taps
      case .bytes: self = .tapsOfBytes
      case .gathered: self = .tapsOfWindows
      }
    case is TapListDepthwise: self = .tapsOfFourLanes
    case let variant as VectorColumns: self = variant.terms.isDepthwise ? .depthwiseColumns : .columns
    case is PackedBytes: self = input.storage.elementBytes == 2 ? .packedSums : .packedTaps
    case is SharedPackedLanes: self = .sharedLanes
    case let variant as PackedLanes: self = variant.sums == .whole ? .packedLanes : .parts
    case is AddRows: self = .addition
    case is ConcatenateRows: self = .concatenation
    case is SliceRows: self = .slice
    case is ResizeRows: self = .resize
    default: fatalError("a variant without a form: \(type(of: variant))")
    }
  }
}

/// What windows, maps and channels can be like that ways of computing have to cope with.
package struct LayerCorner: Sendable {
  package var name: String
  package var holds: @Sendable (Context) -> Bool

  package static let all: [LayerCorner] =
    [
      .init("row stride beyond the kernel") {
        $0.variant.geometry.window.strideHeight > $0.variant.geometry.window.kernelHeight
      },
      .init("column stride beyond the kernel") {
        $0.variant.geometry.window.strideWidth > $0.variant.geometry.window.kernelWidth
      },
      .init("row stride") {
        $0.variant.geometry.window.strideHeight > 1
          && $0.variant.geometry.window.strideHeight <= $0.variant.geometry.window.kernelHeight
      },
      .init("column stride") {
        $0.variant.geometry.window.strideWidth > 1
          && $0.variant.geometry.window.strideWidth <= $0.variant.geometry.window.kernelWidth
      },
      .init("padding above only") { $0.variant.geometry.window.top > 0 && $0.variant.geometry.window.bottom == 0 },
      .init("padding below only") { $0.variant.geometry.window.bottom > 0 && $0.variant.geometry.window.top == 0 },
      .init("padding left only") { $0.variant.geometry.window.left > 0 && $0.variant.geometry.window.right == 0 },
      .init("padding right only") { $0.variant.geometry.window.right > 0 && $0.variant.geometry.window.left == 0 },
      .init("a kernel of padding above") { $0.variant.geometry.window.top >= $0.variant.geometry.window.kernelHeight },
      .init("a kernel of padding below") {
        $0.variant.geometry.window.bottom >= $0.variant.geometry.window.kernelHeight
      },
      .init("a kernel of padding left") { $0.variant.geometry.window.left >= $0.variant.geometry.window.kernelWidth },
      .init("a kernel of padding right") { $0.variant.geometry.window.right >= $0.variant.geometry.window.kernelWidth },
      .init("padding of other than level 0") {
        $0.variant.geometry.window.hasPadding && $0.input.layout.paddingCode > 0
      },
      .init("kernel taller than the map") { $0.variant.geometry.window.kernelHeight > $0.input.shape.height },
      .init("kernel wider than the map") { $0.variant.geometry.window.kernelWidth > $0.input.shape.width },
      .init("a single row") { $0.input.shape.height == 1 },
      .init("a single column") { $0.input.shape.width == 1 },
      .init("odd width") { $0.input.shape.width % 2 == 1 && $0.input.shape.width > 1 },
      .init("odd output width") { $0.output.shape.width % 2 == 1 && $0.output.shape.width > 1 },
      .init("a single output row") { $0.output.shape.height == 1 && $0.input.shape.height > 1 },
      .init("a single output column") { $0.output.shape.width == 1 && $0.input.shape.width > 1 },
      .init("some channels constant") { (1..<$0.output.shape.channels).contains($0.constants.count) },
      .init("all channels constant") { $0.constants.count == $0.output.shape.channels },
      .init("a fused pool") { $0.variant.geometry.isPooled },
      .init("levels in 64-bit arithmetic") { $0.variant.epilogue.map { !$0.fits32 } ?? false },
      .init("limited accumulators") { !($0.variant.epilogue?.limits.isEmpty ?? true) },
      .init("half-even") { if case .halfEven? = $0.variant.epilogue?.form { true } else { false } },
      .init("thresholds") { if case .thresholds? = $0.variant.epilogue?.form { true } else { false } },
      .init("logits") { if case .logits? = $0.variant.epilogue?.form { true } else { false } },
      .init("sums") { $0.output.storage.elementBytes == 2 },
      .init("signed input") { $0.input.storage.base < 0 },
      .init("first layer") { $0.operation.layers.lowerBound == 0 },
      .init("result") { $0.output.residency == .result },
      .init("whole map") { $0.input.slots >= $0.input.shape.height },
      .init("a window of rows") { $0.input.slots < $0.input.shape.height },
    ]
    + (1...8).map { bits in
      .init("\(bits)-bit input") {
        $0.input.storage.maximumCode < 256 && $0.input.storage.maximumCode > 0
          && Int.bitWidth - $0.input.storage.maximumCode.leadingZeroBitCount == bits
      }
    }

  private init(_ name: String, _ holds: @escaping @Sendable (Context) -> Bool) {
    self.name = name
    self.holds = holds
  }
}

extension Context {
  /// Output channels of a convolution that have one value for every input.
  package var constants: [Int] {
    guard case .convolution = layer.kind, output.storage.elementBytes == 1, let epilogue = variant.epilogue else {
      return []
    }
    return (0..<output.shape.channels).filter { epilogue.constant($0) != nil }
  }
}
