import Sterna
import Testing

@Suite struct ModelNameTests {
  @Test(arguments: ["har", "net2", "a_b", "Radar", "integer", "stdint_model", "x"])
  func usualNamesAreTaken(name: String) { #expect(ModelName.problem(name) == nil) }

  @Test(arguments: [
    ("int", "keyword of C:"), ("_Bool", "expected a letter"), ("bool", "keyword of C:"), ("template", "keyword of C++"),
    ("stdint", "<stdint.h>"), ("STDINT", "<stdint.h>"), ("string", "<string.h>"), ("unistd", "<unistd.h>"),
    ("main", "program begins"), ("lpt1", "Windows"), ("verify_harness", "sterna's own"), ("measure", "sterna's own"),
    ("checksum", "emitted C"), ("ünder", "letters, digits"), ("a-b", "letters, digits"), ("", "letters, digits"),
    ("a234567890123456789012345678901", "30 at most"),
  ])
  func othersAreRefusedWithTheReason(name: String, reason: String) {
    #expect(ModelName.problem(name)?.contains(reason) == true, "\(ModelName.problem(name) ?? "accepted")")
  }

  @Test(arguments: [
    ("a.v1.onnx", "a_v1"), ("a.v2.onnx", "a_v2"), ("dir.x/net", "net"), ("2-conv net.onnx", "model_2_conv_net"),
    ("Stdint.ONNX", "stdint_model"), ("_.onnx", "model"), (".onnx", "model_onnx"), ("-", "model"), ("é.onnx", "model"),
  ])
  func aFileGivesItsName(path: String, name: String) {
    #expect(Model(bytes: [], path: path).defaultName == name)
  }

  /// Whatever a file is called, the name that it gives is one that --name would take, but for its length.
  @Test func namesOfFilesAreNeverRefused() {
    let stems = "int register and stdio semaphore main aux semihosting memory verify 9 ß".split(separator: " ")
    for stem in stems {
      for path in ["\(stem).onnx", "\(stem.uppercased()).onnx", "folder/\(stem)"] {
        let name = Model(bytes: [], path: path).defaultName
        #expect(ModelName.problem(name) == nil, "\(path) gives \(name)")
      }
    }
  }

  @Test func longNamesStayDifferent() {
    let stem = String(repeating: "long", count: 10)
    let names = (0..<20).map { Model(bytes: [], path: "\(stem)\($0).onnx").defaultName }
    #expect(Set(names).count == 20)
    #expect(names.allSatisfy { $0.count == ModelName.longest && ModelName.problem($0) == nil })
  }
}
