import Testing
import Units

@Suite struct TokenBucketTests {
  @Test func `a burst is let through at once, and then one at a time, when it says so`() {
    var now = Instant(nanoseconds: 5_000_000_000)
    var bucket = TokenBucket(rate: 3, burst: 4, at: now)
    for _ in 0..<4 {
      let isIn = bucket.take(at: now)
      #expect(isIn)
    }
    for _ in 0..<10 {
      let isEarly = bucket.take(at: now)
      #expect(!isEarly)
      let next = bucket.nextAt
      #expect((next - now - .seconds(1 / 3.0)).magnitude < .milliseconds(1))
      now = next
      let isIn = bucket.take(at: now)
      #expect(isIn)
    }
  }
}
