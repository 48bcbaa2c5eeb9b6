/// Wall time, read once and carried on by the monotonic clock, so that a jump of the computer's
/// clock makes nothing happen early or late.
public struct WallClock: Hashable, Sendable {
  private let readAt: Instant
  private let unixSeconds: Int64

  /// `unixSeconds` since 1970, as it was read at `instant`.
  public init(unixSeconds: Int64, at instant: Instant) {
    self.unixSeconds = unixSeconds
    readAt = instant
  }

  public func unixSeconds(at now: Instant) -> Int64 {
    unixSeconds + (now - readAt).nanoseconds / 1_000_000_000
  }

  /// Clamped to what an `Instant` can hold (±292 years).
  public func instant(ofUnixSeconds seconds: UInt64) -> Instant {
    let limit: Int64 = 9_000_000_000
    let ahead = Int64(clamping: seconds) - unixSeconds
    if ahead > limit - max(0, readAt.nanoseconds / 1_000_000_000) { return .distantFuture }
    return readAt + .nanoseconds(max(-limit, ahead) * 1_000_000_000)
  }
}
