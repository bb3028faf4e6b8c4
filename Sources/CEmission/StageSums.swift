import FirmwarePlanning
import TernaryIR

/// Average pools that add rows as they come.
extension StagePrinter {
  /// An average pool that adds row after row to its sums.
  func printAddedRows(_ epilogue: Epilogue?, _ out: inout CodePrinter) {
    let (channels, width) = (stage.outputShape.channels, stage.outputShape.width)
    let rows = stage.window.kernelHeight
    out.block(Self.prototype(stage)) { out in
      out.print("const struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint16_t *const sums = (uint16_t *)(void *)(memory + \(plan.buffers[stage.sumsBuffer].offset));\n")
      out.block("if (rows[1] < \(stage.outputShape.height))") { out in
        out.print("const uint32_t oy = rows[1];")
        out.print("const uint32_t r = rows[0] - 1U - oy * \(rows); /* of the window */")
        printDestination(&out)
        out.print()
        out.block("for (uint32_t oc = 0; oc < \(channels); oc++)") { out in
          out.print("const uint8_t *const values = memory + s->ring + oc * s->channel_stride;")
          out.print("uint16_t *const acc = sums + oc * \(width);\n")
          out.print("add_pool_row(s, values, r == 0, acc);")
          out.block("if (r == \(rows - 1))") { out in
            out.print("\(elementType) *const row = out + oc * \(outputStride);")
            guard let epilogue else {
              out.print()
              out.block("for (uint32_t ox = 0; ox < \(width); ox++)") { $0.print("row[ox] = acc[ox];") }
              return
            }
            printEpilogue(epilogue, &out)
          }
        }
        out.block("if (r == \(rows - 1))") { out in
          printProbe(&out)
          out.print("rows[1]++;")
          printSuccessor(&out)
        }
      }
    }
    out.print()
  }
}
