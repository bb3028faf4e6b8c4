import FirmwarePlanning

/// The probe of rows whose positions hold all channels, two rows at a time. Tests take them apart.
struct PixelProbe {
  private let plan: FirmwarePlan
  private let makers: [Stage]
  private var name: String { "\(plan.macroPrefix)_PROBE_PIXELS" }
  private static let parameters = ["layer", "row", "values", "pixel", "distance"]
  private var head: String { "\(name)(\(Self.parameters.joined(separator: ", ")))" }

  init(_ plan: FirmwarePlan) {
    self.plan = plan
    makers = plan.stages.filter { $0.channelsLast != nil }
  }

  /// What the emitted C does where no test asks for more.
  func printDefault(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    out.print(
      """
      /*
       * The same for layers that make rows row and row + distance together: words of two lanes,
       * values[x * pixel + c].
       */
      #ifndef \(name)
      """)
    let line = "#define \(head) ((void)(row))"
    if line.count <= CodePrinter.width { out.print(line) } else { out.macro(head, "((void)(row))") }
    out.print("#endif\n")
  }

  /// What tests define before they include the C.
  func printMacro(_ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    out.list("static void take_apart(", Self.declarations, ");\n")
    out.macro(head, "take_apart(\(Self.parameters.map { "(\($0))" }.joined(separator: ", ")))")
  }

  /// The function that takes two rows apart. Expects the table `layers`.
  ///
  /// - Parameter check: The function that looks at single rows.
  func printTaking(_ check: String, _ out: inout CodePrinter) {
    guard !makers.isEmpty else { return }
    let bytes = makers.map { $0.outputShape.channels * $0.outputShape.width }.max() ?? 0
    out.print("static uint8_t apart[\(bytes)]; /* a row as channel after channel */\n")
    out.print("/* Takes the rows of both lanes apart, and has those looked at that there are. */")
    out.list("static void take_apart(", Self.declarations, ") {")
    out.print(
      """
          const uint32_t width = layers[layer].width;

          for (uint32_t y = row; y < layers[layer].height && y <= row + distance; y += distance) {
              for (uint32_t i = 0; i < layers[layer].channels * width; i++) {
                  const uint32_t word = values[i % width * pixel + i / width];

                  apart[i] = (uint8_t)(y == row ? word : word >> 16);
              }
              \(check)(layer, y, apart, width, 0, 0);
          }
      }

      """)
  }

  private static let declarations = [
    "uint32_t layer", "uint32_t row", "const uint32_t *values", "uint32_t pixel", "uint32_t distance",
  ]
}
