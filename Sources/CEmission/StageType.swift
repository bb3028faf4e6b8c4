import Scheduling
import Templates

extension FirmwarePlan {
  /// Fields of `struct stage` that anything reads.
  ///
  /// - Parameter code: All that the file says but for the kernels, the descriptors and the self-test.
  func usedFields(_ selection: KernelSelection, _ code: String) -> Set<String> {
    let text = selection.kernels.filter { $0 != .stage }.map(\.source).joined() + code
    return Set(["stage", "s", "next"].flatMap { Self.fields(of: $0, readBy: text) })
  }

  /// `struct stage`, its numbers in the smallest types that hold them for all stages.
  func stageType(_ used: Set<String>) -> String {
    let readers = contexts.filter(\.variant.hasDescriptor)
    let numbers = contexts.flatMap { context in
      context.operation.inputs.indices.flatMap { context.windowFields($0) }.filter { used.contains($0.name) }
    }
    var sentences = ["A layer's window and the buffer that holds its input rows: all channels after one another."]
    let isLinear = readers.contains { $0.input.isLinear }
    let order = "in the map's order, from the first that the next window sees, padding above among them"
    if used.contains("slots"), readers.contains(where: { !$0.input.isLinear }) {
      sentences.append("Row y lies in slot y % slots\(isLinear ? "; of other layers rows lie \(order)" : "").")
    } else if isLinear {
      sentences.append("Rows lie \(order).")
    }
    sentences.append("Strides count values, not bytes.")
    var comment = CodePrinter()
    comment.comment([sentences.joined(separator: " ")])
    return comment.text + Self.narrowed(Self.definition(of: "stage", in: Kernel.stage.source), "stage", numbers)
  }

  /// What stands behind a type's comment.
  private static func definition(of type: String, in source: String) -> String {
    source.firstRange(of: "struct \(type) {").map { String(source[$0.lowerBound...]) } ?? source
  }

  /// `struct grid` and `struct planes`, likewise.
  var planesType: String {
    let layers = PlaneLayers(self)
    // What the kernel reads of depthwise layers is 0 where there are none.
    let text = !layers.indices.isEmpty ? Kernel.convolvePlanes.source : ""
    let read = Self.fields(readBy: text).map { (name: $0, value: 0) }
    let grids = Self.narrowed(Kernel.planes.source, "grid", layers.gridNumbers + read)
    return Self.narrowed(grids, "planes", layers.ownNumbers + read)
  }

  /// Fields of what a name points to.
  private static func fields(of pointer: String, readBy text: String) -> [String] {
    let pieces = text.split(separator: "->", omittingEmptySubsequences: false)
    return zip(pieces, pieces.dropFirst()).compactMap { before, behind in
      guard before.reversed().prefix(while: \.isIdentifierPart).reversed().elementsEqual(pointer) else { return nil }
      return String(behind.prefix(while: \.isIdentifierPart))
    }
  }

  private static func fields(readBy text: String) -> [String] {
    text.split(separator: "->").dropFirst().map { String($0.prefix { $0 == "_" || $0.isLetter || $0.isNumber }) }
  }

  /// A type's definition without the numbers that nothing reads, and the others in the smallest types that hold them.
  private static func narrowed(_ source: String, _ type: String, _ numbers: [(name: String, value: Int)]) -> String {
    let largest = Dictionary(numbers.map { ($0.name, $0.value) }, uniquingKeysWith: max)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(of: "struct \(type) {"),
      let end = lines[start...].firstIndex(of: "};")
    else { return source }
    var fields: [(bytes: Int, code: String, comment: String)] = []
    for line in lines[(start + 1)..<end] {
      let parts = line.split(separator: ";", maxSplits: 1)
      let words = parts.count > 1 ? parts[1].split(separator: " ") : []
      let comment = words.dropFirst().dropLast().joined(separator: " ")
      if parts[0].contains("*") {
        fields.append((Int.max, "\(parts[0]);", comment))
        continue
      }
      let name = parts[0].split(separator: " ").last.map(String.init) ?? ""
      guard let most = largest[name] else { continue }
      let bytes = most <= Int(UInt8.max) ? 1 : most <= Int(UInt16.max) ? 2 : 4
      fields.append((bytes, "    uint\(8 * bytes)_t \(name);", comment))
    }
    // The largest first: no bytes are lost between them.
    let ordered = [Int.max, 4, 2, 1].flatMap { bytes in fields.filter { $0.bytes == bytes } }
    let members = alignedComments(ordered.map { ($0.code, $0.comment) })
    return (lines[...start] + members + lines[end...]).joined(separator: "\n")
  }
}
