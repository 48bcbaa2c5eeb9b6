import Testing
import Units

@Suite struct OutputQueueTests {
  /// What stands in the queue, as something that knows when it goes.
  private final class Token: Sendable {
    let number: Int
    init(_ number: Int) { self.number = number }
  }

  @Test func `all come out once, in order, however they are put in between`() {
    var queue = OutputQueue<Int>()
    var random = SeededRandom(seed: 3)
    var put = 0
    var taken: [Int] = []
    for _ in 0..<2_000 {
      for _ in 0..<Int.random(in: 0..<6, using: &random) {
        queue.append(put)
        put += 1
      }
      for _ in 0..<Int.random(in: 0..<6, using: &random) {
        if let next = queue.next() { taken.append(next) }
      }
      #expect(queue.isEmpty == (taken.count == put))
    }
    while let next = queue.next() { taken.append(next) }
    #expect(taken == Array(0..<put))
    #expect(queue.isEmpty)
  }

  @Test func `what was taken is let go at once, though others wait`() {
    var queue = OutputQueue<Token>()
    var first: Token? = Token(1)
    weak let watched = first
    queue.append(first!)
    queue.append(Token(2))
    first = nil
    #expect(queue.next()?.number == 1)
    #expect(watched == nil)
    #expect(queue.next()?.number == 2)
  }
}
