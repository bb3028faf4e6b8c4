/// Simulates in which order the operations of a fusion group make their rows, to find how many rows of each tensor have
/// to be there at a time: the skip of a residual block gets its delay by itself.
struct RowSimulation {
  struct Reader {
    /// Index of the operation, among those of the group.
    var operation: Int
    var rows: RowWindow
    /// Whether it takes each row as it comes; else it waits for all of a window.
    var takesSingleRows = false
    /// Whether rows of padding have to be stored with the others.
    var storesPadding = false
  }

  /// A tensor whose rows come while the group works.
  struct Tensor {
    var height: Int
    /// In the order in which they are told of a new row.
    var readers: [Reader]
  }

  struct Operation {
    /// Of those tensors that come while the group works; others are there.
    var inputs: [Int]
    var rows: RowWindow
    var takesSingleRows: Bool
    /// Rows of its input under one of its output, where it takes them one by one.
    var dependence: RowWindow
    /// Nil: nothing that is read while the group works.
    var output: Int?
  }

  var tensors: [Tensor]
  var operations: [Operation]

  private var arrived: [Int]
  private var made: [Int]
  /// Rows of padding that have been stored below a map.
  private var padded: [Int]
  /// The most rows that have been there at a time.
  private(set) var capacities: [Int]
  /// Whether telling an operation of a row of a tensor ever made it work.
  private(set) var hasWorked: Set<[Int]> = []

  init(tensors: [Tensor], operations: [Operation]) {
    self.tensors = tensors
    self.operations = operations
    arrived = [Int](repeating: 0, count: tensors.count)
    (padded, capacities) = (arrived, arrived)
    made = [Int](repeating: 0, count: operations.count)
  }

  /// - Parameters:
  ///   - source: The tensor whose rows come from outside; nil: all that the first operations read is there.
  ///   - starters: Operations that begin, then.
  mutating func run(source: Int?, starters: [Int]) {
    if let source { for _ in 0..<tensors[source].height { arrive(on: source) } }
    for operation in starters { _ = advance(operation) }
  }

  /// Whether all operations have made all of their rows.
  var isComplete: Bool { operations.indices.allSatisfy { made[$0] == operations[$0].dependence.output } }

  private mutating func arrive(on tensor: Int) {
    store(arrived[tensor] + above(tensor), on: tensor)
    arrived[tensor] += 1
    for reader in tensors[tensor].readers where advance(reader.operation) {
      hasWorked.insert([tensor, reader.operation])
    }
  }

  /// Rows of padding stored above the map.
  func above(_ tensor: Int) -> Int {
    tensors[tensor].readers.map { $0.storesPadding ? $0.rows.top : 0 }.max() ?? 0
  }

  /// A row, counted from the first that is stored, finds a place beside those that are still needed.
  private mutating func store(_ row: Int, on tensor: Int) {
    let above = above(tensor)
    let needed = tensors[tensor].readers.map { reader in
      reader.takesSingleRows
        ? arrived[tensor] + above : max(0, reader.rows.first(made[reader.operation]) + above)
    }
    capacities[tensor] = max(capacities[tensor], row - min(row, needed.min() ?? row) + 1)
  }

  private mutating func advance(_ index: Int) -> Bool {
    let operation = operations[index]
    if operation.takesSingleRows {
      guard let input = operation.inputs.first, made[index] < operation.dependence.output else { return false }
      let row = arrived[input] - 1 - made[index] * operation.dependence.step
      if row == operation.dependence.rows - 1 { make(index) }
      return true
    }
    var hasWorked = false
    while isDue(operation, made[index]) {
      padBelow(index)
      make(index)
      hasWorked = true
    }
    return hasWorked
  }

  private func isDue(_ operation: Operation, _ made: Int) -> Bool {
    let rows = operation.rows
    return made < rows.output
      && operation.inputs.allSatisfy {
        arrived[$0] == rows.input || arrived[$0] >= rows.first(made) + rows.rows
      }
  }

  private mutating func padBelow(_ index: Int) {
    let rows = operations[index].rows
    for input in operations[index].inputs {
      guard tensors[input].readers.contains(where: { $0.operation == index && $0.storesPadding }) else { continue }
      while rows.input + padded[input] < rows.first(made[index]) + rows.rows {
        store(rows.input + padded[input] + above(input), on: input)
        padded[input] += 1
      }
    }
  }

  private mutating func make(_ index: Int) {
    made[index] += 1
    if let output = operations[index].output {
      // The row is written before it counts.
      made[index] -= 1
      let row = arrived[output] + above(output)
      store(row, on: output)
      made[index] += 1
      arrived[output] += 1
      for reader in tensors[output].readers where advance(reader.operation) {
        hasWorked.insert([output, reader.operation])
      }
    }
  }
}
