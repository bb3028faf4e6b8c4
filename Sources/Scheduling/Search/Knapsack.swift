/// Chooses a form for each of some things, so that their bytes stay within a budget and their cost is least.
///
/// Dynamic programming over the things. Of the choices made so far it keeps those that no other beats in both bytes and
/// cost, separately for each set of functions that they share, since such a function is paid once, by whoever comes
/// first. The answer is exact as long as no set has more than `most` of them; beyond that choices of nearly equal bytes
/// are thinned out to the one of least cost. It is never over the budget.
struct Knapsack {
  struct Form {
    var bytes: Int
    var cost: Int
    /// Functions that it needs: a bit for each, its place in `shared`.
    var functions: UInt64 = 0
  }

  /// The forms that each thing may take; at least one.
  var things: [[Form]]
  /// Bytes of each function that forms may share.
  var shared: [Int] = []
  /// Choices that are kept for each set of functions.
  var most = 4096

  private struct Choice {
    var bytes = 0
    var cost = 0
    /// A form of each thing so far.
    var forms: [UInt8] = []
  }

  /// A form of each thing; nil where no choice is within the budget. Of equal costs the fewest bytes win.
  func forms(within budget: Int) -> [Int]? {
    frontier(budget)
      .filter { $0.bytes <= budget }
      .min { ($0.cost, $0.bytes) < ($1.cost, $1.bytes) }
      .map { $0.forms.map(Int.init) }
  }

  /// The forms of the fewest bytes.
  func smallest() -> [Int] {
    let choice = frontier(.max).min { ($0.bytes, $0.cost) < ($1.bytes, $1.cost) }
    return choice?.forms.map(Int.init) ?? []
  }

  /// All choices that may be the best of some budget, shared functions included.
  private func frontier(_ budget: Int) -> [Choice] {
    var choices: [UInt64: [Choice]] = [0: [Choice()]]
    for forms in things {
      var next: [UInt64: [Choice]] = [:]
      for (functions, kept) in choices {
        for (number, form) in forms.enumerated() {
          let union = functions | form.functions
          let added = form.bytes + bytes(of: union & ~functions)
          next[union, default: []] += kept.map {
            Choice(bytes: $0.bytes + added, cost: $0.cost + form.cost, forms: $0.forms + [UInt8(number)])
          }
        }
      }
      choices = next.mapValues(undominated)
    }
    return choices.keys.sorted().flatMap { choices[$0] ?? [] }
  }

  private func bytes(of functions: UInt64) -> Int {
    shared.indices.reduce(0) { $0 + (functions >> UInt64($1) & 1 == 1 ? shared[$1] : 0) }
  }

  /// Without those that need no fewer bytes and cost no less than another.
  private func undominated(_ choices: [Choice]) -> [Choice] {
    var kept: [Choice] = []
    // The forms break ties, so that the answer does not depend on the order of a dictionary.
    let sorted = choices.sorted {
      ($0.bytes, $0.cost) != ($1.bytes, $1.cost)
        ? ($0.bytes, $0.cost) < ($1.bytes, $1.cost) : $0.forms.lexicographicallyPrecedes($1.forms)
    }
    for choice in sorted where choice.cost < kept.last?.cost ?? .max { kept.append(choice) }
    guard kept.count > most, let first = kept.first, let last = kept.last else { return kept }
    let step = (last.bytes - first.bytes) / most + 1
    var thinned: [Choice] = [first]
    for choice in kept.dropFirst() {
      // Costs fall as bytes rise: of a step the last one costs least, and the very first stays for tight budgets.
      if thinned.count > 1,
        (choice.bytes - first.bytes) / step == (thinned[thinned.count - 1].bytes - first.bytes) / step
      {
        thinned[thinned.count - 1] = choice
      } else {
        thinned.append(choice)
      }
    }
    return thinned
  }
}
