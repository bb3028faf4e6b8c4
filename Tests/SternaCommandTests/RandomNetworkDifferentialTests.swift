import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport
import Testing

@testable import SternaCommand

/// The test that matters most: random networks, the emitted C against the interpreter, every value of every layer.
///
/// The networks are calibrated so that their channels live (`RandomNetworkTests` asserts it). Compilation is the cost, so
/// each network is compiled once, at a level and schedule that go round, and fed many inputs.
@Suite struct RandomNetworkDifferentialTests {
  private static let jobs: [(seeds: Range<UInt64>, host: Target, optimization: Optimization, flags: [String])] = [
    (0..<60, .hostGCC, .standard, []),
    (60..<110, .hostClang, .standard, []),
    (110..<150, .hostGCC, .none, []),
    (150..<170, .hostGCC, .aggressive, []),
    (170..<180, .hostClang, .size, []),
    (180..<200, .hostGCC, .none, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
  ]

  @Test(arguments: jobs.indices)
  func cEqualsInterpreter(job index: Int) async throws {
    let job = Self.jobs[index]
    for seed in job.seeds {
      let living = RandomNetwork.make(seed: seed, isWide: seed % 8 == 1)
      let network = seed % 3 == 0 ? living.withDeadChannels(seed: seed) : living
      var options = Self.options(seed: seed)
      let planned = try Compilation(network: network, options).reduced.network
      if seed % 2 == 0, let mixing = try Self.mixing(planned, options) {
        options = mixing
      } else {
        options.ram = try Self.budget(planned, options, part: seed % 5)
      }
      let compilation = try Compilation(network: network, options)
      let inputs = randomInputs(for: network, count: 16, seed: seed)
      let outcome = try await Self.verify(compilation, inputs, job.host, job.optimization, job.flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
  }

  /// What rows before code can be beside words of two lanes.
  private static let leanForms: [@Sendable (Context) -> Bool] = [
    { $0.input.layout.laneBits == 8 }, { $0.widened != nil }, { $0.form == .tapsOfBytes },
    { $0.input.columnTile != nil }, { $0.gathered != nil }, { $0.input.isInPlace && $0.lanes != nil },
    { $0.hasRunningMaximum },
  ]

  /// The leanest plans with weights as code, in which each form of rows occurs.
  ///
  /// Four lanes are rare: of them seeds that have been looked for.
  private static let leanJobs: [(seeds: [UInt64], host: Target, optimization: Optimization, flags: [String])] = [
    (Array(0..<24) + [137, 148, 167], .hostGCC, .standard, []),
    (Array(24..<52) + [209, 214, 221], .hostClang, .standard, []),
    (
      Array(70..<100) + [229, 236, 292], .hostGCC, .none,
      ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    ),
  ]

  @Test(arguments: leanJobs.indices)
  func cOfLeanPlansEqualsInterpreter(job index: Int) async throws {
    let job = Self.leanJobs[index]
    var plans = [Int](repeating: 0, count: Self.leanForms.count)
    for seed in job.seeds {
      let network = RandomNetwork.separable(seed: seed)
      let (budgets, forms) = Self.leanBudgets(network, Self.speed(seed: seed))
      for form in forms { plans[form] += 1 }
      for ram in budgets {
        var options = Self.speed(seed: seed)
        options.ram = ram
        let inputs = randomInputs(for: network, count: 8, seed: seed)
        let outcome = try await Self.verify(
          Compilation(network: network, options), inputs, job.host, job.optimization, job.flags)
        #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
      }
    }
    #expect(
      plans.allSatisfy { $0 >= 3 },
      """
      plans with four lanes, widened windows, bytes, column tiles, gathered windows, rows in place, running maxima: \(plans)
      """)
  }

  /// What windows of channels have to cope with.
  private static let windowForms: [(name: String, holds: @Sendable (Context) -> Bool)] = [
    ("width 1", { $0.inputShape.width == 1 }), ("width 2", { $0.inputShape.width == 2 }),
    ("odd width", { $0.inputShape.width > 1 && $0.outputShape.width % 2 == 1 }),
    ("long rows", { ($0.gathered?.width ?? 0) > 16 }), ("strides", { $0.window.strideWidth > 1 }),
    ("3x3", { $0.window.kernelHeight == 3 && $0.window.kernelWidth == 3 }),
    ("5 columns", { $0.window.kernelWidth == 5 }),
    ("different padding left and right", { $0.window.left != $0.window.right }),
    ("padding of other than level 0", { $0.window.left > 0 && $0.input.layout.paddingCode > 0 }),
  ]

  /// The leanest plan in which windows of channels are unpacked, or rows lie in place of others.
  private static func inPlace(seed: UInt64) -> (network: TernaryNetwork, options: PlanningOptions, plan: FirmwarePlan)?
  {
    let network = seed % 4 == 0 ? RandomNetwork.separable(seed: seed) : RandomNetwork.keyword(seed: seed)
    var options = speed(seed: seed)
    var lean: FirmwarePlan?
    while let plan = try? Scheduler.plan(network, options), plan.stages.contains(where: \.isUnrolled) {
      if plan.stages.contains(where: { $0.gathered != nil || $0.input.isInPlace }) { lean = plan }
      options.ram = plan.stateBytes - 1
    }
    guard let lean else { return nil }
    options.ram = lean.stateBytes
    return (network, options, lean)
  }

  @Test func cOfWindowsOfChannelsEqualsInterpreter() async throws {
    var seen = [Int](repeating: 0, count: Self.windowForms.count)
    var (rows, pools) = (0, 0)
    for seed in 0..<160 as Range<UInt64> {
      guard let (network, options, plan) = Self.inPlace(seed: seed) else { continue }
      let windows = plan.stages.filter { $0.gathered != nil }
      let forms = seen.indices.filter { windows.contains(where: Self.windowForms[$0].holds) }
      let hasPool = plan.stages.contains { $0.input.isInPlace && $0.hasRunningSum }
      // Compilation is the cost: a network that shows nothing new is passed over.
      guard forms.contains(where: { seen[$0] < 3 }) || (hasPool && pools < 3) else { continue }
      for form in forms { seen[form] += 1 }
      if plan.stages.contains(where: { $0.input.isInPlace && $0.lanes != nil }) { rows += 1 }
      if hasPool { pools += 1 }
      let inputs = randomInputs(for: network, count: 8, seed: seed)
      let flags = seed % 3 == 0 ? ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] : []
      let outcome = try await Self.verify(
        Compilation(network: network, options), inputs, seed % 2 == 0 ? .hostGCC : .hostClang,
        flags.isEmpty ? .standard : .none, flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
    for (form, count) in zip(Self.windowForms, seen) { #expect(count > 0, "\(form.name): \(count) networks") }
    #expect(rows >= 3 && pools >= 2, "\(rows) networks with rows in place, \(pools) with those of a pool")
  }

  @Test func spoiltRowsInPlaceAreFound() throws {
    let found = (0..<60 as Range<UInt64>).lazy.compactMap { Self.inPlace(seed: $0)?.plan }
      .first { $0.stages.contains { $0.input.isInPlace } }
    let plan = try #require(found)
    #expect(plan.problems().isEmpty)
    let reader = try #require(plan.stages.first { $0.input.isInPlace })
    let edge = reader.operation.inputs[0]
    let spoilt = "\(reader.name): its rows do not lie in place of others"
    func problems(_ spoil: (inout FirmwarePlan) -> Void) -> [String] {
      var plan = plan
      spoil(&plan)
      return plan.problems().map(\.message)
    }
    #expect(problems { $0.edges[edge].layout.channelStride += 1 }.contains(spoilt))
    #expect(problems { $0.edges[edge].buffer = plan.scratch.buffer }.contains(spoilt))
    #expect(problems { $0.edges[edge].layout.rowStride *= 20 }.contains(spoilt))
    #expect(problems { $0.edges[edge].shape.width += 1 }.contains(spoilt))
    #expect(
      problems { $0.buffers[plan.scratch.buffer].bytes = 0 }.contains { $0.hasSuffix("leave the scratch memory") }
    )
  }

  private static func speed(seed: UInt64) -> PlanningOptions {
    PlanningOptions(
      name: "lean\(seed)", schedule: seed % 4 == 0 ? .stream : .auto, goal: .speed,
      core: .allCases[Int(seed) % Core.allCases.count], fusesPools: seed % 5 != 0)
  }

  /// The least RAM of plans in which each of the lean forms occurs, and which of the forms do.
  private static func leanBudgets(_ network: TernaryNetwork, _ options: PlanningOptions) -> (Set<Int>, Set<Int>) {
    var options = options
    var least: [Int: Int] = [:]
    while let plan = try? Scheduler.plan(network, options), plan.stages.contains(where: \.isUnrolled) {
      for form in leanForms.indices where plan.stages.contains(where: leanForms[form]) {
        least[form] = plan.stateBytes
      }
      options.ram = plan.stateBytes - 1
    }
    return (Set(least.values), Set(least.keys))
  }

  /// Whole maps occur in networks of one shape only.
  @Test func mapsEqualInterpreter() async throws {
    var inPlanes: Set<LayerForm> = []
    var count = 0
    for seed in 0..<300 as Range<UInt64> {
      let network = RandomNetwork.keyword(seed: seed)
      var options = Self.options(seed: seed)
      options.goal = .size
      options.schedule = seed % 3 == 0 ? .frame : .auto
      options.ram = seed % 2 == 0 ? 1 << 20 : nil
      let compilation = try Compilation(network: network, options)
      let kinds = compilation.plan.stages.filter { $0.planes != nil }.map(\.form)
      if kinds.isEmpty { continue }
      inPlanes.formUnion(kinds)
      count += 1
      let inputs = randomInputs(for: network, count: 16, seed: seed)
      let flags = seed % 4 < 2 ? [] : ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
      let outcome = try await Self.verify(
        compilation, inputs, seed % 8 < 4 ? .hostGCC : .hostClang, seed % 4 < 2 ? .standard : .none, flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
    #expect(count >= 20 && inPlanes.count == 3, "\(count) networks make whole planes, of \(inPlanes.count) kinds")
  }

  /// What maps whose positions hold all channels have to cope with.
  private static let hwcForms: [(name: String, holds: @Sendable (Context) -> Bool)] = [
    ("odd heights", { $0.outputShape.height % 2 == 1 }), ("width 1", { $0.outputShape.width == 1 }),
    ("depthwise", { $0.variant is HWCDepthwise }),
    ("padding of other than level 0", { $0.window.hasPadding && $0.input.layout.paddingCode > 0 }),
    ("different padding", { $0.window.top != $0.window.bottom || $0.window.left != $0.window.right }),
    ("strides", { $0.window.strideHeight * $0.window.strideWidth > 1 }),
    ("multiplied lanes", { $0.hwc?.scales.drop == 16 }),
    ("a multiple of eight channels", { $0.outputShape.channels % 8 == 0 }),
    ("other numbers of channels", { $0.outputShape.channels % 8 > 0 }),
    ("named columns", { $0.hwc?.namesColumns ?? false }),
  ]

  @Test func mapsWithChannelsLastEqualInterpreter() async throws {
    var counts = [Int](repeating: 0, count: Self.hwcForms.count)
    for seed in 0..<400 as Range<UInt64> {
      let living = RandomNetwork.pooledKeyword(seed: seed)
      let network = seed % 3 == 0 ? living.withDeadChannels(seed: seed) : living
      var options = Self.speed(seed: seed)
      options.schedule = .auto
      options.core = [.cortexM0, .cortexM4, .cortexM3, .cortexM33, .riscv32, .cortexM7][Int(seed % 6)]
      let compilation = try Compilation(network: network, options)
      let stages = compilation.plan.stages.filter { $0.hwc != nil }
      if stages.isEmpty { continue }
      for (index, form) in Self.hwcForms.enumerated() where stages.contains(where: form.holds) { counts[index] += 1 }
      let inputs = randomInputs(for: network, count: 16, seed: seed)
      let flags = seed % 4 < 2 ? [] : ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
      let outcome = try await Self.verify(
        compilation, inputs, seed % 8 < 4 ? .hostGCC : .hostClang, seed % 4 < 2 ? .standard : .none, flags)
      #expect(outcome.isEqual, "seed \(seed), \(options.commandLine): \(outcome.text)")
    }
    print(counts)
    for (form, count) in zip(Self.hwcForms, counts) {
      #expect(count >= 3, "only \(count) networks with \(form.name)")
    }
  }

  /// Part 0 is no budget; 1 to 4 lie between what the fastest plan needs and the least.
  private static func budget(_ network: TernaryNetwork, _ options: PlanningOptions, part: UInt64) throws -> Int? {
    guard part > 0 else { return nil }
    let fast = try Scheduler.plan(network, options).stateBytes
    var lean = options
    lean.usesLanes = false
    let least = try Scheduler.plan(network, lean).stateBytes
    // Only a dense layer that adds rows as they come takes less.
    lean.ram = least - 4
    if part >= 3, (try? Scheduler.plan(network, lean)) != nil { return lean.ram }
    return max(least, least + (fast - least) * (4 - Int(part)) / 4)
  }

  /// Options with a flash budget under which a network has weights of both forms; nil where no budget between packed
  /// weights and weights as code does that.
  private static func mixing(_ network: TernaryNetwork, _ options: PlanningOptions) throws -> PlanningOptions? {
    var options = options
    let most = try Scheduler.plan(network, options).flash.bytes
    for step in 1...24 {
      options.flash = most - step * most / 60
      guard let plan = try? Scheduler.plan(network, options) else { return nil }
      let forms = plan.stages.filter { $0.terms != nil }.map(\.isUnrolled)
      if Set(forms).count == 2, plan.flash.bytes <= options.flash ?? 0 { return options }
    }
    return nil
  }

  static func options(seed: UInt64) -> PlanningOptions {
    PlanningOptions(
      name: "net\(seed)", schedule: .allCases[Int(seed % 3)], goal: seed % 5 < 2 ? .size : .speed,
      core: .allCases[Int(seed / 3) % Core.allCases.count], fusesPools: seed % 4 != 0)
  }

  /// Sums of parts, rows of columns that are paired for the next layer, and tables of limits do occur.
  @Test func someNetworksAreOfRareForms() throws {
    var (parts, pairing, limits) = (0, 0, 0)
    for seed: UInt64 in 0..<200 {
      let network = RandomNetwork.make(seed: seed, isWide: seed % 8 == 1)
      let plan = try Scheduler.plan(network, Self.options(seed: seed))
      if plan.stages.contains(where: { $0.partTaps != nil }) { parts += 1 }
      if plan.stages.contains(where: \.packsRows) { pairing += 1 }
      if plan.stages.contains(where: \.hasLimitTable) { limits += 1 }
    }
    #expect(parts >= 15, "\(parts) networks")
    #expect(pairing >= 30, "\(pairing) networks")
    #expect(limits >= 3, "\(limits) networks")
  }

  /// The budgets would be of no use if they never made a plan that is neither all packed nor all code.
  @Test func someNetworksAreMixed() throws {
    let mixed = try (0..<200 as Range<UInt64>).count { seed in
      return try Self.mixing(RandomNetwork.make(seed: seed), Self.options(seed: seed)) != nil
    }
    #expect(mixed >= 5, "\(mixed) networks have weights in both forms")
  }

  /// The same of forms that only save RAM.
  @Test func someNetworksAddDenseRows() throws {
    let adding = try (0..<200 as Range<UInt64>).count { seed in
      let network = RandomNetwork.make(seed: seed)
      var options = Self.options(seed: seed)
      options.ram = try Self.budget(network, options, part: seed % 5)
      return try Scheduler.plan(network, options).stages.last?.hasRunningSum == true
    }
    #expect(adding >= 8, "\(adding) networks add the rows of their dense layer as they come")
  }

  static func verify(
    _ compilation: Compilation, _ inputs: some Collection<[Int32]>, _ target: Target, _ optimization: Optimization,
    _ flags: [String]
  ) async throws -> (isEqual: Bool, text: String) {
    let folder = FileManager.default.temporaryDirectory.path + "/sterna-random-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // STERNA_RANDOM_KEEP leaves the files.
    let isKept = ProcessInfo.processInfo.environment["STERNA_RANDOM_KEEP"] != nil
    if isKept { print("kept: \(folder)/\(compilation.plan.name).c") }
    defer { if !isKept { try? FileManager.default.removeItem(atPath: folder) } }
    for file in compilation.verificationFiles(inputs: Array(inputs)) {
      try Data(file.bytes).write(to: URL(filePath: "\(folder)/\(file.name)"))
    }
    let image = try await Toolchain.build(
      target: target, optimization: optimization, sources: [compilation.verificationSource, "verify_harness.c"],
      flags: flags, into: folder, objects: sharedObjects)
    let outcome = try await Toolchain.execute(
      target: target, image: image, arguments: ["vectors.bin"], timeout: .seconds(300))
    let expected = "verify: samples=\(inputs.count) layers=\(compilation.plan.stages.count) "
    let isEqual =
      outcome.exitCode == 0 && outcome.standardOutput.contains(expected)
      && outcome.standardOutput.contains("differing=0")
    return (isEqual, outcome.standardOutput + outcome.standardError)
  }
}
