import FoundationEssentials
import Scheduling
import Sterna
import TestSupport
import Testing

/// What a C compiler and a linker make of emitted files.
@Suite struct CompilingTests {
  private static let compilers: [(tool: String, flags: [String])] = [
    ("gcc", []), ("clang", []), ("arm-none-eabi-gcc", ["-mcpu=cortex-m0", "-mthumb", "-ffreestanding"]),
    ("arm-none-eabi-gcc", ["-mcpu=cortex-m4", "-mthumb", "-ffreestanding"]),
    ("riscv64-unknown-elf-gcc", ["--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32"]),
    // The C is C++ as well, which has designated initializers since 2020.
    ("g++", ["-x", "c++"]),
    // An int of 16 bits; in GNU C, whose flags come last, constants in an address space of their own.
    ("avr-gcc", ["-mmcu=atmega1284p"]),
    ("avr-gcc", avrFlags),
  ]
  private static let avrFlags = ["-std=gnu99", "-mmcu=atmega1284p"]

  private static let compilations = Result {
    try (1...12).map { seed in
      let network = RandomNetwork.make(seed: UInt64(400 + seed))
      return try compiled(
        seed % 2 == 0 ? renamed(network) : network, name: "net\(seed)", schedule(seed))
    } + smallNetworks.map { try compiled(small($0.name), name: $0.name) } + leanCompilations.get()
      + hwcCompilations.get() + constantCompilations.get() + graphCompilations.get()
      + (1...8).map { seed in
        let network = RandomNetwork.make(seed: UInt64(420 + seed))
        return try compiled(
          seed % 2 == 0 ? renamed(network) : network, name: "host\(seed)", schedule(seed), core: .host)
      } + smallNetworks.map { try compiled(small($0.name), name: "host_\($0.name)", core: .host) }
  }

  private static let levels = ["-O0", "-O1", "-O2", "-O3", "-Os"]

  /// Each compiler has every network at one level, and all levels in turn; with `STERNA_ALL_LEVELS` in the environment, at
  /// each of them.
  @Test(arguments: compilers.indices) func noCompilerWarns(index: Int) async throws {
    let compiler = Self.compilers[index]
    let standard = compiler.tool == "g++" ? "-std=c++20" : "-std=c99"
    let warnings = Workshop.warnings.map { $0 == "-std=c99" ? standard : $0 }
    let workshop = try Workshop()
    let isWhole = ProcessInfo.processInfo.environment["STERNA_ALL_LEVELS"] != nil
    for (number, compilation) in try Self.compilations.get().enumerated() {
      try workshop.write(compilation)
      let name = compilation.plan.name
      for level in isWhole ? Self.levels : [Self.levels[(number + index) % Self.levels.count]] {
        let outcome = try await workshop.run(
          compiler.tool, warnings + compiler.flags + [level, "-c", "\(name).c", "-o", "\(name).o"])
        #expect(outcome.exitCode == 0, "\(name), \(level): \(outcome.output.prefix(2000))")
      }
    }
  }

