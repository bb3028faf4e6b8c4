/// How an operation's windows read the columns of a channel's row.
package enum ColumnAccess: Sendable, Equatable {
  /// So many elements from the first of the channel on.
  case within(Int)
  /// The same, but the halo on the right of a channel is that on the left of the next: the last channel's windows end
  /// behind the row.
  case sharingHalo(Int)
  /// All values, one by one; or as the operation's own checks say.
  case any
}

extension Context {
  /// What is wrong with the columns of its input rows: those that are written, and those that its windows read, must lie
  /// within a channel, or where nobody looks at the values, within the line buffer.
  var columnProblems: [String] {
    let (edge, layout) = (input, input.layout)
    var found: [String] = []
    func require(_ condition: Bool, _ message: String) {
      if !condition { found.append(message) }
    }
    if edge.hwc != nil || edge.columnTile != nil { return [] }
    if layout.order == .planes {
      // A channel's rows follow one another.
      require(layout.left + edge.shape.width <= layout.rowStride, "columns leave their row")
      if case .within(let reach) = variant.columns { require(reach <= layout.rowStride, "windows leave their row") }
      require(edge.shape.height * layout.rowStride <= layout.channelStride, "rows leave their channel")
      return found
    }
    // The rows of the edge that they lie in are held to their own bounds.
    if edge.isInPlace { return found }
    require(edge.shape.channels * layout.channelStride <= layout.rowStride, "channels leave their row")
    if case .sharingHalo(let reach) = variant.columns {
      let last =
        (edge.shape.channels - 1) * layout.channelStride + max(reach, layout.left + edge.shape.width)
      require(last <= layout.rowStride + layout.tailBytes, "windows leave the line buffer")
    }
    if case .within(let reach) = variant.columns {
      require(reach <= layout.channelStride || layout.laneBits == 8, "windows leave their channel")
    }
    let distance = layout.distance
    guard distance > 0 else {
      require(layout.left + edge.shape.width <= layout.channelStride, "columns leave their channel")
      return found
    }
    guard let producer = edge.producer.map({ Context(plan, $0) }), producer.makesWords else {
      // The caller's rows are packed as they come, and so are those of bytes: padding and columns, as far as there is
      // room.
      require(
        edge.producer == nil || edge.shape.width + layout.left <= layout.channelStride + distance,
        "columns have no place")
      return found
    }
    // The halo repeats columns of the row itself.
    require(layout.left <= distance, "the halo on the left is wider than a lane")
    require(layout.left + distance <= layout.channelStride, "words leave their channel")
    require(layout.channelStride - layout.left <= 2 * distance, "the halo on the right is wider than a lane")
    return found
  }
}
