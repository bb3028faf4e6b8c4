import Scheduling

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
    return Int32(min(max(value, input.base + input.minimumCode), input.base + input.maximumCode))
  }

  private static let start: UInt32 = 2_166_136_261
  private static let prime: UInt32 = 16_777_619

  /// Folds a number into a checksum. Any change of one number changes it, since each step is a bijection of the sum.
  private static func checksum(_ sum: UInt32, _ value: UInt32) -> UInt32 { (sum ^ value) &* prime }

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

  /// - Parameter used: Fields of `struct stage` that anything reads.
  func print(_ plan: FirmwarePlan, _ used: Set<String>, _ element: String, to out: inout CodePrinter) {
    let answer = ConstantTable("answer", .weights, output.map(Int.init))
    let tables = plan.operations.indices.flatMap(plan.tables) + [answer]
    let descriptors = plan.descriptors(used)
    let types = plan.descriptorTypes(used)
    let upper = plan.macroPrefix
    let bits = Set(tables.map(\.checksumBits) + types.flatMap { $0.runs.map(\.bits) })
    out.print("/* Self-test: what the network makes of the built-in sample. */\n/* clang-format off */")
    for line in Tables.definition(answer) { out.print(line) }
    out.print("/* clang-format on */\n")
    out.comment([
      "Checksums of what is constant: of numbers, not of bytes, so that they are the same on every machine; volatile, so "
        + "that compilers read what is there and not what they put there."
    ])
    for bits in bits.sorted() { printChecksum(bits, &out) }
    for type in types { printChecksum(type, &out) }
    out.block("int \(plan.name)_self_test(\(plan.name)_state *state)") { out in
      let bytes = "state->bytes + SELF_TEST_ROW"
      out.print("\(element) *const row = \(element == "uint8_t" ? bytes : "(\(element) *)(void *)(\(bytes))");")
      out.print("int32_t output[\(upper)_OUTPUT_COUNT];")
      out.print("uint32_t seed = 1;")
      out.print("uint32_t sum = UINT32_C(\(Self.start));\n")
      var sum = Self.start
      for table in tables {
        printReduction(table, &out)
        sum = Self.checksum(sum, table)
      }
      for descriptor in descriptors {
        guard let type = types.first(where: { $0.name == descriptor.type }) else { continue }
        let pointers = type.pointers.map { descriptor.initializer($0.field) }
        out.list("sum = checksum_\(type.name)(", ["sum", "&\(descriptor.object)"] + pointers, ");")
        for field in type.runs.flatMap(\.fields) {
          sum = Self.checksum(sum, UInt32(truncatingIfNeeded: descriptor.number(field)))
        }
      }
      out.block("if (sum != UINT32_C(\(sum)))") { $0.print("return 1;") }
      out.print()
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
      out.block("if (*canary(state->bytes) != CANARY)") { $0.print("return 3;") }
      out.print("\(plan.name)_finish(state, output);")
      out.block("if (*canary(state->bytes) != CANARY_AT_END)") { $0.print("return 3;") }
      out.block("for (uint32_t i = 0; i < \(upper)_OUTPUT_COUNT; i++)") { out in
        out.block("if (output[i] != answer[i])") { $0.print("return 2;") }
      }
      out.print("return 0;")
    }
  }

  private func printReduction(_ table: ConstantTable, _ out: inout CodePrinter) {
    let function = "checksum\(table.checksumBits)"
    switch (table.element, table.isMatrix) {
    case (.packed, _), (.int8, _):
      // Bytes may be read through all rows of a matrix; other types row by row.
      let count = table.rows.count * table.columns
      out.list("sum = \(function)(", ["sum", "(const IN_FLASH uint8_t *)\(table.name)", "\(count)"], ");")
    case (.int16, _):
      out.list("sum = \(function)(", ["sum", "(const IN_FLASH uint16_t *)\(table.name)", "\(table.columns)"], ");")
    case (_, true):
      out.block("for (uint32_t oc = 0; oc < \(table.rows.count); oc++)") {
        $0.list("sum = \(function)(", ["sum", "\(table.name)[oc]", "\(table.columns)"], ");")
      }
    case (_, false):
      out.list("sum = \(function)(", ["sum", table.name, "\(table.columns)"], ");")
    }
  }

  /// The type of numbers that a function folds, as most of them have it.
  private static func type(_ bits: Int) -> String { (bits < 32 ? "uint" : "int") + "\(bits)_t" }

  /// The function that folds numbers of a type.
  private func printChecksum(_ bits: Int, _ out: inout CodePrinter) {
    out.list(
      "static NO_INLINE uint32_t checksum\(bits)(",
      ["uint32_t sum", "const VOLATILE_IN_FLASH \(Self.type(bits)) *values", "uint32_t count"], ") {")
    out.indented { out in
      out.block("for (uint32_t i = 0; i < count; i++)") { out in
        if bits < 64 {
          let value = bits < 32 ? "values[i]" : "(uint32_t)values[i]"
          out.print("sum = (sum ^ \(value)) * UINT32_C(\(Self.prime));")
        } else {
          out.print("const uint64_t value = (uint64_t)values[i];\n")
          out.print("sum = (sum ^ (uint32_t)value) * UINT32_C(\(Self.prime));")
          out.print("sum = (sum ^ (uint32_t)(value >> 32)) * UINT32_C(\(Self.prime));")
        }
      }
      out.print("return sum;")
    }
    out.print("}\n")
  }

  /// The function that folds a descriptor: its pointers as to whether they are those that are expected.
  private func printChecksum(_ type: DescriptorType, _ out: inout CodePrinter) {
    out.list(
      "static NO_INLINE uint32_t checksum_\(type.name)(",
      ["uint32_t sum", "const VOLATILE_IN_FLASH struct \(type.name) *d"]
        + type.pointers.map { "\($0.type)\($0.field)" },
      ") {")
    out.indented { out in
      let names = [8: "bytes", 16: "shorts", 32: "words"]
      out.print("const VOLATILE_IN_FLASH uint8_t *const from = (const VOLATILE_IN_FLASH uint8_t *)d;")
      for run in type.runs {
        let offset = "offsetof(struct \(type.name), \(run.fields[0]))"
        out.assign("const VOLATILE_IN_FLASH void *const \(names[run.bits] ?? "")", "from + \(offset)")
      }
      out.print()
      if !type.pointers.isEmpty {
        let compared = type.pointers.map { "d->\($0.field) != \($0.field)" }
        out.print("sum += \(compared.joined(separator: " || "));")
      }
      for run in type.runs {
        let values = "(const VOLATILE_IN_FLASH \(Self.type(run.bits)) *)\(names[run.bits] ?? "")"
        out.list("sum = checksum\(run.bits)(", ["sum", values, "\(run.fields.count)"], ");")
      }
      out.print("return sum;")
    }
    out.print("}\n")
  }
}

extension ConstantTable {
  /// Of the numbers that its checksum is made of.
  fileprivate var checksumBits: Int {
    switch element {
    case .packed, .int8: 8
    case .uint16, .int16: 16
    case .int32: 32
    case .int64: 64
    }
  }
}
