import FirmwarePlanning
import Templates

extension FirmwarePlan {
  /// Fields of `struct stage` that anything reads.
  var usedFields: Set<String> {
    var code = CodePrinter()
    ConvolutionPrinter(self).print(to: &code)
    let text = kernels.filter { $0 != .stage }.map(\.source).joined() + code.text
    var used: Set<String> = ["ring", "row_stride", "channel_stride"]
    if stages.contains(where: { $0.isPackedLanes && !$0.usesSharedConvolution }) { used.insert("stride_width") }
    for part in text.split(separator: "->").dropFirst() {
      used.insert(String(part.prefix { $0 == "_" || $0.isLetter || $0.isNumber }))
    }
    return used
  }

  /// `struct stage`, its numbers in the smallest types that hold them for all stages.
  func stageType(_ used: Set<String>) -> String {
    var largest: [String: Int] = [:]
    for index in stages.indices {
      for field in StagePrinter(self, index).fields { largest[field.name] = max(largest[field.name] ?? 0, field.value) }
    }
    let lines = Kernel.stage.source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(of: "struct stage {"), let end = lines.firstIndex(of: "};") else {
      return Kernel.stage.source
    }
    var fields: [(bytes: Int, code: String, comment: String)] = []
    for line in lines[(start + 1)..<end] {
      let parts = line.split(separator: ";", maxSplits: 1)
      let name = parts[0].split(separator: " ").last.map(String.init) ?? ""
      guard used.contains(name) else { continue }
      let most = largest[name] ?? 0
      let bytes = most <= Int(UInt8.max) ? 1 : most <= Int(UInt16.max) ? 2 : 4
      let words = parts.count > 1 ? parts[1].split(separator: " ") : []
      let comment = words.dropFirst().dropLast().joined(separator: " ")
      fields.append((bytes, "    uint\(8 * bytes)_t \(name);", comment))
    }
    // The largest first: no bytes are lost between them.
    let ordered = [4, 2, 1].flatMap { bytes in fields.filter { $0.bytes == bytes } }
    let type = ConvolutionPrinter.aligned(ordered.map { ($0.code, $0.comment) })
    return (lines[...start] + type + lines[end...]).joined(separator: "\n")
  }
}
