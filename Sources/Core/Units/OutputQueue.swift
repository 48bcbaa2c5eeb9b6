/// First in, first out: mostly what a state machine has decided and its caller has not yet drained.
/// Taking costs the same however many wait.
///
/// Every packet passes through several of these in other modules: inlinable, so that each is
/// specialised there.
@frozen
public struct OutputQueue<Output: Sendable>: Sendable {
  /// Those before `taken` and from `end` on are empty.
  @usableFromInline var slots: [Output?] = []
  @usableFromInline var taken = 0
  @usableFromInline var end = 0

  /// An emptied queue of at most so many keeps its memory for the next, and its empty places as they
  /// are: to destroy them would be a call for each. A longer one drops those that were taken when they
  /// are more than half.
  @inlinable static var usualCount: Int { 1_024 }

  @inlinable public init() {}

  @inlinable public var isEmpty: Bool { taken == end }

  @inlinable public mutating func append(_ output: Output) {
    if end < slots.count { slots[end] = output } else { slots.append(output) }
    end += 1
  }

  @inlinable public mutating func next() -> Output? {
    guard taken < end else {
      // Most drains find nothing: those must cost nothing.
      if taken > 0 {
        if slots.count > Self.usualCount { slots = [] }
        taken = 0
        end = 0
      }
      return nil
    }
    // Moved out: a copy would count references twice.
    let output = slots[taken].take()
    taken += 1
    if taken >= Self.usualCount, taken > end / 2 {
      slots.removeFirst(taken)
      end -= taken
      taken = 0
    }
    return output
  }
}
