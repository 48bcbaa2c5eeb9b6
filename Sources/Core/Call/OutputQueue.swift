/// First in, first out; storage is kept, so that a steady flow allocates nothing.
package struct OutputQueue<Element> {
  private var elements: [Element] = []
  private var head = 0

  package init() {}

  package mutating func append(_ element: Element) { elements.append(element) }

  package mutating func next() -> Element? {
    guard head < elements.count else {
      elements.removeAll(keepingCapacity: true)
      head = 0
      return nil
    }
    defer { head += 1 }
    return elements[head]
  }
}

extension OutputQueue: Sendable where Element: Sendable {}
