import Scheduling
import Templates

/// The kernels that some C needs: those that define what it names, and what they name in turn, in the order of their
/// definition.
struct KernelSelection {
  let kernels: [Kernel]
  private let plan: FirmwarePlan

  /// - Parameter text: The layers and the functions of the network.
  init(_ plan: FirmwarePlan, usedBy text: String) {
    self.plan = plan
    var used: Set<Kernel> = plan.contexts.contains(where: \.variant.hasDescriptor) ? [.stage] : []
    var unread = [text]
    while let next = unread.popLast() {
      for candidates in Identifiers.definers(namedIn: next) {
        guard let kernel = Self.choice(candidates, plan), used.insert(kernel).inserted else { continue }
        unread.append(kernel.source)
      }
    }
    kernels = used.sorted()
  }

  func contains(_ kernel: Kernel) -> Bool { kernels.contains(kernel) }

  /// Among kernels that define the same name, the one that the plan prefers.
  private static func choice(_ candidates: [Kernel], _ plan: FirmwarePlan) -> Kernel? {
    let preferred = plan.preferredKernels
    return candidates.first { preferred.contains($0.rawValue) } ?? candidates.first
  }
}

/// What the kernels define, found in their text: functions, macros, types.
private enum Identifiers {
  /// By a hash of the name: emitted code is long, and most of its words are no kernel's.
  private static let definers: [UInt64: [Kernel]] = {
    var found: [UInt64: [Kernel]] = [:]
    for kernel in Kernel.allCases {
      for name in Set(kernel.source.split(separator: "\n").compactMap(definition)) {
        found[hash(name.utf8), default: []].append(kernel)
      }
    }
    return found
  }()

  /// The name that a line at the left margin defines; of a type `struct` and the name, as members and variables may
  /// have the same.
  private static func definition(_ line: Substring) -> Substring? {
    func name(_ text: Substring) -> Substring { text.prefix { $0 == "_" || $0.isLetter || $0.isNumber } }
    if line.hasPrefix("#define ") { return name(line.dropFirst(8)) }
    if line.hasPrefix("struct "), line.hasSuffix(" {") { return line.dropLast(2) }
    guard line.hasPrefix("static "), let parenthesis = line.firstIndex(of: "(") else { return nil }
    return line[..<parenthesis].split { $0 == " " || $0 == "*" }.last
  }

  /// For every name in the text, outside of comments, the kernels that define it.
  static func definers(namedIn text: String) -> [[Kernel]] {
    var found: [UInt64: [Kernel]] = [:]
    var text = text
    text.withUTF8 { bytes in
      var index = 0
      while index < bytes.count {
        if bytes[index] == UInt8(ascii: "/"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "*") {
          index += 2
          while index + 1 < bytes.count, bytes[index] != UInt8(ascii: "*") || bytes[index + 1] != UInt8(ascii: "/") {
            index += 1
          }
          index += 2
        } else if isPart(bytes[index]) {
          let start = index
          while index < bytes.count, isPart(bytes[index]) { index += 1 }
          // The name of a type goes with the keyword.
          if bytes[start..<index].elementsEqual("struct".utf8), index < bytes.count {
            index += 1
            while index < bytes.count, isPart(bytes[index]) { index += 1 }
          }
          let hash = hash(bytes[start..<index])
          if let kernels = definers[hash] { found[hash] = kernels }
        } else {
          index += 1
        }
      }
    }
    return found.keys.sorted().map { found[$0] ?? [] }
  }

  /// FNV-1a of 64 bits.
  private static func hash(_ name: some Sequence<UInt8>) -> UInt64 {
    name.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  private static func isPart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
