import Units

/// Spaces new checks (RFC 8445 §14.2: Ta), after a first burst that finds a path in a LAN at once.
struct CheckPacer: Sendable {
  private static let burst = 8
  private static let interval = Interval.milliseconds(20)

  private var tokens = burst
  /// When the next token comes; meaningful after `take` has failed.
  private(set) var refillAt = Instant.zero

  mutating func take(at now: Instant) -> Bool {
    while tokens < Self.burst, refillAt <= now {
      tokens += 1
      refillAt += Self.interval
    }
    guard tokens > 0 else { return false }
    if tokens == Self.burst { refillAt = now + Self.interval }
    tokens -= 1
    return true
  }
}
