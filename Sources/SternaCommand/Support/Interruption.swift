import ArgumentParser
import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Signals that ask the program to end while it has something to clean up.
enum Interruption {
  private static let signals = [SIGHUP, SIGINT, SIGTERM]

  /// Runs `body`. A signal cancels it, and when it has cleaned up behind it, the program ends as a shell reports a death by
  /// that signal: 130 for Ctrl-C.
  static func cancelling<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result
  {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return try await body() }
    let (readEnd, writeEnd) = (ends[0], ends[1])
    wakingEnd = writeEnd
    let previous = signals.map { number in
      let handler = signal(number) { caught in
        var number = UInt8(truncatingIfNeeded: caught)
        _ = write(wakingEnd, &number, 1)
      }
      // As nohup has it: who asked for that wants no end.
      if number == SIGHUP, isIgnoring(handler) { signal(number, SIG_IGN) }
      return handler
    }
    let work = Task { try await body() }
    // A thread that may wait, other than those of tasks.
    let (received, continuation) = AsyncStream.makeStream(of: Int32.self)
    DispatchQueue.global().async {
      var number: UInt8 = 0
      while true {
        let count = read(readEnd, &number, 1)
        if count < 0, errno == EINTR { continue }
        if count == 1, number != 0 {
          continuation.yield(Int32(number))
          work.cancel()
          continue
        }
        close(readEnd)
        continuation.finish()
        return
      }
    }
    let result = await work.result
    for (number, handler) in zip(signals, previous) { signal(number, handler) }
    close(writeEnd)
    for await number in received { throw ExitCode(128 + number) }
    return try result.get()
  }

  private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}

/// Where a signal's handler, which must do next to nothing, leaves the signal's number. Set before there is a handler.
nonisolated(unsafe) private var wakingEnd: Int32 = -1
