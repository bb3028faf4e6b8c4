import FirmwarePlanning
import FoundationEssentials
import ModelBuilding
import Sterna
import TestSupport
import Testing

/// Writes the networks that `Tests/bench/fit_flash.py` measures; a maintainer's tool, not a test.
@Suite struct FlashFitTests {
  private static let folder = ProcessInfo.processInfo.environment["STERNA_FIT"]

  @Test(.enabled(if: folder != nil, "only for Tests/bench/fit_flash.py")) func writeNetworks() throws {
    let folder = try #require(Self.folder)
    let schedules = PlanningOptions.Schedule.allCases
    var text = ""
    func put(_ compilation: Compilation) throws {
      let plan = compilation.plan
      var files = OutputFiles()
      for artefact in try compilation.artefacts() {
        files.add("\(folder)/\(plan.name)/\(artefact.name)", artefact.text)
      }
      try files.write()
      let counts = CodeFeature.counts(plan).map { "\($0.key.rawValue)=\($0.value)" }.sorted()
      text += "\(plan.name) \(plan.flash.weights + plan.flash.requantizers) " + counts.joined(separator: " ") + "\n"
    }
    for seed in 0..<140 as Range<UInt64> {
      let schedule = schedules[Int(seed % 3)]
      try put(
        Compilation(network: RandomNetwork.make(seed: seed), PlanningOptions(name: "net\(seed)", schedule: schedule)))
    }
    let models = ["max2_pc_qonnx_ts", "const_pt_qcdq_ts", "act4_qonnx_ts", "floatpool_outq_qonnx_ts", "pot_qonnx_ts"]
    for (index, model) in models.enumerated() {
      let file = Model(bytes: try Fixtures.model("har/\(model).onnx"), path: "\(model).onnx")
      for schedule in schedules {
        try put(Compilation(file, PlanningOptions(name: "har\(index)\(schedule.rawValue)", schedule: schedule)))
      }
    }
    var files = OutputFiles()
    files.add("\(folder)/features.txt", text)
    try files.write()
  }
}
