import Scheduling

/// A constant of a struct type, as the self-test sees it.
struct Descriptor {
  /// Tag of the struct.
  var type: String
  /// C expression of the object.
  var object: String
  /// Fields and their initializers; a number that is missing is 0.
  private let values: [(field: String, value: String)]

  init(_ type: String, _ object: String, _ values: [(field: String, value: String)]) {
    self.type = type
    self.object = object
    self.values = values
  }

  func number(_ field: String) -> Int { values.first { $0.field == field }.flatMap { Int($0.value) } ?? 0 }
  func initializer(_ field: String) -> String { values.first { $0.field == field }?.value ?? "0" }
}

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
      ("stage", stageType(used)), ("convolution", ConvolutionPrinter(self).typeText), ("grid", planesType),
      ("planes", planesType),
    ]
    return texts.filter { present.contains($0.0) }.map { DescriptorType($0.0, in: $0.1) }
  }

  /// All descriptors, in the order in which the self-test folds them.
  func descriptors(_ used: Set<String>) -> [Descriptor] {
    let printers = stages.indices.map { StagePrinter(self, $0) }
    let windows = printers.filter(\.stage.hasDescriptor).map { printer in
      let fields = printer.fields.filter { used.contains($0.name) }
      return Descriptor("stage", printer.stage.descriptor, fields.map { ($0.name, "\($0.value)") })
    }
    let convolutions = ConvolutionPrinter(self).descriptors
    let planes = printers.filter { $0.stage.planes != nil }
    let grids = planes.filter { $0.gridOwner == $0.index }.map { printer in
      Descriptor("grid", "\(printer.name)_grid", printer.gridNumbers.map { ($0.name, "\($0.value)") })
    }
    let layers = planes.map { printer in
      let place = planeStages.firstIndex(of: printer.index)
      return Descriptor("planes", place.map { "plane_layers[\($0)]" } ?? "\(printer.name)_layer", printer.planeFields)
    }
    return windows + convolutions + grids + layers
  }
}
