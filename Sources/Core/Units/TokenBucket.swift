/// Allows `rate` events a second on average and `burst` at once.
public struct TokenBucket: Sendable {
  private let rate: Double
  private let burst: Double
  private var tokens: Double
  private var filledAt: Instant

  /// Starts full.
  public init(rate: Double, burst: Double, at now: Instant) {
    self.rate = rate
    self.burst = burst
    tokens = burst
    filledAt = now
  }

  /// When the next event is within the limit.
  public var nextAt: Instant {
    // Rounded up: at that instant the token must be there.
    filledAt + .seconds(max(0, 1 - tokens) / rate) + .microseconds(1)
  }

  /// True when the event is within the limit; it is counted then.
  public mutating func take(at now: Instant) -> Bool {
    tokens = min(burst, tokens + (now - filledAt).seconds * rate)
    filledAt = now
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}
