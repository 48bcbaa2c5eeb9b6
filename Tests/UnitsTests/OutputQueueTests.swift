import Testing

@testable import Units

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

  @Test func `a queue that is never empty keeps few places of those that were taken`() {
    var queue = OutputQueue<Int>()
    var most = 0
    for number in 0..<20_000 {
      queue.append(number)
      if number >= 10 { #expect(queue.next() == number - 10) }
      most = max(most, queue.slots.count)
    }
    #expect(most <= 2 * OutputQueue<Int>.usualCount)
  }

  @Test func `a queue that was long once gives its memory back, a short one keeps it`() {
    var long = OutputQueue<Int>()
    var short = OutputQueue<Int>()
    for number in 0..<5_000 { long.append(number) }
    for number in 0..<100 { short.append(number) }
    while long.next() != nil {}
    while short.next() != nil {}
    #expect(long.slots.count <= OutputQueue<Int>.usualCount)
    #expect(short.slots.count == 100)
  }
}
