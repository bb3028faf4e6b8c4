import Scheduling

/// A struct type of descriptors: pointers first, then numbers, the largest types first, so that those of one type lie
/// side by side without a gap.
struct DescriptorType {
  var name: String
  var pointers: [(type: String, field: String)] = []
  var runs: [(bits: Int, fields: [String])] = []

  /// - Parameter text: Contains the definition of `struct name`.
  init(_ name: String, in text: String) {
    self.name = name
    let lines = text.split(separator: "\n")
    guard let start = lines.firstIndex(of: "struct \(name) {") else { return }
    for line in lines[(start + 1)...].prefix(while: { $0 != "};" }) {
      let words = line.prefix { $0 != ";" }.split { $0 == " " || $0 == "*" }
      guard let field = words.last.map(String.init) else { continue }
      if let star = line.prefix(while: { $0 != ";" }).firstIndex(of: "*") {
        pointers.append((line[...star].drop { $0 == " " }.description, field))
      } else {
        let bits = Int(words[0].filter(\.isNumber)) ?? 0
        if runs.last?.bits != bits { runs.append((bits, [])) }
        runs[runs.count - 1].fields.append(field)
      }
    }
  }
}

extension FirmwarePlan {
  /// The types of all descriptors that the source holds.
  ///
  /// - Parameter used: Fields of `struct stage` that anything reads.
  func descriptorTypes(_ used: Set<String>) -> [DescriptorType] {
    let present = Set(descriptors(used).map(\.type))
    let texts = [
      ("stage", stageType(used)), ("convolution", SharedConvolution(self).typeText), ("grid", planesType),
      ("planes", planesType),
    ]
    return texts.filter { present.contains($0.0) }.map { DescriptorType($0.0, in: $0.1) }
  }

  /// All descriptors, in the order in which the self-test folds them.
  func descriptors(_ used: Set<String>) -> [Descriptor] {
    windowDescriptors(used) + SharedConvolution(self).descriptors + PlaneLayers(self).descriptors
  }

  /// Those of windows and line buffers. They stand before all layers, since a layer's rows go into its successor's line
  /// buffer.
  func windowDescriptors(_ used: Set<String>) -> [Descriptor] {
    contexts.filter(\.variant.hasDescriptor).flatMap { context in
      // What has several readers is described once.
      context.operation.inputs.indices.filter {
        descriptor(of: context.operation.inputs[$0]) == context.descriptor($0)
          || $0 == 0 && context.variant.readsDescriptor
      }.map { position in
        let fields = context.windowFields(position).filter { used.contains($0.name) }
        return Descriptor("stage", context.descriptor(position), fields.map { ($0.name, "\($0.value)") })
      }
    }
  }
}

extension CodePrinter {
  mutating func print(_ descriptor: Descriptor) {
    print("static const IN_FLASH struct \(descriptor.type) \(descriptor.object) = {")
    for (field, value) in descriptor.values { print("    .\(field) = \(value),") }
    print("};\n")
  }
}
