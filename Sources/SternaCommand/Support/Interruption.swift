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
    let (received, continuation) = AsyncStream.makeStream(of: Int32.self)
    let sources = signals.map { number in
      // What is ignored does not end the program, but is still seen by the source.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
    defer {
      for source in sources { source.cancel() }
      for number in signals { signal(number, SIG_DFL) }
    }
    let work = Task { try await body() }
    let watch = Task<Int32?, Never> {
      for await number in received {
        work.cancel()
        return number
      }
      return nil
    }
    let result = await work.result
    continuation.finish()
    if let number = await watch.value { throw ExitCode(128 + number) }
    return try result.get()
  }
}
