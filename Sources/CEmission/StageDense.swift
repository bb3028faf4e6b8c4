import Scheduling
import TernaryIR

/// Dense layers.
extension StagePrinter {
  func printDense(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);\n")
      out.block("if (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        out.print()
        printDots(work, &out) { printValue(work, $0, "out[oc * \(outputStride)]", &$1) }
        printProbe(&out)
        out.print("rows[1]++;")
        printSuccessor(&out)
      }
    }
    out.print()
  }

  func printFinish(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      printDots(work, &out) { printValue(work, $0, "output[oc]", &$1) }
      out.print("\(plan.macroPrefix)_PROBE(\(index), 0, output, 1, 0, 0);")
    }
    out.print()
  }

  /// A last dense layer that adds every row to its sums as it comes.
  func printAddedRows(_ work: DenseWork, _ out: inout CodePrinter) {
    let sums = "int32_t *)(void *)(memory + \(plan.buffers[stage.sumsBuffer].offset));"
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("const uint32_t y = row_counters(memory)[\(index)] - 1U; /* the row that has arrived */")
      out.print("int32_t *const sums = (\(sums)")
      printDots(work, &out) { dot, out in
        out.print("const int32_t a = \(dot);\n")
        out.print("sums[oc] = y == 0 ? a : sums[oc] + a;")
      }
    }
    out.print()
    out.block(Self.finishPrototype(stage)) { out in
      out.print("const int32_t *const sums = (const \(sums.replacing("(void", with: "(const void"))\n")
      out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") {
        printValue(work, "sums[oc]", "output[oc]", &$0)
      }
      out.print("\(plan.macroPrefix)_PROBE(\(index), 0, output, 1, 0, 0);")
    }
    out.print()
  }

  /// What is done with the scalar product of each output: of all rows, or where they are added one by one, of row `y`.
  private func printDots(
    _ work: DenseWork, _ out: inout CodePrinter, _ use: (_ dot: String, _ out: inout CodePrinter) -> Void
  ) {
    let wide = stage.input.elementBytes == 2
    let base = wide ? "(const uint16_t *)(const void *)(memory + s->buffer)" : "memory + s->buffer"
    let rowBytes = (stage.lineBuffer.rowStride + 3) / 4
    let row = stage.hasRunningSum ? " + \(rowBytes == 1 ? "" : "\(rowBytes) * ")y" : ""
    let count = stage.hasRunningSum ? stage.lineBuffer.rowStride : work.taps
    out.print("const \(wide ? "uint16_t" : "uint8_t") *const values = \(base);\n")
    out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
      if work.areBytes {
        out.print("const IN_FLASH int8_t *const weights = \(name)_weights[oc];")
        out.print("int32_t a = 0;\n")
        // An int of 16 bits holds the product of two bytes only.
        let weight = wide ? "(int32_t)weights[i]" : "weights[i]"
        out.block("for (uint32_t i = 0; i < \(count); i++)") { $0.print("a += \(weight) * values[i];") }
        use("a", &out)
      } else {
        out.print("const IN_FLASH uint8_t *const weights = \(name)_weights[oc]\(row);")
        use("ternary_dot\(wide ? "_u16" : "")(weights, values, \(count))", &out)
      }
    }
  }

  /// Requantizes a sum.
  private func printValue(_ work: DenseWork, _ sum: String, _ target: String, _ out: inout CodePrinter) {
    let isLimited = !work.epilogue.limits.isEmpty
    if sum != "a" { out.print("\(isLimited ? "" : "const ")int32_t a = \(sum);\n") }
    printLimits(work.epilogue, "&a", 1, &out)
    printConstants(work.epilogue, "oc", &out)
    printUnread(work.epilogue, "a", &out)
    var value = expression(work.epilogue, "a")
    if case .output = stage.destination, stage.output.base != 0 {
      value += stage.output.base < 0 ? " - \(-stage.output.base)" : " + \(stage.output.base)"
    } else if stage.output.elementBytes == 1, case .lineBuffer = stage.destination {
      value = "(uint8_t)" + value
    } else if stage.output.elementBytes == 1, case .result = stage.destination {
      value = "(uint8_t)" + value
    }
    out.print("\(target) = \(value);")
  }
}
