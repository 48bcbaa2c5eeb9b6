import Units

/// A binary heap of what will happen: earliest first, ties in the order of insertion.
struct EventQueue<Event> {
  private struct Entry {
    var at: Instant
    var number: UInt64
    var event: Event

    func precedes(_ other: Entry) -> Bool {
      at == other.at ? number < other.number : at < other.at
    }
  }

  private var heap: [Entry] = []
  private var inserted: UInt64 = 0

  var count: Int { heap.count }
  var earliest: Instant? { heap.first?.at }

  mutating func insert(_ event: Event, at instant: Instant) {
    heap.append(Entry(at: instant, number: inserted, event: event))
    inserted += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() -> (at: Instant, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var child = parent * 2 + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
