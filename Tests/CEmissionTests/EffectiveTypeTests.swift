import FoundationEssentials
import Sterna
import TestSupport
import Testing

/// No value of the state is read as words where halfwords were stored, or the other way round: compilers may take such loads
/// and stores for independent ones. Bytes may be read and stored as they like.
///
/// clang's TypeSanitizer keeps the type of the first store for ever; in C a store gives memory its type, and layers do use
/// scratch memory one after another. Hence its check of stores is replaced by one that notes the new type.
@Suite struct EffectiveTypeTests {
  private static let stores = """
    #include <stdint.h>

    extern uintptr_t __tysan_shadow_memory_address, __tysan_app_memory_mask;
    void __real___tysan_check(void *address, int bytes, void *type, int flags);
    void __wrap___tysan_check(void *address, int bytes, void *type, int flags);

    void __wrap___tysan_check(void *address, int bytes, void *type, int flags) {
        /* A pointer to the type of each byte; of those behind a value's first, the negative distance from it. */
        intptr_t *const types = (intptr_t *)((((uintptr_t)address & __tysan_app_memory_mask) << 3) +
                                             __tysan_shadow_memory_address);

        if ((flags & 2) == 0) {
            __real___tysan_check(address, bytes, type, flags);
            return;
        }
        types[0] = (intptr_t)type;
        for (int i = 1; i < bytes; i++) {
            types[i] = -i;
        }
    }
    """

  /// Stores halfwords over a word, which is legal, and reads them; then as a word where `isWrong`.
  private static let reuse = """
    #include <stdint.h>
    #include <stdlib.h>

    static __attribute__((noinline)) void store(uint16_t *values) { values[0] = values[1] = 1; }
    static __attribute__((noinline)) uint32_t load(const uint32_t *words) { return *words; }

    int main(int count, char **words) {
        uint32_t *const memory = (uint32_t *)malloc(8);

        (void)words;
        *memory = (uint32_t)count;
        store((uint16_t *)memory);
        if (*(volatile uint16_t *)memory != 1) {
            return 3;
        }
        return load(count > 1 ? memory : &(uint32_t){1}) == 0;
    }
    """

  private static func build(_ source: String, _ program: String, in workshop: Workshop) async throws -> Workshop.Outcome
  {
    try workshop.write("stores.c", stores)
    guard try await workshop.run("clang", ["-std=c99", "-c", "stores.c"]).exitCode == 0 else {
      throw Workshop.MissingTool(tool: "clang")
    }
    return try await workshop.run(
      "clang",
      [
        "-std=c99", "-O0", "-w", "-fsanitize=type", "-Wl,--wrap=__tysan_check", source, "stores.o", "-lcmocka", "-o",
        program,
      ])
  }

  /// Whether clang is there, with TypeSanitizer.
  private static func hasSanitizer() async throws -> Bool {
    guard Workshop.hasTool("clang") else { return false }
    let workshop = try Workshop()
    try workshop.write("reuse.c", reuse)
    return try await build("reuse.c", "reuse", in: workshop).exitCode == 0
  }

  @Test(.enabled("clang has no -fsanitize=type") { try await hasSanitizer() })
  func loadOfAnotherTypeIsSeen() async throws {
    let workshop = try Workshop()
    try workshop.write("reuse.c", Self.reuse)
    _ = try await Self.build("reuse.c", "reuse", in: workshop)
    #expect(try await workshop.run("./reuse").output == "")
    #expect(
      try await workshop.run("./reuse", ["wrong"]).output.contains("type int accesses an existing object of type short")
    )
  }

  @Test(.enabled("clang has no -fsanitize=type") { try await hasSanitizer() })
  func formsLoadWhatTheyStored() async throws {
    let workshop = try Workshop()
    for compilation in try FormCorpus.compilations.get() {
      let name = compilation.plan.name
      try workshop.write(compilation)
      let built = try await Self.build("test_\(name).c", "test_\(name)", in: workshop)
      #expect(built.exitCode == 0, "\(built.output.prefix(2000))")
      let outcome = try await workshop.run("./test_\(name)")
      #expect(outcome.exitCode == 0, "\(name): \(outcome.output.prefix(2000))")
      #expect(!outcome.output.contains("TypeSanitizer"), "\(name): \(outcome.output.prefix(2000))")
    }
  }
}
