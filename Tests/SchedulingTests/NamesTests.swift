import Testing

@testable import Scheduling

@Suite struct NamesTests {
  private static func identifiers(_ names: [String], reserved: Set<String> = []) -> [String] {
    var maker = Names(reserved: reserved)
    return names.enumerated().map { maker.identifier(for: $1, index: $0 + 1) }
  }

  @Test func namesOfExportersBecomeShort() {
    #expect(
      Self.identifiers(["/conv1/Conv", "/layers.2/conv/Conv", "/pool/MaxPool", "/fc/Gemm", "Conv_7", "/Conv_1"])
        == ["conv1", "layers_2", "pool", "fc", "conv_7", "conv_1"])
  }

  @Test func nothingLegibleGivesTheNumber() {
    #expect(Self.identifiers(["", "///", "漢字", "7x7", "_"]) == ["layer1", "layer2", "layer3", "layer4_7x7", "layer5"])
  }

  @Test func namesAreUnique() {
    let hostile = ["a", "A", "a!", "a_2", "a_3", "a_2", "layer9", "", "a_2_6", String(repeating: "x", count: 300)]
    let found = Self.identifiers(hostile + hostile + hostile)
    #expect(Set(found).count == found.count, "\(found)")
    for name in found {
      #expect(name.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) })
      #expect(name.first?.isLetter == true && name.utf8.count <= 32)
    }
  }

  @Test func reservedNamesAreAvoided() {
    #expect(Self.identifiers(["input", "har", "output"], reserved: ["har"]) == ["input_1", "har_2", "output_3"])
  }

  @Test func commentMarksAndEscapesDoNotSurvive() {
    #expect(
      Self.identifiers(["*/ int x; /*", "a\nb", "\"); system(\"rm", "??/"]) == ["int_x", "a_b", "system_rm", "layer4"])
  }
}
