/// Where emitted files come from; nothing in it depends on time or place.
package struct Provenance: Sendable, Equatable {
  package var toolVersion: String
  /// The model's file name, without folders.
  package var modelFile: String
  /// Lower-case hexadecimal.
  package var modelSHA256: String
  /// Options that change the output, as typed.
  package var options: String
  /// A digest of what was emitted, the same in all files of a compilation, so that files of two are not mixed.
  package var buildID: UInt32 = 0

  package init(toolVersion: String, modelFile: String, modelSHA256: String, options: String) {
    self.toolVersion = toolVersion
    self.modelFile = modelFile
    self.modelSHA256 = modelSHA256
    self.options = options
  }

  /// As a C constant.
  var buildIDText: String {
    let digits = String(buildID, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits + "U"
  }
}
