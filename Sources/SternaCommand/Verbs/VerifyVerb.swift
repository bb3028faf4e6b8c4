import ArgumentParser
import Sterna

struct VerifyVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compiles the C, runs it on targets and compares every value of every layer with the interpreter.")

  @OptionGroup var options: ModelOptions

  @Option(help: "Seeded inputs; without meaning where --input is given.")
  var samples = 16

  @Option(help: "Seed of the inputs.")
  var seed: UInt64 = 1

  @Option(help: "Samples to use instead of seeded ones: N × (input shape).")
  var input: String?

  @Option(
    help:
      "Outputs that PyTorch gave for --input, N × outputs: compared as well. Once for each output of the model, in its order."
  )
  var expect: [String] = []

  @Option(
    help:
      "\(Target.names.joined(separator: ", ")) or all; may be repeated. The emulated ones need QEMU, avr needs simavr; its flash holds a few samples only."
  )
  var target: [String] = ["host"]

  @Option(
    name: .customLong("optimization"),
    help: "Of the C compiler: O0, O2, O3 or Os; may be repeated. Unless given, O0 and O2 on the host, O2 elsewhere.")
  var optimizations: [Optimization] = []

  @Flag(help: "On the host, also runs under the address and undefined-behaviour sanitizers.")
  var sanitize = false

  func validate() throws {
    for name in target where name != "all" && Target.named(name).isEmpty {
      throw ValidationError("unknown target '\(name)': expected \(Target.names.joined(separator: ", ")) or all")
    }
    if samples < 1 || samples > 100_000 { throw ValidationError("--samples must be 1 to 100000") }
    if sanitize, !target.contains("all"), !target.contains("host") {
      throw ValidationError("--sanitize is for the host: expected --target host or all")
    }
    if !expect.isEmpty, input == nil { throw ValidationError("--expect needs the --input that it belongs to") }
  }

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.compile()
      let inputs =
        try input.map { try readSamples($0, for: compilation) }
        ?? SampleInputs.make(for: compilation.plan.input, count: samples, seed: seed)
      // Before anything is compiled, which takes much longer than to see that an array does not fit.
      let outputs = compilation.plan.outputs
      guard expect.isEmpty || expect.count == outputs.count else {
        throw SamplesError.expectations(found: expect.count, outputs: outputs.map(\.tensor.name))
      }
      let expectations = try expect.enumerated().map { index, path in
        try Expectation(
          readArray(path), path: path, samples: inputs.count, output: outputs[index].tensor, index: index,
          trailing: compilation.trailings[index])
      }
      var isEqual = true
      // By number of samples: what the interpreter makes of them is the same for every job.
      var filesOf: [Int: [(name: String, bytes: [UInt8])]] = [:]
      for job in jobs {
        // The last ones where not all fit: the first seeded ones are flat.
        let count = try job.target.fitting(
          inputs.count, bytesEach: compilation.plan.input.bytes + compilation.plan.expectedBytes)
        let files = filesOf[count] ?? compilation.verificationFiles(inputs: Array(inputs.suffix(count)))
        filesOf[count] = files
        let outcome = try await run(job, compilation, files, samples: count)
        isEqual = isEqual && outcome
      }
      for expectation in expectations {
        let comparison = expectation.comparison(compilation.network, inputs: inputs)
        try Console.result((outputs.count > 1 ? "\(expectation.name): " : "") + comparison.text)
        isEqual = isEqual && comparison.isKept
      }
      if !isEqual { throw Exit.mismatch }
    }
  }

  private struct Job: Sendable {
    var target: Target
    var optimization: Optimization
    var flags: [String] = []
    var title: String { "\(target.name) \(optimization.rawValue)" + (flags.isEmpty ? "" : " sanitized") }
  }

  private var jobs: [Job] {
    let names = target.contains("all") ? Target.names : target
    var jobs: [Job] = []
    for target in names.flatMap({ Target.named($0) }) {
      let isHost = target.emulator == nil
      let levels = optimizations.isEmpty ? (isHost ? [.none, .standard] : [.standard]) : optimizations
      jobs += levels.map { Job(target: target, optimization: $0) }
      if isHost, sanitize {
        jobs.append(
          Job(
            target: target, optimization: .standard,
            flags: ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]))
      }
    }
    return jobs
  }

  /// Builds and runs one job in a folder of its own.
  private func run(
    _ job: Job, _ compilation: Compilation, _ files: [(name: String, bytes: [UInt8])], samples: Int
  ) async throws -> Bool {
    let (outcome, measurement) = try await Interruption.cancelling {
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      for file in files { try folder.write(file.name, file.bytes) }
      Console.progress("\(job.title): compiling")
      let image = try await Toolchain.build(
        target: job.target, optimization: job.optimization,
        sources: [compilation.verificationSource, "verify_harness.c"], flags: job.flags, into: folder.path)
      Console.progress("\(job.title): running")
      let outcome = try await Toolchain.execute(
        target: job.target, image: image, arguments: ["vectors.bin"], timeout: .seconds(3600))
      let measurement =
        job.target.isMeasured
        ? try await Toolchain.measure(
          target: job.target, optimization: job.optimization, name: compilation.plan.name, in: folder.path) : nil
      return (outcome, measurement)
    }
    Console.endProgress()
    let lines = (outcome.standardOutput + outcome.standardError).split(separator: "\n")
    let layers = compilation.plan.operations.count
    let prefix = "verify: samples=\(samples) layers=\(layers) "
    let isEqual =
      outcome.exitCode == 0 && lines.contains { $0.hasPrefix(prefix) && $0.hasSuffix("differing=0") }
    for line in lines where !line.hasPrefix("verify: samples=") { try Console.result("\(job.title): \(line)") }
    let summary = lines.last { $0.hasPrefix("verify: samples=") }.map { String($0.dropFirst("verify: ".count)) }
    try Console.result(
      "\(job.title): \(isEqual ? "equal" : "DIFFERENT") \(summary ?? "(no summary, exit \(outcome.exitCode))")")
    guard let measurement else { return isEqual }
    return try isWithinBudgets(measurement, job) && isEqual
  }

  /// Prints what the model takes on an emulated core; whether that is within the budgets.
  private func isWithinBudgets(_ found: Measurement, _ job: Job) throws -> Bool {
    try Console.result(
      "\(job.title): measured instructions=\(found.instructions) flash=\(found.flash) state=\(found.state) "
        + "stack=\(found.stack)")
    var isKept = true
    for (what, bytes, budget) in [("flash", found.flash, options.flash), ("state", found.state, options.ram)] {
      guard let budget, bytes > budget else { continue }
      let option = what == "flash" ? "--flash" : "--ram"
      try Console.result("\(job.title): EXCEEDED: \(what) takes \(bytes) bytes, more than \(option) \(budget)")
      isKept = false
    }
    return isKept
  }
}

extension Optimization: ExpressibleByArgument {
  /// With or without the compiler's hyphen.
  init?(argument: String) { self.init(rawValue: argument.hasPrefix("-") ? argument : "-\(argument)") }
  var defaultValueDescription: String { String(rawValue.dropFirst()) }
  static var allValueStrings: [String] { allCases.map(\.defaultValueDescription) }
}
