/// First in, first out; taking costs the same however many wait.
struct FirstInQueue<Element> {
  private var elements: [Element?] = []
  private var start = 0

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func next() -> Element? {
    guard start < elements.count else { return nil }
    defer {
      elements[start] = nil
      start += 1
      if start == elements.count {
        elements.removeAll(keepingCapacity: start <= 1_024)
        start = 0
      } else if start >= 1_024, start > elements.count / 2 {
        elements.removeFirst(start)
        start = 0
      }
    }
    return elements[start]
  }
}
