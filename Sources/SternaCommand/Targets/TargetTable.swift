import Templates

extension Target {
  /// The names that `--target` takes, in the order in which help shows them.
  static let names: [String] = ["host"] + boards.map(\.core) + ["riscv32", "s390x", "avr"]

  /// The targets behind a name: two compilers for `host`, one target for each core; empty for an unknown name.
  static func named(_ name: String) -> [Target] {
    switch name {
    case "host": [hostGCC, hostClang]
    case "riscv32": [riscv32]
    case "s390x": [s390x]
    case "avr": [avr]
    default: boards.filter { $0.core == name }.map(Target.init(board:))
    }
  }

  static let hostGCC = host(compiler: Tool(name: "gcc", packages: ["gcc", "libc6-dev"]))
  static let hostClang = host(compiler: Tool(name: "clang", packages: ["clang"]))

  private static func host(compiler: Tool) -> Target {
    Target(
      name: "host-\(compiler.name)",
      compiler: compiler,
      compileFlags: [],
      linkFlags: [],
      runtimeSources: ["semihosting_stdio.c"],
      emulator: nil)
  }

  /// Own start-up and one section per function, so that an image holds what it uses and nothing else. Not freestanding:
  /// what is measured is what a user's plain call of the compiler gives.
  private static let bareMetalFlags = ["-ffunction-sections", "-fdata-sections"]
  private static let bareMetalLinkFlags = ["-nostartfiles", "-Wl,--gc-sections"]
  private static let emulatorFlags = ["-nographic", "-monitor", "none", "-serial", "none"]

  private init(board: Board) {
    self.init(
      name: board.core,
      compiler: Tool(name: "arm-none-eabi-gcc", packages: ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]),
      compileFlags: ["-mthumb", "-mcpu=\(board.core)", "-mfloat-abi=soft", "-DTARGET_CLOCK_HZ=\(board.clock)"]
        + Self.bareMetalFlags,
      linkFlags: Self.bareMetalLinkFlags + ["-T", board.linkerScript],
      runtimeSources: ["startup_cortex_m.c", "semihosting.c", "measure.c"],
      emulator: Emulator(
        tool: Tool(name: "qemu-system-arm", packages: ["qemu-system-arm"]),
        flags: ["-M", board.machine] + Self.emulatorFlags, interface: .semihosting))
  }

  /// picolibc gives memcpy and its like; start-up and input/output are our own.
  static let riscv32 = Target(
    name: "riscv32",
    compiler: Tool(
      name: "riscv64-unknown-elf-gcc", packages: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"]),
    compileFlags: ["--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32"] + bareMetalFlags,
    linkFlags: bareMetalLinkFlags + ["-T", "riscv32_virt.ld"],
    runtimeSources: ["startup_riscv32.c", "semihosting.c", "measure.c"],
    emulator: Emulator(
      tool: Tool(name: "qemu-system-riscv32", packages: ["qemu-system-misc"]),
      flags: ["-M", "virt", "-bios", "none"] + emulatorFlags, interface: .semihosting))

  /// The most significant byte first: an IBM mainframe, which is what Debian has a compiler and libraries for.
  static let s390x = Target(
    name: "s390x",
    compiler: Tool(name: "s390x-linux-gnu-gcc", packages: ["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"]),
    compileFlags: [],
    linkFlags: ["-static"],
    runtimeSources: ["semihosting_stdio.c"],
    emulator: Emulator(tool: Tool(name: "qemu-s390x", packages: ["qemu-user"]), flags: [], interface: .process))

  /// An int of 16 bits, and tables in flash, for which the compiler wants GNU C: an ATmega1284P, of those that simavr
  /// knows the one with the most RAM, 16 KB. Its 128 KB of flash hold the vectors, too.
  static let avr = Target(
    name: "avr",
    compiler: Tool(name: "avr-gcc", packages: ["gcc-avr", "avr-libc"]),
    compileFlags: [
      "-std=gnu99", "-mmcu=\(avrChip)", "-ffunction-sections", "-fdata-sections", "-DVERIFY_VECTORS_IN_FLASH",
      "-Dmain=program_main",
    ],
    // The linker knows the family only. A kilobyte of RAM is for the stack.
    linkFlags: ["-Wl,--gc-sections", "-Wl,--defsym=__DATA_REGION_LENGTH__=15K"],
    runtimeSources: ["simavr.c"],
    emulator: Emulator(
      tool: Tool(name: "simavr", packages: ["simavr"]), flags: ["-m", avrChip, "-f", "20000000"], interface: .serial),
    vectorBytes: 88 << 10)
  private static let avrChip = "atmega1284p"
}

/// A line of Templates/targets/boards.txt.
private struct Board: Sendable {
  let core: String
  let machine: String
  let linkerScript: String
  let clock: String

  init?(line: Substring) {
    let words = line.split(separator: " ")
    guard words.count == 4, words[0].first != "#" else { return nil }
    core = String(words[0])
    machine = String(words[1])
    linkerScript = String(words[2])
    clock = String(words[3])
  }
}

private let boards = String(decoding: TargetFiles.all["boards.txt"] ?? [], as: UTF8.self)
  .split(separator: "\n").compactMap(Board.init(line:))
