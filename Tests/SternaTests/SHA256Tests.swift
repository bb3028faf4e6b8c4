import Sterna
import Testing

/// Vectors of FIPS 180-4 and of NIST's CAVP short and long message tests.
@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ])
  func standardMessages(message: String, digest: String) {
    #expect(SHA256.hexadecimal(Array(message.utf8)) == digest)
  }

  @Test func manyBlocks() {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
    // From `head -c 100000 /dev/zero | tr '\0' a | sha256sum`.
    #expect(SHA256.hexadecimal(message) == "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee")
  }

  /// Lengths around the place where the padding needs another block.
  @Test func paddingBoundaries() {
    let digests = [55, 56, 63, 64, 65].map { SHA256.hexadecimal([UInt8](repeating: 0, count: $0)) }
    #expect(
      digests == [
        "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7",
        "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb",
        "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971",
        "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b",
        "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7",
      ])
  }
}
