/// What a user can ask of the planner.
package struct PlanningOptions: Sendable, Equatable {
  package enum Schedule: String, Sendable, CaseIterable, Codable {
    /// The least RAM.
    case auto
    /// Layer by layer, a pool or pointwise convolution joined to its producer where that saves RAM.
    case frame
    /// All layers row by row.
    case stream
  }

  /// The C identifier that every external symbol begins with.
  package var name: String
  package var schedule: Schedule
  /// What to spare where both can not be had.
  package enum Goal: String, Sendable, CaseIterable, Codable {
    /// Flash: weights packed, two bits each.
    case size
    /// Instructions: weights as straight-line code.
    case speed
  }

  package var goal: Goal
  /// The core that constants are chosen for; the emitted C runs everywhere.
  package var core: Core
  /// Whether max pools are fused into the convolutions before them. Without, every layer's own output exists and can be
  /// looked at.
  package var fusesPools: Bool
  /// Whether rows may be words of two lanes, or on a host padded to whole vectors, which is faster and takes more RAM.
  package var usesLanes: Bool
  /// Most bytes of state; nil: no limit.
  package var ram: Int?
  /// Most bytes of code and tables; nil: no limit.
  package var flash: Int?

  package init(
    name: String, schedule: Schedule = .auto, goal: Goal = .size, core: Core = .generic, fusesPools: Bool = true,
    usesLanes: Bool = true, ram: Int? = nil, flash: Int? = nil
  ) {
    self.name = name
    self.schedule = schedule
    self.goal = goal
    self.core = core
    self.fusesPools = fusesPools
    self.usesLanes = usesLanes
    self.ram = ram
    self.flash = flash
  }
}
