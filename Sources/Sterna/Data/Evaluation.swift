import TernaryIR

/// How well a network's answers fit the labels.
package struct Evaluation: Sendable, Codable, Equatable {
  /// Rows: true class; columns: predicted class.
  package var confusion: [[Int]]

  package init(classes: Int) {
    confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
  }

  package mutating func add(label: Int, prediction: Int) {
    confusion[label][prediction] += 1
  }

  package var total: Int { confusion.reduce(0) { $0 + $1.reduce(0, +) } }
  package var correct: Int { confusion.indices.reduce(0) { $0 + confusion[$1][$1] } }
  package var accuracy: Double { total == 0 ? 0 : Double(correct) / Double(total) }

  /// Share of a class's samples that were recognised; nil where it has none.
  package func recall(_ label: Int) -> Double? {
    let count = confusion[label].reduce(0, +)
    return count == 0 ? nil : Double(confusion[label][label]) / Double(count)
  }

  package var text: String {
    let classes = confusion.count
    let width = max(6, String(confusion.flatMap { $0 }.max() ?? 0).count + 2)
    var lines = ["accuracy \(percent(accuracy))  (\(correct) of \(total))", ""]
    lines.append(
      pad("true", 6) + (0..<classes).map { pad("\($0)", width) }.joined() + pad("recall", 10))
    for label in 0..<classes {
      lines.append(
        pad("\(label)", 6) + confusion[label].map { pad("\($0)", width) }.joined()
          + pad(recall(label).map(percent) ?? "-", 10))
    }
    return lines.joined(separator: "\n")
  }
}

/// The first of the largest values, as `NAME_argmax` has it.
package func argmax<T: Comparable>(_ values: some Collection<T>) -> Int {
  var best = 0
  var largest: T?
  for (index, value) in values.enumerated() where largest.map({ value > $0 }) ?? true {
    largest = value
    best = index
  }
  return best
}

/// With two decimals, without locale.
package func percent(_ share: Double) -> String {
  let hundredths = Int((share * 10_000).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
}

/// Right-aligned.
package func pad(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
