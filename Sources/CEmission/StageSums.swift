import Scheduling
import TernaryIR

/// Sums that are added up in several steps: those of the parts of a channel's taps, and the rows of average pools.
extension StagePrinter {
  /// Sums of a row, or of the rows under a pool: parts of the taps in lanes, then all parts column by column.
  func printParts(
    _ from: String, _ work: ConvolutionWork, _ lanes: LineBuffer.SWARLanes, _ part: Int, _ out: inout CodePrinter
  ) {
    let width = 2 * lanes.outputs
    out.print()
    out.block("for (uint32_t part = 0; part < \(work.taps); part += \(part))") { out in
      let rest = work.taps % part
      let count = rest == 0 ? "\(part)" : "part + \(part) > \(work.taps) ? \(rest) : \(part)"
      out.list(
        "const struct tap_list taps = list_taps(", ["weights + part / 4", count, "window + part", "offsets"], ");\n")
      func printRow(_ row: String, _ sums: String, _ out: inout CodePrinter) {
        printLaneSums(row, lanes, &out)
        out.list("add_row_swar2(", ["acc", "\(lanes.outputs)", "\(lanes.guardBias)", "part == 0", sums], ");")
      }
      if stage.rowsPerOutput == 1 {
        printRow(from, "sums", &out)
      } else {
        out.block("for (uint32_t r = 0; r < \(stage.rowsPerOutput); r++)") {
          let step = stage.window.strideHeight * stage.lineBuffer.rowStride
          $0.print("const uint32_t *const row_in = \(from) + r * \(step);\n")
          printRow("row_in", "sums + r * \(width)", &$0)
        }
      }
    }
    guard let pool = stage.pool else { return }
    out.block("for (uint32_t r = 0; r < \(pool.kernelHeight); r++)") {
      $0.list(
        "max_pool_sums(",
        ["sums + r * \(width)", "\(pool.kernelWidth)", "r == 0", "sums", "\(stage.outputShape.width)"], ");")
    }
  }

  /// An average pool that adds row after row to its sums.
  func printAddedRows(_ epilogue: Epilogue?, _ out: inout CodePrinter) {
    let (channels, width) = (stage.outputShape.channels, stage.outputShape.width)
    let rows = stage.window.kernelHeight
    out.block(Self.prototype(stage)) { out in
      out.print("const IN_FLASH struct stage *const s = &\(stage.descriptor);")
      out.print("uint16_t *const rows = row_counters(memory) + \(index);")
      out.print("uint16_t *const sums = (uint16_t *)(void *)(memory + \(plan.buffers[stage.sumsBuffer].offset));\n")
      out.block("if (rows[1] < \(stage.outputShape.height))") { out in
        out.print("const uint32_t oy = rows[1];")
        out.print("const uint32_t r = rows[0] - 1U - oy * \(rows); /* of the window */")
        printDestination(&out)
        out.print()
        out.block("for (uint32_t oc = 0; oc < \(channels); oc++)") { out in
          let offset = inputOffset.map { " + \($0)" } ?? ""
          out.assign("const uint8_t *const values", "memory + s->buffer\(offset) + oc * s->channel_stride")
          out.print("uint16_t *const acc = sums + oc * \(width);\n")
          out.print("add_pool_row_u8(s, values, r == 0, acc);")
          out.block("if (r == \(rows - 1))") { out in
            printRow(&out)
            guard let epilogue else {
              out.print()
              out.block("for (uint32_t ox = 0; ox < \(width); ox++)") { $0.print("row[ox] = acc[ox];") }
              return
            }
            printEpilogue(epilogue, &out)
            printPacking(&out)
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
