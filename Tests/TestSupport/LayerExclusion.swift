/// Corners that ways of computing can not meet, and why. Every other pair of a form and a corner is legal, and a run of many
/// random networks has to reach it.
package struct LayerExclusion: Sendable {
  package var forms: Set<LayerForm>
  package var corners: Set<String>
  package var reason: String

  package static let all: [LayerExclusion] = [
    .init(
      dense, windows.union(["odd output width", "a fused pool"]), "a dense layer sees the whole map, and makes a vector"
    ),
    .init(dense, constants, "a dense layer computes all of its outputs"),
    .init(dense, ["result"], "the last dense layer writes into the caller's array"),
    .init([.dense, .denseBytes, .denseWithin], ["a window of rows"], "it reads the whole map at once"),
    .init([.denseRunning], ["a single row", "whole map"], "rows are added where that saves more than one"),
    .init([.denseWithin], ["logits"], "logits are outputs"),
    .init(
      pools, constants.union(["limited accumulators", "a fused pool"]),
      "pools have no weights, and nothing is fused with them"),
    .init(pools, kernelsOfPadding, "a pool's window lies on the map in part"),
    .init(
      [.averageBlock], ["padding above only", "padding below only", "kernel taller than the map"],
      "no row of its windows is padding"),
    .init([.averageRunning], padding, "rows of padding would have to be added as well"),
    .init([.averageRunning], ["a single row", "whole map"], "rows are added where that saves more than one"),
    .init(
      [.maxPool], ["half-even", "thresholds", "levels in 64-bit arithmetic", "logits"],
      "a max pool makes no other levels"),
    .init([.maxPool], ["padding of other than level 0"], "the least level loses against every other"),
    .init(
      Set(LayerForm.allCases).subtracting(pools).union([.maxPool]), ["sums"], "only average pools leave sums of 16 bits"
    ),
    .init(lanes, ["a single output column"], "two lanes are two columns"),
    .init(
      [.tilesOfBytes, .taps, .tapsOfBytes, .tapsOfWindows], ["row stride beyond the kernel"],
      "rows that no window sees have no place in a line buffer that moves"),
    .init(
      [.sharedLanes], ["half-even", "thresholds", "logits", "result"],
      "the shared function has one form of requantizer, and writes into rows of another layer"),
    .init([.columns, .depthwiseColumns], ["all channels constant"], "nothing is summed up"),
    .init([.packedSums, .denseSums], ["first layer"], "inputs of networks have 8 bits"),
    .init(
      [.parts], Set((1...6).map { "\($0)-bit input" }),
      "it takes more than 1000 taps to leave 16 bits, and random networks have 900 at most"),
  ]

  /// Forms that need a whole network to be of one shape: `RandomNetworkDifferentialTests` makes such networks, and counts
  /// what they meet.
  package static let ofOtherNetworks: Set<LayerForm> = [
    .planeRows, .planeChannels, .planePoints, .tilesWithRunningMaximum, .tilesOfColumns, .tilesInPlace, .averageInPlace,
    .tapsOfFourLanes, .tapsOfWindows, .hwcTiles, .hwcTaps, .hwcPool,
    // Of networks that branch: `GraphDifferentialTests`.
    .addition, .concatenation, .slice, .resize,
  ]

  /// Whether a form can not meet a corner.
  package static func holds(_ form: LayerForm, _ corner: String) -> Bool {
    all.contains { $0.forms.contains(form) && $0.corners.contains(corner) }
  }

  private static let dense: Set<LayerForm> = [.dense, .denseWithin, .denseRunning, .denseBytes, .denseSums]
  private static let pools: Set<LayerForm> = [
    .maxPool, .averageRows, .averageBlock, .averageRunning, .averageInPlace, .hwcPool,
  ]
  private static let lanes: Set<LayerForm> = [
    .packedLanes, .sharedLanes, .parts, .channelTiles, .tilesOfBytes, .tilesOfColumns, .tilesInPlace,
    .tilesWithRunningMaximum, .taps, .tapsOfBytes, .tapsOfWindows, .tapsOfFourLanes,
  ]
  private static let constants: Set<String> = ["some channels constant", "all channels constant"]
  private static let kernelsOfPadding: Set<String> = [
    "a kernel of padding above", "a kernel of padding below", "a kernel of padding left", "a kernel of padding right",
  ]
  private static let padding = kernelsOfPadding.union([
    "padding above only", "padding below only", "padding left only", "padding right only",
    "padding of other than level 0", "kernel taller than the map", "kernel wider than the map",
  ])
  private static let windows = padding.union([
    "row stride", "column stride", "row stride beyond the kernel", "column stride beyond the kernel",
  ])

  private init(_ forms: Set<LayerForm>, _ corners: Set<String>, _ reason: String) {
    (self.forms, self.corners, self.reason) = (forms, corners, reason)
  }
}