  /// C++ includes the headers too, all of them in one program: nothing of one is in another's way.
  @Test func headersAreCPlusPlus() async throws {
    let workshop = try Workshop()
    let compilations = try Self.compilations.get()
    for compilation in compilations { try workshop.write(compilation) }
    let names = compilations.map(\.plan.name)
    try workshop.write(
      "main.cpp",
      names.map { "#include \"\($0).h\"\n" }.joined()
        + "int main() { return \(names.map { "(sizeof(\($0)_state) < 4)" }.joined(separator: " + ")); }\n")
    let outcome = try await workshop.run("g++", ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c", "main.cpp"])
    #expect(outcome.exitCode == 0, "\(outcome.output)")
  }

  /// Every symbol begins with the model's name, static ones too, and all memory is the caller's.
  @Test func symbolsArePrefixedAndNothingIsMutable() async throws {
    let workshop = try Workshop()
    for compilation in try Self.compilations.get() {
      let name = compilation.plan.name
      try workshop.write(compilation)
      try await workshop.run("arm-none-eabi-gcc", ["-mcpu=cortex-m0", "-mthumb", "-O2", "-c", "\(name).c"])
      let outcome = try await workshop.run("arm-none-eabi-nm", ["\(name).o"])
      #expect(outcome.exitCode == 0)
      var defined: Set<String> = []
      for line in outcome.output.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard let symbol = words.last, words.count >= 2 else { continue }
        switch words[words.count - 2] {
        case "T", "R":
          #expect(symbol.hasPrefix("\(name)_"))
          defined.insert(String(symbol))
        // Tables that gcc makes of switches have names of its own.
        case "t", "r": #expect(symbol.hasPrefix("\(name)_") || symbol.hasPrefix("CSWTCH."), "\(line)")
        case "U":
          // Bytes that a host adds nothing to are copied sixteen at a time, and so are constants; small cores have
          // functions for that.
          if compilation.plan.core == .host, symbol == "memcpy" || symbol == "memset" { continue }
          // The compiler's own helpers: divisions, 64-bit products. None of them floats.
          #expect(symbol.hasPrefix("__aeabi_") || symbol.hasPrefix("__gnu_thumb1_"), "\(line)")
          #expect(!symbol.hasPrefix("__aeabi_f") && !symbol.hasPrefix("__aeabi_d"), "\(line)")
        default: Issue.record("\(name): \(line)")
        }
      }
      #expect(
        defined
          == Set(["run", "begin", "push_row", "finish", "argmax", "self_test"].map { "\(name)_\($0)" }))
    }
  }

  /// On an AVR, whose flash is an address space of its own, no constant is copied to RAM.
  @Test func constantsStayInFlash() async throws {
    let workshop = try Workshop()
    for compilation in try Self.compilations.get() {
      let name = compilation.plan.name
      try workshop.write(compilation)
      let outcome = try await workshop.run("avr-gcc", Self.avrFlags + ["-O2", "-c", "\(name).c", "-o", "\(name).o"])
      #expect(outcome.exitCode == 0, "\(outcome.output)")
      var constants = 0
      for line in try await workshop.run("avr-size", ["-A", "\(name).o"]).output.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count == 3, let section = words.first, let bytes = Int(words[1]), bytes > 0 else { continue }
        if section.hasPrefix(".progmem.data") { constants += bytes }
        #expect(![".rodata", ".data", ".bss"].contains(where: section.hasPrefix), "\(name): \(line)")
      }
      #expect(constants > 0, "\(name)")
    }
  }

  private static let cores: [(tool: String, flags: [String])] = [
    ("arm-none-eabi-gcc", ["-mcpu=cortex-m4", "-mthumb", "-O2"]),
    ("arm-none-eabi-gcc", ["-mcpu=cortex-m4", "-mthumb", "-O3"]),
    ("arm-none-eabi-gcc", ["-mcpu=cortex-m0", "-mthumb", "-Os"]),
    ("riscv64-unknown-elf-gcc", ["--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32", "-O2"]),
    ("riscv64-unknown-elf-gcc", ["--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32", "-O3"]),
    ("riscv64-unknown-elf-gcc", ["--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32", "-Os"]),
    ("clang", ["--target=thumbv7em-none-eabi", "-nostdlibinc", "-O2"]),
    ("clang", ["--target=thumbv6m-none-eabi", "-nostdlibinc", "-Os"]),
  ]

  /// Copies and fills stay loops, without any flag that says so: what the C library has in their place may go byte by byte.
  /// Each pair of a compiler and a level takes a third of the networks.
  @Test(arguments: cores.indices) func nothingIsCalledInTheLibrary(index: Int) async throws {
    let core = Self.cores[index]
    let workshop = try Workshop()
    for (number, compilation) in try Self.compilations.get().enumerated()
    where number % 3 == index % 3 && compilation.plan.core != .host {
      let name = compilation.plan.name
      try workshop.write(compilation)
      let outcome = try await workshop.run(
        core.tool, ["-std=c99"] + core.flags + ["-S", "\(name).c", "-o", "\(name).s"])
      #expect(outcome.exitCode == 0, "\(outcome.output)")
      let words = try workshop.read("\(name).s").split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      for (index, word) in words.enumerated()
      where ["memcpy", "memmove", "memset"].contains(word) || word.hasPrefix("__aeabi_mem") {
        // Not a loop: a struct that is passed by value, of three or four words.
        let before = words[..<index].suffix(12).joined(separator: " ")
        let isArgument = before.contains("li a2 12 ") || before.contains("li a2 16 ")
        #expect(isArgument, "\(name): \(word)")
      }
    }
  }

  @Test func twoModelsShareAProgram() async throws {
    let workshop = try Workshop()
    for (name, kind) in [("first", "pools"), ("second", "depthwise")] {
      try workshop.write(compiled(small(kind), name: name))
    }
    try workshop.write(
      "main.c",
      """
      #include "first.h"
      #include "second.h"

      int main(void) {
          static first_state a;
          static second_state b;

          return 10 * first_self_test(&a) + second_self_test(&b);
      }

      """)
    let built = try await workshop.run("gcc", Workshop.warnings + ["main.c", "first.c", "second.c", "-o", "both"])
    #expect(built.exitCode == 0, "\(built.output)")
    #expect(try await workshop.run("./both").exitCode == 0)
  }

  /// Models in one translation unit, all probes defined: nothing of one meets anything of another.
  @Test(arguments: [["gcc"], ["clang"], ["g++", "-x", "c++", "-std=c++20", "-Drestrict=__restrict"]])
  func modelsShareATranslationUnit(compiler: [String]) async throws {
    let warnings = Workshop.warnings.filter { compiler[0] != "g++" || !$0.hasPrefix("-std") && $0 != "-Wpedantic" }
    // Three at a time, the last with the first: every form meets others, and sometimes its like.
    let all = try Self.compilations.get()
    for start in stride(from: 0, to: all.count, by: 3) {
      let workshop = try Workshop()
      let models = [all[start], all[(start + 1) % all.count], all[(start + 2) % all.count]]
      var (main, tests) = ("#include <stdint.h>\nstatic uint32_t probed[3];\n", "")
      for (index, model) in models.enumerated() {
        try workshop.write(model)
        let (name, prefix) = (model.plan.name, model.plan.macroPrefix)
        main += """
          #define \(prefix)_PROBE(layer, row, values, channel_stride, distance, bits) (probed[\(index)] += 1U + 0U * (row))
          #define \(prefix)_PROBE_COLUMN_TILE(layer, row, values, first, count, distance) (probed[\(index)] += 1U + 0U * (row))
          #define \(prefix)_PROBE_HWC(layer, row, values, position, distance) (probed[\(index)] += 1U + 0U * (row))
          #include "\(name).c"
          static \(name)_state state\(index);

          """
        tests += "    if (\(name)_self_test(&state\(index)) != 0 || probed[\(index)] == 0) return \(index + 1);\n"
      }
      try workshop.write("main.c", main + "int main(void) {\n\(tests)    return 0;\n}\n")
      let built = try await workshop.run(
        compiler[0], Array(compiler.dropFirst()) + warnings + ["-O1", "main.c", "-o", "main"])
      #expect(built.exitCode == 0, "\(models.map(\.plan.name)): \(built.output.prefix(2000))")
      if built.exitCode == 0 { #expect(try await workshop.run("./main").exitCode == 0) }
    }
  }
}
