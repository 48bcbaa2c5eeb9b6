/// First in, first out: mostly what a state machine has decided and its caller has not yet drained.
/// Taking costs the same however many wait.
package struct OutputQueue<Output: Sendable>: Sendable {
  /// Those before `taken` are gone.
  private var waiting: [Output?] = []
  private var taken = 0

  /// An emptied queue of at most so many keeps its memory for the next; a longer one drops those
  /// that were taken when they are more than half.
  private static var usualCount: Int { 1_024 }

  package init() {}

  package var isEmpty: Bool { taken == waiting.count }

  package mutating func append(_ output: Output) { waiting.append(output) }

  package mutating func next() -> Output? {
    guard taken < waiting.count else {
      // Most drains find nothing: those must cost nothing.
      if taken > 0 { waiting.removeAll(keepingCapacity: taken <= Self.usualCount) }
      taken = 0
      return nil
    }
    let output = waiting[taken]
    waiting[taken] = nil
    taken += 1
    if taken >= Self.usualCount, taken > waiting.count / 2 {
      waiting.removeFirst(taken)
      taken = 0
    }
    return output
  }
}
