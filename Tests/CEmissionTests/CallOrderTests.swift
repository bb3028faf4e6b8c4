import Scheduling
import Sterna
import TestSupport
import Testing

/// Whatever order a firmware calls the functions in, and whatever its state holds that `begin` has not seen: no access leaves the
/// state, and the next whole frame is right.
@Suite struct CallOrderTests {
  private static let compilations = Result {
    try smallNetworks.map { try compiled(small($0.name), name: "calls_\($0.name)") }
      + leanCompilations.get().prefix(3) + hwcCompilations.get().prefix(2) + planeCompilations.get().prefix(2)
      + (0..<12).map { seed in
        try compiled(RandomNetwork.corner(seed: UInt64(900 + seed)), name: "corner\(seed)", schedule(seed))
      }
  }

  /// The state lies in memory of exactly its size, so that the sanitizer sees what is a byte beyond.
  private static func program(_ name: String) -> String {
    let upper = name.uppercased()
    return """
      #include "\(name).h"

      #include <stdlib.h>
      #include <string.h>

      static uint32_t seed = 1;

      static uint32_t next(uint32_t count) {
          seed = seed * 1664525U + 1013904223U;
          return (uint32_t)((uint64_t)(seed >> 8) * count >> 24);
      }

      int main(void) {
          \(name)_state *const state = malloc(sizeof *state);
          unsigned char *const input = malloc(\(upper)_INPUT_HEIGHT * \(upper)_ROW_BYTES);
          int32_t expected[\(upper)_OUTPUT_COUNT];
          int32_t output[\(upper)_OUTPUT_COUNT];
          uint32_t frames = 0;

          for (size_t i = 0; i < \(upper)_INPUT_HEIGHT * \(upper)_ROW_BYTES; i++) {
              input[i] = (unsigned char)next(256);
          }
          \(name)_begin(state);
          for (uint32_t y = 0; y < \(upper)_INPUT_HEIGHT; y++) {
              \(name)_push_row(state, (const void *)(input + y * \(upper)_ROW_BYTES));
          }
          \(name)_finish(state, expected);
          for (uint32_t call = 0; call < 3000; call++) {
              const uint32_t kind = next(100);

              if (kind < 8) {
                  memset(state, (int)next(256), sizeof *state);
              } else if (kind < 14) {
                  for (size_t i = 0; i < sizeof *state; i++) {
                      ((unsigned char *)state)[i] = (unsigned char)next(256);
                  }
              } else if (kind < 28) {
                  \(name)_begin(state);
              } else if (kind < 85) {
                  /* A few rows, whole frames and more among them. */
                  for (uint32_t count = next(\(upper)_INPUT_HEIGHT + 3); count > 0; count--) {
                      const uint32_t y = next(\(upper)_INPUT_HEIGHT);

                      \(name)_push_row(state, (const void *)(input + y * \(upper)_ROW_BYTES));
                  }
              } else if (kind < 95) {
                  \(name)_finish(state, output);
              } else {
                  \(name)_begin(state);
                  for (uint32_t y = 0; y < \(upper)_INPUT_HEIGHT; y++) {
                      \(name)_push_row(state, (const void *)(input + y * \(upper)_ROW_BYTES));
                  }
                  \(name)_finish(state, output);
                  if (memcmp(output, expected, sizeof output) != 0) {
                      return 1;
                  }
                  /* What has been finished has no second answer. */
                  \(name)_finish(state, output);
                  for (uint32_t i = 0; i < \(upper)_OUTPUT_COUNT; i++) {
                      if (output[i] != 0) {
                          return 2;
                      }
                  }
                  frames++;
              }
          }
          free(input);
          free(state);
          return frames > 50 ? 0 : 3;
      }

      """
  }

  @Test(arguments: 0..<2) func noAccessLeavesTheState(part: Int) async throws {
    let workshop = try Workshop()
    for (index, compilation) in try Self.compilations.get().enumerated() where index % 2 == part {
      let name = compilation.plan.name
      try workshop.write(compilation)
      try workshop.write("main.c", Self.program(name))
      let built = try await workshop.run(
        "gcc",
        [
          "-std=c99", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "\(name).c", "main.c", "-o",
          "calls",
        ])
      try #require(built.exitCode == 0, "\(built.output)")
      let outcome = try await workshop.run("./calls")
      #expect(outcome.exitCode == 0, "\(name): \(outcome.output.prefix(3000))")
    }
  }
}
