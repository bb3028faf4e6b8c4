/// Places buffers in one arena so that those which live at the same time never overlap.
enum ArenaAllocator {
  static let alignment = 4

  static func rounded(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// Gives every buffer an offset: the largest first, each at the lowest place that is free for all of its life.
  /// Buffers of equal size keep their order, so that the result is the same everywhere.
  ///
  /// - Parameter pinned: Buffers that stand at the beginning in the order given.
  /// - Returns: The arena's size.
  static func place(_ buffers: inout [Buffer], pinned: Int) -> Int {
    var placed: [Int] = []
    var end = 0
    for index in 0..<pinned {
      buffers[index].offset = end
      end += rounded(buffers[index].bytes)
      placed.append(index)
    }
    let order = buffers.indices.dropFirst(pinned).sorted {
      (buffers[$1].bytes, $0) < (buffers[$0].bytes, $1)
    }
    for index in order {
      var offset = 0
      let neighbours =
        placed
        .filter { buffers[$0].lives(with: buffers[index]) }
        .sorted { buffers[$0].offset < buffers[$1].offset }
      for neighbour in neighbours {
        if buffers[neighbour].offset >= offset + rounded(buffers[index].bytes) { break }
        offset = max(offset, buffers[neighbour].offset + rounded(buffers[neighbour].bytes))
      }
      buffers[index].offset = offset
      placed.append(index)
      end = max(end, offset + rounded(buffers[index].bytes))
    }
    return end
  }

  /// The most bytes that live at one time: no placement can be smaller.
  static func lowerBound(_ buffers: [Buffer]) -> Int {
    let last = buffers.map(\.lastGroup).max() ?? 0
    return (0...last).map { fusionGroup in
      let alive = buffers.filter { $0.firstGroup <= fusionGroup && fusionGroup <= $0.lastGroup }
      func bytes(_ chosen: (Buffer) -> Bool) -> Int { alive.filter(chosen).reduce(0) { $0 + rounded($1.bytes) } }
      // While a stage works, the row that it reads and the one that it writes.
      let rows = alive.compactMap(\.reader).map { stage in bytes { $0.reader == stage || $0.reader == stage + 1 } }
      return bytes { $0.reader == nil } + (rows.max() ?? 0)
    }.max() ?? 0
  }
}
