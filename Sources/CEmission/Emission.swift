import FirmwarePlanning

/// A plan as C99.
package enum Emission {
  package static func header(_ plan: FirmwarePlan, _ provenance: Provenance) -> String {
    HeaderPrinter(plan, provenance).text()
  }

  package static func source(_ plan: FirmwarePlan, _ provenance: Provenance, _ selfTest: SelfTest) -> String {
    SourcePrinter(plan, provenance, selfTest).text()
  }
}
