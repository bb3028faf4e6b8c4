/// Makes beginnings of C identifiers from the names of a user's file: lower case, unique, never empty, of bounded
/// length.
struct Names {
  private var used: Set<String>

  init(reserved: Set<String>) {
    used = reserved.union(Self.reserved)
  }

  /// - Parameter index: The layer's number, for a name that nothing legible is left of.
  mutating func identifier(for name: String, index: Int) -> String {
    var words: [String] = []
    for word in name.lowercased().split(whereSeparator: { !$0.isASCII || !($0.isLetter || $0.isNumber) }) {
      // "/conv1/Conv" repeats itself; once is enough.
      if words.last.map({ $0.hasPrefix(String(word)) }) ?? false { continue }
      words.append(String(word))
    }
    // "/pool/MaxPool": the type says nothing that the comment does not.
    if words.count > 1, Self.types.contains(words[words.count - 1]) { words.removeLast() }
    var identifier = String(words.joined(separator: "_").prefix(24))
    if identifier.first.map({ !$0.isLetter }) ?? true {
      identifier = "layer\(index)" + (identifier.isEmpty ? "" : "_" + identifier)
    }
    if used.contains(identifier) { identifier += "_\(index)" }
    while !used.insert(identifier).inserted { identifier += "_" }
    return identifier
  }

  private static let types: Set<String> = [
    "conv", "gemm", "matmul", "maxpool", "averagepool", "globalaveragepool", "reducemean", "batchnormalization",
    "quant",
  ]

  /// The emitted C appends a suffix to every identifier (`conv1_weights`), so C's own names are never met. What remains
  /// are the tables of golden inputs and outputs in the emitted tests, and names that are no files on some systems.
  private static let reserved: Set<String> = ["input", "output", "aux", "con", "nul", "prn"]
}
