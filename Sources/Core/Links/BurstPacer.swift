import Units

/// Lets so many through at once, and one more each interval: what others may make us do is spaced.
struct BurstPacer: Sendable {
  private let burst: Int
  private let interval: Interval
  private var tokens: Int
  /// When the next token comes; meaningful after `take` has failed.
  private(set) var refillAt = Instant.zero

  init(burst: Int, interval: Interval) {
    self.burst = burst
    self.interval = interval
    tokens = burst
  }

  mutating func take(at now: Instant) -> Bool {
    while tokens < burst, refillAt <= now {
      tokens += 1
      refillAt += interval
    }
    guard tokens > 0 else { return false }
    if tokens == burst { refillAt = now + interval }
    tokens -= 1
    return true
  }

  /// When `take` will succeed, at the earliest.
  var readyAt: Instant { tokens > 0 ? .zero : refillAt }
}
