import Units

/// Keys by the time at which each must be looked at: a binary heap.
///
/// An entry may come too early, never too late: who postpones a key's deadline leaves its entry
/// and puts in a new one when it has come. So there is one entry a key, not one a change.
struct DeadlineQueue<Key> {
  private var heap: [(at: Instant, key: Key)] = []

  var next: Instant? { heap.first?.at }
  var count: Int { heap.count }

  mutating func insert(_ key: Key, at instant: Instant) {
    heap.append((instant, key))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].at < heap[parent].at else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// The entry whose time is over, if any.
  mutating func takeDue(at now: Instant) -> (at: Instant, key: Key)? {
    guard let first = heap.first, first.at <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var earliest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].at < heap[earliest].at { earliest = child }
      }
      guard earliest != parent else { return first }
      heap.swapAt(parent, earliest)
      parent = earliest
    }
  }
}
