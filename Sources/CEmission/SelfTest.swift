import FirmwarePlanning

/// The built-in check of an emitted model: checksums of its tables and a sample whose answer is known.
///
/// The sample is not stored: a generator makes its rows one at a time, so it costs a few instructions instead of an
/// input's worth of flash. The façade computes the answer with the reference interpreter.
package struct SelfTest: Sendable, Equatable {
  /// The network's answer to `sample(for:)`.
  package var output: [Int32]

  package init(output: [Int32]) {
    self.output = output
  }

  private static let multiplier: UInt32 = 1_664_525
  private static let increment: UInt32 = 1_013_904_223

  /// The sample in `[row][channel][column]` order as the C makes it, as integers of the input quantizer.
  package static func sample(for plan: FirmwarePlan) -> [Int32] {
    var seed: UInt32 = 1
    let input = plan.input
    let shape = input.shape
    var integers = [Int32](repeating: 0, count: shape.count)
    for y in 0..<shape.height {
      for c in 0..<shape.channels {
        for x in 0..<shape.width {
          seed = seed &* multiplier &+ increment
          integers[(c * shape.height + y) * shape.width + x] = integer(UInt8(seed >> 24), input)
        }
      }
    }
    return integers
  }

  private static func integer(_ byte: UInt8, _ input: InputPlan) -> Int32 {
    let value = input.quantization.isSigned ? Int(Int8(bitPattern: byte)) : Int(byte)
    return Int32(min(max(value, input.base + input.minimumLevel), input.base + input.maximumLevel))
  }

  /// Folds values into a checksum. Any change of one value changes it, since each step is a bijection of the sum.
  static func checksum(_ sum: UInt32, _ value: UInt32) -> UInt32 { (sum ^ value) &* 16_777_619 }

  /// Folds a table into a checksum, as the emitted function of its element type does.
  private static func checksum(_ sum: UInt32, _ table: ConstantTable) -> UInt32 {
    table.rows.joined().reduce(sum) { sum, value in
      let word: UInt32 =
        switch table.element {
        case .int8: UInt32(UInt8(truncatingIfNeeded: value))
        case .int16: UInt32(UInt16(truncatingIfNeeded: value))
        default: UInt32(truncatingIfNeeded: value)
        }
      let low = checksum(sum, word)
      return table.element == .int64 ? checksum(low, UInt32(truncatingIfNeeded: value >> 32)) : low
    }
  }

  func print(_ plan: FirmwarePlan, _ element: String, to out: inout CodePrinter) {
    let tables = plan.stages.flatMap(\.tables)
    let upper = plan.macroPrefix
    var printed: Set<String> = []
    for element in [ConstantTable.Element.packed, .int8, .uint16, .int16, .int32, .int64] {
      guard let table = tables.first(where: { $0.element == element }) else { continue }
      if printed.insert(function(table)).inserted { printChecksum(table, &out) }
    }
    out.block("int \(plan.name)_self_test(\(plan.name)_state *state)") { out in
      out.print("static const int32_t answer[\(upper)_OUTPUT_COUNT] = {")
      out.print("    /* clang-format off */")
      let numbers = output.map { $0 == Int32.min ? "(-2147483647 - 1)" : "\($0)" }
      for line in Tables.lines(numbers, width: CodePrinter.width - 4) { out.print(line) }
      out.print("    /* clang-format on */")
      out.print("};")
      let bytes = "state->bytes + SELF_TEST_ROW"
      out.print("\(element) *const row = \(element == "uint8_t" ? bytes : "(\(element) *)(void *)(\(bytes))");")
      out.print("int32_t output[\(upper)_OUTPUT_COUNT];")
      out.print("uint32_t seed = 1;")
      if !tables.isEmpty { out.print("uint32_t sum = UINT32_C(2166136261);") }
      out.print()
      if !tables.isEmpty {
        var sum: UInt32 = 2_166_136_261
        for table in tables {
          printFolding(table, &out)
          sum = Self.checksum(sum, table)
        }
        out.block("if (sum != UINT32_C(\(sum)))") { $0.print("return 1;") }
        out.print()
      }
      out.print("/* Pseudo-random rows, made where the layers' scratch memory is. */")
      out.print("\(plan.name)_begin(state);")
      out.block("for (uint32_t y = 0; y < \(upper)_INPUT_HEIGHT; y++)") { out in
        out.block("for (uint32_t x = 0; x < \(upper)_ROW_BYTES; x++)") { out in
          out.print("seed = seed * UINT32_C(\(Self.multiplier)) + UINT32_C(\(Self.increment));")
          if element == "int8_t" {
            out.print("row[x] = (int8_t)((int32_t)((seed >> 24) ^ 128U) - 128);")
          } else {
            out.print("row[x] = (uint8_t)(seed >> 24);")
          }
        }
        out.print("\(plan.name)_push_row(state, row);")
      }
      out.print("\(plan.name)_finish(state, output);")
      out.block("for (uint32_t i = 0; i < \(upper)_OUTPUT_COUNT; i++)") { out in
        out.block("if (output[i] != answer[i])") { $0.print("return 2;") }
      }
      out.print("return *(const uint32_t *)(const void *)(state->bytes + CANARY_AT) == CANARY ? 0 : 3;")
    }
  }

  private func function(_ table: ConstantTable) -> String {
    switch table.element {
    case .packed, .int8: "checksum8"
    case .uint16, .int16: "checksum16"
    case .int32: "checksum32"
    case .int64: "checksum64"
    }
  }

  private func printFolding(_ table: ConstantTable, _ out: inout CodePrinter) {
    switch (table.element, table.isMatrix) {
    case (.packed, _), (.int8, _):
      // Bytes may be read through all rows of a matrix; other types row by row.
      let count = table.rows.count * table.columns
      out.list("sum = \(function(table))(", ["sum", "(const uint8_t *)\(table.name)", "\(count)"], ");")
    case (.int16, _):
      out.list(
        "sum = \(function(table))(", ["sum", "(const uint16_t *)\(table.name)", "\(table.columns)"], ");")
    case (_, true):
      out.block("for (uint32_t oc = 0; oc < \(table.rows.count); oc++)") {
        $0.list("sum = \(function(table))(", ["sum", "\(table.name)[oc]", "\(table.columns)"], ");")
      }
    case (_, false):
      out.list("sum = \(function(table))(", ["sum", table.name, "\(table.columns)"], ");")
    }
  }

  private func printChecksum(_ table: ConstantTable, _ out: inout CodePrinter) {
    let type = table.element == .int8 ? "uint8_t" : table.element == .int16 ? "uint16_t" : table.cType
    out.list(
      "static uint32_t \(function(table))(", ["uint32_t sum", "const \(type) *values", "uint32_t count"], ") {")
    out.indented { out in
      out.block("for (uint32_t i = 0; i < count; i++)") { out in
        switch table.element {
        case .packed, .int8, .uint16, .int16: out.print("sum = (sum ^ values[i]) * UINT32_C(16777619);")
        case .int32: out.print("sum = (sum ^ (uint32_t)values[i]) * UINT32_C(16777619);")
        case .int64:
          out.print("sum = (sum ^ (uint32_t)values[i]) * UINT32_C(16777619);")
          out.print("sum = (sum ^ (uint32_t)((uint64_t)values[i] >> 32)) * UINT32_C(16777619);")
        }
      }
      out.print("return sum;")
    }
    out.print("}\n")
  }
}
