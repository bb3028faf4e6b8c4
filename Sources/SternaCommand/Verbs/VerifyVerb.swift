import ArgumentParser
import FoundationEssentials
import ReferenceInterpreter
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

  @Option(help: "Outputs that PyTorch gave for --input, N × outputs: compared as well.")
  var expect: String?

  @Option(
    help: "\(Target.names.joined(separator: ", ")) or all; may be repeated. The emulated ones need QEMU.")
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
    if expect != nil, input == nil { throw ValidationError("--expect needs the --input that it belongs to") }
  }

  func run() async throws {
    try await reporting(options.shownName) {
      let compilation = try options.compile()
      let inputs =
        try input.map { try Samples(readArray($0), path: $0, input: compilation.plan.input).integers }
        ?? SampleInputs.make(for: compilation.plan.input, count: samples, seed: seed)
      if let input, inputs.isEmpty { throw SamplesError.empty(path: input) }
      var isEqual = true
      let files = compilation.verificationFiles(inputs: inputs)
      for job in jobs {
        let outcome = try await run(job, compilation, files, samples: inputs.count)
        isEqual = isEqual && outcome
      }
      if let expect { isEqual = try compare(compilation, inputs, expect) && isEqual }
      if !isEqual { throw Exit.mismatch }
    }
  }

  private struct Job {
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
    let folder = FileManager.default.temporaryDirectory.path + "/sterna-verify-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for file in files { try Data(file.bytes).write(to: URL(filePath: "\(folder)/\(file.name)")) }
    Console.progress("\(job.title): compiling")
    let image = try await Toolchain.build(
      target: job.target, optimization: job.optimization,
      sources: [compilation.verificationSource, "verify_harness.c"], flags: job.flags, into: folder)
    Console.progress("\(job.title): running")
    let outcome = try await Toolchain.execute(
      target: job.target, image: image, arguments: ["vectors.bin"], timeout: .seconds(3600))
    Console.endProgress()
    let lines = (outcome.standardOutput + outcome.standardError).split(separator: "\n")
    let layers = compilation.plan.stages.count
    let prefix = "verify: samples=\(samples) layers=\(layers) "
    let isEqual =
      outcome.exitCode == 0 && lines.contains { $0.hasPrefix(prefix) && $0.hasSuffix("differing=0") }
    for line in lines where !line.hasPrefix("verify: samples=") { Console.result("\(job.title): \(line)") }
    let summary = lines.last { $0.hasPrefix("verify: samples=") }.map { String($0.dropFirst("verify: ".count)) }
    Console.result(
      "\(job.title): \(isEqual ? "equal" : "DIFFERENT") \(summary ?? "(no summary, exit \(outcome.exitCode))")")
    guard job.target.isMeasured else { return isEqual }
    return try await measure(job, compilation, in: folder) && isEqual
  }

  /// Prints what the model takes on an emulated core; whether that is within the budgets.
  private func measure(_ job: Job, _ compilation: Compilation, in folder: String) async throws -> Bool {
    let found = try await Toolchain.measure(
      target: job.target, optimization: job.optimization, name: compilation.plan.name, in: folder)
    Console.result(
      "\(job.title): measured instructions=\(found.instructions) flash=\(found.flash) state=\(found.state) "
        + "stack=\(found.stack)")
    var isKept = true
    for (what, bytes, budget) in [("flash", found.flash, options.flash), ("state", found.state, options.ram)] {
      guard let budget, bytes > budget else { continue }
      let option = what == "flash" ? "--flash" : "--ram"
      Console.result("\(job.title): EXCEEDED: \(what) takes \(bytes) bytes, more than \(option) \(budget)")
      isKept = false
    }
    return isKept
  }

  private func compare(_ compilation: Compilation, _ inputs: [[Int32]], _ path: String) throws -> Bool {
    let expected = try readArray(path)
    let tensor = compilation.plan.output.tensor
    let count = compilation.plan.output.count
    guard expected.count == inputs.count * count else {
      throw SamplesError.count(path: path, found: expected.count, expected: inputs.count * count)
    }
    let values = expected.doubles
    let interpreter = Interpreter(compilation.network)
    var expectation = Expectation()
    for (index, input) in inputs.enumerated() {
      expectation.add(
        real: tensor.real(interpreter.run(input).output), expected: values[(index * count)..<((index + 1) * count)])
    }
    Console.result(expectation.text)
    return expectation.isKept
  }
}

extension Optimization: ExpressibleByArgument {
  init?(argument: String) { self.init(rawValue: "-\(argument)") }
  var defaultValueDescription: String { String(rawValue.dropFirst()) }
}
