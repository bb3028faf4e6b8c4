import TernaryIR

extension Stage {
  /// What is wrong with the columns of its rows: those that are written, and those that its windows read, must lie
  /// within a channel, or where nobody looks at the values, within the line buffer.
  ///
  /// - Parameter maker: The stage that makes the rows; nil: the caller does.
  func columnProblems(pairedBy maker: Stage?) -> [String] {
    if planes != nil && lineBuffer.planeChannels != nil || lineBuffer.hwc != nil || lineBuffer.columnTile != nil {
      return []
    }
    var found: [String] = []
    func require(_ condition: Bool, _ message: String) {
      if !condition { found.append(message) }
    }
    if case .dense = work {
      require(
        lineBuffer.channelStride == inputShape.width && !lineBuffer.hasHalo, "the rows of a dense layer have a halo")
      require(
        lineBuffer.rowStride == inputShape.channels * inputShape.width, "the rows of a dense layer are not one vector")
      return found
    }
    let width = lineBuffer.lanes?.outputs ?? accumulatorShape.width
    // Values from the first of a channel to the last that a window sees.
    let read = (width - 1) * window.strideWidth + window.kernelWidth
    guard let lanes = lineBuffer.lanes else {
      if lineBuffer.planeChannels != nil {
        // Of maps that are there as a whole; a channel's rows follow one another.
        require(lineBuffer.left + inputShape.width <= lineBuffer.rowStride, "columns leave their row")
        require(columns != nil || read <= lineBuffer.rowStride, "windows leave their row")
        require(inputShape.height * lineBuffer.rowStride <= lineBuffer.channelStride, "rows leave their channel")
        return found
      }
      require(lineBuffer.left + inputShape.width <= lineBuffer.channelStride, "columns leave their channel")
      require(columns != nil || read <= lineBuffer.channelStride, "windows leave their channel")
      require(inputShape.channels * lineBuffer.channelStride <= lineBuffer.rowStride, "channels leave their row")
      return found
    }
    // The rows of the stage before are held to their own bounds.
    if lineBuffer.isInPlace { return found }
    if lineBuffer.gathersWindow {
      require(inputShape.width <= lineBuffer.channelStride, "columns leave their channel")
      return found
    }
    if lineBuffer.widensOnLoad {
      let last =
        (inputShape.channels - 1) * lineBuffer.channelStride
        + max(read + lanes.distance, lineBuffer.left + inputShape.width)
      // What an odd width's last high lane sees is nobody's.
      let odd = 2 * lanes.outputs > accumulatorShape.width ? window.strideWidth : 0
      require(last - odd <= lineBuffer.rowStride + lineBuffer.tailBytes, "windows leave the ring")
      return found
    }
    require(read <= lineBuffer.channelStride || lineBuffer.fourLanes != nil, "windows leave their channel")
    require(inputShape.channels * lineBuffer.channelStride <= lineBuffer.rowStride, "channels leave their row")
    guard let made = maker?.outputWords else {
      // The caller's rows are paired as they come, and so are those of bytes: padding and columns, as far as there is
      // room.
      require(
        maker == nil || inputShape.width + lineBuffer.left <= lineBuffer.channelStride + lanes.distance,
        "columns have no place")
      return found
    }
    // The halo repeats columns of the row itself.
    let distance = lineBuffer.fourLanes ?? made
    require(lineBuffer.left <= distance, "the halo on the left is wider than a lane")
    require(lineBuffer.left + distance <= lineBuffer.channelStride, "words leave their channel")
    require(lineBuffer.channelStride - lineBuffer.left <= 2 * distance, "the halo on the right is wider than a lane")
    return found
  }
}
