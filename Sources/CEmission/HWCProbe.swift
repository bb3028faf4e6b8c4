import Scheduling

/// The probe of rows whose positions hold all channels, two rows at a time. Tests take them apart.
struct HWCProbe {
  private let plan: FirmwarePlan
  /// What is made in that order.
  private let makers: [Edge]
  private var macro: ProbeMacro {
    ProbeMacro(
      name: "\(plan.macroPrefix)_PROBE_HWC",
      parameters: [("const uint32_t *", "values"), ("uint32_t ", "position"), ("uint32_t ", "distance")],
      function: "take_apart")
  }

  init(_ plan: FirmwarePlan) {
    self.plan = plan
    makers = plan.edges.filter { $0.producer != nil && $0.hwc != nil }
  }

  /// What the emitted C does where no test asks for more.
  func printDefault(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    macro.printDefault(
      """
      /*
       * The same for layers that make rows row and row + distance together: words of two lanes,
       * values[x * position + c].
       */
      """, &out)
  }

  /// What tests define before they include the C.
  func printMacro(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    macro.printDefinition(&out)
  }

  /// The function that takes two rows apart. Expects the table `layers`.
  ///
  /// - Parameter check: The function that looks at single rows.
  func printTaking(_ check: String, _ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    let bytes = makers.map { $0.shape.channels * $0.shape.width }.max() ?? 0
    out.print("static uint8_t apart[\(bytes)]; /* a row as channel after channel */\n")
    out.print("/* Takes the rows of both lanes apart, and has those looked at that there are. */")
    out.list("static void take_apart(", macro.declarations, ") {")
    out.print(
      """
          const uint32_t width = layers[layer].width;

          for (uint32_t y = row; y < layers[layer].height && y <= row + distance; y += distance) {
              for (uint32_t i = 0; i < layers[layer].channels * width; i++) {
                  const uint32_t word = values[i % width * position + i / width];

                  apart[i] = (uint8_t)(y == row ? word : word >> 16);
              }
              \(check)(layer, y, apart, width, 0, 0);
          }
      }

      """)
  }
}
