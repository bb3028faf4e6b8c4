import FoundationEssentials
import ONNXImport

/// The importer's own table of operators, for people and for scripts.
package enum OperatorList {
  private struct Entry: Encodable {
    var type: String
    var domains: [String]
    var conditions: String
  }

  package static func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let entries = ModelImporter.supportedOperators.map {
      Entry(type: $0.type, domains: $0.domains, conditions: $0.conditions)
    }
    return String(decoding: try encoder.encode(entries), as: UTF8.self)
  }

  package static var text: String {
    let operators = ModelImporter.supportedOperators
    let width = (operators.map(\.type.count).max() ?? 0) + 2
    return operators.map { entry in
      entry.type + String(repeating: " ", count: width - entry.type.count) + entry.conditions
    }.joined(separator: "\n")
  }
}
