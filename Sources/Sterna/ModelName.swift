import Scheduling
import Templates

extension Model {
  /// The name that a model's symbols begin with unless one is given, made of the file's name without its last extension:
  /// in lower case, each byte that is no letter or digit a `_`, so `2-conv net.v1.onnx` becomes `model_2_conv_net_v1`.
  /// What no model may be called gets `_model` behind it; more than 30 letters are cut to 23 and a digest of all.
  package var defaultName: String {
    guard path != "-" else { return "model" }
    var stem = Array(fileName.utf8)
    if let dot = stem.lastIndex(of: UInt8(ascii: ".")), dot > 0 { stem.removeSubrange(dot...) }
    let bytes = stem.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
      default: UInt8(ascii: "_")
      }
    }
    var name = String(decoding: bytes, as: UTF8.self)
    if !(name.first?.isLetter ?? false) { name = "model_" + name.drop { $0 == "_" } }
    if name == "model_" { name = "model" }
    if name.count > ModelName.longest { name = name.prefix(23) + "_" + SHA256.hexadecimal(stem).prefix(6) }
    return ModelName.problem(name) == nil ? name : name + "_model"
  }
}

/// What models may be called: the name begins all symbols and macros of the emitted C, and is that of its files.
package enum ModelName {
  package static let longest = 30

  /// Why a model can not be called so; nil where it can.
  package static func problem(_ name: String) -> String? {
    let isIdentifier = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard let first = name.first, first.isLetter, isIdentifier, name.count <= longest else {
      return "can not begin C symbols: expected a letter, then letters, digits or _, \(longest) at most"
    }
    // The files of some systems do not tell case.
    let lowercased = name.lowercased()
    if cKeywords.contains(name) { return "is a keyword of C: expected another name, such as \(name)_model" }
    if cxxKeywords.contains(name) { return "is a keyword of C++: expected another name, such as \(name)_model" }
    if name == "main" { return "is where a program begins, in main.c: expected another name, such as main_model" }
    if cHeaders.contains(lowercased) {
      return "would make a \(name).h that shadows the C library's <\(lowercased).h>: expected another name, such as "
        + "\(name)_model"
    }
    if posixHeaders.contains(lowercased) {
      return "would make a \(name).h that shadows the system's <\(lowercased).h>: expected another name, such as "
        + "\(name)_model"
    }
    if toolFiles.contains(lowercased) {
      return "is the name of a file that sterna's own programs are made of: expected another name, such as "
        + "\(name)_model"
    }
    if devices.contains(lowercased) {
      return "names a device on Windows, where no file can be called so: expected another name, such as \(name)_model"
    }
    if ownWords.contains(name) {
      return "is a word that the emitted C uses itself: expected another name, such as \(name)_model"
    }
    return nil
  }

  private static func words(_ text: String) -> Set<String> { Set(text.split(separator: " ").map(String.init)) }

  /// Up to C23, and `asm` and `typeof`, which compilers add in their default mode.
  private static let cKeywords = words(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
      + "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof "
      + "alignas alignof bool constexpr false nullptr static_assert thread_local true typeof_unqual")

  private static let cxxKeywords = words(
    "and and_eq bitand bitor catch char8_t char16_t char32_t class compl concept consteval constinit const_cast co_await "
      + "co_return co_yield decltype delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq "
      + "operator or or_eq private protected public reinterpret_cast requires static_cast template this throw try typeid "
      + "typename using virtual wchar_t xor xor_eq")

  private static let cHeaders = words(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
      + "stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype")

  /// POSIX's, and what C libraries and test frameworks for firmware have besides.
  private static let posixHeaders = words(
    "aio cpio dirent dlfcn fcntl fmtmsg fnmatch ftw glob grp iconv langinfo libgen monetary mqueue ndbm netdb nl_types "
      + "poll pthread pwd regex sched search semaphore spawn strings stropts syslog tar termios trace ulimit unistd utime "
      + "utmpx wordexp alloca endian err error features getopt malloc memory newlib picolibc reent values varargs cmocka "
      + "unity arduino freertos")

  /// Files of the programs that `sterna verify` builds beside the model's.
  private static let toolFiles = Set(
    TargetFiles.all.keys.compactMap { $0.split(separator: ".").first.map { $0.lowercased() } })

  private static let devices = words(
    "aux con nul prn com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

  private static let ownWords = words("verify checksum")
}
