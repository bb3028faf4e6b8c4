/// A constant of a struct type, as the self-test sees it.
package struct Descriptor: Sendable {
  /// Tag of the struct.
  package var type: String
  /// C expression of the object.
  package var object: String
  /// Fields and their initializers; a number that is missing is 0.
  package let values: [(field: String, value: String)]

  package init(_ type: String, _ object: String, _ values: [(field: String, value: String)]) {
    self.type = type
    self.object = object
    self.values = values
  }

  package func number(_ field: String) -> Int { values.first { $0.field == field }.flatMap { Int($0.value) } ?? 0 }
  package func initializer(_ field: String) -> String { values.first { $0.field == field }?.value ?? "0" }
}

/// Declarations with their comments in one column, as clang-format has them.
package func alignedComments(_ lines: [(code: String, comment: String)]) -> [String] {
  var result: [String] = []
  var start = 0
  while start < lines.count {
    if lines[start].comment.isEmpty {
      result.append(lines[start].code)
      start += 1
      continue
    }
    let end = lines[start...].firstIndex { $0.comment.isEmpty } ?? lines.count
    let column = lines[start..<end].map(\.code.utf8.count).max() ?? 0
    for line in lines[start..<end] {
      let gap = String(repeating: " ", count: column - line.code.utf8.count + 1)
      result.append("\(line.code)\(gap)/* \(line.comment) */")
    }
    start = end
  }
  return result
}

extension Context {
  /// The numbers of the descriptor of its window and of the buffer that it reads, as the type has them.
  package func windowFields(_ position: Int = 0) -> [(name: String, value: Int)] {
    let input = inputs[position]
    let (layout, geometry, rows) = (input.layout, variant.geometry, variant.rows)
    let window = geometry.window
    return [
      ("buffer", input.offset), ("row_stride", layout.rowStride), ("slots", input.slots),
      ("channel_stride", layout.channelStride), ("height", input.shape.height), ("out_height", geometry.output.height),
      ("out_width", variant.layerWidth), ("pool_height", geometry.poolHeight), ("pool_width", geometry.poolWidth),
      ("kernel_height", window.kernelHeight), ("kernel_width", window.kernelWidth),
      ("stride_height", window.strideHeight), ("stride_width", window.strideWidth), ("top", window.top),
      ("above", input.storedAbove), ("left", layout.left), ("padding", layout.paddingCode), ("reach", rows.rows),
      ("advance", rows.step), ("slides", slides), ("step", windowStep),
    ]
  }
}
