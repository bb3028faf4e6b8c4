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

  package init(_ stage: Stage) {
    switch stage.work {
    case .convolution(let work): self = Self.convolution(stage, work)
    case .maxPool: self = .maxPool
    case .averagePool:
      self =
        stage.lineBuffer.hwc != nil
        ? .hwcPool
        : stage.hasRunningSum
          ? stage.lineBuffer.isInPlace ? .averageInPlace : .averageRunning
          : stage.hasContiguousWindows ? .averageBlock : .averageRows
    case .dense(let work):
      let isLast = stage.destination == .output
      self =
        work.areBytes
        ? .denseBytes
        : stage.input.elementBytes == 2
          ? .denseSums : stage.hasRunningSum ? .denseRunning : isLast ? .dense : .denseWithin
    }
  }

  private static func convolution(_ stage: Stage, _ work: ConvolutionWork) -> LayerForm {
    if let planes = stage.planes {
      return switch planes.kind {
      case .rows: .planeRows
      case .channels: .planeChannels
      case .points: .planePoints
      }
    }
    switch stage.unrolled {
    case .channelTiles?:
      if stage.hwc != nil { return .hwcTiles }
      if stage.lineBuffer.columnTile != nil { return .tilesOfColumns }
      if stage.lineBuffer.isInPlace { return .tilesInPlace }
      if stage.lineBuffer.widensOnLoad { return .tilesOfBytes }
      return stage.hasRunningMaximum ? .tilesWithRunningMaximum : .channelTiles
    case .taps?:
      if stage.hwc != nil { return .hwcTaps }
      if stage.lineBuffer.fourLanes != nil { return .tapsOfFourLanes }
      if stage.lineBuffer.gathersWindow { return .tapsOfWindows }
      return stage.lineBuffer.widensOnLoad ? .tapsOfBytes : .taps
    case .columns?:
      return work.groupChannels == 1 && work.outputsPerGroup == 1 && stage.outputShape.channels > 1
        ? .depthwiseColumns : .columns
    case nil:
      guard stage.lineBuffer.lanes != nil else { return stage.input.elementBytes == 2 ? .packedSums : .packedTaps }
      if !stage.hasWordSums { return .parts }
      return stage.usesSharedConvolution ? .sharedLanes : .packedLanes
    }
  }
}

/// What windows, maps and channels can be like that ways of computing have to cope with.
package struct LayerCorner: Sendable {
  package var name: String
  package var holds: @Sendable (Stage) -> Bool

  package static let all: [LayerCorner] =
    [
      .init("row stride beyond the kernel") { $0.window.strideHeight > $0.window.kernelHeight },
      .init("column stride beyond the kernel") { $0.window.strideWidth > $0.window.kernelWidth },
      .init("row stride") { $0.window.strideHeight > 1 && $0.window.strideHeight <= $0.window.kernelHeight },
      .init("column stride") { $0.window.strideWidth > 1 && $0.window.strideWidth <= $0.window.kernelWidth },
      .init("padding above only") { $0.window.top > 0 && $0.window.bottom == 0 },
      .init("padding below only") { $0.window.bottom > 0 && $0.window.top == 0 },
      .init("padding left only") { $0.window.left > 0 && $0.window.right == 0 },
      .init("padding right only") { $0.window.right > 0 && $0.window.left == 0 },
      .init("a kernel of padding above") { $0.window.top >= $0.window.kernelHeight },
      .init("a kernel of padding below") { $0.window.bottom >= $0.window.kernelHeight },
      .init("a kernel of padding left") { $0.window.left >= $0.window.kernelWidth },
      .init("a kernel of padding right") { $0.window.right >= $0.window.kernelWidth },
      .init("padding of other than level 0") { $0.window.hasPadding && $0.lineBuffer.paddingCode > 0 },
      .init("kernel taller than the map") { $0.window.kernelHeight > $0.inputShape.height },
      .init("kernel wider than the map") { $0.window.kernelWidth > $0.inputShape.width },
      .init("a single row") { $0.inputShape.height == 1 },
      .init("a single column") { $0.inputShape.width == 1 },
      .init("odd width") { $0.inputShape.width % 2 == 1 && $0.inputShape.width > 1 },
      .init("odd output width") { $0.outputShape.width % 2 == 1 && $0.outputShape.width > 1 },
      .init("a single output row") { $0.outputShape.height == 1 && $0.inputShape.height > 1 },
      .init("a single output column") { $0.outputShape.width == 1 && $0.inputShape.width > 1 },
      .init("some channels constant") { (1..<$0.outputShape.channels).contains($0.constants.count) },
      .init("all channels constant") { $0.constants.count == $0.outputShape.channels },
      .init("a fused pool") { $0.pool != nil },
      .init("levels in 64-bit arithmetic") { $0.epilogue.map { !$0.fits32 } ?? false },
      .init("limited accumulators") { !($0.epilogue?.limits.isEmpty ?? true) },
      .init("half-even") { if case .halfEven? = $0.epilogue?.form { true } else { false } },
      .init("thresholds") { if case .thresholds? = $0.epilogue?.form { true } else { false } },
      .init("logits") { if case .logits? = $0.epilogue?.form { true } else { false } },
      .init("sums") { $0.output.elementBytes == 2 },
      .init("signed input") { $0.input.base < 0 },
      .init("first layer") { $0.layers.lowerBound == 0 },
      .init("result") { if case .result = $0.destination { true } else { false } },
      .init("whole map") { $0.lineBuffer.slots >= $0.inputShape.height },
      .init("a window of rows") { $0.lineBuffer.slots < $0.inputShape.height },
    ]
    + (1...8).map { bits in
      .init("\(bits)-bit input") {
        $0.input.maximumCode < 256 && $0.input.maximumCode > 0
          && Int.bitWidth - $0.input.maximumCode.leadingZeroBitCount == bits
      }
    }

  private init(_ name: String, _ holds: @escaping @Sendable (Stage) -> Bool) {
    self.name = name
    self.holds = holds
  }
}
