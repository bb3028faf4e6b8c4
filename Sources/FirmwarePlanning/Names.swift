/// Makes C identifiers from the names of a user's file: lower case, unique, no keyword, never empty, of bounded length.
struct Names {
  private var used: Set<String>

  init(reserved: Set<String>) {
    used = reserved.union(Self.keywords)
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

  /// What the emitted C uses for itself.
  private static let keywords: Set<String> = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
    "static",
    "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "input", "output", "state", "rows",
    "memory", "stage", "asm", "main", "stdin", "stdout", "layer", "row", "requantize", "result", "scratch",
  ]
}
