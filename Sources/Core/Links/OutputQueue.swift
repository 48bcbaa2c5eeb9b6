/// What a state machine has decided and nobody has taken yet, in order.
package struct OutputQueue<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var start = 0

  package init() {}

  package var isEmpty: Bool { start == elements.count }

  package mutating func append(_ element: Element) { elements.append(element) }

  package mutating func next() -> Element? {
    guard start < elements.count else { return nil }
    defer {
      start += 1
      if start == elements.count {
        elements.removeAll(keepingCapacity: true)
        start = 0
      }
    }
    return elements[start]
  }
}
