import Scheduling
import TernaryIR

extension FirmwarePlan {
  /// Its operations with what they read and make.
  package var stages: [Context] { contexts }
}

/// What tests ask of an operation, whatever its variant.
extension Context {
  package var form: LayerForm { LayerForm(self) }
  package var window: Window { variant.geometry.window }
  package var inputShape: Shape { input.shape }
  package var outputShape: Shape { output.shape }
  package var isUnrolled: Bool { variant.weightForm.isUnrolled }
  package var hasRunningMaximum: Bool { variant.geometry.hasRunningMaximum }
  /// Whether rows are added to sums as they come.
  package var hasRunningSum: Bool { variant is RunningAveragePool || variant is RunningDense }
  package var hasLimitTable: Bool { variant.tables(self).contains { $0.name.hasSuffix("_limits") } }

  /// Two lanes in which it sums up rows; nil: it does not.
  package var lanes: Lanes? {
    switch variant {
    case let variant as any PackedLaneSums: variant.lanes
    case let variant as UnrolledTiles: variant.lanes
    case let variant as UnrolledDepthwise: variant.lanes
    case let variant as TapListDepthwise: variant.lanes
    default: nil
    }
  }
  package var terms: ConvolutionTerms? {
    switch variant {
    case let variant as any PackedLaneSums: variant.terms
    case let variant as PackedBytes: variant.terms
    case let variant as UnrolledTiles: variant.terms
    case let variant as UnrolledDepthwise: variant.terms
    case let variant as TapListDepthwise: variant.terms
    case let variant as VectorColumns: variant.terms
    case let variant as any PlaneVariant: variant.terms
    case let variant as any HWCVariant: variant.terms
    default: nil
    }
  }
  /// Taps whose sums a lane holds, where it does not hold all of a channel's.
  package var partTaps: Int? {
    if case .parts(let taps)? = (variant as? PackedLanes)?.sums { taps } else { nil }
  }
  package var planes: (any PlaneVariant)? { variant as? any PlaneVariant }
  package var hwc: HWCForm? { (variant as? any HWCVariant)?.form }
  package var vectors: Columns? { (variant as? VectorColumns)?.vectors }
  /// The window of a channel that depthwise statements read.
  package var gathered: WidenedWindow? {
    if case .gathered(let window)? = (variant as? UnrolledDepthwise)?.source { window } else { nil }
  }
  /// Words that are made of rows of bytes before they are read.
  package var widened: WidenedWindow? {
    if case .widened(let window)? = (variant as? UnrolledTiles)?.source { window } else { gathered }
  }
}
