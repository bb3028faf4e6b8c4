/// Bytes of code on a 64-bit host, where they hardly matter: rounded constants, measured with gcc at -O2 for x86-64.
extension CodeFeature {
  /// Bytes of one, on any core. Code that is no loop over columns is twice as large as on a Cortex-M4.
  func bytes(on core: Core) -> Int {
    core == .host ? 2 * bytes[Core.cortexM4.column] : bytes[core.column]
  }
}

extension Stage {
  /// Bytes of loops over columns: instructions of a vector operation for each addition, and those that widen bytes.
  var columnBytes: Int {
    guard case .columns(let channelTiles)? = unrolled else { return 0 }
    return 300 + channelTiles.reduce(0) { $0 + 40 + 6 * $1.additions + 15 * $1.loads + 24 * $1.channels.count }
  }
}
