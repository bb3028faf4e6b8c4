import Scheduling

/// A plan as C99.
package enum Emission {
  package static func header(_ plan: FirmwarePlan, _ provenance: Provenance) -> String {
    HeaderPrinter(plan, provenance).text()
  }

  package static func source(_ plan: FirmwarePlan, _ provenance: Provenance, _ selfTest: SelfTest) -> String {
    SourcePrinter(plan, provenance, selfTest).text()
  }

  /// A header with one input for the model.
  ///
  /// - Parameters:
  ///   - sample: Quantized, in the model's own order.
  ///   - label: The class that the sample belongs to, an index into `classes`.
  ///   - classes: As many names as the model has outputs.
  package static func sample(
    _ plan: FirmwarePlan, _ provenance: Provenance, _ sample: [Int32], label: Int, classes: [String]
  ) -> String {
    SamplePrinter(plan: plan, provenance: provenance).text(sample, label: label, classes: classes)
  }
}
