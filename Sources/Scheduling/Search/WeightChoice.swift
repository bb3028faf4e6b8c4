/// Packed weights or unrolled weights, for each stage.
extension Scheduler {
  /// The plan with the weights in the form that the goal asks for: all packed for size, all code for speed. Where code
  /// is beyond the flash budget, the predicted instructions are made least within it; where nothing is within it, the
  /// plan of the fewest bytes.
  ///
  /// - Parameters:
  ///   - stages: With rows of two lanes, weights packed.
  ///   - coded: The same with unrolled weights; nil where the goal is size.
  ///   - layOut: Places stages in memory.
  static func weighed(
    _ stages: [Draft], unrolledPlan: [Draft]?, _ options: PlanningOptions, _ layOut: ([Draft]) -> FirmwarePlan
  ) -> FirmwarePlan {
    guard let unrolledStages = unrolledPlan else { return layOut(stages) }
    let forms = [stages, unrolledStages]
    let unrolledPlan = layOut(unrolledStages)
    guard let budget = options.flash, FlashEstimate(unrolledPlan).bytes > budget else { return unrolledPlan }
    // Words of four columns and column tiles are made by code only, as bytes are paired: such stages can not be chosen
    // one by one.
    if unrolledStages.contains(where: {
      $0.lineBuffer.fourLanes != nil || $0.lineBuffer.widensOnLoad || $0.lineBuffer.columnTile != nil
    }) {
      return layOut(stages)
    }

    let search = WeightSearch(packed: layOut(stages), unrolledPlan: unrolledPlan)
    func plan(_ choice: [Int]) -> FirmwarePlan { layOut(choice.indices.map { forms[choice[$0]][$0] }) }
    // What a stage costs is read from plans in which all are packed, or all are code. In a mixed one line buffers may
    // have other places and fusion groups other ends: what is over the budget then is taken off it, and the search
    // repeated.
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

  init(packed: FirmwarePlan, unrolledPlan: FirmwarePlan) {
    self.packed = packed
    let plans = [packed, unrolledPlan]
    let bytes = plans.map { FlashEstimate.operations($0) }
    let costs = plans.map { CostEstimate($0).operations }
    let functions = plans.map { plan in plan.contexts.map { $0.variant.sharedCode($0) } }
    // Functions that one form of a stage needs and the other does not; all others are there in any case.
    let all = CodeFeature.allCases.filter { feature in
      packed.operations.indices.contains { functions[0][$0].contains(feature) != functions[1][$0].contains(feature) }
    }
    func price(_ feature: CodeFeature) -> Int { feature.bytes(on: packed.core) }
    func bits(_ features: Set<CodeFeature>) -> UInt64 {
      all.indices.reduce(0) { $0 | (features.contains(all[$1]) ? 1 << UInt64($1) : 0) }
    }
    knapsack = Knapsack(
      things: packed.operations.indices.map { index in
        // A stage without a form unrolled has one form only.
        let isFixed = !unrolledPlan.operations[index].variant.weightForm.isUnrolled
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
