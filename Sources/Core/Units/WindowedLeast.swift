/// The least of the intervals noted in the last ten to twenty seconds. Older ones are forgotten:
/// paths change, and two clocks drift apart by up to 0.1 ms a second.
public struct WindowedLeast: Sendable {
  private var current: Interval?
  private var previous: Interval?
  private var began = Instant.zero

  private static let half = Interval.milliseconds(10_000)

  public init() {}

  public mutating func note(_ interval: Interval, at now: Instant) {
    if now - began > Self.half {
      previous = current
      current = nil
      began = now
    }
    current = min(current ?? interval, interval)
  }

  /// `nil` before the first.
  public var value: Interval? {
    guard let current else { return previous }
    return min(current, previous ?? current)
  }
}
