import TernaryIR

extension Stage {
  /// What is wrong with the columns of its rows: those that are written, and those that its windows read, must lie within a
  /// channel, or where nobody looks at the values, within the ring.
  ///
  /// - Parameter maker: The stage that makes the rows; nil: the caller does.
  func columnProblems(pairedBy maker: Stage?) -> [String] {
    if maps != nil && ring.mapChannels != nil || ring.channelsLast != nil || ring.strip != nil { return [] }
    var found: [String] = []
    func require(_ condition: Bool, _ message: String) {
      if !condition { found.append(message) }
    }
    if case .dense = work {
      require(ring.channelStride == inputShape.width && !ring.hasHalo, "the rows of a dense layer have a halo")
      require(ring.rowStride == inputShape.channels * inputShape.width, "the rows of a dense layer are not one vector")
      return found
    }
    let width = ring.lanes?.outputs ?? accumulatorShape.width
    // Values from the first of a channel to the last that a window sees.
    let read = (width - 1) * window.strideWidth + window.kernelWidth
    guard let lanes = ring.lanes else {
      if ring.mapChannels != nil {
        // Of maps that are there as a whole; a channel's rows follow one another.
        require(ring.left + inputShape.width <= ring.rowStride, "columns leave their row")
        require(columns != nil || read <= ring.rowStride, "windows leave their row")
        require(inputShape.height * ring.rowStride <= ring.channelStride, "rows leave their channel")
        return found
      }
      require(ring.left + inputShape.width <= ring.channelStride, "columns leave their channel")
      require(columns != nil || read <= ring.channelStride, "windows leave their channel")
      require(inputShape.channels * ring.channelStride <= ring.rowStride, "channels leave their row")
      return found
    }
    // The rows of the stage before are held to their own bounds.
    if ring.isInPlace { return found }
    if ring.unpacksChannels {
      require(inputShape.width <= ring.channelStride, "columns leave their channel")
      return found
    }
    if ring.pairsAsRead {
      let last =
        (inputShape.channels - 1) * ring.channelStride + max(read + lanes.distance, ring.left + inputShape.width)
      // What an odd width's last high lane sees is nobody's.
      let odd = 2 * lanes.outputs > accumulatorShape.width ? window.strideWidth : 0
      require(last - odd <= ring.rowStride + ring.tailBytes, "windows leave the ring")
      return found
    }
    require(read <= ring.channelStride || ring.quads != nil, "windows leave their channel")
    require(inputShape.channels * ring.channelStride <= ring.rowStride, "channels leave their row")
    guard let made = maker?.outputWords else {
      // The caller's rows are paired as they come, and so are those of bytes: padding and columns, as far as there is room.
      require(
        maker == nil || inputShape.width + ring.left <= ring.channelStride + lanes.distance, "columns have no place")
      return found
    }
    // The halo repeats columns of the row itself.
    let distance = ring.quads ?? made
    require(ring.left <= distance, "the halo on the left is wider than a lane")
    require(ring.left + distance <= ring.channelStride, "words leave their channel")
    require(ring.channelStride - ring.left <= 2 * distance, "the halo on the right is wider than a lane")
    return found
  }
}
