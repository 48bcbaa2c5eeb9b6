import Units

/// Time as libvpx is told it: it gives each frame the rate's bits of the time since the frame before.
///
/// Told when pictures were captured it makes the frame after a gap twice as large or more. But gaps are
/// left where a queue stands, and a larger frame is the last thing to send then: §5.1 of RFC 8867 had
/// a p95 of 170 ms instead of 137 (docs/congestion.md, "Frame sizes"). So each frame lasts the
/// interval of the rate that the source states; of a source that is slower than it says, the
/// shortest gap that it has left of late.
struct FrameClock {
  private(set) var timestamp = Interval.zero
  private var last: Instant?
  private var gaps: [Interval] = []

  /// As many must be long before the source counts as slow, a second or less of most.
  private static let memory = 16
  private static let longest = Interval.milliseconds(200)

  /// A picture was captured that needs no frame: the next one's is no longer for it.
  mutating func pass(capturedAt: Instant) { last = capturedAt }

  /// When the next frame begins, and how long it lasts; `interval` is that of the stated rate.
  mutating func next(
    capturedAt: Instant, interval: Interval
  ) -> (timestamp: Interval, duration: Interval) {
    if let last {
      if gaps.count == Self.memory { gaps.removeFirst() }
      gaps.append(capturedAt - last)
    }
    last = capturedAt
    let shortest = gaps.count == Self.memory ? gaps.min() ?? interval : interval
    let duration = max(interval, min(shortest, Self.longest))
    defer { timestamp = timestamp + duration }
    return (timestamp, duration)
  }
}
