/// Bytes of code on a 64-bit host, where they hardly matter: rounded constants, measured with gcc at -O2 for x86-64.
extension CodeFeature {
  /// Bytes of one, on any core. Code that is no loop over columns is twice as large as on a Cortex-M4.
  func bytes(on core: Core) -> Int {
    core == .host ? 2 * bytes[Core.cortexM4.column] : bytes[core.column]
  }
}
