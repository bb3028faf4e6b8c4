/// Packed weights or weights as code, for each stage.
extension Planner {
  /// The plan with the weights in the form that the goal asks for: all packed for size, all code for speed. Where code is
  /// beyond the flash budget, the predicted instructions are made least within it; where nothing is within it, the plan of
  /// the fewest bytes.
  ///
  /// - Parameters:
  ///   - stages: With rows of two lanes, weights packed.
  ///   - coded: The same with weights as code; nil where the goal is size.
  ///   - layOut: Places stages in memory.
  static func weighed(
    _ stages: [Stage], coded: [Stage]?, _ options: PlanningOptions, _ layOut: ([Stage]) -> FirmwarePlan
  ) -> FirmwarePlan {
    guard let inCode = coded else { return layOut(stages) }
    let forms = [stages, inCode]
    let coded = layOut(inCode)
    guard let budget = options.flash, FlashEstimate(coded).bytes > budget else { return coded }
    // Words of four columns and strips are made by code only, as bytes are paired: such stages can not be chosen one by one.
    if inCode.contains(where: { $0.ring.quads != nil || $0.ring.pairsAsRead || $0.ring.strip != nil }) {
      return layOut(stages)
    }

    let search = WeightSearch(packed: layOut(stages), coded: coded)
    func plan(_ choice: [Int]) -> FirmwarePlan { layOut(choice.indices.map { forms[choice[$0]][$0] }) }
    // What a stage costs is read from plans in which all are packed, or all are code. In a mixed one rings may have other
    // places and segments other ends: what is over the budget then is taken off it, and the search repeated.
    var limit = budget
    for _ in 0..<8 {
      guard let choice = search.forms(within: limit) else { break }
      let mixed = plan(choice)
      let bytes = FlashEstimate(mixed).bytes
      if bytes <= budget { return mixed }
      limit -= bytes - budget
    }
    let least = [search.packed, plan(search.smallest())]
    return FlashEstimate(least[1]).bytes < FlashEstimate(least[0]).bytes ? least[1] : least[0]
  }
}

/// The knapsack of a plan's stages.
private struct WeightSearch {
  let packed: FirmwarePlan
  private let knapsack: Knapsack
  /// Bytes that no choice changes.
  private let fixed: Int

  init(packed: FirmwarePlan, coded: FirmwarePlan) {
    self.packed = packed
    let plans = [packed, coded]
    let bytes = plans.map { FlashEstimate.stages($0) }
    let costs = plans.map { CostEstimate($0).stages }
    let functions = plans.map { plan in plan.stages.indices.map { CodeFeature.shared($0, of: plan) } }
    // Functions that one form of a stage needs and the other does not; all others are there in any case.
    let all = CodeFeature.allCases.filter { feature in
      packed.stages.indices.contains { functions[0][$0].contains(feature) != functions[1][$0].contains(feature) }
    }
    func price(_ feature: CodeFeature) -> Int { feature.bytes(on: packed.core) }
    func bits(_ features: Set<CodeFeature>) -> UInt64 {
      all.indices.reduce(0) { $0 | (features.contains(all[$1]) ? 1 << UInt64($1) : 0) }
    }
    knapsack = Knapsack(
      things: packed.stages.indices.map { index in
        // A stage without a form as code has one form only.
        let isFixed = coded.stages[index].code == nil
        return (isFixed ? [0] : [0, 1]).map {
          Knapsack.Form(bytes: bytes[$0][index], cost: costs[$0][index], functions: bits(functions[$0][index]))
        }
      }, shared: all.map(price))
    let always = functions[0].reduce(into: Set<CodeFeature>()) { $0.formUnion($1) }.subtracting(all)
    let network = plans.map { plan in
      CodeFeature.network(plan).reduce(0) { $0 + $1.key.bytes(on: plan.core) * $1.value }
    }
    fixed = (network.max() ?? 0) + always.reduce(0) { $0 + price($1) }
  }

  func forms(within budget: Int) -> [Int]? { knapsack.forms(within: budget - fixed) }
  func smallest() -> [Int] { knapsack.smallest() }
}
