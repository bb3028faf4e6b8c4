import FoundationEssentials
import Scheduling
import Sterna
import TernaryIR
import TestSupport

/// Networks of one or two layers, one for each kind of layer that the emitter prints.
let smallNetworks: [(name: String, text: String)] = [
  (
    "convolution",
    """
    network "n"
    input 2x4x6 range 0...15
    conv "/edge/Conv" kernel 3x2 stride 2x1 pad 1 1 0 0
      weights
        +0 -0 +-  00 0- 0+
        ++ ++ ++  00 00 00
      affine shift 2 clamp 0...7
      multipliers 1 3
      offsets 2 0
    """
  ),
  (
    "depthwise",
    """
    network "n"
    quantize "x" scale 0.5 zero 3 range -7...7 signed
    input 2x3x5 range -7...7 zero 3
    conv "depthwise" kernel 3x3 pad 1 1 1 1 groups 2
      weights
        +0- +0- +0-
        0+0 +-+ 0+0
      half-even shift 1 clamp -4...4
    """
  ),
  (
    "thresholds",
    """
    network "n"
    input 2x3x3 range 0...3
    conv "steps" kernel 1x1
      weights
        +-
        ++
      thresholds clamp 0...3
      at -1 0 2
      at 1 3 5
    """
  ),
  (
    "wide",
    """
    network "n"
    input 1x2x2 range 0...255
    conv "wide" kernel 2x2
      weights
        ++++
      affine shift 31 clamp 0...255
      multipliers 536870912
      offsets 1073741824
    """
  ),
  (
    "pools",
    """
    network "n"
    input 2x5x5 range 0...15
    maxpool "/pool1/MaxPool" kernel 2x2 stride 1x1
    avgpool "/pool2/AveragePool" kernel 2x2 stride 2x2
      half-even shift 2 clamp 0...15
    """
  ),
  (
    "sums",
    """
    network "n"
    input 2x4x4 range 0...255
    avgpool "average" kernel 2x2 stride 2x2
    dense "classes"
      weights
        ++++ 0000
        0-0- +++-
      logits
      multipliers 3 5
      offsets -7 0
    """
  ),
  (
    "dense",
    """
    network "n"
    input 5x1x1 range 0...255
    dense "hidden"
      weights
        +-0+-
        ++++0
        0000-
      affine shift 1 clamp 0...127
    dense "logits"
      weights
        +-0
        -0+
      affine clamp -100...100
    """
  ),
]

/// Rows of columns under a pool, and of levels that follow one another without a halo; the second row is no whole vector.
let pooledColumns = """
  network "n"
  input 1x4x20 range 0...15
  conv "edges" kernel 3x3 pad 1 1 1 1
    weights
      +0- +0- +0-
      +++ 000 ---
    affine shift 1 clamp 0...15
    multipliers 1 1
    offsets 0 1
  maxpool "pool" kernel 2x2 stride 2x2
  conv "mix" kernel 1x1
    weights
      +-
      ++
    affine shift 1 clamp 0...15
  """

/// Maps whose positions hold all channels: an odd height, padding, depthwise channels of several numbers of taps.
let keyword = """
  network "n"
  input 1x13x5 range 0...255
  conv "edges" kernel 3x3 pad 1 1 1 1
    weights
      +0- +0- +0-
      +++ 000 ---
      0+0 +-+ 0+0
      -00 0+0 00-
    affine shift 4 clamp 0...255
    multipliers 3 4 5 6
    offsets 900 800 100 700
  conv "blur" kernel 3x3 pad 1 1 1 1 groups 4
    weights
      +0- +0- 0+0
      +++ 000 -0-
      0+0 +0+ 0+0
      -00 0+0 00-
    affine shift 3 clamp 0...255
  conv "mix" kernel 1x1
    weights
      +-0+
      ++-0
      0+++
      -0++
    affine shift 1 clamp 0...255
  avgpool "average" kernel 13x5 stride 13x5
    affine shift 6 clamp 0...255
  dense "classes"
    weights
      ++0-
      -0+0
    logits
  """

/// Networks that take the form on some core.
let hwcCompilations = Result {
  let cores: [Core] = [.cortexM4, .cortexM0, .riscv32, .cortexM3]
  let found = try (0..<80).map { seed in
    try Compilation(
      network: RandomNetwork.pooledKeyword(seed: UInt64(seed)),
      PlanningOptions(name: "last\(seed)", goal: .speed, core: cores[seed % cores.count]))
  }.filter { $0.plan.stages.contains { $0.hwc != nil } }
  return Array(found.prefix(8))
}

