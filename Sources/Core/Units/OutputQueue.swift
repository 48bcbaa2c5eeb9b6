/// What a state machine has decided and its caller has not yet drained: first in, first out.
package struct OutputQueue<Output: Sendable>: Sendable {
  private var waiting: [Output] = []
  private var taken = 0

  package init() {}

  package var isEmpty: Bool { taken == waiting.count }

  package mutating func append(_ output: Output) { waiting.append(output) }

  package mutating func next() -> Output? {
    guard taken < waiting.count else {
      // Most drains find nothing: those must cost nothing.
      if taken > 0 { waiting.removeAll(keepingCapacity: true) }
      taken = 0
      return nil
    }
    defer { taken += 1 }
    return waiting[taken]
  }
}
