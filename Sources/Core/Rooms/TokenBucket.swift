import Units

/// Allows `rate` events a second on average and `burst` at once.
struct TokenBucket {
  private let rate: Double
  private let burst: Double
  private var tokens: Double
  private var filledAt: Instant

  /// Starts full.
  init(rate: Double, burst: Double, at now: Instant) {
    self.rate = rate
    self.burst = burst
    tokens = burst
    filledAt = now
  }

  /// True when the event is within the limit; it is counted then.
  mutating func take(at now: Instant) -> Bool {
    tokens = min(burst, tokens + (now - filledAt).seconds * rate)
    filledAt = now
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}
