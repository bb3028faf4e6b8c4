import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import CEmission

/// The self-test notices every bit of every constant that changes.
@Suite struct SelfTestTests {
  /// Plans in which all types of descriptors and tables occur.
  private static let compilations = Result {
    var all = try smallNetworks.map { try compiled(small($0.name), name: "flip_\($0.name)") }
    all += try leanCompilations.get().prefix(3) + hwcCompilations.get().prefix(2)
    all += try planeCompilations.get().prefix(3)
    all += try (1...6).map { try compiled(RandomNetwork.make(seed: UInt64($0)), name: "any\($0)", schedule($0)) }
    for seed: UInt64 in 0..<60 {
      let compilation = try compiled(RandomNetwork.make(seed: seed), name: "shared\(seed)")
      guard compilation.plan.stages.contains(where: { $0.variant is SharedPackedLanes }) else { continue }
      all.append(compilation)
      break
    }
    all += try [2, 5].map { try compiled(RandomNetwork.make(seed: $0), name: "host\($0)", core: .host) }
    return all
  }

  /// Flips each bit of each constant of an object in turn. Constants have a section each; the linker gives the section of
  /// a C name's ends. Jump tables and literals of the compiler are not the network's.
  private static func harness(_ name: String, _ objects: [String]) -> String {
    let declarations = objects.map { "extern unsigned char __start_t_\($0)[], __stop_t_\($0)[];\n" }
    let calls = objects.map { "    flip(\"\($0)\", __start_t_\($0), __stop_t_\($0));\n" }
    return """
      #include "\(name).h"
      #include <stdio.h>
      #include <stdlib.h>
      #include <sys/mman.h>
      \(declarations.joined())static \(name)_state state;
      static void flip(const char *what, unsigned char *from, const unsigned char *end) {
          long missed = 0;
          for (unsigned char *byte = from; byte != end; byte++) {
              for (int bit = 0; bit < 8; bit++) {
                  *byte ^= (unsigned char)(1 << bit);
                  if (\(name)_self_test(&state) != 1) missed++;
                  *byte ^= (unsigned char)(1 << bit);
              }
          }
          printf("%s %ld %ld\\n", what, (long)(end - from), missed);
      }
      int main(void) {
          if (\(name)_self_test(&state) != 0) return 1;
          {
              unsigned char *low = 0, *high = 0;
              unsigned char *ends[][2] = {\(objects.map { "{__start_t_\($0), __stop_t_\($0)}" }.joined(separator: ", "))};
              for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
                  if (!low || ends[i][0] < low) low = ends[i][0];
                  if (ends[i][1] > high) high = ends[i][1];
              }
              low -= (unsigned long)low % 4096;
              if (mprotect(low, (unsigned long)(high - low), PROT_READ | PROT_WRITE)) return 3;
          }
      \(calls.joined())    return \(name)_self_test(&state);
      }

      """
  }

  @Test(arguments: [["gcc", "-O2"], ["gcc", "-O0"], ["clang", "-O2"]])
  func everyFlippedBitIsNoticed(compiler: [String]) async throws {
    var types: Set<String> = []
    var elements: Set<String> = []
    for compilation in try Self.compilations.get() {
      let workshop = try Workshop()
      let name = compilation.plan.name
      try workshop.write(compilation)
      let flags = ["-std=c99", "-fno-pic", "-fdata-sections", "-fno-jump-tables", "-fno-merge-constants"]
      let own = compiler[0] == "gcc" ? ["-fno-tree-switch-conversion", "-fno-section-anchors"] : []
      let built = try await workshop.run(
        compiler[0], Array(compiler.dropFirst()) + flags + own + ["-c", "\(name).c", "-o", "net.o"])
      try #require(built.exitCode == 0, "\(built.output)")
      // Sections of one constant each, named after it.
      let dump = try await workshop.run("nm", ["--defined-only", "net.o"])
      let objects = dump.output.split(separator: "\n").compactMap { line -> String? in
        let words = line.split(separator: " ")
        return words.count == 3 && words[1] == "r" && words[2].hasPrefix("\(name)_") ? String(words[2]) : nil
      }
      #expect(!objects.isEmpty)
      let renaming = objects.flatMap {
        ["--rename-section", ".rodata.\($0)=t_\($0),alloc,load,readonly,data,contents"]
      }
      let renamed = try await workshop.run("objcopy", renaming + ["net.o", "flat.o"])
      try #require(renamed.exitCode == 0, "\(renamed.output)")
      try workshop.write("main.c", Self.harness(name, objects))
      let linked = try await workshop.run("gcc", ["-no-pie", "-w", "main.c", "flat.o", "-o", "main"])
      try #require(linked.exitCode == 0, "\(linked.output)")
      let outcome = try await workshop.run("./main")
      #expect(outcome.exitCode == 0, "\(name): \(outcome.output)")
      let found = outcome.output.split(separator: "\n").map { $0.split(separator: " ") }
      #expect(found.count == objects.count)
      let used = SourcePrinter(compilation.plan, compilation.provenance, compilation.selfTest).usedFields
      let descriptors = compilation.plan.descriptors(used)
      let layouts = compilation.plan.descriptorTypes(used)
      types.formUnion(descriptors.map(\.type))
      for line in found {
        let (object, bytes, missed) = (line[0].dropFirst(name.count + 1), Int(line[1]) ?? 0, Int(line[2]) ?? -1)
        // The end of a struct may be a gap.
        let own = descriptors.filter { $0.object == object || $0.object.hasPrefix("\(object)[") }
        let layout = layouts.first { $0.name == own.first?.type }
        let numbers = layout.map { $0.pointers.count * 8 + $0.runs.reduce(0) { $0 + $1.bits / 8 * $1.fields.count } }
        let gap = numbers.map { bytes - $0 * own.count } ?? 0
        #expect(missed == 8 * gap, "\(name), \(object): \(missed) of \(8 * bytes) flips missed, \(gap) bytes are gaps")
        #expect(gap < 8 * max(own.count, 1))
      }
      for stage in compilation.plan.stages { elements.formUnion(stage.variant.tables(stage).map { "\($0.element)" }) }
    }
    #expect(types == ["stage", "convolution", "grid", "planes"])
    #expect(elements.isSuperset(of: ["packed", "uint16", "int16", "int32", "int8"]), "\(elements)")
  }

  /// A guard word that is overwritten while the sample runs is code 3, a wrong answer code 2.
  @Test func otherCodesMeanWhatTheHeaderSays() async throws {
    let workshop = try Workshop()
    let compilation = try compiled(small("dense"))
    try workshop.write(compilation)
    try workshop.write(
      "main.c",
      """
      #include "net.h"
      #define NET_PROBE(layer, row, values, channel_stride, distance, bits) probe(layer, values)
      static net_state state;
      static int mode;
      static void probe(uint32_t layer, void *values) {
          if (layer == 0 && mode == 3) state.bytes[NET_STATE_BYTES - 1] ^= 1;
          if (layer == 1 && mode == 2) *(int32_t *)values ^= 1;
      }
      #include "net.c"
      int main(void) {
          for (mode = 0; mode < 4; mode++) {
              if (net_self_test(&state) != (mode == 1 ? 0 : mode)) return 1 + mode;
          }
          return 0;
      }

      """)
    let built = try await workshop.run("gcc", ["-std=c99", "main.c", "-o", "main"])
    try #require(built.exitCode == 0, "\(built.output)")
    #expect(try await workshop.run("./main").exitCode == 0)
  }
}
