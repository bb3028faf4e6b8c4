/// A picture of a sample in characters: rows of time, columns of Doppler, the brightest pixel of each cell.
package enum Thumbnail {
  private static let ramp = Array(" .:-=+*#%@")

  /// - Parameters:
  ///   - values: `height × width`, quantized.
  ///   - size: Characters across and down.
  package static func lines(
    _ values: [Int32], height: Int, width: Int, size: (columns: Int, rows: Int)
  ) -> [String] {
    let low = values.min() ?? 0
    let span = max(1, (values.max() ?? 0) - low)
    return (0..<size.rows).map { row in
      String(
        (0..<size.columns).map { column in
          var brightest = low
          for y in (row * height / size.rows)..<max(row * height / size.rows + 1, (row + 1) * height / size.rows) {
            for x
              in (column * width / size.columns)..<max(
                column * width / size.columns + 1, (column + 1) * width / size.columns)
            {
              brightest = max(brightest, values[y * width + x])
            }
          }
          return ramp[Int(brightest - low) * (ramp.count - 1) / Int(span)]
        })
    }
  }

  /// Pictures side by side, two blanks between them.
  package static func row(_ pictures: [[String]]) -> [String] {
    guard let height = pictures.map(\.count).max() else { return [] }
    return (0..<height).map { line in pictures.map { $0[line] }.joined(separator: "  ").trimmedRight }
  }
}
