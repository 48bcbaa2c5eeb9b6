/// First in, first out: mostly what a state machine has decided and its caller has not yet drained.
/// Taking costs the same however many wait.
///
/// Every packet passes through several of these in other modules: inlinable, so that each is
/// specialised there.
@frozen
public struct OutputQueue<Output: Sendable>: Sendable {
  /// Those before `taken` are gone.
  @usableFromInline var waiting: [Output?] = []
  @usableFromInline var taken = 0

  /// An emptied queue of at most so many keeps its memory for the next; a longer one drops those
  /// that were taken when they are more than half.
  @inlinable static var usualCount: Int { 1_024 }

  @inlinable public init() {}

  @inlinable public var isEmpty: Bool { taken == waiting.count }

  @inlinable public mutating func append(_ output: Output) { waiting.append(output) }

  @inlinable public mutating func next() -> Output? {
    guard taken < waiting.count else {
      // Most drains find nothing: those must cost nothing.
      if taken > 0 {
        waiting.removeAll(keepingCapacity: taken <= Self.usualCount)
        taken = 0
      }
      return nil
    }
    // Moved out: a copy would count references twice.
    let output = waiting[taken].take()
    taken += 1
    if taken >= Self.usualCount, taken > waiting.count / 2 {
      waiting.removeFirst(taken)
      taken = 0
    }
    return output
  }
}
