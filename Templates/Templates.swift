/// The C that the emitter copies or links, embedded in the tool.
///
/// `kernels/` holds plain C files which become `static` functions of a model's source, to the byte; `targets/` holds start-up
/// code, linker scripts and the verification harness for the emulated cores.
package enum Templates {
  /// The text of an embedded file.
  package static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
