import FirmwarePlanning
import TernaryIR

/// Dense layers.
extension StagePrinter {
  func printDense(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);\n")
      out.block("if (row_is_due(s, rows))") { out in
        out.print("const uint32_t oy = rows[1];")
        printDestination(&out)
        out.print()
        printDots(work, "out[oc * \(outputStride)]", &out)
        printProbe(&out)
        out.print("rows[1]++;")
        printSuccessor(&out)
      }
    }
    out.print()
  }

  func printFinish(_ work: DenseWork, _ out: inout CodePrinter) {
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      printDots(work, "output[oc]", &out)
      out.print("\(plan.macroPrefix)_PROBE(\(index), 0, output, 1, 0, 0);")
    }
    out.print()
  }

  private func printDots(_ work: DenseWork, _ target: String, _ out: inout CodePrinter) {
    let wide = stage.input.elementBytes == 2
    let base = wide ? "(const uint16_t *)(const void *)(memory + s->ring)" : "memory + s->ring"
    out.print("const \(wide ? "uint16_t" : "uint8_t") *const values = \(base);\n")
    out.block("for (uint32_t oc = 0; oc < \(stage.outputShape.channels); oc++)") { out in
      if work.areBytes {
        out.print("const int8_t *const weights = \(name)_weights[oc];")
        out.print("int32_t a = 0;\n")
        out.block("for (uint32_t i = 0; i < \(work.taps); i++)") { $0.print("a += weights[i] * values[i];") }
      } else {
        out.print("const uint8_t *const weights = \(name)_weights[oc];")
        let isLimited = !work.epilogue.limits.isEmpty
        out.print(
          "\(isLimited ? "" : "const ")int32_t a = ternary_dot\(wide ? "16" : "")(weights, values, \(work.taps));\n")
      }
      printLimits(work.epilogue, "&a", 1, &out)
      printConstants(work.epilogue, "oc", &out)
      var value = expression(work.epilogue, "a")
      if case .output = stage.destination, stage.output.base != 0 {
        value += stage.output.base < 0 ? " - \(-stage.output.base)" : " + \(stage.output.base)"
      } else if stage.output.elementBytes == 1, case .ring = stage.destination {
        value = "(uint8_t)" + value
      } else if stage.output.elementBytes == 1, case .result = stage.destination {
        value = "(uint8_t)" + value
      }
      out.print("\(target) = \(value);")
    }
  }
}
