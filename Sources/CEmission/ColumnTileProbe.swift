import Scheduling

/// The probe of rows that are never there as a whole: it sees column tile after column tile. Tests put them together.
struct ColumnTileProbe {
  private let plan: FirmwarePlan
  /// Those that make column tiles.
  private let makers: [Edge]
  private var macro: ProbeMacro {
    ProbeMacro(
      name: "\(plan.macroPrefix)_PROBE_COLUMN_TILE",
      parameters: [
        ("const void *", "values"), ("uint32_t ", "first"), ("uint32_t ", "count"), ("uint32_t ", "distance"),
      ], function: "gather_strip")
  }

  init(_ plan: FirmwarePlan) {
    self.plan = plan
    makers = plan.edges.filter { $0.columnTile != nil }
  }

  /// What the emitted C does where no test asks for more.
  func printDefault(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    macro.printDefault(
      """
      /*
       * The same for layers whose rows are made in tiles of count words of each channel: words of
       * columns x and x + distance, two lanes each, from x = first on.
       */
      """, &out)
  }

  /// What tests define before they include the C.
  func printMacro(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    macro.printDefinition(&out)
  }

  /// The function that puts the column tiles of a row together. Expects the table `layers`.
  ///
  /// - Parameter check: The function that looks at whole rows.
  func printGathering(_ check: String, _ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    let words = makers.map { $0.shape.channels * $0.layout.distance }.max() ?? 0
    out.print("static uint32_t gathered[\(words)]; /* the tiles of a row that have been made */\n")
    out.print("/* Puts the tiles of a row together; the last one has the row looked at. */")
    out.list("static void gather_strip(", macro.declarations, ") {")
    out.print(
      """
          const uint32_t *const words = (const uint32_t *)values;

          for (uint32_t i = 0; i < layers[layer].channels * count; i++) {
              gathered[i / count * distance + first + i % count] = words[i];
          }
          if (first + count == distance) {
              \(check)(layer, row, gathered, distance, distance, 16);
          }
      }

      """)
  }
}
