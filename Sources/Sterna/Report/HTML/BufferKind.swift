import Scheduling

// How the page shows kinds of buffers; colours are in the stylesheet.

extension Buffer.Kind {
  var style: String { "k-\(rawValue)" }

  /// What it is, in the legend.
  var title: String {
    switch self {
    case .counters: "row counters"
    case .lineBuffer: "ring of rows"
    case .tensor: "whole tensor"
    case .sums: "running sums"
    case .scratch: "scratch of one row"
    case .result: "result"
    }
  }
}

extension FirmwarePlan {
  /// Kinds in use, in the order of their first buffer.
  var kinds: [Buffer.Kind] {
    buffers.reduce(into: []) { kinds, buffer in if !kinds.contains(buffer.kind) { kinds.append(buffer.kind) } }
  }

  func live(in fusionGroup: Int) -> [Buffer] {
    buffers.filter { $0.firstGroup <= fusionGroup && fusionGroup <= $0.lastGroup }
  }

  /// Most bytes that matter at one time of a segment: rows that are read at once do so only between two stages.
  func liveBytes(in fusionGroup: Int) -> Int {
    let alive = live(in: fusionGroup)
    func bytes(_ chosen: (Buffer) -> Bool) -> Int { alive.filter(chosen).reduce(0) { $0 + $1.bytes } }
    let rows = alive.compactMap(\.reader).map { stage in bytes { $0.reader == stage || $0.reader == stage + 1 } }
    return bytes { $0.reader == nil } + (rows.max() ?? 0)
  }

  /// Buffers that take turns with one in its bytes, itself among them.
  func turns(with index: Int) -> [Int] {
    let buffer = buffers[index]
    guard buffer.reader != nil else { return [index] }
    return buffers.indices.filter { other in
      let candidate = buffers[other]
      return candidate.reader != nil && candidate.firstGroup == buffer.firstGroup
        && candidate.offset < buffer.offset + buffer.bytes && buffer.offset < candidate.offset + candidate.bytes
    }
  }

  /// The segment in which most is alive.
  var peakGroup: Int {
    fusionGroups.indices.max { (liveBytes(in: $0), $1) < (liveBytes(in: $1), $0) } ?? 0
  }

  /// The edge that a buffer holds.
  func reader(of buffer: Int) -> Edge? { edges.first { $0.buffer == buffer && !$0.consumers.isEmpty } }
}