/// Schedules in turn.
func schedule(_ index: Int) -> PlanningOptions.Schedule {
  PlanningOptions.Schedule.allCases[index % PlanningOptions.Schedule.allCases.count]
}

func small(_ name: String) throws -> TernaryNetwork {
  try TernaryNetwork(parsing: smallNetworks.first { $0.name == name }?.text ?? "")
}

func compiled(
  _ network: TernaryNetwork, name: String = "net", _ schedule: PlanningOptions.Schedule = .auto, core: Core = .generic
) throws -> Compilation {
  try Compilation(network: network, PlanningOptions(name: name, schedule: schedule, core: core))
}

/// Random networks with names as long, as alike and as hostile as a file can have them.
func renamed(_ network: TernaryNetwork) -> TernaryNetwork {
  let names = [
    "taps", "/conv/Conv", "/conv/Conv_1", "requantize", "*/ int x; /*", "memset",
    String(repeating: "long name ", count: 30),
    "conv_weights", "index\\\n\"%s%n", "", "net", "out", "conv_1_0", "pow",
  ]
  var network = network
  for index in network.layers.indices {
    network.layers[index].name = names[(index + network.layers.count * 3) % names.count]
  }
  return network
}

/// Weights as code in the least RAM: rows of bytes, strips.
let leanCompilations = Result {
  try [2, 7, 13, 21, 34, 99].map { seed in
    let network = RandomNetwork.separable(seed: UInt64(seed))
    var options = PlanningOptions(name: "lean\(seed)", goal: .speed, core: .allCases[seed % Core.allCases.count])
    while let plan = try? Scheduler.plan(network, options), plan.stages.contains(where: \.isUnrolled) {
      options.ram = plan.stateBytes - 1
    }
    options.ram = options.ram.map { $0 + 1 }
    return try Compilation(network: network, options)
  }
}

/// Outputs that depend on nothing: without weights, or with thresholds that nothing reaches.
let constantCompilations = Result {
  let layers = [
    """
    conv "mix" kernel 1x1
      weights
        00
        00
        00
        00
      logits
    """,
    """
    conv "blur" kernel 3x3 pad 1 1 1 1 groups 2
      weights
        000 000 000
        000 000 000
      logits
    """,
    """
    dense "hidden"
      weights
        +-0+-0+-0+-0 +-0+-0+-0+-0 +-0+-0+-0+-0 +-0+-0+-0+-0
        -+0-+0-+0-+0 -+0-+0-+0-+0 -+0-+0-+0-+0 -+0-+0-+0-+0
      thresholds clamp 5...6
      at 9999
      at 9999
    dense "classes"
      weights
        +-
        0+
      logits
    """,
    """
    conv "steps" kernel 1x1
      weights
        +-
        ++
      thresholds clamp 5...6
      at 9999
      at 9999
    dense "classes"
      weights
        +-0+-0+-0+-0 +-0+-0+-0+-0 +-0+-0+-0+-0 +-0+-0+-0+-0
        -+0-+0-+0-+0 -+0-+0-+0-+0 -+0-+0-+0-+0 -+0-+0-+0-+0
      logits
    """,
    """
    avgpool "average" kernel 2x2 stride 2x2
      thresholds clamp 5...6
      at 9999
    dense "classes"
      weights
        +-0+-0 +-0+-0
        0+0-+0 -00+-0
      logits
    """,
  ]
  return try layers.enumerated().flatMap { index, layers in
    try [(Core.generic, PlanningOptions.Goal.size), (.generic, .speed), (.cortexM4, .speed), (.host, .speed)].map {
      core, goal in
      let text = "network \"n\"\ninput 2x4x6 range 0...15\n\(layers)\n"
      return try Compilation(
        network: TernaryNetwork(parsing: text),
        PlanningOptions(name: "constant\(index)_\(core)_\(goal)", goal: goal, core: core))
    }
  }
}

/// Convolutions that make whole maps, each kind of them.
let planeCompilations = Result {
  let all = try (0..<60).map { seed in
    try Compilation(
      network: RandomNetwork.keyword(seed: UInt64(seed)), PlanningOptions(name: "planes\(seed)", ram: 1 << 20))
  }.filter { $0.plan.stages.contains { $0.planes != nil } }
  let channels = all.filter { $0.plan.stages.contains { $0.variant is PlaneChannels } }
  return Array(channels.prefix(2) + all.filter { !$0.plan.stages.contains { $0.variant is PlaneChannels } }.prefix(2))
}
