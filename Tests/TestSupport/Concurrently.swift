import Synchronization

/// Calls `body` with every element, two at a time, in order of their beginning: machines that run the tests have two cores.
package func concurrently<Element: Sendable>(
  _ elements: [Element], _ body: @escaping @Sendable (Element) async -> Void
) async {
  let queue = Queue(elements)
  await withTaskGroup(of: Void.self) { group in
    for _ in 0..<2 {
      group.addTask { while let element = queue.next() { await body(element) } }
    }
  }
}

private final class Queue<Element: Sendable>: Sendable {
  private let elements: Mutex<ArraySlice<Element>>

  init(_ elements: [Element]) { self.elements = Mutex(elements[...]) }

  func next() -> Element? { elements.withLock { $0.popFirst() } }
}
