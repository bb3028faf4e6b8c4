import Diagnostics
import Scheduling
import TernaryIR
import TestSupport
import Testing

/// Networks that no firmware can be made of yet.
@Suite struct BranchingNetworkTests {
  @Test(arguments: [
    "slice \"s\" count 1", "resize \"r\" by 2x2", "add \"a\" %0 %0\naffine clamp 0...15", "concat \"c\" %0 %0",
    "maxpool \"p\" kernel 1x1\nmaxpool \"q\" %0 kernel 1x1",
    "maxpool \"p\" kernel 1x1\nmaxpool \"q\" kernel 1x1\nresult %1",
    "maxpool \"p\" kernel 1x1\nmaxpool \"q\" kernel 1x1\nresult %1 %2",
  ])
  func isRefused(layers: String) throws {
    let network = try TernaryNetwork(parsing: "network \"n\"\ninput 2x2x2 range 0...15\n\(layers)")
    #expect(network.problems() == [])
    do throws(ModelError) {
      _ = try Scheduler.plan(network, PlanningOptions(name: "n"))
      Issue.record("planned")
    } catch {
      #expect(error.diagnostics.map(\.code) == ["branching-network"])
    }
  }
}
